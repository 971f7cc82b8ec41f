"""What was edited lately: which lines of a file an edit wrote, and how long ago beside the others.

Edits come in as values, the newest first, and only their order counts: a pause in the work changes
nothing, and neither does the clock. Where an edit's lines stand now is found by their text.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.compression.structure import Structure

SOON = 8
"""So many edits later an edit counts half."""
CHECKOUT_SECONDS = 120.0
"""Files that were written within so long of the oldest came with it: a checkout, an unpacking."""
HALF_SECONDS = 86_400.0
"""A file that was written so long before the newest counts half."""
LEAST_CHARS = 8
"""A shorter text says nothing about where it stands."""

MOST_LINES = 2_000
"""An edit of more lines says nothing about where in a file the work is."""


class Edit(NamedTuple):
    """One piece of text that was written to a file."""

    path: str
    """As the file is named where it is selected from."""
    lines: tuple[str, ...]
    """The text as it was written, what it repeats of the old one included; () where unknown."""
    first: int = 0
    """The lines of it that are new begin here, and end before `end`."""
    end: int = 0


def edit_of(path: str, old: str = "", new: str = "") -> Edit:
    """The edit that put one text in the place of another; without texts, one of unknown lines."""
    if not old and not new:
        return Edit(path, ())
    before, after = old.split("\n"), new.split("\n")
    first = _common(before, after)
    last = _common(before[first:][::-1], after[first:][::-1])
    if len(after) > MOST_LINES:
        return Edit(path, ())
    return Edit(path, tuple(after), first, len(after) - last)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


class Recent(NamedTuple):
    """What was written lately of the files to select from."""

    edits: Sequence[Edit] = ()
    """The newest first."""
    written_at: Mapping[str, float] = {}
    """When each file was written last, in seconds since any moment."""


NOTHING_RECENT = Recent()


class Recency(NamedTuple):
    """How recently something was edited: 1 for the last edit, less for those before, 0 for none."""

    block: float
    file: float


def recency_of(recent: Recent, structures: Sequence[Structure]) -> list[list[Recency]]:
    """How recently every block of every file was edited."""
    strengths: defaultdict[str, list[tuple[float, Edit]]] = defaultdict(list)
    for number, edit in enumerate(recent.edits):
        strengths[edit.path].append((SOON / (SOON + number), edit))
    files = _files(recent, strengths, [one.path for one in structures])
    found: list[list[Recency]] = []
    for one in structures:
        lines = _of_lines(one, strengths.get(one.path, ()))
        found.append(
            [
                Recency(max(lines[block.first : block.end], default=0.0), files[one.path])
                for block in one.blocks
            ]
        )
    return found


def _files(
    recent: Recent, strengths: Mapping[str, Sequence[tuple[float, Edit]]], paths: Sequence[str]
) -> Mapping[str, float]:
    """By an edit that is known, else by when it was written beside the others.

    What all of them have in common is taken off: it tells nothing about where to look.
    """
    times = [recent.written_at[path] for path in paths if path in recent.written_at]
    oldest, newest = min(times, default=0.0), max(times, default=0.0)
    found = {}
    for path in paths:
        known = max((strength for strength, _ in strengths.get(path, ())), default=0.0)
        at = recent.written_at.get(path, oldest)
        is_later = at - oldest > CHECKOUT_SECONDS
        found[path] = max(known, 0.5 ** ((newest - at) / HALF_SECONDS) if is_later else 0.0)
    least = min(found.values(), default=0.0)
    return {path: value - least for path, value in found.items()}


def _of_lines(structure: Structure, edits: Sequence[tuple[float, Edit]]) -> list[float]:
    """How recently each line was written."""
    found = [0.0] * len(structure.lines)
    if edits:
        text = _Text(structure.lines)
        for strength, edit in edits:
            for at in text.written_by(edit):
                found[at] = max(found[at], strength)
    return found


class _Text:
    """A file's lines without their indentation, to find an edit's in."""

    def __init__(self, lines: Sequence[str]) -> None:
        stripped = [line.strip() for line in lines]
        self._whole = "\n".join(stripped)
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(stripped):
            self._places[line].append(at)

    def written_by(self, edit: Edit) -> Sequence[int]:
        """The lines that the edit wrote: all together, else those that stand in one place."""
        wanted = [line.strip() for line in edit.lines]
        start = self._only_place("\n".join(wanted))
        if start is None:
            alone = (self._places.get(line, ()) for line in wanted[edit.first : edit.end])
            return [
                places[0]
                for places, line in zip(alone, wanted[edit.first : edit.end], strict=True)
                if len(places) == 1 and len(line) >= LEAST_CHARS
            ]
        if edit.first < edit.end:
            return range(start + edit.first, start + edit.end)
        # a deletion wrote nothing: where it was, its neighbours are
        return range(start + max(edit.first - 1, 0), start + min(edit.end + 1, len(wanted)))

    def _only_place(self, text: str) -> int | None:
        """The line that a text begins in, if it stands in one place only."""
        if len(text) < LEAST_CHARS:
            return None
        at = self._whole.find(text)
        is_alone = at >= 0 and self._whole.find(text, at + 1) < 0
        return self._whole.count("\n", 0, at) if is_alone else None
