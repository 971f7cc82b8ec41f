"""What lies in the archives: the list, and what it comes to, as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import DAY_MS, place, share, size, without_empty
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1


class KeptRow(NamedTuple):
    """One archived session."""

    session: str
    title: str
    project: str
    """The one that it belongs to, as far as that is known."""
    last_ms: int
    archived_ms: int
    files: int
    raw_bytes: int
    size_bytes: int
    folder: str
    archive_file: str
    is_in_place: bool
    is_newest: bool
    marked_ms: int | None


class TrashView(NamedTuple):
    """What the trash holds of archived sessions."""

    files: int
    bytes: int


class ListView(NamedTuple):
    """Everything that `tokens archive list` tells."""

    rows: Sequence[KeptRow]
    faults: Sequence[str]
    trash: TrashView
    home: str


_LIST_COLUMNS = [
    Column("Session", is_text=True, keeps_start=True, enough=13),
    Column("Title", is_text=True, drop_rank=2),
    Column("Project", is_text=True, drop_rank=1),
    Column("Last used", is_text=True, may_cut=False),
    Column("Archived", is_text=True, may_cut=False, drop_rank=3),
    Column("Raw", drop_rank=1),
    Column("Kept"),
    Column("", is_text=True, may_cut=False),
]


def list_lines(view: ListView, style: Style, zone: Zone) -> list[str]:
    """A table of every archived session; how to have one back."""
    if not view.rows:
        return ["Nothing is archived.", *_fault_lines(view.faults), *trash_lines(view.trash)]
    cells: list[list[Cell]] = [
        [
            row.session,
            row.title,
            place(row.project, view.home) or "unknown",
            f"{zone.local(row.last_ms):%Y-%m-%d}",
            f"{zone.local(row.archived_ms):%Y-%m-%d}",
            size(row.raw_bytes),
            size(row.size_bytes),
            _remark(row),
        ]
        for row in view.rows
    ]
    raw, kept = sum(row.raw_bytes for row in view.rows), sum(row.size_bytes for row in view.rows)
    sessions = len({row.session for row in view.rows})
    totals: list[Cell] = [counted(sessions, "session"), "", "", "", "", size(raw), size(kept), ""]
    lines = render(*without_empty(_LIST_COLUMNS, cells, totals), style)
    return [
        *lines,
        "",
        *_fault_lines(view.faults),
        *trash_lines(view.trash),
        "To have one back: tokens recover SESSION (its beginning is enough).",
    ]


def _remark(row: KeptRow) -> str:
    if row.marked_ms is not None:
        return "to be deleted"
    if not row.is_newest:
        return "older version"
    return "in place too" if row.is_in_place else ""


def _fault_lines(faults: Sequence[str]) -> list[str]:
    return [f"Not readable: {one_line(fault)}" for fault in faults]


def trash_lines(trash: TrashView) -> list[str]:
    """How much the trash holds, and how to empty it; nothing where it holds nothing."""
    if not trash.files:
        return []
    return [
        f"The trash holds {size(trash.bytes)} of originals ({counted(trash.files, 'file')});"
        " tokens archive empty-trash gives the space back."
    ]


def list_document(view: ListView, zone: Zone) -> str:
    """The same as JSON."""
    rows = [
        {
            "session": row.session,
            "title": row.title,
            "project": row.project,
            "last_activity": zone.stamp(row.last_ms),
            "archived_at": zone.stamp(row.archived_ms),
            "files": row.files,
            "raw_bytes": row.raw_bytes,
            "kept_bytes": row.size_bytes,
            "folder": row.folder,
            "archive_file": row.archive_file,
            "is_in_place": row.is_in_place,
            "is_newest": row.is_newest,
            "marked_for_deletion_at": None if row.marked_ms is None else zone.stamp(row.marked_ms),
        }
        for row in view.rows
    ]
    fields = {
        "rows": rows,
        "totals": {
            "sessions": len({row.session for row in view.rows}),
            "raw_bytes": sum(row.raw_bytes for row in view.rows),
            "kept_bytes": sum(row.size_bytes for row in view.rows),
        },
        "trash": view.trash._asdict(),
        "faults": list(view.faults),
    }
    return document("archive-list", FORMAT, fields)


# ── stats ────────────────────────────────────────────────────────────────────────────────────────


class StatsView(NamedTuple):
    """What there is by project, and what the agent would have deleted."""

    rows: Sequence[KeptRow]
    archive_bytes: int
    """Of the archive files themselves."""
    faults: Sequence[str]
    trash: TrashView
    cleanup_days: int | None
    now_ms: int
    home: str


_STATS_COLUMNS = [
    Column("Project", is_text=True),
    Column("Sessions"),
    Column("Oldest", is_text=True, may_cut=False),
    Column("Newest", is_text=True, may_cut=False, drop_rank=1),
    Column("Raw"),
    Column("Kept"),
    Column("Share"),
]


def stats_lines(view: StatsView, style: Style, zone: Zone) -> list[str]:
    """A row per project, and a few sentences."""
    if not view.rows:
        return ["Nothing is archived.", *_fault_lines(view.faults), *trash_lines(view.trash)]
    cells = [_stats_cells(name, rows, view, zone) for name, rows in _by_project(view.rows).items()]
    lines = render(_STATS_COLUMNS, cells, _stats_cells("all", view.rows, view, zone), style)
    return [
        *lines,
        "",
        *_deletion_lines(view),
        *_fault_lines(view.faults),
        *trash_lines(view.trash),
    ]


def _by_project(rows: Sequence[KeptRow]) -> dict[str, list[KeptRow]]:
    found: dict[str, list[KeptRow]] = {}
    for row in rows:
        found.setdefault(row.project, []).append(row)
    return dict(sorted(found.items(), key=lambda pair: -sum(row.raw_bytes for row in pair[1])))


def _stats_cells(name: str, rows: Sequence[KeptRow], view: StatsView, zone: Zone) -> list[Cell]:
    raw, kept = sum(row.raw_bytes for row in rows), sum(row.size_bytes for row in rows)
    return [
        name if name == "all" else place(name, view.home) or "unknown",
        len({row.session for row in rows}),
        f"{zone.local(min(row.last_ms for row in rows)):%Y-%m-%d}",
        f"{zone.local(max(row.last_ms for row in rows)):%Y-%m-%d}",
        size(raw),
        size(kept),
        share(kept, raw),
    ]


def _would_be_gone(view: StatsView) -> int:
    if view.cleanup_days is None:
        return 0
    latest_ms = view.now_ms - view.cleanup_days * DAY_MS
    return len({row.session for row in view.rows if row.last_ms < latest_ms})


def _deletion_lines(view: StatsView) -> list[str]:
    if view.cleanup_days is None:
        return ["The agent is set to delete no transcripts."]
    sessions = len({row.session for row in view.rows})
    return [
        f"The agent deletes transcripts after {counted(view.cleanup_days, 'day')}: "
        f"{_would_be_gone(view):,} of these {counted(sessions, 'session')} would be gone by now."
    ]


def stats_document(view: StatsView, zone: Zone) -> str:
    """The same as JSON."""
    rows = [
        {
            "project": name,
            "sessions": len({row.session for row in rows}),
            "oldest_activity": zone.stamp(min(row.last_ms for row in rows)),
            "newest_activity": zone.stamp(max(row.last_ms for row in rows)),
            "raw_bytes": sum(row.raw_bytes for row in rows),
            "kept_bytes": sum(row.size_bytes for row in rows),
        }
        for name, rows in _by_project(view.rows).items()
    ]
    raw, kept = sum(row.raw_bytes for row in view.rows), sum(row.size_bytes for row in view.rows)
    fields = {
        "rows": rows,
        "totals": {
            "sessions": len({row.session for row in view.rows}),
            "raw_bytes": raw,
            "kept_bytes": kept,
            "ratio": round(kept / raw, 4) if raw else None,
            "archive_file_bytes": view.archive_bytes,
        },
        "agent_deletes_after_days": view.cleanup_days,
        "would_be_deleted_sessions": _would_be_gone(view),
        "trash": view.trash._asdict(),
        "faults": list(view.faults),
    }
    return document("archive-stats", FORMAT, fields)
