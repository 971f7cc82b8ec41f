"""Strategies of control beside each other: against the client left alone, and against the oracle.

What nobody decides is the measure (`controller-off`): the client that compacts where the window is
full. It comes out at the bill as long as no window is taken to be smaller than it was.
"""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from tokenbudget.analysis.backtest_result import AS_IT_WAS, DEARER_SHARE, saved_share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.backtest_result import (
        Backtest,
        Fidelity,
        SessionResult,
        StrategyResult,
    )
    from tokenbudget.analysis.backtest_room import Room

BASELINE, ORACLE_NAME, PREFIX = "controller-off", "controller-oracle", "controller"
LEAST_ORACLE_SHARE = 0.001
"""Below it the oracle saves nothing that could be shared in."""


class Compared(NamedTuple):
    """One strategy of control over all sessions."""

    name: str
    usd: float
    saved_share: float
    """Of what the sessions cost where nobody decides."""
    dearer_sessions: int
    """That cost more than one percent more than where nobody decides."""
    worst_share: float
    """What the session saved that saved least."""
    oracle_median: float | None
    """The middle of what it saved of the oracle's saving; None: the oracle saves nothing."""
    oracle_sessions: int
    """Those where the oracle saves anything."""
    room: Room
    peak_share_median: float
    """The middle of the sessions' highest shares of the usable window."""
    compactions: int
    actions: int
    fidelity: Fidelity

    @property
    def good_requests_share(self) -> float:
        """Of the requests, those that left the window healthy or at warning."""
        return _share(self.room.requests)

    @property
    def good_time_share(self) -> float:
        """The same of the time."""
        return _share(self.room.ms)


def compared(backtest: Backtest) -> tuple[Compared, ...]:
    """A row for each strategy of control, in their order; none without a measure."""
    by_name = {one.name: one for one in backtest.strategies}
    base = by_name.get(BASELINE)
    if base is None:
        return ()
    oracle = by_name.get(ORACLE_NAME)
    control = (one for one in backtest.strategies if one.name.startswith(PREFIX))
    return tuple(_compared(one, base, oracle) for one in control)


def is_control(name: str) -> bool:
    """Whether a strategy of this name belongs to the comparison."""
    return name.startswith(PREFIX) or name == AS_IT_WAS


def _compared(one: StrategyResult, base: StrategyResult, oracle: StrategyResult | None) -> Compared:
    saved = [saved_share(was.now.usd.total, now.now.usd.total) for was, now in _pairs(base, one)]
    shares = [] if oracle is None else list(_oracle_shares(one, base, oracle))
    return Compared(
        name=one.name,
        usd=one.now.usd.total,
        saved_share=saved_share(base.now.usd.total, one.now.usd.total),
        dearer_sessions=sum(share < -DEARER_SHARE for share in saved),
        worst_share=min(saved, default=0.0),
        oracle_median=median(shares) if shares else None,
        oracle_sessions=len(shares),
        room=one.room.now,
        peak_share_median=median([session.room.now.peak_share for session in one.sessions] or [0]),
        compactions=one.room.compactions,
        actions=one.room.actions,
        fidelity=one.fidelity,
    )


def _oracle_shares(
    one: StrategyResult, base: StrategyResult, oracle: StrategyResult
) -> Iterator[float]:
    best = _by_session(oracle.sessions)
    for was, now in _pairs(base, one):
        before = was.now.usd.total
        most = before - best[was.session].now.usd.total
        if most > LEAST_ORACLE_SHARE * before:
            yield (before - now.now.usd.total) / most


def _pairs(
    base: StrategyResult, one: StrategyResult
) -> Iterator[tuple[SessionResult, SessionResult]]:
    """Each session where nobody decides, and under a strategy."""
    found = _by_session(one.sessions)
    for session in base.sessions:
        yield session, found[session.session]


def _by_session(sessions: Sequence[SessionResult]) -> dict[str, SessionResult]:
    return {one.session: one for one in sessions}


def _share(levels: Sequence[int]) -> float:
    """Healthy and warning of all; 1.0 of nothing."""
    return sum(levels[:2]) / sum(levels) if sum(levels) else 1.0
