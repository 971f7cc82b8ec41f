"""`tokens archive list`, `stats`, `verify`: what is kept, and whether it is whole."""

from __future__ import annotations

import os

from tokenbudget.analysis.periods import Zone
from tokenbudget.app.archive_upkeep import originals_in
from tokenbudget.app.archived import archive_folders, records_in, verified
from tokenbudget.app.recovering import opened_ledger
from tokenbudget.cli.archive_cleaning import clear_trash, prune, rebuild_index
from tokenbudget.cli.archive_desk import Desk, rows_meant
from tokenbudget.cli.options import show, style
from tokenbudget.cli.terminal import ProgressBar
from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.reports.archive_kept import (
    ListView,
    StatsView,
    TrashView,
    list_document,
    list_lines,
    stats_document,
    stats_lines,
)
from tokenbudget.reports.archive_verified import (
    ProblemRow,
    VerifyView,
    verify_document,
    verify_lines,
)
from tokenbudget.sources.claude_code.cleanup import cleanup_of
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.archived import FolderRecords
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger

NOT_SO = 1
"""Exit code where something is not as it should be."""


def run(options: Namespace, settings: Settings) -> int:
    """Carry the action out; the exit code."""
    ledger = opened_ledger(settings)
    try:
        return _ACTIONS[options.action](options, _desk(options, settings, ledger))
    finally:
        if ledger is not None:
            ledger.close()


def _desk(options: Namespace, settings: Settings, ledger: Ledger | None) -> Desk:
    clock = SystemClock()
    folders = archive_folders(settings, ledger)
    return Desk(settings, ledger, clock, Zone(settings.timezone, clock.now_ms()), folders)


def _list(options: Namespace, desk: Desk) -> int:
    found = [records_in(folder) for folder in desk.folders]
    rows = rows_meant(options, desk, found)
    view = ListView(rows, _faults(found), _trash_view(desk), desk.settings.home_dir)
    if options.json:
        show([list_document(view, desk.zone)])
    else:
        show(list_lines(view, style(options.no_color), desk.zone))
    return _unreadable(found)


def _unreadable(found: Sequence[FolderRecords]) -> int:
    return SourceUnreadable.exit_code if any(one.fault for one in found) else 0


def _faults(found: Sequence[FolderRecords]) -> list[str]:
    return [one.fault for one in found if one.fault] + [
        f"{one.folder}/{name} is in no manifest; tokens archive rebuild-index lists it"
        for one in found
        for name in one.unlisted
    ]


def _stats(options: Namespace, desk: Desk) -> int:
    found = [records_in(folder) for folder in desk.folders]
    rows = rows_meant(options, desk, found)
    files = {(row.folder, row.archive_file) for row in rows}
    view = StatsView(
        rows=rows,
        archive_bytes=sum(
            record.size_bytes
            for one in found
            for record in one.records
            if (one.folder, record.file) in files
        ),
        faults=_faults(found),
        trash=_trash_view(desk),
        cleanup_days=cleanup_of(
            desk.settings.claude_dirs, {row.project for row in rows if row.project}
        ).days,
        now_ms=desk.clock.now_ms(),
        home=desk.settings.home_dir,
    )
    if options.json:
        show([stats_document(view, desk.zone)])
    else:
        show(stats_lines(view, style(options.no_color), desk.zone))
    return _unreadable(found)


def _verify(options: Namespace, desk: Desk) -> int:
    found = [records_in(folder) for folder in desk.folders]
    wanted = None
    if options.sessions or options.project is not None:
        wanted = frozenset(row.session for row in rows_meant(options, desk, found))
    progress = ProgressBar("verifying")
    checked = verified(found, wanted, progress)
    progress.clear()
    problems = [
        ProblemRow(
            folder=folder,
            file=problem.file,
            fault=problem.fault,
            message=problem.message,
            sessions=checked.lost.get(os.path.join(folder, problem.file), ()),
        )
        for folder, problem in checked.problems
    ]
    view = VerifyView(
        checked.archives,
        checked.sessions,
        checked.archive_bytes,
        checked.raw_bytes,
        problems,
        desk.settings.home_dir,
    )
    show([verify_document(view)] if options.json else verify_lines(view))
    return NOT_SO if problems else 0


def _trash_view(desk: Desk) -> TrashView:
    originals = originals_in(desk.trash)
    return TrashView(len(originals), sum(found.size_bytes for found in originals))


_ACTIONS = {
    "list": _list,
    "verify": _verify,
    "prune": prune,
    "stats": _stats,
    "empty-trash": clear_trash,
    "rebuild-index": rebuild_index,
}
