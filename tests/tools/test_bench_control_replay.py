"""The measurement of the controller over recorded sessions: goals, halves, and other figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.analysis.test_backtest_control import strategy

import bench_control_replay as bench
from tokenbudget.analysis.backtest_control import compared
from tokenbudget.analysis.backtest_result import Backtest, Fidelity, StrategyResult

FOLDER = Path("top")


def placed(one: StrategyResult, edits: int, found: int) -> StrategyResult:
    """Each session below a folder of its own name, with so many edits."""
    loss = Fidelity(edits=edits, edits_verbatim=found)
    sessions = [
        two._replace(path=f"top/{two.session}/x.jsonl", fidelity=loss) for two in one.sessions
    ]
    total = Fidelity(edits=edits * len(sessions), edits_verbatim=found * len(sessions))
    return one._replace(sessions=tuple(sessions), fidelity=total)


def made(usd: float, found: int, levels: tuple[int, ...]) -> Backtest:
    costs = {"a": 10.0, "b": 10.0}
    every = (
        strategy("controller-off", costs, (0, 4, 4, 4)),
        strategy("controller", costs | {"b": usd}, levels),
        strategy("controller-oracle", costs | {"b": 8.0}, (12, 0, 0, 0)),
    )
    return Backtest(tuple(placed(one, 100, found) for one in every), 2, 2, 18)


@pytest.mark.parametrize(
    ("usd", "found", "levels", "missed"),
    [
        (8.5, 97, (8, 0, 4, 0), []),
        (10.2, 97, (8, 0, 4, 0), [0, 1]),
        (9.5, 97, (8, 0, 4, 0), [1]),
        (8.5, 97, (7, 0, 5, 0), [2]),
        (8.5, 96, (8, 0, 4, 0), [3]),
    ],
)
def test_each_goal_is_missed_by_itself(
    usd: float, found: int, levels: tuple[int, ...], missed: list[int]
) -> None:
    goals = bench.goals_of(compared(made(usd, found, levels)))
    assert [place for place, goal in enumerate(goals) if not goal.is_met] == missed


def test_a_half_has_its_own_sums(capsys: pytest.CaptureFixture[str]) -> None:
    found = made(8.5, 97, (8, 0, 4, 0))
    half = bench.only(found, FOLDER, {"b"})
    assert half.sessions == 1
    ours = half.strategies[1]
    assert (ours.was.usd.total, ours.now.usd.total, ours.fidelity.edits) == (10, 8.5, 100)
    bench.print_halves(found, FOLDER)
    told = capsys.readouterr().out
    assert told.index("all (2 sessions)") < told.index("first half (1 sessions)")
    assert "second half (1 sessions)" in told


def test_another_figure_holds_for_a_while_only() -> None:
    for module, name, values in bench.NEIGHBOURS:
        before = getattr(module, name)
        assert before not in values
        with bench.other(module, name, values[0]):
            assert getattr(module, name) == values[0]
        assert getattr(module, name) == before
