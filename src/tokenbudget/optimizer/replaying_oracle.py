"""The oracle of control: what would have been best, with the whole session before it.

**How it searches.** From each candidate request the session is replayed with one compaction there,
and priced request by request. After a compaction little is left of what was before it, so that a
chain of compactions is worth about what its links are worth: the best chain over all candidates is
found by dynamic programming, replayed in full, with trimming and without, and then improved by
leaving out and moving single compactions where the session becomes cheaper. Plans that others
followed are tried too, so that it never does worse than they. The work is bounded and the answer
the same every time; it is a lower limit of what could have been known.

Candidates are the requests where the cache was cold, where a turn began, where a level was first
reached, and others evenly between.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_cost import costed
from tokenbudget.analysis.backtest_walk import walk
from tokenbudget.budget.health import LEVELS, STANDARD, level_of
from tokenbudget.model.control import HISTORY, TRIMMING
from tokenbudget.model.replay import ORACLE
from tokenbudget.optimizer.replaying_walk import ControlStrategy, Planned
from tokenbudget.optimizer.replaying_world import is_between_turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.study_bill import Biller
    from tokenbudget.model.protocols import Strategy
    from tokenbudget.optimizer.replaying_walk import Scene

ORACLE_NAME, FREE_ORACLE_NAME = "controller-oracle", "controller-oracle-free"
MOST_CANDIDATES = 40
MOST_IMPROVED = 8
NEIGHBOURS = (-4, -1, 1, 4)


class Plan(NamedTuple):
    """When the oracle pulls."""

    compact_at: frozenset[int] = frozenset()
    trim_from: int | None = None


def planned(plan: Plan, scene: Scene, *, may_be_healthy: bool = False) -> ControlStrategy:
    """A plan as a strategy: the oracle, once it has found its own."""
    ban = "" if may_be_healthy else "; does nothing while the window is healthy"
    return ControlStrategy(
        FREE_ORACLE_NAME if may_be_healthy else ORACLE_NAME,
        ORACLE,
        f"knows the whole session: the best requests to compact and to trim from{ban}",
        lambda: Planned(*plan, may_be_healthy=may_be_healthy),
        scene,
    )


class Priced(NamedTuple):
    """A thread under a plan."""

    usd: float
    by_request: dict[int, float]
    """USD of each owned request."""
    windows: dict[int, float]
    """Tokens of the window when it was done."""


class Searched(NamedTuple):
    """A thread and the prices by which plans are compared."""

    timeline: Timeline
    scene: Scene
    biller: Biller
    needs: Sequence[Need]
    may_be_healthy: bool
    """Whether it may act below the warning, too: an oracle without the ban."""

    def strategy(self, plan: Plan) -> ControlStrategy:
        """The plan as a strategy."""
        return planned(plan, self.scene, may_be_healthy=self.may_be_healthy)

    def priced(self, plan: Plan) -> Priced:
        """What the thread would have cost."""
        walked = walk(self.timeline, self.strategy(plan), self.scene.counter)
        found = costed(walked, self.biller, self.needs, has_shortenings=False)
        requests = found.requests
        by_request = {one.number: one.now.usd.total for one in requests}
        windows = {one.number: one.window_now for one in requests}
        return Priced(sum(by_request.values()), by_request, windows)


def oracle(searched: Searched, others: Iterable[Strategy] = ()) -> ControlStrategy:
    """The best plan that the search finds, as a strategy; the plans of `others` are tried too."""
    if not searched.scene.is_main or not searched.scene.usable_tokens:
        return searched.strategy(Plan())
    candidates = _candidates(searched)
    plans = [Plan(), *(_followed(searched, one) for one in others)]
    if candidates:
        chain = _chain(searched, candidates)
        plans += [chain, chain._replace(trim_from=candidates[0])]
    usd, place = min((searched.priced(plan).usd, place) for place, plan in enumerate(plans))
    return searched.strategy(_improved(searched, plans[place], usd))


def _followed(searched: Searched, strategy: Strategy) -> Plan:
    deeds = walk(searched.timeline, strategy, searched.scene.counter).deeds
    trims = (one.request for one in deeds if one.lever == TRIMMING)
    compacts = frozenset(one.request for one in deeds if one.lever == HISTORY)
    return Plan(compacts, next(trims, None))


# ── chains ───────────────────────────────────────────────────────────────────────────────────────


def _chain(searched: Searched, candidates: Sequence[int]) -> Plan:
    """The cheapest chain of compactions, link by link."""
    runs: dict[int | None, Priced] = {None: searched.priced(Plan())}
    for one in candidates:
        runs[one] = searched.priced(Plan(frozenset((one,))))
    best: dict[int | None, tuple[float, tuple[int, ...]]] = {None: (0.0, ())}
    for one in candidates:
        reached = [
            (usd + _link(runs, before, one), chain)
            for before, (usd, chain) in best.items()
            if (before is None or before < one) and _may_act(searched, runs[before], one)
        ]
        if reached:
            usd, chain = min(reached)
            best[one] = (usd, (*chain, one))
    ends = [(usd + _rest(runs, last), chain) for last, (usd, chain) in best.items()]
    return Plan(frozenset(min(ends)[1]))


def _link(runs: dict[int | None, Priced], before: int | None, one: int) -> float:
    """From behind one compaction up to the next, with the next one's own request and summary.

    The summary is written over the window as the one before left it.
    """
    since, base, alone = runs[before].by_request, runs[None].by_request, runs[one].by_request
    first = -1 if before is None else before
    between = sum(usd for number, usd in since.items() if first < number < one)
    at_it = alone.get(one, 0.0) + since.get(one, 0.0) - base.get(one, 0.0)
    return between + at_it


def _rest(runs: dict[int | None, Priced], last: int | None) -> float:
    first = -1 if last is None else last
    return sum(usd for number, usd in runs[last].by_request.items() if number > first)


def _may_act(searched: Searched, run: Priced, number: int) -> bool:
    """Whether the window before this request is not healthy: below that nothing may be done."""
    if searched.may_be_healthy:
        return True
    earlier = (at for at in run.windows if at < number)
    tokens = run.windows.get(max(earlier, default=-1), 0.0)
    return tokens >= STANDARD.warning_share * searched.scene.usable_tokens


def _improved(searched: Searched, plan: Plan, least: float) -> Plan:
    """Each of the first compactions left out, earlier or later, where that is cheaper."""
    for one in sorted(plan.compact_at)[:MOST_IMPROVED]:
        rest = plan.compact_at - {one}
        tries = [plan._replace(compact_at=rest)]
        tries += [plan._replace(compact_at=rest | {one + step}) for step in NEIGHBOURS]
        usd, place = min((searched.priced(two).usd, at) for at, two in enumerate(tries))
        if usd < least:
            plan, least = tries[place], usd
    return plan


# ── candidates ───────────────────────────────────────────────────────────────────────────────────


def _candidates(searched: Searched) -> list[int]:
    """Requests at which a compaction is tried, by number."""
    usable = searched.scene.usable_tokens
    cold: list[int] = []
    turns: list[int] = []
    worse: list[int] = []
    possible: list[int] = []
    highest = 0
    for moment in searched.timeline.moments():
        level = LEVELS.index(level_of(moment.window_tokens / usable))
        is_possible = level > 0 or searched.may_be_healthy
        if not moment.number or not moment.is_owned or not is_possible:
            continue
        possible.append(moment.number)
        if moment.is_cold:
            cold.append(moment.number)
        if is_between_turns(moment.fresh):
            turns.append(moment.number)
        if level > highest:
            worse.append(moment.number)
            highest = level
    return sorted(_spread([worse, cold, turns, possible]))


def _spread(kinds: Sequence[Sequence[int]]) -> set[int]:
    """Some of each kind, evenly; what one kind leaves free goes to the next."""
    found: set[int] = set()
    for place, numbers in enumerate(kinds):
        free = (MOST_CANDIDATES - len(found)) // (len(kinds) - place)
        new = [one for one in numbers if one not in found]
        count = min(free, len(new))
        found.update(new[at * len(new) // count] for at in range(count))
    return found
