"""Bring the ledger up to date: scan → compare → read → commit → roll up.

A large first read takes the usage alone, so that the answer is there in a fraction of a second; the
other events follow in a second pass over the same bytes (`Want.DETAIL`), for which every file keeps
a position of its own. Every step may be interrupted: a commit moves positions and rows together.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tokenbudget.collector.scan import bytes_to_read, compare, plan_of, session_name, to_read
from tokenbudget.ledger.files import FileToRead, Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from tokenbudget.collector.scan import Scan
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.events import Stretch
    from tokenbudget.model.files import Found
    from tokenbudget.model.protocols import Clock, Source
    from tokenbudget.system.locks import FileLock

    Numbered: TypeAlias = tuple[int, FileToRead]

INLINE_DETAIL_BYTES = 1 << 22
"""Up to this much new text, usage and detail are read in one go (about 30 ms)."""

FAN_OUT_BYTES = 1 << 23
"""From this much on, starting further processes pays."""

COMMIT_SECONDS = 2.0
"""A running read is committed this often: what an interruption can cost."""

POLITE_COMMIT_SECONDS = 0.25
"""The same for the second pass, which must not keep a person's command waiting."""

LOCK_POLL_SECONDS = 0.02

LOCK_PATIENCE_SECONDS = 60.0
"""Then the lock's holder is taken for stopped, and the reading goes on without the lock."""


class Want(enum.Enum):
    """How much a caller needs."""

    USAGE = "usage"
    """Usage now; detail as well where there is little to read."""
    DETAIL = "detail"
    """Everything."""


class Outcome(NamedTuple):
    """What a refresh did and what it left."""

    files_found: int
    files_read: int
    bytes_read: int
    lagging_bytes: int
    """Bytes whose detail is still to be read."""
    unreadable: list[tuple[str, str]]


class _Work(NamedTuple):
    files: list[FileToRead]
    lagging_bytes: int


class _Read(NamedTuple):
    whole: set[str]
    """Paths that were read to their end."""
    failed: dict[str, str]
    """Paths that could not be read, and why."""


VANISHED = ""
"""The reason why a file that is gone could not be read: none that anybody must be told."""


def _outcome(found: Found, work: _Work, failed: Mapping[str, str]) -> Outcome:
    return Outcome(
        files_found=len(found.files),
        files_read=len(work.files),
        bytes_read=sum(map(bytes_to_read, work.files)),
        lagging_bytes=work.lagging_bytes,
        unreadable=[*found.unreadable, *failed.items()],
    )


def no_progress(done_bytes: int, total_bytes: int) -> None:
    """Tell nobody."""


