"""Archive sessions step by step: pack a group, list it, and take its originals away one by one.

A step is done when the session's files are in the trash. Sessions of one group share an archive
file, which is written when the first of them has its turn. One that cannot be archived fails
alone: the others of its group go on without it.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from tokenbudget.app.archived import holds
from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.grouping import grouped
from tokenbudget.archive.pack import Bundle, Member, pack_fit
from tokenbudget.archive.recover import original_root
from tokenbudget.archive.retire import retiring
from tokenbudget.ledger.archive_index import ArchivedSession
from tokenbudget.model.actions import Outcome
from tokenbudget.model.errors import (
    Refused,
    TokenBudgetError,
)
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from tokenbudget.app.liveness import Liveness
    from tokenbudget.archive.manifest import ArchiveRecord, Manifest
    from tokenbudget.ledger.archive_index import ArchiveRows
    from tokenbudget.ledger.files import FileState
    from tokenbudget.model.actions import ArchiveSession, Step
    from tokenbudget.model.protocols import Clock
    from tokenbudget.system.trash import Trash
    from tokenbudget.system.trash_origin import Discarded

_TRANSCRIPT = ".jsonl"


class Tools(NamedTuple):
    """What archiving works with."""

    archives: ArchiveRows
    """The ledger's index."""
    trash: Trash
    clock: Clock
    liveness: Liveness
    states: Mapping[str, FileState]
    """What the ledger has read of each transcript: more must not be taken away."""
    progress: Callable[[int, int], None]
    """Told how many bytes of the originals are packed, and how many there are."""


class Written(NamedTuple):
    """One archive file of this run."""

    folder: str
    record: ArchiveRecord


class Archiver:
    """Carries `ArchiveSession` steps out, in their order. Use it as a context manager.

    A folder is locked while its sessions move, so steps of one group should follow each other.
    """

    def __init__(self, steps: Sequence[ArchiveSession], tools: Tools) -> None:
        self._tools = tools
        self._total_bytes = sum(step.size_bytes for step in steps)
        self._packed_bytes = 0
        self._groups = _groups(steps)
        self._group_of = {
            bundle: n for n, (_, group) in enumerate(self._groups) for bundle in group
        }
        self._current = -1
        self._unfit: dict[Bundle, str] = {}
        self._archive_of: dict[Bundle, str] = {}
        self._whole: dict[Bundle, Bundle] = {}
        self._retire: Callable[[Bundle], tuple[Discarded, ...]] | None = None
        self._fault = ""
        self._open = contextlib.ExitStack()
        self.written: list[Written] = []
        """The archive files that were made."""
        self.outcomes: dict[Step, Outcome] = {}
        """How every step so far went."""

    def __enter__(self) -> Archiver:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def trash(self) -> Trash:
        """Where the originals go."""
        return self._tools.trash

    def apply(self, step: ArchiveSession) -> Outcome:
        """Archive one session; where that is not safe now it stays, and the outcome says why."""
        bundle = bundle_of(step)
        try:
            self._begin(self._group_of[bundle])
            outcome = self._retired(step, bundle)
        except TokenBudgetError as wrong:
            if self._retire is None:
                self._fault = str(wrong)
            outcome = Outcome("failed", str(wrong), {"exit_code": wrong.exit_code})
        self.outcomes[step] = outcome
        return outcome

    def _retired(self, step: ArchiveSession, bundle: Bundle) -> Outcome:
        if reason := self._unfit.get(bundle):
            raise Refused(reason)
        if self._retire is None:
            raise Refused(self._fault or "nothing of its group could be archived")
        paths = [member.path for member in bundle.members]
        if sign := self._tools.liveness.sign_of(bundle.session, paths, is_now=True):
            raise Refused(f"it is in the archive, and stays as well: {sign}")
        moved = self._retire(self._whole.get(bundle, bundle))
        remove_empty_folders(root_of(bundle), bundle.session)
        return Outcome(
            "done",
            "",
            {
                "archive_file": self._archive_of[bundle],
                "trash": [[one.id, one.path] for one in moved],
            },
        )

    def _begin(self, number: int) -> None:
        """Pack a group, unless it is the one that is being worked on."""
        if number == self._current:
            return
        self._open.close()
        self._retire, self._current, self._fault = None, number, ""
        folder, group = self._groups[number]
        fit = [bundle for bundle in group if self._is_fit(bundle)]
        kept = already_kept(folder, fit)
        self._archive_of |= {bundle: found.file for bundle, found in kept.items()}
        self._whole |= {bundle: found.bundle for bundle, found in kept.items()}
        new = [bundle for bundle in fit if bundle not in kept]
        if new:
            self._pack(folder, new)
        self._packed_bytes += sum(size_of(bundle) for bundle in group)
        self._tools.progress(self._packed_bytes, self._total_bytes)
        if any(bundle in self._archive_of for bundle in group):
            self._retire = self._open.enter_context(
                retiring(folder, self._tools.trash, self._tools.liveness.is_live)
            )

    def _is_fit(self, bundle: Bundle) -> bool:
        paths = [member.path for member in bundle.members]
        if sign := self._tools.liveness.sign_of(bundle.session, paths):
            self._unfit[bundle] = sign
        return not sign

    def _pack(self, folder: str, bundles: Sequence[Bundle]) -> None:
        before = self._packed_bytes

        def progress(done_bytes: int) -> None:
            self._tools.progress(before + done_bytes, self._total_bytes)

        packed = pack_fit(folder, bundles, self._tools.clock.now_ms(), progress=progress)
        unfit = {one.session: str(one.reason) for one in packed.unfit}
        self._unfit |= {b: unfit[b.session] for b in bundles if b.session in unfit}
        if packed.record is None:
            return
        self.written.append(Written(folder, packed.record))
        self._tools.archives.put(index_rows(folder, packed.record))
        for bundle in bundles:
            if bundle.session in unfit:
                continue
            self._archive_of[bundle] = packed.record.file
            if path := _unread_path(packed.record, bundle.session, self._tools.states):
                self._unfit[bundle] = f"{quoted(path)} grew since it was read; archive it again"


