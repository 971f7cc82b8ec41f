"""What fixes that were applied really saved: what was foretold of each, and what came since."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.drains.found import Applied
from tokenbudget.analysis.drains.project_drains import PROJECT_DRAINS
from tokenbudget.analysis.drains.saved import (
    DAY_MS,
    MICRO,
    Foretold,
    outcome_by_first_requests,
    outcome_by_rate,
    uses_of,
)
from tokenbudget.analysis.findings import Price
from tokenbudget.app.compacting_place import spellings
from tokenbudget.app.compacting_proof import proof_of_action
from tokenbudget.app.optimizing_scope import files_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.findings import AppliedFix
    from tokenbudget.analysis.study import FileStudy, Sighting
    from tokenbudget.app import Workbench
    from tokenbudget.ledger.applied_fixes import FixRow
    from tokenbudget.model.actions import ActionRecord


_IN_REQUESTS = frozenset(drain.id for drain in PROJECT_DRAINS)


def applied_in(
    bench: Workbench, files: Sequence[FileStudy], project: str | None
) -> tuple[Applied, ...]:
    """The fixes of a project, or (None) of all, the latest first, with what came of them."""
    wanted = None if project is None else set(spellings(project))
    found = []
    for row in bench.ledger.fixes.all():
        action = bench.ledger.journal.action(row.action_id)
        if action is None or (wanted is not None and row.project not in wanted):
            continue
        outcome = _outcome(bench, row, action, files_of(files, row.project))
        found.append(Applied(row.finding, row.drain, row.subject, row.project, outcome))
    return tuple(found)


def _outcome(
    bench: Workbench, row: FixRow, action: ActionRecord, files: Sequence[FileStudy]
) -> AppliedFix:
    foretold = _foretold(row, action)
    now_ms = bench.clock.now_ms()
    end_ms = now_ms + 1 if action.undone_at_ms is None else action.undone_at_ms
    is_meant = _is_meant(row)
    if row.drain in _IN_REQUESTS:
        after = uses_of(_main_threads(files), is_meant, action.at_ms, end_ms)
        proof, share = proof_of_action(bench.ledger, action)
        return outcome_by_first_requests(foretold, proof, share, after, now_ms)
    begin_ms = action.at_ms - row.period_days * DAY_MS
    before = uses_of(files, is_meant, begin_ms, action.at_ms)
    after = uses_of(files, is_meant, action.at_ms, end_ms)
    added = row.freed_tokens or 0  # of a line for the agent: what it adds to every request
    return outcome_by_rate(foretold, before, after, now_ms, added)


def _is_meant(row: FixRow) -> Callable[[Sighting], bool]:
    def is_meant(one: Sighting) -> bool:
        return one.drain == row.drain and row.subject in ("", one.subject)

    return is_meant


def _main_threads(files: Sequence[FileStudy]) -> list[FileStudy]:
    """Without subagents, whose requests do not begin as those of the session do."""
    return [
        file._replace(threads=tuple(one for one in file.threads if not one.thread))
        for file in files
        if not file.is_subagent
    ]


def _foretold(row: FixRow, action: ActionRecord) -> Foretold:
    return Foretold(
        action=row.action_id,
        drain=row.drain,
        subject=row.subject,
        at_ms=action.at_ms,
        undone_at_ms=action.undone_at_ms,
        predicted=Price(
            row.weekly_tokens,
            row.weekly_error_tokens,
            _usd(row.weekly_micro_usd),
            _usd(row.weekly_error_micro_usd),
        ),
        period_days=row.period_days,
        period_requests=row.period_requests,
        period_sent_tokens=row.period_sent_tokens,
    )


def _usd(micro: int | None) -> Decimal | None:
    return None if micro is None else Decimal(micro) / MICRO
