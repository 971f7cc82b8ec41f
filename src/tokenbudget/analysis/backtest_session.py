"""Threads under every strategy, and their sums: by session, and over all sessions."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_cost import costed
from tokenbudget.analysis.backtest_needs import EDIT
from tokenbudget.analysis.backtest_result import (
    Backtest,
    Fidelity,
    SessionResult,
    StrategyResult,
    added_up,
    merged,
)
from tokenbudget.analysis.backtest_room import Filled, Room, RoomPair, room, size_of, summed
from tokenbudget.analysis.backtest_walk import Remembering, walk
from tokenbudget.analysis.fidelity_backtest import fidelity_of
from tokenbudget.analysis.fidelity_use import NAMED, needs_in
from tokenbudget.model.replay import CLIENT, SUMMARY_PIECE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from tokenbudget.analysis.backtest_cost import Costed
    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.backtest_walk import Walked
    from tokenbudget.analysis.study_bill import Biller
    from tokenbudget.model.protocols import Strategy, TokenCounter

MOST_CASES = 60
"""Of one strategy over all sessions."""


class Subject(NamedTuple):
    """A thread as it is handed to whoever makes strategies for it: an oracle may look at all."""

    timeline: Timeline
    needs: Sequence[Need]
    """What is fetched again where it is missed."""
    needed: Container[int]
    """The numbers of the pieces that something is taken from."""


def thread_results(
    timeline: Timeline,
    strategies: Callable[[TokenCounter, Subject], Sequence[Strategy]],
    counter: TokenCounter,
    biller: Biller,
    windows: Mapping[str, int] | None = None,
    *,
    has_requests: bool = False,
) -> list[SessionResult]:
    """One thread under each strategy, in their order; empty where nothing of it is billed here.

    `windows` are the person's own sizes of windows, by model.
    """
    if not any(one.is_owned and one.request.prompt_tokens for one in timeline.sendings):
        return []
    remembering = Remembering(counter)
    needs = [need for need in needs_in(timeline) if need.kind != NAMED]
    subject = Subject(timeline, needs, {need.holders[0] for need in needs})
    usable = size_of(timeline, windows or {}).usable_tokens or 0
    found: list[SessionResult] = []
    for strategy in strategies(remembering, subject):
        walked = walk(timeline, strategy, remembering)
        cost = costed(walked, biller, needs)
        found.append(_result(walked, cost, usable, has_requests=has_requests))
    return found


def _result(walked: Walked, cost: Costed, usable: int, *, has_requests: bool) -> SessionResult:
    timeline = walked.timeline
    fidelity, cases = fidelity_of(walked)
    missed = sum(one.need.kind == EDIT for one in cost.missed)
    fidelity = fidelity._replace(edits_found=max(0, fidelity.edits - missed))
    return SessionResult(
        session=timeline.session,
        thread=timeline.thread,
        path=timeline.path,
        requests=len(cost.requests),
        was=added_up(one.was for one in cost.requests),
        now=added_up(one.now for one in cost.requests),
        result_tokens_was=sum(one.result_tokens_was for one in cost.requests),
        result_tokens_now=sum(one.result_tokens_now for one in cost.requests),
        refetches=cost.refetches,
        refetch_usd=cost.refetch_usd,
        shortenings=merged(cost.shortenings),
        fidelity=fidelity,
        cases=cases,
        by_request=tuple(cost.requests) if has_requests else (),
        room=_room(walked, cost, usable),
        deeds=tuple(walked.deeds),
    )


def _room(walked: Walked, cost: Costed, usable: int) -> RoomPair:
    def of(name: str) -> Room:
        return room([Filled(one.at_ms, getattr(one, name)) for one in cost.requests], usable)

    owned = {one.number for one in cost.requests}
    compactions = sum(one.since in owned for one in walked.changes_of(SUMMARY_PIECE))
    acts = sum(one.lever != CLIENT for one in walked.deeds)
    return RoomPair(usable, of("window_was"), of("window_now"), compactions, acts)


def backtest_of(
    threads: Sequence[Sequence[SessionResult]],
    strategies: Sequence[Strategy],
    unread: Sequence[str] = (),
) -> Backtest:
    """Everything added up; each thread has one result for each strategy, in their order."""
    found = [
        _strategy(strategy, [thread[place] for thread in threads])
        for place, strategy in enumerate(strategies)
    ]
    first = found[0].sessions if found else ()
    return Backtest(
        tuple(found),
        sessions=len(first),
        threads=len(threads),
        requests=sum(one.requests for one in first),
        unread=tuple(unread),
    )


def _strategy(strategy: Strategy, threads: Sequence[SessionResult]) -> StrategyResult:
    by_session: dict[str, list[SessionResult]] = {}
    for thread in threads:
        by_session.setdefault(thread.session, []).append(thread)
    sessions = [_session(some) for some in by_session.values()]
    sessions.sort(key=lambda one: (-one.was.usd.total, one.session))
    return StrategyResult(
        name=strategy.name,
        basis=strategy.basis,
        said=strategy.said,
        was=added_up(one.was for one in sessions),
        now=added_up(one.now for one in sessions),
        result_tokens_was=sum(one.result_tokens_was for one in sessions),
        result_tokens_now=sum(one.result_tokens_now for one in sessions),
        refetches=sum(one.refetches for one in sessions),
        refetch_usd=sum(one.refetch_usd for one in sessions),
        shortenings=merged(row for one in sessions for row in one.shortenings),
        fidelity=_fidelity(one.fidelity for one in sessions),
        sessions=tuple(sessions),
        cases=tuple(case for one in sessions for case in one.cases)[:MOST_CASES],
        room=summed(one.room for one in sessions),
    )


def _session(threads: Sequence[SessionResult]) -> SessionResult:
    """A session with its subagents."""
    if len(threads) == 1:
        return threads[0]
    main = next((one for one in threads if not one.thread), threads[0])
    return main._replace(
        thread="",
        requests=sum(one.requests for one in threads),
        was=added_up(one.was for one in threads),
        now=added_up(one.now for one in threads),
        result_tokens_was=sum(one.result_tokens_was for one in threads),
        result_tokens_now=sum(one.result_tokens_now for one in threads),
        refetches=sum(one.refetches for one in threads),
        refetch_usd=sum(one.refetch_usd for one in threads),
        shortenings=merged(row for one in threads for row in one.shortenings),
        fidelity=_fidelity(one.fidelity for one in threads),
        cases=tuple(case for one in threads for case in one.cases),
        by_request=tuple(request for one in threads for request in one.by_request),
        room=_room_of_session(threads),
        deeds=tuple(deed for one in threads for deed in one.deeds),
    )


def _room_of_session(threads: Sequence[SessionResult]) -> RoomPair:
    """Of its main threads: more than one where it was gone on with in another transcript."""
    mains = [one.room for one in threads if not one.thread] or [threads[0].room]
    return summed(mains)._replace(usable_tokens=max(one.usable_tokens for one in mains))


def _fidelity(some: Iterable[Fidelity]) -> Fidelity:
    total = Fidelity()
    for one in some:
        total = total.plus(one)
    return total
