"""What `tokens archive` is about to do and what it did: as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import age, place, share, size, without_empty
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
ROWS_SHOWN = 20
LEFT_SHOWN = 10

_COLUMNS = [
    Column("Session", is_text=True, keeps_start=True, enough=13),
    Column("Title", is_text=True, drop_rank=2),
    Column("Project", is_text=True, drop_rank=1),
    Column("Last used", is_text=True, may_cut=False),
    Column("Files", drop_rank=3),
    Column("Raw"),
    Column("About", drop_rank=1),
]
_LEFT_WORDS = {
    "young": "used too recently",
    "newest": "among the newest of their project",
    "live": "in use",
    "future": "with a time in the future",
    "fault": "that cannot be archived",
    "unread": "not read to their end",
}
_QUIET = ("young", "newest")
"""Reasons that need no list: they are what was asked for."""


class PlanRow(NamedTuple):
    """A session of the plan; after the run with what became of it."""

    session: str
    title: str
    project: str
    last_ms: int
    files: int
    raw_bytes: int
    expected_bytes: int
    folder: str
    note: str
    state: str = "planned"
    message: str = ""


class LeftRow(NamedTuple):
    """A session that stays."""

    session: str
    project: str
    reason: str
    message: str


class PlanView(NamedTuple):
    """Everything that a plan shows."""

    older_than_days: int
    now_ms: int
    rows: Sequence[PlanRow]
    left: Sequence[LeftRow]
    warnings: Sequence[str]
    home: str
    cleanup_days: int | None


class DoneView(NamedTuple):
    """What a run did, beside its plan."""

    action: int | None
    """The journal's number."""
    packed_raw_bytes: int
    archive_bytes: int
    trash_bytes: int
    """What the trash holds of archived sessions now."""
    emptied_bytes: int
    """What was removed for good from the trash, because it lay there long enough."""
    is_interrupted: bool = False


def plan_lines(view: PlanView, style: Style, zone: Zone) -> list[str]:
    """The plan as a table, where it goes, and what stays."""
    if not view.rows:
        return [f"Nothing to archive: {_nothing(view)}", *_left_lines(view)]
    raw = sum(row.raw_bytes for row in view.rows)
    expected = sum(row.expected_bytes for row in view.rows)
    shown = view.rows[:ROWS_SHOWN]
    cells: list[list[Cell]] = [
        [
            row.session,
            row.title,
            place(row.project, view.home) or "unknown",
            _used(row.last_ms, view.now_ms, zone),
            row.files,
            size(row.raw_bytes),
            size(row.expected_bytes),
        ]
        for row in shown
    ]
    totals: list[Cell] = [
        counted(len(view.rows), "session"),
        "",
        "",
        "",
        sum(row.files for row in view.rows),
        size(raw),
        size(expected),
    ]
    lines = render(*without_empty(_COLUMNS, cells, totals), style)
    if len(view.rows) > len(shown):
        lines.append(f"… and {len(view.rows) - len(shown):,} more; --json lists all")
    return [*lines, "", *_folder_lines(view), *_left_lines(view)]


def _nothing(view: PlanView) -> str:
    if not view.left:
        return "there is no session, or none of what was asked for."
    return f"no session at rest was last used more than {counted(view.older_than_days, 'day')} ago."


def _used(last_ms: int, now_ms: int, zone: Zone) -> str:
    return f"{zone.local(last_ms):%Y-%m-%d} ({age(last_ms, now_ms)})"


def _folder_lines(view: PlanView) -> list[str]:
    """Each archive folder with its sessions, and why some do not go into their project."""
    counts: dict[tuple[str, str], int] = {}
    for row in view.rows:
        counts[row.folder, row.note] = counts.get((row.folder, row.note), 0) + 1
    return [
        f"To {place(folder, view.home)}: {counted(count, 'session')}"
        + (f" ({one_line(note)})" if note else "")
        for (folder, note), count in counts.items()
    ]


