"""What keeps a notice from being sent now: a silence, the quiet hours, a rate limit."""

from __future__ import annotations

from tokenbudget.alerts.notices import HELD_BACK, QUIET, REPEAT, RESOLVE
from tokenbudget.alerts.rules import LEVELS
from tokenbudget.alerts.state import Held, Sent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.alerts.notices import Notice
    from tokenbudget.alerts.state import Alert, Policy, Silence

HOUR_MS = 3_600_000


def silence_of(alert: Alert, silences: Sequence[Silence], now_ms: int) -> Silence | None:
    """The silence that an alert stands under; one until resolved goes before one with an end."""
    fitting = [
        silence
        for silence in silences
        if silence.rule_id in ("", alert.rule_id)
        and silence.fingerprint in ("", alert.fingerprint)
        and (silence.until_ms is None or now_ms < silence.until_ms)
    ]
    return min(fitting, key=lambda silence: silence.until_ms is not None, default=None)


def lasting(silences: Sequence[Silence], now_ms: int, over: set[str]) -> tuple[Silence, ...]:
    """The silences without those that have ended, by time or because their alert is over."""
    return tuple(
        silence
        for silence in silences
        if (silence.until_ms is None or now_ms < silence.until_ms)
        and not (silence.until_ms is None and silence.fingerprint in over)
    )


def passes_quiet(notice: Notice, policy: Policy) -> bool:
    """Whether a notice is so grave that it may wake someone."""
    is_grave = LEVELS.index(notice.level) >= LEVELS.index(policy.passing_level)
    return is_grave and notice.kind != RESOLVE


def held_with(held: Sequence[Held], notice: Notice) -> tuple[Held, ...]:
    """The digest-to-be with one more notice: an alert stays one line, however often it moves."""
    earlier = next((h for h in held if h.fingerprint == notice.fingerprint), None)
    if earlier is None:
        if notice.kind == REPEAT:
            return tuple(held)
        over_ms = notice.at_ms if notice.kind == RESOLVE else None
        made = Held(
            notice.fingerprint, notice.channels, notice.level, notice.title, notice.at_ms, over_ms
        )
        return (*held, made)
    if notice.kind == RESOLVE:
        later = earlier._replace(over_ms=notice.at_ms)
    elif notice.kind == REPEAT:
        later = earlier
    else:
        later = earlier._replace(title=notice.title, level=notice.level, over_ms=None)
    return tuple(later if h.fingerprint == notice.fingerprint else h for h in held)


class Desk:
    """Where notices pass on their way out during one evaluation."""

    def __init__(
        self, sent: Sequence[Sent], held: Sequence[Held], policy: Policy, is_quiet: bool
    ) -> None:
        self.held = tuple(held)
        self._policy = policy
        self._is_quiet = is_quiet
        self._sent = {s.channel: s for s in sent}

    def sent(self, now_ms: int) -> tuple[Sent, ...]:
        """What each channel got in the last hour, for the next evaluation."""
        recent = (_recent(s, now_ms) for s in self._sent.values())
        return tuple(sorted(s for s in recent if s.at_ms or s.held_back))

    def holds(self, fingerprint: str) -> bool:
        """Whether an alert waits for the digest, which then says that it is over."""
        return any(h.fingerprint == fingerprint for h in self.held)

    def pass_on(self, notice: Notice) -> Notice:
        """The notice as it leaves: sent, kept for the digest, or held back by every channel."""
        if self._is_quiet and not passes_quiet(notice, self._policy):
            self.held = held_with(self.held, notice)
            return notice._replace(channels=(), withheld=QUIET)
        if notice.kind != RESOLVE:
            self.held = tuple(h for h in self.held if h.fingerprint != notice.fingerprint)
        return self.rated(notice)

    def rated(self, notice: Notice) -> Notice:
        """The notice for those channels that still have room this hour."""
        open_channels = [c for c in notice.channels if self.has_room(c, notice.at_ms)]
        counts = []
        for channel in notice.channels:
            before = _recent(self._sent.get(channel, Sent(channel)), notice.at_ms)
            if channel not in open_channels:
                self._sent[channel] = before._replace(held_back=before.held_back + 1)
                continue
            if before.held_back:
                counts.append((channel, before.held_back))
            self._sent[channel] = Sent(channel, (*before.at_ms, notice.at_ms))
        withheld = HELD_BACK if notice.channels and not open_channels else ""
        return notice._replace(
            channels=tuple(open_channels), held_back=tuple(counts), withheld=withheld
        )

    def has_room(self, channel: str, now_ms: int) -> bool:
        """Whether one more message may go there."""
        got = _recent(self._sent.get(channel, Sent(channel)), now_ms)
        return len(got.at_ms) < self._policy.rate_per_hour


def _recent(sent: Sent, now_ms: int) -> Sent:
    return sent._replace(at_ms=tuple(at for at in sent.at_ms if now_ms - at < HOUR_MS))
