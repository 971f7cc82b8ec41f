"""Give archived sessions back: which one is meant, where it belongs, and whether it may go there.

The index in the ledger is asked first and believed in nothing: what it says is looked up in the
manifest. Without a ledger, or with one that knows nothing of it, the manifests of this project, of
the known ones and of the agent's settings are read. No transcript is looked at.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app import LEDGER_NAME, transcript_folders
from tokenbudget.app.archived import archive_folders, records_in
from tokenbudget.archive.recover import original_root
from tokenbudget.model.actions import RecoverSession
from tokenbudget.model.errors import BadRequest, Refused, TokenBudgetError
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import FORBIDDEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.archive.manifest import ArchiveRecord
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger

AMBIGUOUS_SHOWN = 3
MOST_LOOKED_UP = 20


class Place(NamedTuple):
    """A session in an archive, with the archive's record."""

    session: str
    folder: str
    record: ArchiveRecord

    @property
    def last_ms(self) -> int:
        """When one of its files was written last."""
        files = self.record.files_of(self.session)
        return max(file.mtime_ns for file in files) // 1_000_000

    @property
    def raw_bytes(self) -> int:
        """What its files hold."""
        return sum(file.size_bytes for file in self.record.files_of(self.session))


class Return(NamedTuple):
    """A session that can be given back, and where."""

    place: Place
    to: str
    """The folder that its names start from."""
    is_at_home: bool
    """Whether that is where it came from."""
    waiting: tuple[str, ...]
    """Names of files that are not there now."""
    cwd: str = ""
    """Where the session was begun, as far as the ledger knows."""

    @property
    def session(self) -> str:
        """Its id."""
        return self.place.session

    @property
    def raw_bytes(self) -> int:
        """What its files hold."""
        return self.place.raw_bytes

    @property
    def archive(self) -> str:
        """The archive file that it comes from."""
        return self.place.record.file

    @property
    def step(self) -> RecoverSession:
        """It as a step of the journal."""
        return RecoverSession(
            self.place.session, self.place.folder, self.place.record.file, self.to
        )


def opened_ledger(settings: Settings) -> Ledger | None:
    """The ledger as it is; None where there is none, or it cannot be used."""
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    if not os.path.exists(path):
        return None
    from tokenbudget.ledger.store import Ledger as Opened

    try:
        return Opened(path)
    except TokenBudgetError:
        return None


def places_meant(
    settings: Settings,
    ledger: Ledger | None,
    wanted: str,
    archive_file: str | None = None,
    project: str | None = None,
) -> list[Place]:
    """The one archived session that an id, its beginning or 'last' means; or all ('').

    One that came from several folders of the agent (a copied one) is as many places.

    Raises:
        BadRequest: none is meant, or several are.
    """
    if wanted not in ("", "last") and ledger is not None and project is None:
        found = _by_index(ledger, wanted, archive_file)
        if found:
            return found
    known = _newest_of_each(_everywhere(settings, ledger, project), archive_file)
    try:
        return _chosen(known, wanted)
    except BadRequest as wrong:
        told = _not_looked_into(settings, ledger)
        raise BadRequest(f"{wrong}{told}") from wrong


def _chosen(known: Sequence[Place], wanted: str) -> list[Place]:
    if not known:
        raise BadRequest("no archived session is known here; tokens archive list shows them")
    places = sorted(known, key=lambda place: place.last_ms)
    if wanted == "":
        return places
    session = places[-1].session if wanted == "last" else only((p.session for p in known), wanted)
    return [place for place in places if place.session == session]


def _not_looked_into(settings: Settings, ledger: Ledger | None) -> str:
    """Where a session could lie that was not found, as the end of a sentence; '' for nowhere."""
    for folder in archive_folders(settings, ledger):
        found = records_in(folder)
        if found.fault or found.unlisted:
            return f"; not all of {quoted(folder)} is known: tokens archive rebuild-index"
    if ledger is None and os.path.exists(os.path.join(settings.data_dir, LEDGER_NAME)):
        return "; without the ledger only this folder's archives are known: tokens doctor"
    return ""