def _left_lines(view: PlanView) -> list[str]:
    counts: dict[str, int] = {}
    for left in view.left:
        counts[left.reason] = counts.get(left.reason, 0) + 1
    if not counts:
        return []
    told = ", ".join(f"{counts[r]:,} {words}" for r, words in _LEFT_WORDS.items() if r in counts)
    lines = [f"Left as they are: {told}."]
    named = [left for left in view.left if left.reason not in _QUIET]
    lines += [
        f"  {one_line(left.session)}: {one_line(left.message)}" for left in named[:LEFT_SHOWN]
    ]
    if len(named) > LEFT_SHOWN:
        lines.append(f"  … and {len(named) - LEFT_SHOWN:,} more; --json lists all")
    return lines


def done_lines(view: PlanView, done: DoneView) -> list[str]:
    """What was done, what stays after all, and how to have it back."""
    archived = [row for row in view.rows if row.state == "done"]
    failed = [row for row in view.rows if row.state == "failed"]
    raw = sum(row.raw_bytes for row in archived)
    undo = f"tokens undo {done.action}" if done.action else "tokens undo"
    lines = []
    if done.is_interrupted:
        waiting = len(view.rows) - len(archived) - len(failed)
        lines += [
            f"Stopped: {counted(waiting, 'session')} did not have a turn, or not the whole of it.",
            f"The same command goes on; {undo} takes back what was done.",
        ]
    lines += [f"{one_line(row.session)} stays: {one_line(row.message)}" for row in failed]
    if not archived:
        return [*lines, "Nothing was archived."]
    told = f"Archived {counted(len(archived), 'session')}"
    kept = f"became {size(done.archive_bytes)} ({share(done.archive_bytes, done.packed_raw_bytes)})"
    if not done.packed_raw_bytes:  # an archive held them already
        told += f", {size(raw)}."
    elif done.packed_raw_bytes == raw:
        told += f": {size(raw)} {kept}."
    else:
        told += f", {size(raw)}. {size(done.packed_raw_bytes)} {kept}."
    folders = list(dict.fromkeys(row.folder for row in archived))
    lines += [
        told,
        f"In {place(folders[0], view.home)}"
        + (f" and {len(folders) - 1} more; tokens archive list" if len(folders) > 1 else ""),
        f"The originals are in the trash ({size(done.trash_bytes)}): they go for good after 30"
        " days, or with tokens archive empty-trash.",
    ]
    if done.emptied_bytes:
        lines.append(f"Emptied from the trash, after 30 days: {size(done.emptied_bytes)}.")
    lines.append(f"To have one back: tokens recover SESSION. All of these: {undo}")
    return lines


def archive_document(view: PlanView, done: DoneView | None, zone: Zone) -> str:
    """The plan or the result as one JSON object."""
    archived = [row for row in view.rows if row.state == "done"]
    raw = sum(row.raw_bytes for row in view.rows)
    fields: dict[str, object] = {
        "is_dry_run": done is None,
        "is_interrupted": done is not None and done.is_interrupted,
        "older_than_days": view.older_than_days,
        "agent_deletes_after_days": view.cleanup_days,
        "rows": [_row_fields(row, view.now_ms, zone) for row in view.rows],
        "totals": {
            "sessions": len(view.rows),
            "archived_sessions": len(archived),
            "raw_bytes": raw,
            "archived_raw_bytes": sum(row.raw_bytes for row in archived),
            "expected_bytes": sum(row.expected_bytes for row in view.rows),
            "packed_raw_bytes": done.packed_raw_bytes if done else 0,
            "archive_bytes": done.archive_bytes if done else 0,
            "trash_bytes": done.trash_bytes if done else None,
            "emptied_bytes": done.emptied_bytes if done else 0,
        },
        "left": [left._asdict() for left in view.left],
        "warnings": list(view.warnings),
        "action": done.action if done else None,
    }
    return document("archive", FORMAT, fields)


def _row_fields(row: PlanRow, now_ms: int, zone: Zone) -> dict[str, object]:
    return {
        "session": row.session,
        "title": row.title,
        "project": row.project,
        "last_activity": zone.stamp(row.last_ms),
        "age_days": (now_ms - row.last_ms) // 86_400_000,
        "files": row.files,
        "raw_bytes": row.raw_bytes,
        "expected_bytes": row.expected_bytes,
        "folder": row.folder,
        "note": row.note,
        "state": row.state,
        "message": row.message,
    }
