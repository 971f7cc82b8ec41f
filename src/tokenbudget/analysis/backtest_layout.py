"""Where each piece stands in the requests of a thread, and at which price it was sent.

A request is cut as it was billed: first what it read from the cache, then what it wrote for an
hour, what it wrote for five minutes, and plain input. What no piece explains stands first.
"""

from __future__ import annotations

from bisect import insort

from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from tokenbudget.analysis.backtest_timeline import Sending, Timeline
    from tokenbudget.ledger.windows import RequestRow

    Parts: TypeAlias = list[tuple[int, float]]
    """(class, tokens) of a range."""

INPUT, WRITE_5M, WRITE_1H, READ, OUTPUT = range(5)
"""Places in `backtest_result.Classes`."""


class Layout:
    """The window of one request after the other; call `to` with each number in turn."""

    def __init__(self, timeline: Timeline) -> None:
        self._pieces = timeline.pieces
        self._entering: dict[int, list[int]] = {}
        self._leaving: dict[int, list[int]] = {}
        for piece in timeline.pieces:
            self._entering.setdefault(piece.entered, []).append(piece.number)
            self._leaving.setdefault(piece.left, []).append(piece.number)
        self._row: list[int] = []
        self._starts: dict[int, float] = {}
        self._size = 0.0
        self.result_tokens = 0.0
        """Of all tools' results in the window, before `scale`."""
        self.hidden_tokens = 0.0
        self.scale = 1.0
        """Another model counts the same words in another way."""
        self._bounds: tuple[tuple[int, float], ...] = ()
        self.generation = 0
        """Grows when the order of what is in the window is another one, not when it only grows."""

    def to(self, sending: Sending) -> None:
        """Lay out the window of this request."""
        gone = self._leaving.get(sending.number)
        entering = self._entering.get(sending.number, ())
        if gone:
            away = set(gone)
            self._row = [number for number in self._row if number not in away]
        has_front = any(self._pieces[number].kind in window.PREFIX for number in entering)
        if gone or has_front:
            for number in entering:
                insort(self._row, number, key=self._place)
            self._lay_again()
        else:
            for number in entering:
                self._append(number)
        self._cut(sending)

    @property
    def row(self) -> Sequence[int]:
        """The numbers of the pieces in the window, in its order."""
        return self._row

    def has(self, number: int) -> bool:
        """Whether a piece stands in this window."""
        return number in self._starts

    def start(self, number: int) -> float:
        """The token at which a piece begins."""
        return self.hidden_tokens + self._starts[number] * self.scale

    def parts(self, number: int) -> Parts:
        """How a piece was billed."""
        begin = self.start(number)
        return self.range(begin, begin + self._pieces[number].tokens * self.scale)

    def range(self, begin: float, end: float) -> Parts:
        """How a range of the window was billed."""
        found: Parts = []
        low = 0.0
        for kind, high in self._bounds:
            tokens = min(end, high) - max(begin, low)
            if tokens > 0:
                found.append((kind, tokens))
            low = high
            if high >= end:
                break
        return found

    def class_at(self, token: float) -> int:
        """How the token at a place was billed."""
        return next((kind for kind, high in self._bounds if token < high), INPUT)

    @property
    def read_tokens(self) -> float:
        """How far the cache reached."""
        return self._bounds[0][1] if self._bounds else 0.0

    def _place(self, number: int) -> tuple[bool, int]:
        return self._pieces[number].kind not in window.PREFIX, number

    def _lay_again(self) -> None:
        self.generation += 1
        self._starts = {}
        self._size = self.result_tokens = 0.0
        row, self._row = self._row, []
        for number in row:
            self._append(number)

    def _append(self, number: int) -> None:
        piece = self._pieces[number]
        self._row.append(number)
        self._starts[number] = self._size
        self._size += piece.tokens
        if piece.kind == window.TOOL_RESULT:
            self.result_tokens += piece.tokens

    def _cut(self, sending: Sending) -> None:
        request = sending.request
        prompt = request.prompt_tokens or 0
        self.hidden_tokens = min(sending.hidden_tokens, float(prompt))
        self.scale = (prompt - self.hidden_tokens) / self._size if self._size else 1.0
        read = float(request.cache_read_tokens)
        hour = read + request.cache_write_1h_tokens
        short = hour + request.cache_write_5m_tokens
        self._bounds = (
            (READ, read),
            (WRITE_1H, hour),
            (WRITE_5M, short),
            (INPUT, float("inf")),
        )


def classes_of(request: RequestRow) -> list[float]:
    """A request's billed tokens, by class."""
    return [
        float(request.input_tokens or 0),
        float(request.cache_write_5m_tokens),
        float(request.cache_write_1h_tokens),
        float(request.cache_read_tokens),
        float(request.output_tokens),
    ]


def write_classes(sendings: Sequence[Sending]) -> Iterator[int]:
    """For each request, the class in which it would write more to the cache.

    By what it wrote itself, else by what the thread wrote last; plain input where it never wrote.
    """
    kind = INPUT
    for sending in sendings:
        short = sending.request.cache_write_5m_tokens
        long = sending.request.cache_write_1h_tokens
        if short or long:
            kind = WRITE_1H if long > short else WRITE_5M
        yield kind