def only(known: Iterable[str], wanted: str) -> str:
    """The one id that begins so; raises BadRequest for none or several."""
    names = set(known)
    if wanted in names:
        return wanted
    found = sorted(name for name in names if name.startswith(wanted))
    if not found:
        raise BadRequest(f"no archived session begins with '{wanted}'; tokens archive list")
    if len(found) > 1:
        some = ", ".join(name[: len(wanted) + 6] for name in found[:AMBIGUOUS_SHOWN])
        more = ", …" if len(found) > AMBIGUOUS_SHOWN else ""
        raise BadRequest(
            f"{len(found)} archived sessions begin with '{wanted}' ({some}{more}); give more of it"
        )
    return found[0]


def _by_index(ledger: Ledger, wanted: str, archive_file: str | None) -> list[Place]:
    """By the index alone, where it knows the session and the manifest agrees."""
    try:
        rows = ledger.archives.of_session(wanted)
        if not rows:
            names = _archived_beginning(ledger, wanted)
            rows = ledger.archives.of_session(only(names, wanted)) if names else []
    except BadRequest:
        raise
    except TokenBudgetError:
        return []
    records = {row.folder: records_in(row.folder).records for row in rows}
    return _newest_of_each(
        [
            Place(row.session, row.folder, record)
            for row in reversed(rows)  # the newest last, as in a manifest
            for record in records[row.folder]
            if record.file == row.archive_file and record.files_of(row.session)
        ],
        archive_file,
    )


def _archived_beginning(ledger: Ledger, start: str) -> set[str]:
    """Archived sessions whose id begins so. (To list every archived one takes 20 ms of a 1,000.)"""
    known = ledger.sessions_beginning(start, MOST_LOOKED_UP)
    found = {row.session for row in known if ledger.archives.of_session(row.session)}
    if found and len(known) < MOST_LOOKED_UP:
        return found
    return {row.session for row in ledger.archives.all() if row.session.startswith(start)}


def _everywhere(settings: Settings, ledger: Ledger | None, project: str | None) -> list[Place]:
    try:
        folders = archive_folders(settings, ledger)
    except TokenBudgetError:
        folders = archive_folders(settings, None)
    if project is not None:
        from tokenbudget.app.archive_places import project_archive

        own = project_archive(project)
        folders = [folder for folder in dict.fromkeys([own, *folders]) if folder == own]
    return [
        Place(session, folder, record)
        for folder in folders
        for record in records_in(folder).records
        for session in record.sessions
    ]


def _newest_of_each(places: Iterable[Place], archive_file: str | None) -> list[Place]:
    """The newest archive of each session in each folder that it came from; later ones win ties."""
    found: dict[tuple[str, str | None], Place] = {}
    for place in places:
        if archive_file not in (None, place.record.file):
            continue
        key = (place.session, original_root(place.record, place.session))
        before = found.get(key)
        if before is None or before.record.archived_at_ms <= place.record.archived_at_ms:
            found[key] = place
    return list(found.values())


def planned_return(
    settings: Settings, place: Place, to: str | None, ledger: Ledger | None = None
) -> Return:
    """Where a session goes: back to where it was, or to a folder that the person names.

    Raises:
        Refused: it came from nowhere that the agent keeps sessions in, so `--to` is needed; or a
            part of the way is a link.
    """
    root = original_root(place.record, place.session)
    if to is not None:
        target = os.path.abspath(to)
        if os.path.basename(target) == FORBIDDEN:
            raise Refused(f"only its client may write {quoted(target)}; name another folder")
    elif root is None or os.path.dirname(root) not in transcript_folders(settings):
        raise Refused(
            f"the session {quoted(place.session)} came from {quoted(root or 'several folders')},"
            " which is no folder of an agent here; say where it goes with --to DIR"
        )
    elif os.path.islink(root):
        raise Refused(f"{quoted(root)} is a link; say where the session goes with --to DIR")
    else:
        target = root
    names = [file.name for file in place.record.files_of(place.session)]
    waiting = tuple(name for name in names if not os.path.lexists(os.path.join(target, name)))
    return Return(place, target, target == root, waiting, _cwd_of(ledger, place.session))


def _cwd_of(ledger: Ledger | None, session: str) -> str:
    """Where a session was begun; '' where no ledger knows."""
    try:
        rows = [] if ledger is None else ledger.sessions_beginning(session, 1)
    except TokenBudgetError:
        return ""
    return rows[0].cwd if rows and rows[0].session == session else ""
