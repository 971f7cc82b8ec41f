"""`tokens optimize` put together: what threads and project files show, priced, with its fixes."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from tokenbudget.analysis.amounts import amount_of
from tokenbudget.analysis.drains.found import Findings
from tokenbudget.analysis.drains.offered import offered_in
from tokenbudget.analysis.drains.ranking import findings_from, is_small, ranked, total_of
from tokenbudget.app.optimizing_scope import DAY_MS, files_of, observed_days, use_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from decimal import Decimal

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.drains.found import Applied, LineCost
    from tokenbudget.analysis.drains.offered import CachePrices
    from tokenbudget.analysis.drains.ranking import Days
    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.app.studies import Studied
    from tokenbudget.model.actions import Proposal

MOST_PROJECTS = 6
"""Whose files are looked at where no project is named: a tenth of a second each."""


def findings_of(
    bench: Workbench,
    studied: Studied,
    terminal: Terminal,
    *,
    project: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    looks_at_projects: bool = True,
) -> Findings:
    """Everything that `tokens optimize` tells.

    Args:
        bench: The ledger, the prices, the time.
        studied: The studies of all transcripts.
        terminal: For progress.
        project: Only this one, by any spelling of its folder; None for all.
        since_ms: Begin with the local day of this moment; None is 30 days before the last use.
        until_ms: End with the local day before or of this moment; None is the last use.
        looks_at_projects: Whether the projects' own files are looked at for what every request
            carries; not so where sessions come from elsewhere, and transcripts alone must tell.
    """
    from tokenbudget.app.optimizing_saved import applied_in

    files = files_of(studied.files, project)
    days = observed_days(files, studied.zone, since_ms, until_ms)
    names = _most_used(files, days, project) if looks_at_projects else []
    known = _known(bench, studied, terminal, days, files, names)
    sessions, requests = use_in(files, days, studied.zone)
    applied = applied_in(bench, studied.files, project)
    rows = told_first(ranked(_with_outcomes(known.findings, applied)))
    return Findings(
        rows=tuple(rows),
        weekly_total=total_of(rows),
        notes=tuple(dict.fromkeys((*studied.notes, *known.notes))),
        project=project,
        days=days,
        sessions=sessions,
        requests=requests,
        weekly_bill=_weekly(files, days),
        applied=applied,
        proposals=known.proposals,
        lines=known.lines,
    )


class _Known(NamedTuple):
    """What threads, transcripts as a whole, and the files of projects show."""

    findings: list[Finding]
    proposals: dict[str, Proposal]
    lines: dict[str, LineCost]
    notes: list[str]


def _known(
    bench: Workbench,
    studied: Studied,
    terminal: Terminal,
    days: Days,
    files: Sequence[FileStudy],
    names: Sequence[str],
) -> _Known:
    """The findings with their fixes; `names` are the projects whose own files are looked at."""
    from tokenbudget.analysis.drains.catalogue import drain_of

    found = findings_from(files, days, drain_of)
    looked_projects: Collection[str] = ()
    known = _Known(found, {}, {}, [])
    if names:
        from tokenbudget.app.optimizing_fixes import in_made_folders, with_fixes
        from tokenbudget.app.optimizing_project import looked_at

        looked = looked_at(bench, terminal, names, in_made_folders(found))
        looked_projects = looked.rules
        pace = {name: _weekly_requests(files, days, studied.zone, name) for name in looked.rules}
        fixes = with_fixes(bench, found + looked.findings, looked.rules, pace)
        proposals = looked.proposals | fixes.proposals
        known = _Known(fixes.findings, proposals, fixes.lines, looked.notes)
    offered = offered_in(files, days, _cache_prices(bench), looked_projects)
    return known._replace(findings=known.findings + findings_from(offered, days, drain_of))


def told_first(rows: Sequence[Finding]) -> list[Finding]:
    """Those that are told one by one before the small ones, so that a place is a place in the list.

    They are not so by themselves: what has no price is ranked below any cent.
    """
    from tokenbudget.analysis.drains.catalogue import drain_of

    return sorted(rows, key=lambda one: is_small(one, drain_of(one.drain)))


def _cache_prices(bench: Workbench) -> CachePrices:
    @functools.cache
    def prices(model: str, day: int) -> tuple[Decimal, Decimal] | None:
        rate = bench.book.rate(
            model, day * DAY_MS, speed="standard", service_tier="standard", bucket=0
        )
        if rate is None or rate.cache_read is None or rate.cache_write_5m is None:
            return None
        return rate.cache_read, rate.cache_write_5m

    return prices


def of_drain(found: Findings, drain: str) -> Findings:
    """The findings of one drain alone."""
    rows = tuple(one for one in found.rows if one.drain == drain)
    applied = tuple(one for one in found.applied if one.drain == drain)
    return found._replace(rows=rows, weekly_total=total_of(rows), applied=applied)


def _weekly(files: Iterable[FileStudy], days: Days) -> Amount:
    spends = (s for f in files for t in f.threads for s in t.spends if days.has(s.day))
    whole = amount_of(spends)
    return type(whole)(*(round(value / days.weeks) for value in whole))


def _weekly_requests(files: Sequence[FileStudy], days: Days, zone: Zone, project: str) -> float:
    return use_in(files_of(files, project), days, zone)[1] / days.weeks


def _most_used(files: Sequence[FileStudy], days: Days, project: str | None) -> list[str]:
    """The projects whose files are looked at: the one that is meant, or those used most."""
    if project is not None:
        return [project] if files and os.path.isdir(project) else []
    requests: dict[str, int] = {}
    for file in files:
        for thread in file.threads:
            if file.project and any(days.has(spend.day) for spend in thread.spends):
                requests[file.project] = requests.get(file.project, 0) + thread.requests
    there = [name for name in requests if os.path.isdir(name)]
    return sorted(there, key=lambda name: (-requests[name], name))[:MOST_PROJECTS]


def _with_outcomes(found: Iterable[Finding], applied: Collection[Applied]) -> list[Finding]:
    """The findings with what came of the last fix that was about them."""
    rows = []
    for finding in found:
        mine = next((one for one in applied if _is_about(one, finding)), None)
        rows.append(finding if mine is None else finding._replace(applied=mine.outcome))
    return rows


def _is_about(one: Applied, finding: Finding) -> bool:
    if one.finding == finding.id:
        return True
    is_same = one.drain == finding.drain and one.project == finding.project
    return is_same and one.subject in ("", finding.subject)
