"""Measure the controller over recorded sessions: against the client alone, and the oracle.

`python tools/bench_control_replay.py FOLDER [--window TOKENS] [--neighbours] [--json FILE]` goes
through every session below FOLDER whose main thread had more than 30 requests, with the
controller's own code (docs/backtest.md says what is modelled), and prints the comparison for all of
them and for two halves of the repositories (the folders right below FOLDER, every second one), so
that a figure that was chosen on one half can be read on the other. `--neighbours` tries the
controller with other values of its figures, one at a time. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tokenbudget.analysis.backtest_control import Compared, compared
from tokenbudget.analysis.backtest_result import (
    Backtest,
    Fidelity,
    SessionResult,
    StrategyResult,
    added_up,
)
from tokenbudget.analysis.backtest_room import summed
from tokenbudget.app import Terminal, open_workbench
from tokenbudget.app.backtesting import backtest
from tokenbudget.app.backtesting_choice import Asked
from tokenbudget.budget import remaining
from tokenbudget.cli.options import settings
from tokenbudget.collector.ingest import Want
from tokenbudget.optimizer import working_set, worth
from tokenbudget.reports.backtest_control import control_rows

LEAST_REQUESTS = 31
OURS, BASELINE = "controller", "controller-off"
LEAST_ORACLE_MEDIAN, LEAST_RECALL, MOST_BAD_LEFT = 0.50, 0.97, 0.50
NEIGHBOURS: tuple[tuple[object, str, tuple[float, ...]], ...] = (
    (worth, "WARM_FACTOR", (1.0, 2.0, 3.0)),
    (worth, "WORK_FACTOR", (1.5, 2.0, 4.0, 6.0)),
    (worth, "HISTORY_LEAST_SHARE", (0.0, 0.2, 0.3)),
    (worth, "LEAST_PRESSURE", (0.0, 0.5, 2.0)),
    (working_set, "AGAIN_CHANCE", (0.0, 0.2, 0.3, 0.5)),
    (working_set, "AGAIN_HALF_REQUESTS", (10.0, 30.0, 40.0)),
    (remaining, "UNSURE_SHARE", (0.05, 0.15, 0.2, 0.25, 0.5)),
)


class Goal(NamedTuple):
    """Something that the comparison has to show."""

    words: str
    is_met: bool


def main(arguments: Sequence[str]) -> int:
    """Print the tables; 1 where a goal is missed."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("folder", type=Path)
    made.add_argument("--window", type=int, default=0, metavar="TOKENS")
    made.add_argument("--neighbours", action="store_true")
    made.add_argument("--json", type=Path, metavar="FILE")
    options = made.parse_args(arguments)
    found = replayed(options.folder, options.window, (OURS,))
    print_halves(found, options.folder)
    goals = goals_of(compared(found))
    for goal in goals:
        print(f"{'met   ' if goal.is_met else 'MISSED'}  {goal.words}")
    if options.json:
        options.json.write_text(json.dumps(control_rows(found), indent=1) + "\n")
    if options.neighbours:
        print_neighbours(options.folder, options.window)
    return 0 if all(goal.is_met for goal in goals) else 1


def replayed(folder: Path, window: int, strategies: Sequence[str]) -> Backtest:
    """The sessions gone through again."""
    told = Terminal(lambda words: print(words, file=sys.stderr), lambda _done, _total: None)
    asked = Asked(strategies, window_tokens=window, min_requests=LEAST_REQUESTS)
    with open_workbench(settings(), told, Want.DETAIL, from_paths=[str(folder)]) as bench:
        return backtest(bench, told, asked)


