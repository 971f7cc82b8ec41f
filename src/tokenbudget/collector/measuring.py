"""Count what fills the windows of a transcript, once, when somebody first asks.

Reading a transcript is cheap (6 ms per MB); counting its words is dearer, so that only lines which
are new since the last time are counted. Nothing is counted while a file stays as it was.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.ledger.windows import WindowFile
    from tokenbudget.model.protocols import TokenCounter, WindowSource
    from tokenbudget.model.window import Measure, Placed, RebuiltRequest

RULES = 3
"""Raised when pieces are cut or named in another way: everything is counted again then."""


class CountedRequest(NamedTuple):
    """A rebuilt request, and the measure of each of its pieces."""

    request: RebuiltRequest
    measures: list[Measure]


class Measurer:
    """Keeps the counted pieces of transcripts in step with them.

    `make_counter` is called when there is something to count: loading a vocabulary takes longer
    than a warm command.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: WindowSource,
        make_counter: Callable[[], TokenCounter],
        counter_name: str,
    ) -> None:
        self._ledger = ledger
        self._source = source
        self._make_counter = make_counter
        self._counter: TokenCounter | None = None
        self._name = f"{counter_name}/{RULES}"

    def is_fresh(self, file: WindowFile) -> bool:
        """Whether nothing of the file is left to count."""
        if file.is_gone:
            return True
        then = (file.measured_size_bytes, file.measured_mtime_ns, file.counter)
        return then == (file.size_bytes, file.mtime_ns, self._name)

    def bring_up_to_date(
        self, files: Sequence[WindowFile], progress: Callable[[int, int], None]
    ) -> int:
        """Count what is new in these files; returns how many of them had anything new.

        A file that cannot be read keeps what was counted of it before.
        """
        stale = [file for file in files if not self.is_fresh(file)]
        if not stale:
            return 0
        self._ledger.let_go()
        total, done, grown = sum(file.size_bytes for file in stale), 0, 0
        try:
            for file in stale:
                grown += self._measure(file)
                done += file.size_bytes
                progress(done, total)
        finally:
            self._ledger.hold_still()
        return grown

    def _measure(self, file: WindowFile) -> bool:
        """Count what is new in one file; whether there was anything."""
        try:
            before = file if self._continues(file) else None
            start = before.measured_bytes if before else 0
            rows, end = self._count(self._source.window(file.path, start), start)
            head_sum, tail_sum = self._source.fingerprint(file.path, end)
        except OSError:
            return False
        measured = file._replace(
            measured_bytes=end,
            measured_size_bytes=file.size_bytes,
            measured_mtime_ns=file.mtime_ns,
            head_sum=head_sum,
            tail_sum=tail_sum,
        )
        windows = self._ledger.windows
        windows.store_pieces(measured, self._name, rows, goes_on_from=before)
        return bool(rows) or before is None

    def rebuilt(self, file: WindowFile, response_key: str) -> CountedRequest | None:
        """The request behind a response with its pieces counted, if the client recorded it."""
        from tokenbudget.metering.tokenizer import measure

        try:
            found = self._source.rebuilt(file.path, response_key)
        except OSError:
            return None
        if found is None:
            return None
        counter = self._loaded_counter()
        return CountedRequest(found, [measure(piece.text, counter) for piece in found.pieces])

    def _loaded_counter(self) -> TokenCounter:
        if self._counter is None:
            self._counter = self._make_counter()
        return self._counter

    def _continues(self, file: WindowFile) -> bool:
        """Whether the file still begins with what was counted."""
        if not file.measured_bytes or file.counter != self._name:
            return False
        sums = self._source.fingerprint(file.path, file.measured_bytes)
        return sums == (file.head_sum, file.tail_sum)

    def _count(self, placed: Iterable[Placed], start: int) -> tuple[list[tuple[object, ...]], int]:
        from tokenbudget.metering.tokenizer import measure

        rows: list[tuple[object, ...]] = []
        end = start
        for item in placed:
            piece = item.piece
            if piece.kind == window.END:
                end = item.offset
            elif item.offset >= start:
                place = (item.offset, item.position, item.thread)
                names = (piece.kind, piece.name, piece.target, item.link, piece.size_bytes)
                rows.append((*place, *names, *measure(piece.text, self._loaded_counter())))
        return rows, end
