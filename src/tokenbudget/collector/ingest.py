"""Bring the ledger up to date: scan → compare → read → commit → roll up.

A large first read takes the usage alone, so that the answer is there in a fraction of a second; the
other events follow in a second pass over the same bytes (`Want.DETAIL`), for which every file keeps
a position of its own. Every step may be interrupted: a commit moves positions and rows together.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tokenbudget.collector.scan import bytes_to_read, compare, plan_of, to_read
from tokenbudget.ledger.files import FileToRead, Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from tokenbudget.collector.scan import Scan
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.events import Stretch
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


def no_progress(done_bytes: int, total_bytes: int) -> None:
    """Tell nobody."""


class Collector:
    """Keeps one ledger in step with one source.

    `lock` serialises refreshes between processes, so that they do not read the same bytes; the
    ledger stays right without it.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Source,
        clock: Clock,
        workers: int,
        lock: FileLock | None = None,
        progress: Callable[[int, int], None] = no_progress,
    ) -> None:
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
            WorkerLost: a reading process died; what was committed until then stays.
        """
        found = self._source.find(tops)
        scan = compare(self._source, found.files, self._ledger.file_states(), tops)
        work = self._work(scan, want)
        if (work.files or scan.gone_ids) and self._waited_for_lock():
            return self.refresh(tops, want)  # somebody else has just read: look again
        try:
            if scan.gone_ids:
                now_ms = self._clock.now_ms()
                self._ledger.writer(self._source).note_gone(scan.gone_ids, now_ms)
            if work.files:
                interval = COMMIT_SECONDS if want is Want.USAGE else POLITE_COMMIT_SECONDS
                self._take_in(work.files, interval, found.unreadable)
                self._ledger.roll_up()
        finally:
            if self._lock is not None:
                self._lock.release()
        return Outcome(
            files_found=len(found.files),
            files_read=len(work.files),
            bytes_read=sum(map(bytes_to_read, work.files)),
            lagging_bytes=work.lagging_bytes,
            unreadable=found.unreadable,
        )

    def rebuild(self, tops: Sequence[str]) -> Outcome:
        """Read everything that is still there afresh and keep what only the ledger has.

        One transaction: whoever looks sees the old ledger or the new one.
        """
        found = self._source.find(tops)
        self._ledger.begin_rebuild([file.path for file in found.files])
        scan = compare(self._source, found.files, self._ledger.file_states(), tops)
        work = self._work(scan, Want.DETAIL)
        self._take_in(work.files, float("inf"), found.unreadable)
        self._ledger.end_rebuild()
        self._ledger.roll_up()
        size = sum(map(bytes_to_read, work.files))
        return Outcome(len(found.files), len(work.files), size, 0, found.unreadable)

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

    def _waited_for_lock(self) -> bool:
        """Take the lock; True if somebody else held it before."""
        if self._lock is None or self._lock.try_acquire():
            return False
        while not self._lock.try_acquire():
            self._clock.sleep(LOCK_POLL_SECONDS)
        self._lock.release()
        return True

    def _take_in(
        self, files: list[FileToRead], interval: float, unreadable: list[tuple[str, str]]
    ) -> None:
        writer = self._ledger.writer(self._source)
        total = sum(map(bytes_to_read, files))
        done = 0
        last_commit = self._clock.monotonic_seconds()
        try:
            for index, value in self._read(files, total):
                file = files[index]
                if isinstance(value, str):
                    unreadable.append((file.path, value))
                    continue
                writer.take(Piece(file, value))
                done += value.end - value.start
                self._progress(done, total)
                now = self._clock.monotonic_seconds()
                if now - last_commit > interval:
                    writer.commit()
                    last_commit = now
            for path, reason in unreadable:
                writer.note_trouble(path, self._source.agent, self._source.session_of(path), reason)
            writer.commit()
        except BaseException:
            writer.roll_back()
            raise

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
        from tokenbudget.system.process import fan_out

        self._source.prepare()
        shares = balanced(numbered, self._workers)
        for index, value in fan_out(lambda share: _packed_share(self._source, share), shares):
            yield index, value if isinstance(value, str) else unpack(value)


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