class Collector:
    """Keeps one ledger in step with one source.

    `lock` serialises refreshes between processes, so that they do not read the same bytes; the
    ledger stays right without it. `give_way_to` is the lock of those who must not wait: while
    somebody holds it, nothing new is written here.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Source,
        clock: Clock,
        workers: int,
        lock: FileLock | None = None,
        progress: Callable[[int, int], None] = no_progress,
        give_way_to: FileLock | None = None,
    ) -> None:
        self._give_way_to = give_way_to
        self._ledger = ledger
        self._source = source
        self._clock = clock
        self._workers = workers
        self._lock = lock
        self._progress = progress

    def refresh(self, tops: Sequence[str], want: Want) -> Outcome:
        """Take in everything under `tops` that the ledger does not have yet.

        Raises:
            LedgerUnusable, LedgerDamaged: the ledger cannot be written.
        """
        found, scan, work = self._look(tops, want)
        failed: dict[str, str] = {}
        try:
            if (work.files or scan.gone_ids) and self._waited_for(self._lock):
                found, scan, work = self._look(tops, want)  # somebody else has just read
            self._note_gone(scan)
            if work.files:
                interval = COMMIT_SECONDS if want is Want.USAGE else POLITE_COMMIT_SECONDS
                failed = self._take_in(work.files, interval, failed).failed
                self._ledger.roll_up()
        finally:
            if self._lock is not None:
                self._lock.release()
        return _outcome(found, work, failed)

    def rebuild(self, tops: Sequence[str]) -> Outcome:
        """Read everything that is still there afresh and keep what only the ledger has.

        One transaction: whoever looks sees the old ledger or the new one. A file that turns out to
        be unreadable, or vanishes, counts as missing: its rows were about to be replaced by
        nothing, so all begins again without it.
        """
        failed: dict[str, str] = {}
        while True:
            found = self._source.find(tops)
            scan, work, read = self._rebuild_once(found, tops, failed)
            missed = {file.path for file in work.files} - read.whole
            if not missed:
                break
            self._ledger.abandon_rebuild()
            failed |= dict.fromkeys(missed, VANISHED) | read.failed
        self._ledger.end_rebuild()
        self._note_gone(scan)
        self._ledger.roll_up()
        return _outcome(found, work, {p: why for p, why in failed.items() if why != VANISHED})

    def _rebuild_once(
        self, found: Found, tops: Sequence[str], failed: dict[str, str]
    ) -> tuple[Scan, _Work, _Read]:
        """Void and read the found files, `failed` ones left out, in a transaction left open."""
        files = [file for file in found.files if file.path not in failed]
        before = compare(self._source, files, self._ledger.file_states(), tops)
        rewritten = [file.path for file, _, is_reset in before.changed if is_reset]
        self._ledger.begin_rebuild([file.path for file in files], rewritten)
        scan = compare(self._source, files, self._ledger.file_states(), tops)
        work = self._work(scan, Want.DETAIL)
        told = {path: reason for path, reason in failed.items() if reason != VANISHED}
        return scan, work, self._take_in(work.files, float("inf"), told)

    def _look(self, tops: Sequence[str], want: Want) -> tuple[Found, Scan, _Work]:
        found = self._source.find(tops)
        scan = compare(self._source, found.files, self._ledger.file_states(), tops)
        return found, scan, self._work(scan, want)

    def _note_gone(self, scan: Scan) -> None:
        if scan.gone_ids:
            now_ms = self._clock.now_ms()
            self._ledger.writer(self._source).note_gone(scan.gone_ids, now_ms)

    def _work(self, scan: Scan, want: Want) -> _Work:
        """Which files to read now, and how much detail is left for later."""
        source = self._source
        detailed = [to_read(source, *changed, True) for changed in scan.changed]
        if want is Want.DETAIL:
            lagging = [to_read(source, file, state, False, True) for file, state in scan.lagging]
            return _Work([*detailed, *lagging], 0)
        lagging_bytes = sum(file.size_bytes - state.detail_offset for file, state in scan.lagging)
        changed_bytes = sum(map(bytes_to_read, detailed))
        if changed_bytes <= INLINE_DETAIL_BYTES:
            return _Work(detailed, lagging_bytes)
        files = [file._replace(with_detail=False) for file in detailed]
        return _Work(files, lagging_bytes + changed_bytes)

    def _waited_for(self, lock: FileLock | None) -> bool:
        """Take the lock; True if somebody else held it before."""
        if lock is None:
            return False
        try:
            if lock.try_acquire():
                return False
            deadline = self._clock.monotonic_seconds() + LOCK_PATIENCE_SECONDS
            while not lock.try_acquire() and self._clock.monotonic_seconds() < deadline:
                self._clock.sleep(LOCK_POLL_SECONDS)
        except OSError:
            return False  # no place for a lock: the ledger says whether it can be written
        return True

    def _give_way(self) -> None:
        """Between two commits: let whoever is reading for a person write first."""
        if self._give_way_to is not None:
            self._waited_for(self._give_way_to)
            self._give_way_to.release()

    def _take_in(
        self, files: list[FileToRead], interval: float, failed_before: Mapping[str, str]
    ) -> _Read:
        writer = self._ledger.writer(self._source)
        total = sum(map(bytes_to_read, files))
        done = 0
        read = _Read(set(), dict(failed_before))
        last_commit = self._clock.monotonic_seconds()
        try:
            for index, value in self._read(files, total):
                file = files[index]
                if isinstance(value, str):
                    read.failed[file.path] = value
                    continue
                writer.take(Piece(file, value))
                if value.is_last:
                    read.whole.add(file.path)
                done += value.end - value.start
                self._progress(min(done, total), total)
                now = self._clock.monotonic_seconds()
                if now - last_commit > interval:
                    writer.commit()
                    self._give_way()
                    last_commit = self._clock.monotonic_seconds()
            for path, reason in read.failed.items():
                session = session_name(self._source, path)
                writer.note_trouble(path, self._source.agent, session, reason)
            writer.commit()
        except BaseException:
            writer.roll_back()
            raise
        return read

    def _read(self, files: Sequence[FileToRead], total: int) -> Iterator[tuple[int, Stretch | str]]:
        """(index of the file, stretch or the reason why it cannot be read), from all workers."""
        numbered = list(enumerate(files))
        if total >= FAN_OUT_BYTES and self._workers > 1:
            from tokenbudget.system import process

            if process.can_fork():
                yield from self._read_in_children(numbered)
                return
        yield from _read_share(self._source, numbered)

    def _read_in_children(
        self, numbered: Sequence[Numbered]
    ) -> Iterator[tuple[int, Stretch | str]]:
        from tokenbudget.model.events import unpack
        from tokenbudget.system.process import WorkerLost, fan_out

        self._source.prepare()
        shares = balanced(numbered, self._workers)
        try:
            for index, value in fan_out(lambda share: _packed_share(self._source, share), shares):
                yield index, value if isinstance(value, str) else unpack(value)
        except (WorkerLost, OSError):
            # Killed or refused for want of memory, or ended by a fault that shows itself here. The
            # ledger passes over what it has taken in already.
            yield from _read_share(self._source, numbered)


def balanced(numbered: Iterable[Numbered], workers: int) -> list[list[Numbered]]:
    """Shares of about equal size: largest file first, always to the smallest share."""
    shares: list[list[Numbered]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for index, file in sorted(numbered, key=lambda pair: -pair[1].size_bytes):
        lightest = loads.index(min(loads))
        shares[lightest].append((index, file))
        loads[lightest] += bytes_to_read(file)
    return [share for share in shares if share]


def _read_share(source: Source, share: Sequence[Numbered]) -> Iterator[tuple[int, Stretch | str]]:
    for index, file in share:
        try:
            for stretch in source.read(plan_of(file)):
                yield index, stretch
        except FileNotFoundError:
            continue  # it vanished between the scan and now: the next scan will miss it
        except OSError as exc:
            yield index, exc.strerror or str(exc)


def _packed_share(source: Source, share: Sequence[Numbered]) -> Iterator[tuple[int, object]]:
    from tokenbudget.model.events import pack

    for index, value in _read_share(source, share):
        yield index, value if isinstance(value, str) else pack(value)
