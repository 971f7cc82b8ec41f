"""What the verbs about kept sessions work at: the archives that are meant, and their rows."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis.periods import Zone
from tokenbudget.app.archived import kept_sessions
from tokenbudget.app.recovering import only
from tokenbudget.cli.archive_projects import projects_meant
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.archive_kept import KeptRow
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.archived import FolderRecords, Kept
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.store import Ledger


class Desk(NamedTuple):
    """What every one of these needs."""

    settings: Settings
    ledger: Ledger | None
    clock: SystemClock
    zone: Zone
    folders: Sequence[str]
    """Every archive folder that is meant."""

    @property
    def trash(self) -> Trash:
        """Where the originals are."""
        return Trash(self.settings.data_dir, self.clock)


def rows_meant(options: Namespace, desk: Desk, found: Sequence[FolderRecords]) -> list[KeptRow]:
    """The archived sessions that the command line names; all where it names none.

    Raises:
        BadRequest: it names what is not archived.
    """
    rows = rows_of(desk, found)
    if options.sessions:
        known = {row.session for row in rows}
        wanted = {only(known, word) for word in options.sessions}
        rows = [row for row in rows if row.session in wanted]
    if options.project is not None:
        projects = _projects(options, desk, rows)
        rows = [row for row in rows if row.project in projects]
    return rows


def _projects(options: Namespace, desk: Desk, rows: Sequence[KeptRow]) -> frozenset[str]:
    if desk.ledger is not None:
        return projects_meant(desk.settings, desk.ledger, options.project) or frozenset()
    named = {
        row.project
        for row in rows
        if options.project in (row.project, os.path.basename(row.project))
    }
    here = os.path.abspath(options.project)
    if not named and not any(row.project == here for row in rows):
        raise BadRequest(f"no archived session is of a project '{options.project}'")
    return frozenset({*named, here})


def rows_of(desk: Desk, found: Sequence[FolderRecords]) -> list[KeptRow]:
    """Every archived session, with what the ledger knows of it."""
    known: dict[str, SessionRow] = {}
    if desk.ledger is not None:
        known = {row.session: row for row in desk.ledger.sessions_beginning("", -1)}
    return [
        _row(kept, known.get(kept.session))
        for kept in kept_sessions(found, desk.settings.claude_dirs)
    ]


def _row(kept: Kept, facts: SessionRow | None) -> KeptRow:
    return KeptRow(
        session=kept.session,
        title=facts.title if facts else "",
        project=kept.project or (facts.project if facts else ""),
        last_ms=kept.last_ms,
        archived_ms=kept.record.archived_at_ms,
        files=len(kept.files),
        raw_bytes=kept.raw_bytes,
        size_bytes=kept.size_bytes,
        folder=kept.folder,
        archive_file=kept.record.file,
        is_in_place=kept.is_in_place,
        is_newest=kept.is_newest,
        marked_ms=kept.record.marked_at_ms,
    )
