"""The texts of a split skill: the core with its table, and the references, piece by piece.

A piece is a part of the original, as it stands in its file, or what was added: first words of what
has moved, headings that a reference needs, the table. Links are given the way from their new place.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.skill_choosing import KEPT, LED
from tokenbudget.resources.skill_grouping import anchor_homes
from tokenbudget.resources.skill_links import (
    definitions_in,
    from_folder,
    labels_in,
    links_in,
    rewritten,
)
from tokenbudget.resources.skill_parts import BLANK, HEADING, ITEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.resources.skill_grouping import File
    from tokenbudget.resources.skill_parts import Part

TABLE_TITLE = "## Details"
TABLE_LINE = "Read when a step needs it (`…` above: more is there):"
MARK = "…"
TABLE_LINE_LENGTH, WIDE_TABLE_LINE_LENGTH = 90, 320
"""Characters of titles in a line of the table; the wide one where the core has room for it."""
LONGEST_TITLE = 40
SKILL_NAME = "SKILL.md"
_NUMBERED = re.compile(r"(?:[A-Za-z]{3,9}[ #]*)?\d+\w?(?:[.):]|\b)")
"""`2. Push`, `Step 3A: Scan`, `Option 2`."""


class Piece(NamedTuple):
    """A stretch of a written text."""

    start: int
    end: int
    part: int
    """The part of the original that it is; -1 for what was added."""
    edits: tuple[tuple[int, int, str], ...] = ()
    """(start, end, old) of the links that were rewritten in it."""


class WrittenFile(NamedTuple):
    """A reference as it would be written."""

    name: str
    text: str
    titles: tuple[str, ...]
    pieces: tuple[Piece, ...]


class Written(NamedTuple):
    """The texts of a split skill; the core without the front matter."""

    core: str
    pieces: tuple[Piece, ...]
    files: tuple[WrittenFile, ...]


class _Pen:
    """Writes one text, and remembers what of it is whose."""

    def __init__(self, line_end: str) -> None:
        self._texts: list[str] = []
        self.pieces: list[Piece] = []
        self.size = 0
        self._tail = ""
        self._line_end = line_end

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def own(self, text: str, part: int, edits: Sequence[tuple[int, int, str]] = ()) -> None:
        """A part of the original."""
        self._end_line()
        self._put(text, part, tuple(edits))

    def add(self, text: str, *, is_apart: bool = True) -> None:
        """Words of ours, or again words of the original; apart by a blank line before them."""
        self._end_line()
        if is_apart and self.size and self._tail.replace("\r", "")[-2:] != "\n\n":
            self._put(self._line_end, -1)
        self._put(text.replace("\n", self._line_end) + self._line_end, -1)

    def _end_line(self) -> None:
        if self.size and not self._tail.endswith("\n"):
            self._put(self._line_end, -1)

    def _put(self, text: str, part: int, edits: tuple[tuple[int, int, str], ...] = ()) -> None:
        self.pieces.append(Piece(self.size, self.size + len(text), part, edits))
        self._texts.append(text)
        self.size += len(text)
        self._tail = (self._tail + text)[-4:]


def written(
    lines: Sequence[str],
    parts: Sequence[Part],
    state: Sequence[str],
    leads: Sequence[str],
    files: Sequence[File],
    folder: str,
    *,
    line_length: int = TABLE_LINE_LENGTH,
) -> Written:
    """The texts.

    Args:
        lines: Of the body, each with its end.
        parts: Of the lines.
        state: What becomes of each.
        leads: The first words of each.
        files: The parts of each reference; together all that do not stay.
        folder: Of the references, beside SKILL.md.
        line_length: Of a line of the table.
    """
    making = _Making(lines, parts, files, folder, line_length)
    made = tuple(making.reference(file) for file in files)
    core = making.core(state, leads, made)
    return Written(core.text, tuple(core.pieces), made)


def headings_left(core: str) -> str:
    """The headings in a core of which all that is below them has moved."""
    lines = core.splitlines(keepends=True)
    return "".join(one for one in lines if one[0] == "#" and one.rstrip().endswith(f" {MARK}"))


class _Making:
    """What all the texts of a skill are made with."""

    def __init__(
        self,
        lines: Sequence[str],
        parts: Sequence[Part],
        files: Sequence[File],
        folder: str,
        line_length: int,
    ) -> None:
        self._line_length = line_length
        self._parts = parts
        self._files = files
        self._folder = folder
        self._texts = ["".join(lines[part.first : part.end]) for part in parts]
        self._line_end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
        self._homes = anchor_homes(parts, [file.parts for file in files])
        self._definitions = definitions_in("\n".join(part.text for part in parts))

    def reference(self, file: File) -> WrittenFile:
        """One reference: its parts, below the headings that they stood below."""
        number = self._files.index(file)
        pen = _Pen(self._line_end)
        told = set(file.parts)
        for index in file.parts:
            part = self._parts[index]
            for above in part.above:
                if above not in told and self._parts[above].level > 1:
                    told.add(above)
                    pen.add(self._parts[above].text + "\n")
            self._put(pen, index, number)
        self._define(pen)
        return WrittenFile(file.name, pen.text, self._titles(file), tuple(pen.pieces))

    def core(self, state: Sequence[str], leads: Sequence[str], made: Sequence[WrittenFile]) -> _Pen:
        """The core: what stays, marks where something is gone, and what stands where."""
        pen = _Pen(self._line_end)
        is_marked, is_led = True, False
        counted = self._counted(state)
        for index, part in enumerate(self._parts):
            if state[index] == KEPT:
                if is_led and part.kind != ITEM:
                    pen.add("", is_apart=False)
                self._put(pen, index, -1)
                is_marked = is_led = False
            elif state[index] == LED:
                pen.add(f"{leads[index]} {MARK}", is_apart=part.kind != ITEM)
                is_marked = is_led = True
            elif part.kind == HEADING and self._is_missed(part, state, counted):
                pen.add(f"{'#' * part.level} {part.title} {MARK}")
                is_marked = is_led = True
            elif (
                not is_marked and part.kind not in (HEADING, BLANK) and self._is_open(index, state)
            ):
                pen.add(f"{MARK}\n")
                is_marked = True
        self._define(pen)
        pen.add("\n".join([TABLE_TITLE, "", TABLE_LINE, *map(self._table_line, made)]))
        return pen

    def _is_open(self, index: int, state: Sequence[str]) -> bool:
        """Whether the heading above is there, so that something is missing below it."""
        above = self._parts[index].above
        return bool(above) and state[above[-1]] == KEPT and self._parts[above[-1]].level > 1

    def _counted(self, state: Sequence[str]) -> set[tuple[tuple[int, ...], int]]:
        """Where (headings above, level) numbered headings stay."""
        return {
            (part.above, part.level)
            for at, part in enumerate(self._parts)
            if part.kind == HEADING and state[at] == KEPT and _NUMBERED.match(part.title)
        }

    def _is_missed(
        self, part: Part, state: Sequence[str], counted: set[tuple[tuple[int, ...], int]]
    ) -> bool:
        """Whether a heading that moved with all below it has to be seen where it stood.

        In a section that is there, for what it announces is told in its own ones; and as a number
        among others that are there.
        """
        if part.above and self._parts[part.above[-1]].level > 1:
            return state[part.above[-1]] == KEPT
        return (part.above, part.level) in counted and _NUMBERED.match(part.title) is not None

    def _put(self, pen: _Pen, index: int, home: int) -> None:
        """A part of the original, its links led from where it stands now."""
        text = self._texts[index]
        if "](" not in text and "]:" not in text and "<" not in text:
            pen.own(text, index)
            return
        new = {link.target: self._led(link.target, home) for link in links_in(text)}
        changed, edits = rewritten(text, new)
        pen.own(changed, index, edits)

    def _led(self, target: str, home: int) -> str:
        """How a target of SKILL.md reads in a reference (`home`), or in the core (-1)."""
        if not target.startswith("#"):
            return target if home < 0 else from_folder(target, self._folder)
        there = self._homes.get(target[1:].lower(), home)
        if there == home:
            return target
        if there < 0:
            return f"../{SKILL_NAME}{target}"
        name = self._files[there].name
        return (posixpath.join(self._folder, name) if home < 0 else name) + target

    def _define(self, pen: _Pen) -> None:
        """Say where the labels lead that a text uses and another one defines."""
        used = set(labels_in(pen.text)) if self._definitions else set()
        own = definitions_in(pen.text) if used else {}
        missing = [label for label in self._definitions if label in used and label not in own]
        if missing:
            pen.add("\n".join(self._definitions[label] for label in missing))

    def _titles(self, file: File) -> tuple[str, ...]:
        """The headings of what stands in a reference: of the sections first, then of their own."""
        found: dict[int, int] = {}
        for index in file.parts:
            part = self._parts[index]
            for at in (*part.above, *([index] if part.kind == HEADING else [])):
                found[at] = self._parts[at].level
        inner = [at for at in found if found[at] > 1] or [*found]
        inner.sort(key=lambda at: (found[at], at))
        titles = (_short(self._parts[at].title) for at in inner)
        return tuple(dict.fromkeys(title for title in titles if title))

    def _table_line(self, file: WrittenFile) -> str:
        place = posixpath.join(self._folder, file.name)
        kept: list[str] = []
        for title in file.titles:
            if kept and len(", ".join((*kept, title))) > self._line_length:
                break
            kept.append(title)
        more = f", +{len(file.titles) - len(kept)}" if len(file.titles) > len(kept) else ""
        return f"- {place}: {', '.join(kept)}{more}"


def _short(title: str) -> str:
    """A title for the table, without its number and its marks."""
    plain = re.sub(r"^\d+[.)]\s+|[*`]", "", one_line(title)).rstrip(": ")
    if len(plain) <= LONGEST_TITLE:
        return plain
    return plain[:LONGEST_TITLE].rsplit(" ", 1)[0] + MARK
