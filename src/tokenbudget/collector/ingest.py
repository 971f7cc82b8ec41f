"""Bring the ledger up to date: scan → compare → read → commit → roll up.

A large first read takes the usage alone, so that the answer is there in a fraction of a second; the
other events follow in a second pass over the same bytes (`Want.DETAIL`), for which every file keeps
a position of its own. Every step may be interrupted: a commit moves positions and rows together.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from tokenbudget.collector.scan import bytes_to_read, compare, plan_of, to_read
from tokenbudget.ledger.writer import Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.ledger.writer import FileToRead
    from tokenbudget.model.protocols import Clock, Source

INLINE_DETAIL_BYTES = 1 << 22
"""Up to this much new text, usage and detail are read in one go (about 30 ms)."""

FAN_OUT_BYTES = 1 << 23
"""From this much on, starting further processes pays."""

COMMIT_SECONDS = 2.0
"""A running read is committed this often: what an interruption can cost."""


class Want(enum.Enum):
    """How much a caller needs."""

    USAGE = "usage"
    """Usage now; detail as well where there is little to read."""
    DETAIL = "detail"
    """Everything."""


class Outcome(NamedTuple):
    """What a refresh did and what it left."""

    files_read: int
    bytes_read: int
    lagging_bytes: int
    """Bytes whose detail is still to be read."""
    unreadable: list[tuple[str, str]]


class Collector:
    """Keeps one ledger in step with one source."""

    def __init__(
        self,
        ledger: Ledger,
        source: Source,
        clock: Clock,
        workers: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._ledger = ledger
        self._source = source
        self._clock = clock
        self._workers = workers
        self._progress = progress

    def refresh(self, tops: Sequence[str], want: Want) -> Outcome:
        """Take in everything under `tops` that the ledger does not have yet.

        Raises:
            LedgerUnusable, LedgerDamaged: the ledger cannot be written.
        """
        found = self._source.find(tops)
        scan = compare(self._source, found.files, self._ledger.file_states(), tops)
        if scan.gone_ids:
            self._ledger.writer(self._source).note_gone(scan.gone_ids, self._clock.now_ms())
        detailed = [
            to_read(self._source, file, state, is_reset, True)
            for file, state, is_reset in scan.changed
        ]
        with_detail = want is Want.DETAIL or sum(map(bytes_to_read, detailed)) <= INLINE_DETAIL_BYTES
        files = detailed if with_detail else [file._replace(with_detail=False) for file in detailed]
        lagging = [to_read(self._source, file, state, False, True) for file, state in scan.lagging]
        if want is Want.DETAIL:
            files += lagging
        if files:
            self._take_in(files, found.unreadable)
            self._ledger.roll_up()
        left = [] if want is Want.DETAIL else lagging if with_detail else [*lagging, *detailed]
        return Outcome(
            files_read=len(files),
            bytes_read=sum(map(bytes_to_read, files)),
            lagging_bytes=sum(map(bytes_to_read, left)),
            unreadable=found.unreadable,
        )

    def _take_in(self, files: list[FileToRead], unreadable: list[tuple[str, str]]) -> None:
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
                if now - last_commit > COMMIT_SECONDS:
                    writer.commit()
                    last_commit = now
            writer.commit()
        except BaseException:
            writer.roll_back()
            raise
        for path, reason in unreadable:
            self._note(path, reason)

    def _note(self, path: str, reason: str) -> None:
        session = self._source.session_of(path)
        self._ledger.writer(self._source).note_trouble(path, self._source.agent, session, reason)

    def _read(self, files: Sequence[FileToRead], total: int) -> Iterator[tuple[int, object]]:
        """(index of the file, stretch or the reason why it cannot be read), from all workers."""
        numbered = list(enumerate(files))
        if total >= FAN_OUT_BYTES and self._workers > 1:
            from tokenbudget.system import process

            if process.can_fork():
                yield from self._read_in_children(numbered)
                return
        yield from _read_share(self._source, numbered)

    def _read_in_children(
        self, numbered: Sequence[tuple[int, FileToRead]]
    ) -> Iterator[tuple[int, object]]:
        from tokenbudget.model.events import unpack
        from tokenbudget.system.process import fan_out

        shares = balanced(numbered, self._workers)
        for index, value in fan_out(lambda share: _packed_share(self._source, share), shares):
            yield index, value if isinstance(value, str) else unpack(value)


def balanced(
    numbered: Iterable[tuple[int, FileToRead]], workers: int
) -> list[list[tuple[int, FileToRead]]]:
    """Shares of about equal size: largest file first, always to the smallest share."""
    shares: list[list[tuple[int, FileToRead]]] = [[] for _ in range(workers)]
    loads = [0] * workers
    for index, file in sorted(numbered, key=lambda pair: -pair[1].size_bytes):
        lightest = loads.index(min(loads))
        shares[lightest].append((index, file))
        loads[lightest] += bytes_to_read(file)
    return [share for share in shares if share]


def _read_share(
    source: Source, share: Sequence[tuple[int, FileToRead]]
) -> Iterator[tuple[int, object]]:
    for index, file in share:
        try:
            for stretch in source.read(plan_of(file)):
                yield index, stretch
        except FileNotFoundError:
            continue  # it vanished between the scan and now: the next scan will miss it
        except OSError as exc:
            yield index, exc.strerror or str(exc)


def _packed_share(
    source: Source, share: Sequence[tuple[int, FileToRead]]
) -> Iterator[tuple[int, object]]:
    import gc

    from tokenbudget.model.events import Stretch, pack

    gc.disable()  # nothing here is cyclic, and the child ends soon
    for index, value in _read_share(source, share):
        yield index, pack(value) if isinstance(value, Stretch) else value
