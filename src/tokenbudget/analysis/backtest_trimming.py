"""Results shortened at the door, by the same policy that the hooks carry out."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.line_numbers import without_numbers
from tokenbudget.compression.policy import Call, MemoryInWindow, Wishes, at_the_door
from tokenbudget.model import window
from tokenbudget.model.replay import APPLIED, NAIVE, Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.model.replay import Moment, Stood

READ = "Read"


class Trimming:
    """What a tool answers is shortened before it enters the window."""

    basis = APPLIED

    def __init__(self, counter: TokenCounter, wishes: Wishes, name: str = "trim") -> None:
        self.name = name
        self.said = f"results are shortened at the door, at the level {wishes.level}"
        self._counter = counter
        self._wishes = wishes

    def walker(self) -> TrimmingWalker:
        """One for the beginning of a thread."""
        return TrimmingWalker(self._counter, self._wishes)


class TrimmingWalker:
    """Remembers what stands in the window, as the hooks do."""

    def __init__(self, counter: TokenCounter, wishes: Wishes) -> None:
        self._counter = counter
        self._wishes = wishes
        self._memory = MemoryInWindow()

    def before(self, moment: Moment) -> Sequence[Change]:
        """Shorten the results that come in; what left the window is not referred to."""
        if moment.gone or moment.cause:
            self._memory.forget()
        changes = [
            self._changed(piece) for piece in moment.fresh if piece.kind == window.TOOL_RESULT
        ]
        return [change for change in changes if change is not None]

    def _changed(self, piece: Stood) -> Change | None:
        shown = shown_of(piece)
        call = Call(piece.name, piece.arguments, shown.text, piece.has_failed)
        found = at_the_door(call, self._wishes, self._memory, self._counter)
        if found is None:
            return None
        text = shown.around(found.text)
        receipt = found.receipt
        lossless = receipt.is_lossless
        return Change(piece.number, text, receipt.codec, is_lossless=lossless, receipt=receipt)


class Shown(NamedTuple):
    """A result as the hook is told of it, and what the client puts around that."""

    text: str
    first_line: int
    """The number that the client gives to its first line; 0: it numbers none."""
    sign: str
    """What it puts between number and line."""
    tail: str
    """What it adds behind it."""

    def around(self, text: str) -> str:
        """What the client makes of another text in its place."""
        if not self.first_line:
            return text + self.tail
        lines = text.split("\n")
        numbers = range(self.first_line, self.first_line + len(lines))
        width = 6 if self.sign == "→" else 0
        numbered = (
            f"{number:>{width}}{self.sign}{line}"
            for number, line in zip(numbers, lines, strict=True)
        )
        return "\n".join(numbered) + self.tail


def shown_of(piece: Stood) -> Shown:
    """Of a file that was read: its lines without the numbers; else the text itself."""
    if piece.name != READ:
        return Shown(piece.text, 0, "", "")
    lines = piece.text.split("\n")
    found = without_numbers(lines)
    count = next((at for at, number in enumerate(found.numbers) if not number), len(lines))
    if not count:
        return Shown(piece.text, 0, "", "")
    tail = "".join(f"\n{line}" for line in lines[count:])
    sign = "→" if "→" in lines[0][:10] else "\t"
    return Shown("\n".join(found.bodies[:count]), found.numbers[0], sign, tail)


class Truncating:
    """The naive way to the same size: head and tail of a result, and nothing of its middle."""

    basis = NAIVE
    said = "results are cut to head and tail, at the size that trimming gives them"

    def __init__(self, counter: TokenCounter, wishes: Wishes, name: str = "truncate") -> None:
        self.name = name
        self._counter = counter
        self._wishes = wishes

    def walker(self) -> TruncatingWalker:
        """One for the beginning of a thread."""
        return TruncatingWalker(self._counter, self._wishes)


class TruncatingWalker(TrimmingWalker):
    """Trims, to know the size, and then cuts."""

    def before(self, moment: Moment) -> Sequence[Change]:
        """Cut what trimming would shorten."""
        texts = {piece.number: piece.text for piece in moment.fresh}
        return [
            change._replace(
                text=head_and_tail(texts[change.piece], len(change.text or "")),
                by="head and tail",
                is_lossless=False,
                receipt=None,
            )
            for change in super().before(moment)
        ]


def head_and_tail(text: str, size: int) -> str:
    """As many characters of a text, half from its beginning and half from its end."""
    half = max(0, size - 5) // 2
    return text if len(text) <= size else f"{text[:half]}\n...\n{text[len(text) - half :]}"