def bundle_of(step: ArchiveSession) -> Bundle:
    """The session of a step as the archive takes it."""
    return Bundle(step.session, tuple(Member(name, path) for name, path in step.files))


def root_of(bundle: Bundle) -> str:
    """The folder that the names of a bundle start from."""
    first = bundle.members[0]
    return first.path.removesuffix(f"/{first.name}")


def size_of(bundle: Bundle) -> int:
    """What the files of a bundle hold now."""
    sizes = 0
    for member in bundle.members:
        with contextlib.suppress(OSError):
            sizes += os.lstat(member.path).st_size
    return sizes


def index_rows(folder: str, record: ArchiveRecord) -> list[ArchivedSession]:
    """What the ledger's index holds of an archive; each session has its share of the size."""
    rows = []
    for session in record.sessions:
        files = record.files_of(session)
        raw = sum(file.size_bytes for file in files)
        share = record.size_bytes * raw // max(record.raw_bytes, 1)
        last_ms = max(file.mtime_ns for file in files) // 1_000_000
        names = tuple((file.name, file.path) for file in files)
        rows.append(
            ArchivedSession(
                session, folder, record.file, record.archived_at_ms, last_ms, raw, share, names
            )
        )
    return rows


class Held(NamedTuple):
    """A session that an archive holds already."""

    file: str
    bundle: Bundle
    """As it was archived: after an interrupted run some of its files are in the trash."""


def already_kept(folder: str, bundles: Iterable[Bundle]) -> dict[Bundle, Held]:
    """The sessions whose every file an archive holds just as it is now.

    They were given back and never written to again, or a run was stopped between their archive and
    the trash. `retire` checks the archive itself; one that is marked for deletion does not count.
    """
    try:
        with opened_archive(folder) as opened:
            manifest = load(opened, folder)
    except TokenBudgetError:
        return {}  # there is none yet; or it is damaged, which packing will say
    return {bundle: held for bundle in bundles if (held := _held(manifest, bundle))}


def _held(manifest: Manifest, bundle: Bundle) -> Held | None:
    """By the newest archive of the session alone: an older one would bring back older words."""
    records = [
        record
        for record in manifest.of_session(bundle.session)
        if original_root(record, bundle.session) == root_of(bundle)
    ]
    if not records or records[-1].marked_at_ms is not None:
        return None
    files = records[-1].files_of(bundle.session)
    known = {(file.name, file.path): file.sha256 for file in files}
    for member in bundle.members:
        sha256 = known.get((member.name, member.path))
        if sha256 is None or not holds(member.path, sha256):
            return None
    whole = Bundle(bundle.session, tuple(Member(file.name, file.path) for file in files))
    return Held(records[-1].file, whole)


def _groups(steps: Sequence[ArchiveSession]) -> list[tuple[str, list[Bundle]]]:
    by_folder: dict[str, list[tuple[Bundle, int]]] = {}
    for step in steps:
        by_folder.setdefault(step.folder, []).append((bundle_of(step), step.size_bytes))
    return [(folder, group) for folder, sized in by_folder.items() for group in grouped(sized)]


def _unread_path(record: ArchiveRecord, session: str, states: Mapping[str, FileState]) -> str:
    """A transcript whose packed version is not the one that the ledger has read; '' for none."""
    for file in record.files_of(session):
        if file.path.endswith(_TRANSCRIPT):
            state = states.get(file.path)
            if state is None or (state.size_bytes, state.mtime_ns) != (
                file.size_bytes,
                file.mtime_ns,
            ):
                return file.path
    return ""


def remove_empty_folders(root: str, session: str) -> None:
    """Take away what is left of a session's folder, if nothing is in it any more."""
    top = os.path.join(root, session)
    if not os.path.isdir(top) or os.path.islink(top):
        return
    with contextlib.suppress(OSError):
        for _, folders, _, opened in os.fwalk(top, topdown=False, follow_symlinks=False):
            for name in folders:
                with contextlib.suppress(OSError):  # something is in it, or it is a link
                    os.rmdir(name, dir_fd=opened)
        os.rmdir(top)
