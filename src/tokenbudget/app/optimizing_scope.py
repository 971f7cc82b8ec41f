"""Which sessions `tokens optimize` looks at: whose project, and which days."""

from __future__ import annotations

import os

from tokenbudget.analysis.drains.ranking import Days
from tokenbudget.app.compacting_place import spellings
from tokenbudget.config.layers import project_dir
from tokenbudget.model.errors import BadRequest
from tokenbudget.sources.claude_code.source import ClaudeCode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.app import Workbench

DAY_MS = 86_400_000
USUAL_DAYS = 30
"""As far back as the client keeps its transcripts by default, and a use counts (`resources`)."""


def project_here(bench: Workbench, files: Iterable[FileStudy]) -> str | None:
    """The project of the working directory, as transcripts name it; None where no session is.

    A session's project is its repository; the working directory may lie deep in one.
    """
    settings = bench.settings
    if not settings.working_dir:
        return None
    root = ClaudeCode(settings.home_dir).project_root(settings.working_dir)
    candidates = {*spellings(root), *spellings(settings.working_dir)}
    candidates.update(spellings(project_dir(settings.working_dir, settings.home_dir) or root))
    known = {f.project for f in files if any(s.day for t in f.threads for s in t.spends)}
    return next((name for name in sorted(candidates, key=len, reverse=True) if name in known), None)


def project_named(bench: Workbench, files: Iterable[FileStudy], wanted: str) -> str:
    """The project of a path or of a name.

    Raises:
        BadRequest: no session is of such a project, or several projects are named so.
    """
    known = sorted({file.project for file in files if file.project})
    path = os.path.join(bench.settings.working_dir or ".", os.path.expanduser(wanted))
    for spelling in spellings(os.path.abspath(path)):
        if spelling in known:
            return spelling
    sought = wanted.rstrip("/").lower()
    exact = [name for name in known if name.lower().rpartition("/")[2] == sought]
    found = exact or [name for name in known if sought and sought in name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadRequest(f"'{wanted}' may be {', '.join(found[:3])}; write the whole path")
    raise BadRequest(f"no project with sessions is named '{wanted}'; tokens usage --by project")


def files_of(files: Iterable[FileStudy], project: str | None) -> list[FileStudy]:
    """Those of a project, by any spelling of its folder; None for all."""
    if project is None:
        return list(files)
    names = set(spellings(project))
    return [file for file in files if file.project in names]


def local_day(at_ms: int, zone: Zone) -> int:
    """The local day of a moment, as `study.Spend.day` counts them."""
    return (at_ms + zone.offset_seconds(at_ms) * 1000) // DAY_MS


def observed_days(
    files: Sequence[FileStudy], zone: Zone, since_ms: int | None, until_ms: int | None
) -> Days:
    """From the first to the last day with use, of those that are asked for."""
    used = {spend.day for file in files for thread in file.threads for spend in thread.spends}
    used.discard(0)
    if until_ms is not None:
        last = local_day(until_ms - 1, zone)
        used = {day for day in used if day <= last}
    if not used:
        return Days(0, -1)
    first = max(used) - USUAL_DAYS + 1 if since_ms is None else local_day(since_ms, zone)
    used = {day for day in used if day >= first}
    return Days(min(used), max(used)) if used else Days(0, -1)


def use_in(files: Iterable[FileStudy], days: Days, zone: Zone) -> tuple[int, int]:
    """Sessions and requests of the threads that began in the period."""
    sessions: set[str] = set()
    requests = 0
    for file in files:
        for thread in file.threads:
            if thread.requests and days.has(local_day(thread.first_ms, zone)):
                sessions.add(file.session)
                requests += thread.requests
    return len(sessions), requests
