"""Source code that was read whole: its outline, with long bodies behind markers.

Which reads are narrowed is the policy's decision; this codec only knows how. Headers, short
functions and what stands between definitions stay as they are, so that a name or a signature can
be found and copied; a body is behind a marker that tells its lines, and one call gives it back.
"""

from __future__ import annotations

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.receipts import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage
    from tokenbudget.compression.structure import Structure

KIND = "lines"

LEAST_LINES = {"balanced": 400, COMPRESSED: 200}
"""A file with fewer lines is worth reading whole."""

SHORT_BODY = {"balanced": 6, COMPRESSED: 3}
"""A body of so many lines or fewer costs hardly more than its marker."""

_ENDINGS = (
    "py pyi js jsx mjs cjs ts mts cts tsx go rs java kt c h cc cpp cxx hpp hh cs rb php swift "
    "scala lua ex exs"
)
ENDINGS = frozenset(_ENDINGS.split())


def _detects(passage: Passage) -> bool:
    stem, _, ending = passage.origin.path.rsplit("/", 1)[-1].lower().rpartition(".")
    return bool(stem) and ending in ENDINGS


def _shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    lines = passage.lines
    if level == VERBOSE or len(lines) < LEAST_LINES.get(level, LEAST_LINES[COMPRESSED]):
        return None
    from tokenbudget.compression.sections import structure_of

    structure = structure_of(passage.origin.path, passage.text)
    kept: list[str] = []
    removed: list[Removed] = []
    done = 0
    for first, end in _bodies(structure, SHORT_BODY.get(level, SHORT_BODY[COMPRESSED])):
        kept.extend(lines[done:first])
        kept.append(marks.mark(f"{end - first} lines{_place(passage, first, end)}"))
        removed.append(Removed(KIND, end - first, ((first, end),)))
        done = end
    if not removed:
        return None
    kept.extend(lines[done:])
    return Draft("\n".join(kept), tuple(removed))


def _place(passage: Passage, first: int, end: int) -> str:
    """The lines as the file numbers them: ` (41-180)`."""
    base = passage.origin.first_line or 1
    return f" ({base + first}-{base + end - 1})"


def _bodies(structure: Structure, short_lines: int) -> Iterator[tuple[int, int]]:
    """What goes behind markers: the bodies of outermost functions, in order."""
    from tokenbudget.compression.structure import FUNCTION, HEAD

    done = 0
    heads = {block.first: block.end for block in structure.blocks if block.kind == HEAD}
    for section in structure.sections:
        if section.kind != FUNCTION or section.first < done:
            continue
        first, end = heads.get(section.first, section.first + 1), section.end
        while end > first and _closes(structure.lines[end - 1]):
            end -= 1
        if end - first > short_lines:
            yield first, end
            done = section.end


def _closes(line: str) -> bool:
    """Whether a line only ends what began above it."""
    return line.strip() in ("", "}", "};", "})", "});", "end")


CODEC = Codec("source", _detects, _shorten)
