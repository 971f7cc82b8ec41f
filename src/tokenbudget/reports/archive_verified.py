"""Whether the archives are whole, as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import place, size
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1


class ProblemRow(NamedTuple):
    """One thing that is wrong."""

    folder: str
    file: str
    fault: str
    message: str
    sessions: Sequence[str]
    """Those that are in it, as the manifest says."""


class VerifyView(NamedTuple):
    """What was read, and what was wrong."""

    archives: int
    sessions: int
    archive_bytes: int
    raw_bytes: int
    problems: Sequence[ProblemRow]
    home: str


def verify_lines(view: VerifyView) -> list[str]:
    """One line for each problem, and a sum."""
    if not view.archives and not view.problems:
        return ["Nothing is archived."]
    lines = []
    for problem in view.problems:
        where = place(problem.folder, view.home)
        lines.append(f"{problem.fault}: {where}/{one_line(problem.file)}")
        lines.append(f"  {one_line(problem.message)}")
        if problem.sessions:
            named = ", ".join(one_line(session) for session in problem.sessions[:5])
            more = f" and {len(problem.sessions) - 5} more" if len(problem.sessions) > 5 else ""
            lines.append(f"  in it: {named}{more}")
    read = (
        f"{counted(view.archives, 'archive')} with {counted(view.sessions, 'session')}: "
        f"{size(view.archive_bytes)} read, {size(view.raw_bytes)} unpacked and compared"
    )
    if not view.problems:
        return [f"All is whole. {read}."]
    return [*lines, "", f"{counted(len(view.problems), 'problem')}. {read}."]


def verify_document(view: VerifyView) -> str:
    """The same as JSON."""
    fields = {
        "is_whole": not view.problems,
        "rows": [{**row._asdict(), "sessions": list(row.sessions)} for row in view.problems],
        "totals": {
            "archives": view.archives,
            "sessions": view.sessions,
            "archive_bytes": view.archive_bytes,
            "raw_bytes": view.raw_bytes,
        },
    }
    return document("archive-verify", FORMAT, fields)
