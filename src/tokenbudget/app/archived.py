"""What lies in the archives, as their manifests say; the ledger's index is only a short cut to it.

Everything here looks and changes nothing. A folder that cannot be read is one fault among the
answers, never the end of them.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.archive_places import existing, project_of
from tokenbudget.archive.folder import archive_files, load, opened_archive
from tokenbudget.archive.manifest import NAME
from tokenbudget.archive.recover import original_root
from tokenbudget.model.errors import SourceUnreadable, TokenBudgetError
from tokenbudget.system.regular_file import opened_file, opened_folder, quoted, sha256_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tokenbudget.archive.manifest import ArchiveRecord, FileRecord
    from tokenbudget.archive.verify import Problem
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger


class FolderRecords(NamedTuple):
    """The archives of one folder, or why they are not known."""

    folder: str
    records: tuple[ArchiveRecord, ...]
    fault: str = ""
    unlisted: tuple[str, ...] = ()
    """Archive files that the manifest does not name."""


class Kept(NamedTuple):
    """One session in one archive."""

    session: str
    folder: str
    project: str
    """The project that the archive lies in; '' where it is a user-level one."""
    record: ArchiveRecord
    files: tuple[FileRecord, ...]
    is_newest: bool
    """False: a newer archive of the same session is there."""

    @property
    def origin(self) -> tuple[str, str | None]:
        """The session and the agent's folder that it came from: a copied one has two."""
        return self.session, original_root(self.record, self.session)

    @property
    def raw_bytes(self) -> int:
        """What its files held."""
        return sum(file.size_bytes for file in self.files)

    @property
    def size_bytes(self) -> int:
        """Its share of the archive file."""
        return self.record.size_bytes * self.raw_bytes // max(self.record.raw_bytes, 1)

    @property
    def last_ms(self) -> int:
        """When one of its files was written last."""
        return max(file.mtime_ns for file in self.files) // 1_000_000

    @property
    def is_in_place(self) -> bool:
        """Whether all of its files are where they came from, whatever they hold."""
        return all(os.path.lexists(file.path) for file in self.files)


def records_in(folder: str) -> FolderRecords:
    """The manifest of one folder, and what it does not list."""
    try:
        with opened_archive(folder) as opened:
            names = archive_files(opened)
            if names and NAME not in os.listdir(opened):
                return FolderRecords(folder, (), "", tuple(names))
            records = load(opened, folder).archives
    except (TokenBudgetError, OSError) as wrong:
        return FolderRecords(folder, (), str(wrong))
    listed = {record.file for record in records}
    return FolderRecords(folder, records, "", tuple(n for n in names if n not in listed))


def holds(path: str, sha256: str) -> bool:
    """Whether a plain file of our own holds exactly these bytes."""
    parent, name = os.path.split(path)
    try:
        with opened_folder(parent) as folder, opened_file(folder, name, path) as descriptor:
            return sha256_of(descriptor) == sha256
    except (TokenBudgetError, OSError):
        return False


def archived_files(
    folder: str, session: str, archive_file: str | None = None
) -> tuple[FileRecord, ...]:
    """The files of a session in an archive of a folder, in the newest one if none is named.

    Raises:
        SourceUnreadable: it is not there.
    """
    found = [
        record
        for record in records_in(folder).records
        if archive_file in (None, record.file) and record.files_of(session)
    ]
    if not found:
        raise SourceUnreadable(f"the session {quoted(session)} is not archived in {quoted(folder)}")
    return max(found, key=lambda record: record.archived_at_ms).files_of(session)


def archive_folders(
    settings: Settings, ledger: Ledger | None, extra_projects: Iterable[str] = ()
) -> list[str]:
    """Every archive folder that is known of: by the index, the projects, the agent's settings."""
    indexed: list[str] = []
    projects = [*extra_projects]
    if ledger is not None:
        indexed = [one.folder for one in ledger.archives.all()]
        projects += ledger.names("project").values()
    if settings.working_dir:
        projects += _ways_up(settings.working_dir)
    return existing(indexed, projects, settings.claude_dirs)


def _ways_up(folder: str) -> Iterator[str]:
    """The folder and all above it: one of them is the project."""
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def kept_sessions(folders: Sequence[FolderRecords], claude_dirs: Sequence[str]) -> list[Kept]:
    """Every archived session, the last used first."""
    found = [
        Kept(
            session,
            one.folder,
            project_of(one.folder, claude_dirs),
            record,
            record.files_of(session),
            is_newest=True,
        )
        for one in folders
        for record in one.records
        for session in record.sessions
    ]
    newest: dict[tuple[str, str | None], tuple[int, int]] = {}
    for number, kept in enumerate(found):
        made = (kept.record.archived_at_ms, number)  # of one moment, the one listed later
        newest[kept.origin] = max(newest.get(kept.origin, made), made)
    marked = [
        kept._replace(is_newest=newest[kept.origin][1] == number)
        for number, kept in enumerate(found)
    ]
    return sorted(marked, key=lambda kept: (-kept.last_ms, kept.session, not kept.is_newest))


class Checked(NamedTuple):
    """What verifying found."""

    archives: int
    sessions: int
    archive_bytes: int
    raw_bytes: int
    problems: tuple[tuple[str, Problem], ...]
    """Folder and what is wrong in it."""
    lost: Mapping[str, tuple[str, ...]]
    """By path of a damaged archive file: the sessions in it."""


def verified(
    folders: Sequence[FolderRecords],
    wanted: frozenset[str] | None,
    progress: Callable[[int, int], None],
) -> Checked:
    """Read every byte of the archives, or of those that hold some sessions; nothing is changed."""
    from tokenbudget.archive.verify import Problem, problem_of

    chosen = [
        (one.folder, record)
        for one in folders
        for record in one.records
        if wanted is None or wanted & set(record.sessions)
    ]
    total = sum(record.size_bytes for _, record in chosen)
    problems: list[tuple[str, Problem]] = []
    lost: dict[str, tuple[str, ...]] = {}
    done = 0
    for folder, record in chosen:
        with opened_archive(folder) as opened:
            problem = problem_of(opened, record)
        if problem is not None:
            problems.append((folder, problem))
            lost[os.path.join(folder, record.file)] = record.sessions
        done += record.size_bytes
        progress(done, total)
    for one in folders:
        if one.fault:
            problems.append((one.folder, Problem(NAME, "damaged", one.fault)))
        if wanted is None:
            message = "no manifest lists it; tokens archive rebuild-index does"
            problems += [
                (one.folder, Problem(name, "unlisted", f"{name}: {message}"))
                for name in one.unlisted
            ]
    return Checked(
        archives=len(chosen),
        sessions=sum(len(record.sessions) for _, record in chosen),
        archive_bytes=total,
        raw_bytes=sum(record.raw_bytes for _, record in chosen),
        problems=tuple(problems),
        lost=lost,
    )
