"""Whether a lever may be pulled now: known, trusted, wished, in time, and worth its price."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.health import EMERGENCY, WARNING
from tokenbudget.model.control import (
    ACT,
    ADVICE_ONLY,
    ADVISE,
    HISTORY,
    RESERVE,
    SERVERS,
    WAIT,
    Prediction,
)
from tokenbudget.model.spans import shown_span
from tokenbudget.optimizer import trust, words
from tokenbudget.optimizer.policy import (
    HISTORY_LEAST_SHARE,
    LEAST_PRESSURE,
    SLOWING,
    WARM_FACTOR,
    WORK_FACTOR,
)
from tokenbudget.optimizer.signals import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Mode
    from tokenbudget.optimizer.ground import Ground
    from tokenbudget.optimizer.lever_facts import Fact
    from tokenbudget.optimizer.money import Bill
    from tokenbudget.optimizer.ranking import Choice
    from tokenbudget.optimizer.state import State

WARM, OPEN, FEEDBACK, COOLDOWN, SMALL = "warm", "open", "feedback", "cooldown", "small"
COLD_NO_PAY, IN_USE = "cold-no-pay", "in-use"
COLD, BOUNDARY = "cold", "boundary"


class Option(NamedTuple):
    """What one lever could do now, and what stands against it."""

    lever: str
    choice: Choice
    mode: Mode
    fact: Fact | None
    factor: float
    """The lever's trust."""
    bill: Bill
    free_by: str
    """Why the next request reads no cache anyway, as a code; '' where it does."""

    @property
    def tokens(self) -> int:
        """Predicted, as far as the lever is trusted."""
        return int(self.choice.tokens * self.factor)

    @property
    def reaches_window_now(self) -> bool:
        """Whether it changes the next request."""
        return self.fact is not None and self.fact.effect == "now"

    @property
    def prediction(self) -> Prediction:
        """What it is expected to do; where nothing is known of it, at the next start."""
        effect = self.fact.effect if self.fact else "next start"
        row = self.fact.row if self.fact else ""
        return Prediction(
            self.tokens,
            self.choice.error_tokens,
            self.bill.usd if self.reaches_window_now else None,
            self.bill.break_even_requests if self.reaches_window_now else None,
            effect,
            row,
        )


class Verdict(NamedTuple):
    """What may be done with an option: `ACT`, `ADVISE`, or `WAIT` with a reason."""

    kind: str
    code: str
    why: str
    next: str = ""


def verdict(option: Option, ground: Ground) -> Verdict:
    """The first thing that stands against it decides."""
    advised = _only_advised(option)
    if option.lever in ADVICE_ONLY and advised:
        return advised
    waiting = _not_seen_yet(option, ground) or _too_soon(option, ground)
    if waiting:
        return waiting
    moment = _moment(option, ground)
    if moment.kind == WAIT:
        return moment
    return advised or _after_another(option, moment, ground) or moment


def is_only_advised(option: Option) -> bool:
    """Whether a person has to do it."""
    return _only_advised(option) is not None


def _only_advised(option: Option) -> Verdict | None:
    """Why a person has to do it; None: it may be done for them."""
    if option.lever in ADVICE_ONLY:
        return Verdict(ADVISE, "advice", "only a person can do this")
    if option.fact is None:
        return Verdict(
            ADVISE, "unknown-lever", "what it does was not measured with this client and model"
        )
    if option.fact.effect not in ("now", "next compaction"):
        return Verdict(ADVISE, "next-start", "it takes effect when a session starts")
    if not all(one.is_reversible for one in option.choice.victims):
        return Verdict(ADVISE, "irreversible", "it cannot be taken back")
    if option.factor < trust.LEAST:
        return Verdict(ADVISE, "distrust", "its last predictions were off by more than 25%")
    if option.mode != "auto":
        return Verdict(ADVISE, "advise", "nothing is done by itself here")
    return None


def _not_seen_yet(option: Option, ground: Ground) -> Verdict | None:
    """What was done before has to show first: by this lever, by the history, or enough of it."""
    state, lever = ground.state, option.lever
    shown = "with the request that shows it"
    if state.is_open(lever):
        return Verdict(WAIT, OPEN, "what it did last has not been seen yet", shown)
    is_warm_server = lever == SERVERS and not ground.seen.cache.is_cold
    # The reserve is the same setting of the client: released now, it would call the compaction off.
    if state.is_open(HISTORY) and (is_warm_server or lever == RESERVE):
        return Verdict(WAIT, OPEN, "the conversation is compacted first", shown)
    coming = _on_its_way(state)
    is_enough = coming > 0 and ground.used_tokens - coming < ground.spare_tokens
    if is_enough and ground.level != EMERGENCY and option.reaches_window_now:
        said = f"the {words.tokens(coming)} that are about to leave are enough"
        return Verdict(WAIT, OPEN, said, shown)
    return None


def _too_soon(option: Option, ground: Ground) -> Verdict | None:
    tried = ground.state.tried_at_ms(option.lever)
    if tried is None or ground.now_ms - tried >= ground.wishes.cooldown_ms:
        return None
    ago = shown_span(ground.now_ms - tried)
    again = shown_span(tried + ground.wishes.cooldown_ms - ground.now_ms)
    return Verdict(WAIT, COOLDOWN, f"it was tried {ago} ago", f"again in {again}")


def _on_its_way(state: State) -> int:
    """Tokens that leave with the next request, by what was predicted."""
    now = [one.receipt for one in state.pulled if one.is_open and one.receipt.effect == "now"]
    return sum(one.predicted_tokens for one in now if one.lever not in SLOWING)


