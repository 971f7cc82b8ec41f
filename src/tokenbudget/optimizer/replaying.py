"""The controller itself over a recorded session: `controller.tick`, the very code of the loop.

The recorded session is looked at as the loop would have looked at it: after each answer, at least
every half hour of a pause, when the cache went cold, and right before the next request. A look
tells nothing of what comes. What a decision does is done to the modelled window
(`replaying_walk`), and its receipt is settled by what the next looks show.

**Modelled.** Every lever is taken to work as it was measured on release `CLIENT_VERSION`, whatever
release and model the session had; every lever is wished `auto`. How many requests still come is
told by other sessions. Of the levers two are pulled here: the history, and how hard results are
shortened. Nothing is known of a recorded session's unused skills, servers and memory files that
would be more than a guess, and terseness would change what the agent says.
"""

from __future__ import annotations

from tokenbudget.model.control import (
    ACT,
    HISTORY,
    TRIMMING,
    Held,
    Receipt,
    Signals,
    Wishes,
)
from tokenbudget.model.replay import MODELLED, NAIVE
from tokenbudget.optimizer import controller, receipts
from tokenbudget.optimizer.lever_facts import Fact
from tokenbudget.optimizer.replaying_walk import (
    AtEveryThreshold,
    ControlStrategy,
    NobodyDecides,
    Pull,
)
from tokenbudget.optimizer.replaying_world import SUMMARY_TOKENS, is_between_turns
from tokenbudget.optimizer.trust import trust_of
from tokenbudget.optimizer.working_set import missed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.control import Decision
    from tokenbudget.model.replay import Moment
    from tokenbudget.optimizer.replaying_walk import Scene, View

OURS, AS_NAIVE, AS_OFF = "controller", "controller-naive", "controller-off"
CLIENT_VERSION = "2.1.329"
COMPACT, TRIM = "history/compact", "trimming/compressed"
TRIMMED_SHARE = 0.056
"""Of what results carry, what the hardest level takes out (docs/trim.md)."""
RESULTS_PER_REQUEST_TOKENS = 1_000
MOST_UNSEEN_MS = 1_800_000
"""The loop looks every few seconds; here it is enough that it never seems to have stopped."""
WISHES = Wishes(modes={HISTORY: "auto", TRIMMING: "auto"})


def as_measured(
    _client: str, model: str, has_tool_search: bool | None, lever: str, /
) -> Fact | None:
    """That a lever works at the next request, as it does on `CLIENT_VERSION`."""
    if lever not in (HISTORY, TRIMMING):
        return None
    rewrites = "messages" if lever == HISTORY else ""
    told = (lever, "replay", CLIENT_VERSION, model, has_tool_search)
    return Fact(*told, "now", 0, 0, 0, rewrites, True)


def control_names() -> tuple[str, ...]:
    """Those of `control_strategies`, in their order."""
    return (AS_OFF, AS_NAIVE, OURS)


def control_strategies(scene: Scene, wishes: Wishes = WISHES) -> tuple[ControlStrategy, ...]:
    """Nobody, the naive one and the controller; the oracle has to be searched for."""
    return (
        ControlStrategy(
            AS_OFF,
            NAIVE,
            "nobody decides anything: the client compacts where the window is full",
            NobodyDecides,
            scene,
        ),
        ControlStrategy(
            AS_NAIVE,
            NAIVE,
            "compacts and trims at once at every threshold (50%, 75%, 90%), blind to the cache",
            AtEveryThreshold,
            scene,
        ),
        ControlStrategy(
            OURS,
            MODELLED,
            "the controller's own rules: nothing while healthy, then at the moment that pays",
            lambda: Controlling(wishes),
            scene,
        ),
    )


