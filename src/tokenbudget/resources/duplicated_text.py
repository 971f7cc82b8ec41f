"""Find text that a request holds twice, and which of the copies can go without anybody's loss.

A copy goes only where whoever reads the file keeps reading the other one: two copies in one file or
in files of one scope, or one in this person's own local file beside any other that is loaded. A
text of the team is never removed because somebody has it in a file of his own.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.resources.text_blocks import blocks_of, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.resources.memory_loading import MemoryFile

FEWEST_TOKENS = 40
"""A shorter repetition may be meant as one, and frees next to nothing."""
_FEWEST_CHARACTERS = 80
_MOST_BLOCKS = 20_000


class Cut(NamedTuple):
    """A stretch of a file whose words stand elsewhere as well."""

    start: int
    end: int
    title: str
    """The heading of a section; '' of a paragraph."""
    kept_in: str
    """The file that keeps them."""


class Whole(NamedTuple):
    """A file that says the same as another one."""

    path: str
    kept_in: str


def whole_duplicates(files: Sequence[MemoryFile]) -> list[Whole]:
    """Files that say word for word what one loaded before them says."""
    kept: dict[str, str] = {}
    found: list[Whole] = []
    for file in files:
        key = words_of(file.sent)
        if not key or file.has_imports:  # relative imports: the same words, another meaning
            continue
        if key in kept:
            found.append(Whole(file.path, kept[key]))
        else:
            kept[key] = file.path
    return found


def cuts_by_path(
    files: Sequence[MemoryFile], tokens_of: Callable[[str], int]
) -> dict[str, list[Cut]]:
    """The stretches that can go, by file, in the order of the text."""
    kept: dict[tuple[tuple[str, ...], str], list[MemoryFile]] = {}
    found: dict[str, list[Cut]] = {}
    left = _MOST_BLOCKS
    for file in sorted(files, key=lambda one: one.scope == "local"):
        done = 0
        for block in blocks_of(file.text):
            left -= 1
            if left < 0:
                return found
            if block.start < done or len(block.key) < _FEWEST_CHARACTERS:
                continue
            place = (block.under, block.key)
            keeper = next((k for k in kept.get(place, ()) if _may_lose(file, k)), None)
            if keeper is not None and block.is_loose and tokens_of(block.key) >= FEWEST_TOKENS:
                cut = Cut(block.start, block.end, block.title, keeper.path)
                found.setdefault(file.path, []).append(cut)
                done = block.end
            else:
                kept.setdefault(place, []).append(file)
    return found


def without(text: str, cuts: Sequence[Cut]) -> str:
    """The text without these stretches, which are in order and apart."""
    parts: list[str] = []
    at = 0
    for cut in cuts:
        parts.append(text[at : cut.start])
        at = cut.end
    parts.append(text[at:])
    rest = "".join(parts)
    if not cuts or cuts[-1].end < len(text) or not rest.strip():
        return rest
    end = "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
    return rest.rstrip("\r\n") + end


def _may_lose(file: MemoryFile, keeper: MemoryFile) -> bool:
    if file.path == keeper.path:
        return True
    if file.scope == "local":
        return True
    return file.scope == keeper.scope == "project"
