"""What stands in a window already, and which of it a new result is compared with.

A text counts only while it stands there whole and as the tool gave it. What was shortened is
remembered as well, for one rule: whoever repeats a call whose result has not changed gets it whole.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tokenbudget.compression.passage import Earlier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_TEXTS = 48
"""Remembered at once: of 61 MB of real sessions few windows held more large results."""
MOST_COMPARED = 12
"""Earlier texts that one result is compared with: parts of a file that was read in many."""
MOST_COMPARED_CHARS = 1 << 20


class Shown(NamedTuple):
    """One result that went into the window."""

    tool: str
    subject: str
    """What was asked for: a path, or a number that tells one call from another."""
    label: str
    """How the agent finds it again; ours, on one line."""
    handle: str
    """Of what the tool gave."""
    chars: int
    """0: it was shortened, so it does not stand there whole."""
    first_line: int = 0
    """Of a file that was read in part."""

    @property
    def is_whole(self) -> bool:
        """Whether what the tool gave stands in the window verbatim."""
        return self.chars > 0


class Memory(Protocol):
    """What stands in this window already."""

    def shown(self) -> Sequence[Shown]:
        """All that is known to stand there, the latest last."""

    def text(self, one: Shown) -> str | None:
        """The text of one; None where it is not to be had."""

    def note(self, one: Shown, text: str) -> None:
        """Take in that this went into the window; `text` is what the tool gave."""

    def forget(self) -> None:
        """The window is another one, or may have lost something: at a compaction."""


class Forgetful:
    """The memory of a window of which nothing is known."""

    def shown(self) -> Sequence[Shown]:
        """Nothing."""
        return ()

    def text(self, one: Shown) -> str | None:
        """Nothing."""
        return None

    def note(self, one: Shown, text: str) -> None:
        """Nothing is kept."""

    def forget(self) -> None:
        """Nothing was kept."""


class MemoryInWindow:
    """A window's memory in this process; bounded."""

    def __init__(self, most_texts: int = MOST_TEXTS, most_chars: int = 1 << 22) -> None:
        self._most_texts = most_texts
        self._most_chars = most_chars
        self._shown: list[Shown] = []
        self._texts: dict[str, str] = {}

    def shown(self) -> Sequence[Shown]:
        """All that is known to stand there, the latest last."""
        return self._shown

    def text(self, one: Shown) -> str | None:
        """The text of one; None where it is not to be had."""
        return self._texts.get(one.handle)

    def note(self, one: Shown, text: str) -> None:
        """Take it in; what is oldest goes."""
        self._shown = with_noted(self._shown, one, self._most_texts)
        if one.is_whole:
            self._texts[one.handle] = text
        while sum(map(len, self._texts.values())) > self._most_chars:
            del self._shown[0]
            self._drop_texts()
        self._drop_texts()

    def _drop_texts(self) -> None:
        kept = {one.handle for one in self._shown if one.is_whole}
        self._texts = {handle: text for handle, text in self._texts.items() if handle in kept}

    def forget(self) -> None:
        """Nothing is known of the new window."""
        self._shown = []
        self._texts = {}


def with_noted(shown: Sequence[Shown], one: Shown, most: int = MOST_TEXTS) -> list[Shown]:
    """The memory with one more; of the same result the latest place counts."""
    others = [
        each
        for each in shown
        if (each.tool, each.subject, each.handle) != (one.tool, one.subject, one.handle)
    ]
    return [*others, one][-most:]


def is_repeated(shown: Sequence[Shown], tool: str, subject: str, handle: str) -> bool:
    """Whether the same call was last answered by the same result, shortened: now it is wanted."""
    same = [one for one in shown if (one.tool, one.subject) == (tool, subject)]
    return bool(same) and same[-1].handle == handle and not same[-1].is_whole


def compared(shown: Sequence[Shown], tool: str, subject: str, handle: str) -> tuple[Shown, ...]:
    """What a result is compared with: the very same text first, then those of the same subject."""
    whole = [one for one in reversed(shown) if one.is_whole]
    equal = [one for one in whole if one.handle == handle]
    same = [one for one in whole if (one.tool, one.subject) == (tool, subject) and subject]
    found = tuple(dict.fromkeys([*equal[:1], *same]))
    taken: list[Shown] = []
    chars = 0
    for one in found[:MOST_COMPARED]:
        chars += one.chars
        if chars <= MOST_COMPARED_CHARS:
            taken.append(one)
    return tuple(taken)


def earlier_texts(memory: Memory, chosen: Sequence[Shown]) -> list[Earlier]:
    """These as a passage wants them; what cannot be had is left out."""
    found = []
    for one in chosen:
        text = memory.text(one)
        if text is not None:
            path = one.subject if one.tool == "Read" else ""
            found.append(Earlier(one.label, text, path, one.first_line))
    return found