class Controlling:
    """Asks the controller as its loop does, and carries its state from look to look."""

    def __init__(self, wishes: Wishes = WISHES) -> None:
        self._wishes = wishes
        self._state: controller.State | None = None
        self._receipts: list[Receipt] = []
        """The latest first."""
        self._now_ms = 0
        self.decisions: list[Decision] = []
        """What differs from the decision before it."""

    def pulls(self, view: View) -> Sequence[Pull]:
        """What the ticks between two requests decide to do."""
        found: list[Pull] = []
        for now_ms in looks(view.answered_at_ms, view.moment, self._wishes.interval_ms):
            self._now_ms = max(self._now_ms, now_ms)
            decision = self._tick(view, self._now_ms)
            if decision.kind == ACT and not any(one.lever == decision.lever for one in found):
                tokens = decision.prediction.tokens if decision.prediction else 0
                found.append(Pull(decision.lever, decision.level, float(tokens)))
        return found

    def _tick(self, view: View, now_ms: int) -> Decision:
        seen = signals(view, now_ms)
        state = self._state or controller.fresh(seen.session)
        self._settle(receipts.settled(state, seen, now_ms))
        trust = trust_of(self._receipts)
        state, decision = controller.tick(state, seen, self._wishes, trust, now_ms, as_measured)
        receipt = self._receipt(decision, seen) if decision.kind == ACT else None
        self._state = controller.noted(state, decision, receipt)
        if not self.decisions or self.decisions[-1][2:5] != decision[2:5]:
            self.decisions.append(decision)
        return decision

    def _settle(self, done: Sequence[Receipt]) -> None:
        ended = {(one.lever, one.at_ms): one for one in done}
        self._receipts = [ended.get((one.lever, one.at_ms), one) for one in self._receipts]

    def _receipt(self, decision: Decision, seen: Signals) -> Receipt:
        predicted = decision.prediction
        made = Receipt(
            id=len(self._receipts) + 1,
            session=seen.session,
            at_ms=decision.at_ms,
            lever=decision.lever,
            items=decision.items,
            level=decision.level,
            action=None,
            predicted_tokens=predicted.tokens if predicted else 0,
            predicted_usd=predicted.usd if predicted else None,
            effect="now",
            before_tokens=seen.used_tokens or 0,
            request_key=seen.request_key,
        )
        self._receipts.insert(0, made)
        return made


def looks(answered_at_ms: int, moment: Moment, interval_ms: int) -> Iterator[int]:
    """When the loop looked between an answer and the next request, as far as it can matter."""
    start, end = answered_at_ms, max(moment.at_ms, answered_at_ms)
    told = {start + interval_ms, end - interval_ms, end - 1}
    cold = start + moment.ttl_ms + interval_ms
    told.add(cold)
    told.update(range(start + MOST_UNSEEN_MS, cold, MOST_UNSEEN_MS))
    between = sorted(one for one in told if start < one < end)
    yield from between or [end]


def signals(view: View, now_ms: int) -> Signals:
    """One look at the modelled session."""
    moment, scene = view.moment, view.scene
    since_ms = now_ms - view.answered_at_ms
    left_ms = max(0, moment.ttl_ms - since_ms)
    cache = moment.cache._replace(is_cold=left_ms == 0, cold_in_ms=left_ms)
    return Signals(
        session=scene.session,
        project=scene.project,
        client=CLIENT_VERSION,
        model=moment.model,
        has_tool_search=True,
        observed_at_ms=now_ms,
        request_key=f"request {moment.number - 1}",
        request_at_ms=view.answered_at_ms,
        requests=moment.number,
        used_tokens=round(view.world.used_tokens),
        usable_tokens=scene.usable_tokens,
        window_tokens=scene.window_tokens,
        compactions=view.compactions,
        is_between_turns=is_between_turns(moment.fresh),
        is_over=False,
        cache=cache,
        expected_requests=scene.expected(moment.number),
        sure_requests=scene.sure(moment.number),
        held=held(view),
    )


def held(view: View) -> tuple[Held, ...]:
    """What could leave the modelled window."""
    world = view.world
    found = world.compaction()
    again = missed(world.files())
    history = Held(
        id=COMPACT,
        lever=HISTORY,
        title="compact the conversation",
        reason=f"{found.removed_tokens:,.0f} tokens of conversation",
        tokens=max(0, round(found.freed_tokens)),
        replacement_tokens=round(SUMMARY_TOKENS + found.back_tokens),
        production_input_tokens=round(world.used_tokens),
        production_output_tokens=SUMMARY_TOKENS,
        reread_requests=sum(one.chance for one in again),
        reread_tokens=sum(one.expected_tokens for one in again),
    )
    if view.is_trimming:
        return (history,)
    ahead = view.scene.expected(view.moment.number) or 0.0
    trimming = Held(
        id=TRIM,
        lever=TRIMMING,
        title="shorten the results of tools harder",
        reason="results are still to come",
        tokens=round(TRIMMED_SHARE * RESULTS_PER_REQUEST_TOKENS * ahead),
    )
    return (history, trimming)
