"""What is done to a recorded window when somebody decides: the hands of every control strategy.

A decider is asked before each request that is billed here, with nothing of what comes; what it
pulls takes effect with that request, as the client does it (measured on release 2.1.329: a
compaction comes before the next request, also in the middle of a turn). The client itself compacts
where the window is full, whoever decides.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tokenbudget.analysis.backtest_trimming import TrimmingWalker
from tokenbudget.budget.health import HEALTHY, LEVELS, level_of
from tokenbudget.model.control import HISTORY, TRIMMING
from tokenbudget.model.replay import CLIENT, Deed
from tokenbudget.optimizer.replaying_world import World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.compression.policy import Wishes as TrimWishes
    from tokenbudget.model.protocols import TokenCounter, Walker
    from tokenbudget.model.replay import Change, Moment

COMPACTED = "compaction"


class Scene(NamedTuple):
    """What is known of a recorded thread beside its requests."""

    session: str
    project: str
    is_main: bool
    """Only the main thread is controlled; a subagent's window is its own."""
    usable_tokens: int
    """0: unknown, and nothing is done."""
    window_tokens: int
    expected: Callable[[int], float | None]
    """How many requests still come after so many, by other sessions; None is unknown."""
    counter: TokenCounter
    trim: TrimWishes
    """The level that trimming is raised to."""
    sure: Callable[[int], float | None] = lambda _requests: None
    """How many still come in nine sessions of ten; None is unknown."""


class Pull(NamedTuple):
    """A lever that is pulled now."""

    lever: str
    level: str
    predicted_tokens: float = 0.0


class View(NamedTuple):
    """What a decider sees: the request before was answered, the next one was not sent yet."""

    moment: Moment
    """The one to come; only its past may be looked at: who answered, and when."""
    world: World
    scene: Scene
    is_trimming: bool
    compactions: int
    """So far, recorded ones and those that were made here."""
    answered_at_ms: int
    """When the request before began; 0: unknown."""

    @property
    def share(self) -> float:
        """Of the usable window."""
        return self.world.used_tokens / self.scene.usable_tokens

    @property
    def level(self) -> str:
        """By the share alone, without a memory."""
        return level_of(self.share)


class Decider(Protocol):
    """Who decides."""

    def pulls(self, view: View) -> Sequence[Pull]:
        """What is pulled before this request."""


class ControlStrategy:
    """A decider as a strategy of the backtest."""

    def __init__(
        self, name: str, basis: str, said: str, decider: Callable[[], Decider], scene: Scene
    ) -> None:
        self.name, self.basis, self.said = name, basis, said
        self._decider = decider
        self._scene = scene

    def walker(self) -> Walker:
        """One for the beginning of a thread."""
        return ControlWalker(self._decider(), self._scene)


class ControlWalker:
    """Carries out what a decider decides, in the window as it then stands."""

    def __init__(self, decider: Decider, scene: Scene) -> None:
        self.deeds: list[Deed] = []
        self._decider = decider
        self._scene = scene
        self._world = World(scene.counter)
        self._trimmer: TrimmingWalker | None = None
        self._has_compacted = False
        self._compactions = 0
        self._answered_at_ms = 0

    def before(self, moment: Moment) -> Sequence[Change]:
        """What changes with this request."""
        world = self._world
        world.finish_request(moment)
        pulls = self._decided(moment)
        self._begin_trimming(pulls, moment.number)
        self._answered_at_ms = moment.at_ms or self._answered_at_ms
        world.begin_request(moment)
        changes = self._trimmed(moment)
        world.take(changes)
        self._compactions += moment.cause == COMPACTED
        compacting = next((one for one in pulls if one.lever == HISTORY), None)
        if compacting is not None and moment.cause != COMPACTED:
            changes += self._compacted(compacting, moment.number)
        return changes

    def _decided(self, moment: Moment) -> list[Pull]:
        """Nothing of a copy: what it cost is told where it was billed."""
        scene, world = self._scene, self._world
        if not (scene.is_main and scene.usable_tokens and moment.number and moment.is_owned):
            return []
        is_trimming = self._trimmer is not None
        view = View(moment, world, scene, is_trimming, self._compactions, self._answered_at_ms)
        pulls = list(self._decider.pulls(view))
        is_full = world.used_tokens >= scene.usable_tokens
        if is_full and not any(one.lever == HISTORY for one in pulls):
            pulls.append(Pull(HISTORY, CLIENT))
        return pulls

    def _begin_trimming(self, pulls: Sequence[Pull], number: int) -> None:
        pulled = next((one for one in pulls if one.lever == TRIMMING), None)
        if pulled is not None and self._trimmer is None:
            self._trimmer = TrimmingWalker(self._scene.counter, self._scene.trim)
            self.deeds.append(Deed(number, TRIMMING, pulled.level, pulled.predicted_tokens, 0.0))

    def _trimmed(self, moment: Moment) -> list[Change]:
        if self._trimmer is None:
            return []
        if self._has_compacted:  # what has left the window cannot be pointed at
            moment = moment._replace(cause=moment.cause or COMPACTED)
            self._has_compacted = False
        return list(self._trimmer.before(moment))

    def _compacted(self, pull: Pull, number: int) -> list[Change]:
        found = self._world.compaction()
        if found.freed_tokens <= 0:
            return []
        lever = CLIENT if pull.level == CLIENT else HISTORY
        level = HEALTHY if pull.level == CLIENT else pull.level
        self.deeds.append(Deed(number, lever, level, pull.predicted_tokens, found.freed_tokens))
        self._has_compacted = True
        self._compactions += 1
        return self._world.compact(found)


# ── deciders without a policy ────────────────────────────────────────────────────────────────────


class NobodyDecides:
    """Nothing is pulled; the client compacts where the window is full."""

    def pulls(self, view: View) -> Sequence[Pull]:
        """Nothing."""
        return ()


class AtEveryThreshold:
    """Everything is pulled as soon as a worse level is reached, blind to the cache."""

    def __init__(self) -> None:
        self._level = HEALTHY

    def pulls(self, view: View) -> Sequence[Pull]:
        """All levers where the level became worse."""
        before, self._level = self._level, view.level
        if LEVELS.index(self._level) <= LEVELS.index(before):
            return ()
        freed = view.world.compaction().freed_tokens
        return (Pull(HISTORY, self._level, freed), Pull(TRIMMING, self._level))


class Planned:
    """Pulls at given requests: one try of the oracle's search."""

    def __init__(
        self,
        compact_at: frozenset[int],
        trim_from: int | None,
        *,
        may_be_healthy: bool = False,
    ) -> None:
        self._compact_at = compact_at
        self._trim_from = trim_from
        self._may_be_healthy = may_be_healthy

    def pulls(self, view: View) -> Sequence[Pull]:
        """What the plan says, where the level allows it."""
        level, number = view.level, view.moment.number
        if level == HEALTHY and not self._may_be_healthy:
            return ()
        found = []
        if number in self._compact_at:
            freed = view.world.compaction().freed_tokens
            found.append(Pull(HISTORY, level, freed))
        if self._trim_from is not None and number >= self._trim_from:
            found.append(Pull(TRIMMING, level))
        return found