def goals_of(rows: Sequence[Compared]) -> list[Goal]:
    """What the controller has to reach."""
    by_name = {one.name: one for one in rows}
    ours, alone = by_name[OURS], by_name[BASELINE]
    loss = ours.fidelity
    recall = loss.edits_verbatim / loss.edits if loss.edits else 1.0
    bad, before = _bad(ours), _bad(alone)
    reached = ours.oracle_median
    return [
        Goal(f"sessions more than 1 % dearer: {ours.dearer_sessions}", not ours.dearer_sessions),
        Goal(
            "of the oracle's saving, in the middle: "
            + ("nothing to save" if reached is None else f"{reached:.0%}"),
            reached is None or reached >= LEAST_ORACLE_MEDIAN,
        ),
        Goal(
            f"requests in critical or worse: {bad:,} of {before:,}", bad <= MOST_BAD_LEFT * before
        ),
        Goal(f"edits word for word: {recall:.1%}", recall >= LEAST_RECALL),
    ]


def _bad(one: Compared) -> int:
    return sum(one.room.requests[2:])


def print_halves(found: Backtest, folder: Path) -> None:
    """The comparison over all sessions and over each half of the repositories."""
    names = sorted({repository_of(one, folder) for one in found.strategies[0].sessions})
    print_rows(f"all ({found.sessions} sessions)", compared(found))
    for half, some in (("first half", set(names[::2])), ("second half", set(names[1::2]))):
        part = only(found, folder, some)
        if part.sessions:
            print_rows(f"{half} ({part.sessions} sessions)", compared(part))


def only(found: Backtest, folder: Path, names: set[str]) -> Backtest:
    """The sessions of some repositories alone."""
    strategies = tuple(_only(one, folder, names) for one in found.strategies)
    sessions = strategies[0].sessions
    requests = sum(one.requests for one in sessions)
    return Backtest(strategies, len(sessions), len(sessions), requests)


def _only(one: StrategyResult, folder: Path, names: set[str]) -> StrategyResult:
    sessions = tuple(two for two in one.sessions if repository_of(two, folder) in names)
    loss = Fidelity()
    for session in sessions:
        loss = loss.plus(session.fidelity)
    return one._replace(
        sessions=sessions,
        was=added_up(two.was for two in sessions),
        now=added_up(two.now for two in sessions),
        room=summed(two.room for two in sessions),
        fidelity=loss,
    )


def repository_of(one: SessionResult, folder: Path) -> str:
    """The folder right below `folder` that a session's transcript lies in."""
    path = Path(one.path)
    return path.relative_to(folder).parts[0] if path.is_relative_to(folder) else path.parent.name


def print_rows(title: str, rows: Sequence[Compared]) -> None:
    """One table."""
    print(title)
    print(
        f"  {'':20}{'cost':>9}{'change':>9}{'oracle':>8}{'dearer':>8}{'worst':>8}{'peak':>7}"
        f"{'h':>7}{'w':>6}{'c':>6}{'e':>6}{'compact':>9}{'edits':>8}{'found':>8}"
    )
    for one in rows:
        print(f"  {one.name:20}{row_of(one)}")


def row_of(one: Compared) -> str:
    """The figures of one strategy."""
    reached = "-" if one.oracle_median is None else f"{one.oracle_median:.0%}"
    loss = one.fidelity
    edits = loss.edits or 1
    levels = "".join(f"{count:>6}" for count in one.room.requests)
    return (
        f"{one.usd:9.2f}{-one.saved_share:+9.1%}{reached:>8}{one.dearer_sessions:8}"
        f"{-one.worst_share:+8.1%}{one.peak_share_median:7.0%} {levels}{one.compactions:9}"
        f"{loss.edits_verbatim / edits:8.1%}{loss.edits_found / edits:8.1%}"
    )


def print_neighbours(folder: Path, window: int) -> None:
    """The controller with other values of its figures, one at a time."""
    print("neighbours")
    for module, name, values in NEIGHBOURS:
        for value in values:
            with other(module, name, value):
                found = replayed(folder, window, (BASELINE, OURS))
            row = next(one for one in compared(found) if one.name != BASELINE)
            print(f"  {name + ' ' + str(value):26}{row_of(row)}", flush=True)


@contextmanager
def other(module: object, name: str, value: float) -> Iterator[None]:
    """A module's figure is another one for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
