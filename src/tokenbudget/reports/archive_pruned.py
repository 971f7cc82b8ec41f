"""What pruning, emptying the trash and listing anew do: as text and as JSON."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.archive_words import place, size
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
SHOWN = 10


class Pruned(Protocol):
    """Archive file names by what is done with them."""

    @property
    def marked(self) -> tuple[str, ...]:
        """Those that may go now."""

    @property
    def unmarked(self) -> tuple[str, ...]:
        """Those that were to go, and stay."""

    @property
    def deleted(self) -> tuple[str, ...]:
        """Those whose time is up."""

    @property
    def freed_bytes(self) -> int:
        """What the deleted ones took."""

    @property
    def deleted_sessions(self) -> tuple[str, ...]:
        """Those that no archive has after it."""

    @property
    def marked_sessions(self) -> tuple[str, ...]:
        """Those that only marked archives have after it."""

    @property
    def spared_sessions(self) -> tuple[str, ...]:
        """Those that could go, and share an archive with one that may not."""


class FolderPruned(Protocol):
    """What pruning does in one folder."""

    @property
    def folder(self) -> str:
        """Which one."""

    @property
    def pruned(self) -> Pruned:
        """What it does."""

    @property
    def fault(self) -> str:
        """Why it does nothing there; '' where it can."""


class PruneView(NamedTuple):
    """Pruning as it is planned or done."""

    folders: Sequence[FolderPruned]
    grace_days: int
    is_done: bool
    home: str


def prune_lines(view: PruneView) -> list[str]:
    """What goes, what will go and when, folder by folder."""
    lines = []
    for one in view.folders:
        told = _told(one.pruned, view)
        if one.fault:
            told = [f"  nothing is done here: {one_line(one.fault)}"]
        if told:
            lines += [place(one.folder, view.home), *told]
    return lines or ["Nothing to prune: the rules let every archive stay."]


def _told(pruned: Pruned, view: PruneView) -> list[str]:
    grace = counted(view.grace_days, "day")
    did = view.is_done
    groups = [
        (
            pruned.deleted,
            "deleted" if did else "to be deleted now",
            f"{size(pruned.freed_bytes)}{_last_copies(pruned.deleted_sessions)}",
        ),
        (
            pruned.marked,
            f"marked; tokens archive prune deletes after {grace}"
            if did
            else f"to be marked, and deleted by a later run after {grace}",
            _last_copies(pruned.marked_sessions).removeprefix(", "),
        ),
        (pruned.unmarked, "no longer marked: the rules let it stay", ""),
    ]
    lines = []
    for names, words, more in groups:
        if names:
            lines.append(f"  {counted(len(names), 'archive')} {words}{f', {more}' if more else ''}")
            lines += [f"    {one_line(name)}" for name in names[:SHOWN]]
            if len(names) > SHOWN:
                lines.append(f"    … and {len(names) - SHOWN:,} more")
    if pruned.spared_sessions:
        old = counted(len(pruned.spared_sessions), "session")
        lines.append(f"  {old} could go, and stay: in an archive with one that is to be kept")
    return lines


def _last_copies(sessions: Sequence[str]) -> str:
    """How many sessions no other archive has; '' where every one is in another."""
    return f", with {counted(len(sessions), 'session')} in no other archive" if sessions else ""


def prune_document(view: PruneView) -> str:
    """The same as JSON."""
    rows = [
        {
            "folder": one.folder,
            "marked": list(one.pruned.marked),
            "unmarked": list(one.pruned.unmarked),
            "deleted": list(one.pruned.deleted),
            "freed_bytes": one.pruned.freed_bytes,
            "marked_sessions": list(one.pruned.marked_sessions),
            "deleted_sessions": list(one.pruned.deleted_sessions),
            "spared_sessions": list(one.pruned.spared_sessions),
            "fault": one.fault,
        }
        for one in view.folders
    ]
    fields = {
        "is_done": view.is_done,
        "grace_days": view.grace_days,
        "rows": rows,
        "totals": {
            "marked": sum(len(one.pruned.marked) for one in view.folders),
            "deleted": sum(len(one.pruned.deleted) for one in view.folders),
            "freed_bytes": sum(one.pruned.freed_bytes for one in view.folders),
        },
    }
    return document("archive-prune", FORMAT, fields)


# ── the trash ────────────────────────────────────────────────────────────────────────────────────


class Original(Protocol):
    """An original in the trash."""

    @property
    def path(self) -> str:
        """Where it came from."""

    @property
    def size_bytes(self) -> int:
        """What it holds."""


class TrashPlan(Protocol):
    """What emptying the trash removes and leaves."""

    @property
    def ripe(self) -> tuple[Original, ...]:
        """Those that go."""

    @property
    def unsafe(self) -> tuple[tuple[Original, str], ...]:
        """Those that stay, and why."""

    @property
    def young(self) -> int:
        """How many were moved there later."""

    @property
    def ripe_bytes(self) -> int:
        """What goes."""


def trash_plan_lines(plan: TrashPlan, older_than_days: int, home: str) -> list[str]:
    """What goes, and what stays because nothing else could stand in for it."""
    lines = []
    if plan.ripe:
        lines.append(
            f"To be removed for good: {counted(len(plan.ripe), 'original')}, "
            f"{size(plan.ripe_bytes)}; their archives were read just now and are whole."
        )
    else:
        lines.append(
            f"Nothing to remove: no original has been in the trash for"
            f" {counted(older_than_days, 'day')} with a whole archive."
        )
    for original, why in plan.unsafe[:SHOWN]:
        lines.append(f"  stays: {place(original.path, home)} ({one_line(why)})")
    if len(plan.unsafe) > SHOWN:
        lines.append(f"  … and {len(plan.unsafe) - SHOWN:,} more that stay")
    if plan.young:
        lines.append(
            f"Not as old: {counted(plan.young, 'original')}; --older-than 0 takes them too."
        )
    return lines


def trash_document(
    plan: TrashPlan, older_than_days: int, freed_bytes: int, *, is_done: bool
) -> str:
    """The same as JSON."""
    fields = {
        "is_done": is_done,
        "older_than_days": older_than_days,
        "rows": [
            {"path": original.path, "size_bytes": original.size_bytes, "reason": why}
            for original, why in plan.unsafe
        ],
        "totals": {
            "removable": len(plan.ripe),
            "removable_bytes": plan.ripe_bytes,
            "freed_bytes": freed_bytes,
            "kept_as_unsafe": len(plan.unsafe),
            "kept_as_young": plan.young,
        },
    }
    return document("archive-empty-trash", FORMAT, fields)


# ── listing anew ─────────────────────────────────────────────────────────────────────────────────


class Relisted(Protocol):
    """What listing a folder anew did."""

    @property
    def folder(self) -> str:
        """Which one."""

    @property
    def archives(self) -> int:
        """How many it lists."""

    @property
    def sessions(self) -> int:
        """How many sessions are in them."""

    @property
    def adopted(self) -> tuple[str, ...]:
        """Archive files that no manifest had listed."""

    @property
    def damaged(self) -> tuple[str, ...]:
        """Archive files that cannot be read."""

    @property
    def fault(self) -> str:
        """Why nothing was done; '' where it was."""


def rebuilt_lines(found: Sequence[Relisted], home: str) -> list[str]:
    """A line per folder."""
    if not found:
        return ["Nothing is archived."]
    lines = []
    for one in found:
        told = f"{counted(one.archives, 'archive')}, {counted(one.sessions, 'session')}"
        if one.adopted:
            told += f", {counted(len(one.adopted), 'archive')} listed anew"
        lines.append(f"{place(one.folder, home)}: {'not listed' if one.fault else told}")
        lines += [f"  damaged, not listed: {one_line(name)}" for name in one.damaged]
    return lines


def rebuilt_document(found: Sequence[Relisted]) -> str:
    """The same as JSON."""
    rows = [
        {
            "folder": one.folder,
            "archives": one.archives,
            "sessions": one.sessions,
            "adopted": list(one.adopted),
            "damaged": list(one.damaged),
            "fault": one.fault,
        }
        for one in found
    ]
    totals = {
        "archives": sum(one.archives for one in found),
        "sessions": sum(one.sessions for one in found),
    }
    return document("archive-rebuild-index", FORMAT, {"rows": rows, "totals": totals})