def _after_another(option: Option, moment: Verdict, ground: Ground) -> Verdict | None:
    """One action for one request: what it did shows with the next. An emergency does not wait."""
    was_marked = any(mark.lever == option.lever for mark in ground.state.marks)
    if ground.level == EMERGENCY or ground.state.edited_key != ground.seen.request_key:
        return None
    if was_marked and moment.code == COLD:
        return None
    said = "something was done since the last request already"
    return Verdict(WAIT, FEEDBACK, said, "with the next request")


def _moment(option: Option, ground: Ground) -> Verdict:
    """Whether now is the time, by the cache and by how long the session is expected to go on."""
    level = ground.level
    if not option.reaches_window_now or option.lever in SLOWING:
        return Verdict(ACT, "soft" if level == WARNING else "hard", "it costs nothing now")
    if level == EMERGENCY:
        return Verdict(ACT, "emergency", _loss(option))
    if option.lever == HISTORY and _is_small(option, ground):
        least = words.percent(HISTORY_LEAST_SHARE)
        said = f"it would free less than {least} of the usable window, too little for a summary"
        return Verdict(WAIT, SMALL, said, "when there is more to free")
    if option.lever == HISTORY and _is_in_use(option, ground):
        return Verdict(WAIT, IN_USE, _would_be_read_again(option, ground), "when less is in use")
    expected = _counted_on(ground)
    if option.free_by:
        return _when_free(option, expected)
    if option.lever == SERVERS and option.fact is not None and not option.fact.rewrites:
        return Verdict(ACT, "hard", "the cache stays good")
    return _when_warm(option, ground, expected)


def _is_small(option: Option, ground: Ground) -> bool:
    """Whether the compaction, and what takes effect with it, would free too little."""
    waiting = [one.receipt for one in ground.state.pulled if one.is_open]
    beside = sum(one.predicted_tokens for one in waiting if one.effect == "next compaction")
    least = HISTORY_LEAST_SHARE * (ground.seen.usable_tokens or 0)
    return option.tokens + beside < least


def _counted_on(ground: Ground) -> float | None:
    """Requests that still come in nine sessions of ten; the middle where nobody tells more."""
    sure = amount(ground.seen.sure_requests)
    return amount(ground.seen.expected_requests) if sure is None else sure


def _is_in_use(option: Option, ground: Ground) -> bool:
    """Whether more of it would be read again than room is worth now."""
    return option.bill.reread_iet > pressure(ground) * option.bill.carried_iet


def pressure(ground: Ground) -> float:
    """For how many requests' carrying of what would leave it may be read again.

    What has been filled since the warning began, by what is left until the window is full: the more
    of the way there is gone, the less likely is a better moment before the client compacts by
    itself. 1 half way (critical, by default) and not less before it; without end at the end.
    """
    share, begins = ground.seen.share or 0.0, ground.wishes.warning_share
    left = 1.0 - share
    return max(LEAST_PRESSURE, (share - begins) / left) if left > 0 else float("inf")


def _would_be_read_again(option: Option, ground: Ground) -> str:
    things = sum(amount(one.reread_requests) or 0.0 for one in option.choice.victims)
    return (
        f"to read again what is in use (about {things:.1f} files) costs more than to carry all that"
        f" would leave for {words.requests(pressure(ground))}"
    )


def _when_free(option: Option, expected: float | None) -> Verdict:
    bill = option.bill
    said = "the cache is cold" if option.free_by == COLD else "the conversation was just compacted"
    if expected is None or not bill.is_known:
        return Verdict(ACT, option.free_by, f"{said}, so the next request is new to it anyway")
    if bill.pays_after(expected, 1.0):
        return Verdict(ACT, option.free_by, f"{said}, and {_pays(option, expected)}")
    why = f"{said}, but {_does_not_pay(option, expected, 1.0)}"
    return Verdict(WAIT, COLD_NO_PAY, why, "if the session goes on for longer")


def _when_warm(option: Option, ground: Ground, expected: float | None) -> Verdict:
    cold_ms = amount(ground.seen.cache.cold_in_ms)
    when = "when the cache is cold" + (f", in {shown_span(int(cold_ms))}" if cold_ms else "")
    if not option.bill.pays_after(expected, WARM_FACTOR):
        return Verdict(WAIT, WARM, _does_not_pay(option, expected, WARM_FACTOR), when)
    if _would_disturb(option, ground) and not option.bill.pays_after(expected, WORK_FACTOR):
        said = f"{_pays(option, expected)}, but the agent is at work"
        return Verdict(WAIT, WARM, said, f"between two turns, or {when}")
    return Verdict(ACT, "pays", _pays(option, expected))


def _would_disturb(option: Option, ground: Ground) -> bool:
    """Whether there is time to wait for a pause, in which a summary does no harm to the work."""
    is_early = ground.level == WARNING and option.lever == HISTORY
    return is_early and not ground.seen.is_between_turns


def _pays(option: Option, expected: float | None) -> str:
    after = option.bill.break_even_requests or 0.0
    if not after:
        return "it pays for itself at once"
    sure = words.requests(expected or 0.0)
    return f"it pays for itself after {words.about(after)} of about {sure} to count on"


def _does_not_pay(option: Option, expected: float | None, factor: float) -> str:
    after = option.bill.break_even_requests
    if expected is None:
        return "the cache is warm, and nobody knows how many requests will come"
    if not option.bill.is_known:
        return "the cache is warm, and the model has no price"
    if after is None:
        return "it would never pay for itself"
    return (
        f"about {words.requests(expected)} more can be counted on, and it takes"
        f" {words.about(factor * after)} to be worth it"
    )


def _loss(option: Option) -> str:
    usd = option.bill.usd
    if usd is not None and usd < 0:
        return f"room comes first, and it costs {words.dollars(usd)}"
    return "room comes first"
