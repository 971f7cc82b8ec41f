"""A profile from its parts: studies of transcripts, the bill, and what is known of sessions."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.profile import Profile, SessionRow
from tokenbudget.analysis.profile_bill import (
    NO_BRANCH,
    moment_ms,
    project_name,
    splits_of,
    total_of,
    weeks_of,
)
from tokenbudget.analysis.profile_consumers import consumers_of, tools_of
from tokenbudget.analysis.profile_names import Namer
from tokenbudget.analysis.profile_sums import Days, is_subagent, sums_of, tops_of
from tokenbudget.analysis.profile_tree import tree_of
from tokenbudget.analysis.study import UNATTRIBUTED
from tokenbudget.analysis.window_size import window_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.profile_bill import BillRow
    from tokenbudget.analysis.profile_sums import Sums
    from tokenbudget.analysis.study import FileStudy, ThreadStudy
    from tokenbudget.ledger.inspection import SessionRow as Facts

MUCH_UNATTRIBUTED = 0.15
"""From this share of the money on a note says how much cannot be named."""


class Asked(NamedTuple):
    """What a profile is made for."""

    days: Days
    today: int
    """The local day that it is now."""
    since_ms: int | None = None
    until_ms: int | None = None
    session: str = ""
    home: str = ""
    """The person's home folder, for ~."""
    windows: Mapping[str, int] = {}
    """Window sizes that the person set, by model."""
    notes: tuple[str, ...] = ()


def profile_from(
    files: Sequence[FileStudy], bill: Sequence[BillRow], facts: Sequence[Facts], asked: Asked
) -> Profile:
    """Everything that is known of a period, or of a session.

    `files` and `bill` are of the same sessions; the bill is of the same days as well. What the
    studies do not explain of the bill is unattributed: the whole is always the bill.
    """
    sums = sums_of(files, asked.days)
    totals = total_of(bill)
    missing = totals.minus(sums.total())
    namer = Namer({row.project for row in bill}, asked.home)
    branches = {row.session: row.git_branch for row in facts}
    return Profile(
        since_ms=asked.since_ms,
        until_ms=asked.until_ms,
        session=asked.session,
        requests=sum(row.requests for row in bill),
        unknown_requests=sum(row.unknown_requests for row in bill),
        totals=totals,
        unattributed=missing.plus(_named_unattributed(sums)),
        consumers=consumers_of(sums, missing, namer),
        tools=tools_of(files, asked.days, sums),
        weeks=weeks_of(bill, asked.days, asked.today, tops_of(sums)),
        projects=splits_of(bill, lambda row: (project_name(row), "")),
        branches=splits_of(
            bill, lambda row: (branches.get(row.session) or NO_BRANCH, project_name(row))
        ),
        models=splits_of(bill, lambda row: (row.model, "")),
        sessions=_sessions(files, bill, facts, asked.windows),
        tree=tree_of(sums, missing, namer),
        notes=asked.notes,
    )


def _named_unattributed(sums: Sums) -> Amount:
    """What the studies themselves could not name."""
    found = total_of(())
    for (_, what), cell in sums.cells.items():
        if what.component == UNATTRIBUTED:
            found = found.plus(cell.amount)
    return found


def _sessions(
    files: Sequence[FileStudy],
    bill: Sequence[BillRow],
    facts: Sequence[Facts],
    windows: Mapping[str, int],
) -> tuple[SessionRow, ...]:
    """The sessions of the bill, the last used first."""
    known = {row.session: row for row in facts}
    threads = _main_threads(files)
    found = [
        _session(name, rows, known.get(name), threads.get(name, []), windows)
        for name, rows in _by_session(bill).items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.last_ms, row.session)))


def _by_session(bill: Sequence[BillRow]) -> dict[str, list[BillRow]]:
    rows: dict[str, list[BillRow]] = {}
    for row in bill:
        rows.setdefault(row.session, []).append(row)
    return rows


def _main_threads(files: Sequence[FileStudy]) -> dict[str, list[ThreadStudy]]:
    threads: dict[str, list[ThreadStudy]] = {}
    for file in files:
        threads.setdefault(file.session, []).extend(
            thread for thread in file.threads if not is_subagent(file, thread)
        )
    return threads


def _session(
    name: str,
    rows: Sequence[BillRow],
    facts: Facts | None,
    threads: Sequence[ThreadStudy],
    windows: Mapping[str, int],
) -> SessionRow:
    dearest = max(rows, key=lambda row: (row.amount.cost_pico_usd, row.amount.total_tokens))
    peak = max((thread.peak_tokens for thread in threads), default=0)
    last = max(threads, key=lambda thread: thread.last_ms, default=None)
    model = last.last_model if last is not None and last.last_model else dearest.model
    return SessionRow(
        session=name,
        title=facts.title if facts else "",
        project=dearest.project,
        branch=facts.git_branch if facts else "",
        model=model,
        first_ms=moment_ms(facts.first_at) if facts else 0,
        last_ms=moment_ms(facts.last_at) if facts else 0,
        requests=sum(row.requests for row in rows),
        peak_tokens=peak,
        window_tokens=window_size(model, windows, None, peak, ()).tokens or 0,
        compactions=sum(thread.compactions for thread in threads),
        amount=total_of(rows),
    )
