"""Split a long skill: a core that is read at once, and references that are read when a step asks.

Pure. The core keeps the front matter byte for byte and says which file holds what. What moves moves
word by word: `proven` finds every line of the original again, in the core or in exactly one
reference, and puts the original together from the texts that would be written.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.skill_choosing import LED, MOVED, chosen
from tokenbudget.resources.skill_grouping import grouped, named_files
from tokenbudget.resources.skill_judging import judged
from tokenbudget.resources.skill_links import restored
from tokenbudget.resources.skill_parts import HEADING, lines_with_ends, parts_of
from tokenbudget.resources.skill_writing import (
    TABLE_LINE,
    WIDE_TABLE_LINE_LENGTH,
    Written,
    headings_left,
    written,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tokenbudget.resources.skill_grouping import File
    from tokenbudget.resources.skill_parts import Part

FOLDER = "references"
LEAST_TOKENS = 600
"""A shorter body is read in one go for less than a fetch costs."""
CORE_SHARE = 0.33
"""What the listing's line and the core may weigh, of the line and the whole body."""
LEAST_CORE_TOKENS, MOST_CORE_TOKENS = 200, 2_000
LARGEST_SHARE_LEFT = 0.8
"""Where more than this would stay, splitting is not worth a second file."""
MOST_PARTS = 30_000
_TRIES = 6
NEAR_TOKENS = 24
"""A core that is smaller than its room by this much is near enough."""


class Reference(NamedTuple):
    """A file that is read when it is needed."""

    name: str
    """In the folder of references."""
    text: str
    titles: tuple[str, ...]
    tokens: int


class Split(NamedTuple):
    """What a skill would be."""

    core: str
    """The new SKILL.md, front matter included."""
    references: tuple[Reference, ...]
    listing_tokens: int
    before_tokens: int
    """Of the body as it is: what the agent reads when it loads the skill."""
    core_tokens: int
    """Of the body as it would be."""

    @property
    def share(self) -> float:
        """What the listing's line and the core are of the line and the whole body."""
        return (self.listing_tokens + self.core_tokens) / (self.listing_tokens + self.before_tokens)


class NothingToSplit(NamedTuple):
    """Why a skill stays as it is, in one sentence."""

    why: str


class Unproven(Exception):
    """Our own fault: a line would be lost. Nothing is written."""


def split_of(
    text: str, taken: Collection[str], count: Callable[[str], int]
) -> Split | NothingToSplit:
    """What a skill's text is split into.

    Args:
        text: The whole SKILL.md; ends of lines as they are.
        taken: The names that the folder of references already has.
        count: Tokens of a text.

    Raises:
        Unproven: a line would not be where it has to be.
    """
    matter = front_matter(text)
    body = text[matter.body_at :]
    before = count(body)
    if is_split(body):
        return NothingToSplit("it is split already: its last section says what its references hold")
    if before < LEAST_TOKENS:
        return NothingToSplit(
            f"its {before:,} tokens are read in one go; from {LEAST_TOKENS} on it pays"
        )
    lines = lines_with_ends(body)
    parts = parts_of(lines)
    if len(parts) > MOST_PARTS:
        return NothingToSplit(f"it has more than {MOST_PARTS:,} paragraphs; no skill is like that")
    if not any(part.kind == HEADING for part in parts):
        return NothingToSplit("it has no headings that would say what moves where")
    listing = count(f"{matter.words('name')}: {matter.words('description')}")
    room = round(CORE_SHARE * (listing + before)) - listing
    room = min(max(room, LEAST_CORE_TOKENS), MOST_CORE_TOKENS)
    has_arguments = bool(matter.words("argument-hint") or matter.words("arguments"))
    found = _fitted(lines, parts, room, taken, count, has_arguments)
    if found is None:
        return NothingToSplit("what it says are rules and steps; nothing long could move")
    core_tokens = count(found.core)
    if core_tokens > LARGEST_SHARE_LEFT * before:
        return NothingToSplit(
            f"{core_tokens:,} of its {before:,} tokens are rules and steps that have to stay"
        )
    _prove(found, lines, parts)
    references = tuple(
        Reference(one.name, one.text, one.titles, count(one.text)) for one in found.files
    )
    return Split(text[: matter.body_at] + found.core, references, listing, before, core_tokens)


def is_split(body: str) -> bool:
    """Whether a core of ours is what stands there."""
    return TABLE_LINE in body


def _fitted(
    lines: Sequence[str],
    parts: Sequence[Part],
    room: int,
    taken: Collection[str],
    count: Callable[[str], int],
    has_arguments: bool,
) -> Written | None:
    """The split whose core fits into the room, its table included, or comes nearest to it.

    Headings that only tell what has moved take no room: a core that keeps fewer rules for them
    would be the worse one.
    """
    tokens = [count("".join(lines[part.first : part.end])) for part in parts]
    urgencies = judged(parts, tokens, has_arguments)
    leads = [one.words for one in urgencies]
    budget, best_size = room, 0
    best: tuple[Written, list[str], list[File]] | None = None
    for _ in range(_TRIES):
        state = chosen(parts, tokens, urgencies, count, budget)
        if MOVED not in state and LED not in state:
            break
        files = named_files(parts, grouped(parts, tokens, state), taken)
        made = written(lines, parts, state, leads, files, FOLDER)
        size = count(made.core) - count(headings_left(made.core))
        if best is None or _is_better(size, best_size, room):
            best, best_size = (made, state, files), size
        if room - NEAR_TOKENS <= size <= room or budget <= 0:
            break
        budget = max(0, budget + room - size)
    if best is None:
        return None
    made, state, files = best
    wide = written(lines, parts, state, leads, files, FOLDER, line_length=WIDE_TABLE_LINE_LENGTH)
    return wide if count(wide.core) - count(headings_left(wide.core)) <= room else made


def _is_better(size: int, than: int, room: int) -> bool:
    """Whether a core of this size fits better: into the room first, then as much as it holds."""
    if size <= room:
        return than > room or size > than
    return size < than


# ── proof ────────────────────────────────────────────────────────────────────────────────────────


def _prove(found: Written, lines: Sequence[str], parts: Sequence[Part]) -> None:
    """Raises Unproven unless the texts hold the original, each part once, word by word."""
    if "".join(lines) != reassembled(found):
        raise Unproven("the core and its references are not the whole skill")
    homes: dict[int, str] = {}
    for where, pieces in (("", found.pieces), *((one.name, one.pieces) for one in found.files)):
        for piece in pieces:
            if piece.part >= 0 and homes.setdefault(piece.part, where) != where:
                raise Unproven("a part would stand in two files")
    if set(homes) != set(range(len(parts))):
        raise Unproven("a part would stand in no file")


def reassembled(found: Written) -> str:
    """The body again, cut out of the texts that would be written."""
    originals: dict[int, str] = {}
    for text, pieces in (
        (found.core, found.pieces),
        *((one.text, one.pieces) for one in found.files),
    ):
        for piece in pieces:
            if piece.part >= 0:
                own = text[piece.start : piece.end]
                originals[piece.part] = restored(own, piece.edits)
    return "".join(originals[part] for part in sorted(originals))
