"""From a task and files to the lines that matter for it, under a budget that counts every token.

What is not shown stands in an outline line with its range, so that anything is one call away.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.marks import Marks
from tokenbudget.compression.outline import ALL_NAMES, outline_words, stretches_of
from tokenbudget.compression.ranking import likelihoods
from tokenbudget.compression.ranking_recent import NOTHING_RECENT
from tokenbudget.compression.sections import structure_of
from tokenbudget.compression.selection_packing import Choice, Packing
from tokenbudget.compression.selection_telling import UNTOLD
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.compression.outline import Stretch
    from tokenbudget.compression.ranking_recent import Recent
    from tokenbudget.compression.selection_telling import Teller
    from tokenbudget.compression.structure import Structure
    from tokenbudget.model.protocols import Ranker, TokenCounter

NAMES_SHARE = 0.04
"""Of the budget, for names in outline lines; what they do not need is shown instead."""
_NAME_STEPS = (ALL_NAMES, 12, 6, 3, 2, 1)
"""So many names in an outline line are tried, the most first."""
_STRUCTURED, _RANKED = 0.3, 0.8
"""Shares of the time, measured on a megabyte of short functions."""
_ATTEMPTS = 6
_STEP_TOKENS = 24
"""An attempt that was too large is followed by one that is smaller by a line or two at least."""
_CLOSE_ENOUGH = 0.005
"""A budget is used up when less than this share of it is left."""


class SelectedFile(NamedTuple):
    """One file as it is shown."""

    path: str
    lines: int
    tokens: int
    """Of the whole file."""
    stretches: tuple[Stretch, ...]
    """From its first line to its last, shown and hidden by turns."""
    outline: tuple[str, ...]
    """The words of each hidden stretch, in order."""


class Selection(NamedTuple):
    """What is shown of some files for a task."""

    text: str
    tokens: int
    """Of the text, markers and all."""
    budget_tokens: int
    before_tokens: int
    """Of the files as they are."""
    opening: str
    """What our own lines begin with."""
    files: tuple[SelectedFile, ...]

    @property
    def fits(self) -> bool:
        """Whether it is within the budget; not so where the barest outline is larger already."""
        return self.tokens <= self.budget_tokens


class _Source(NamedTuple):
    structure: Structure
    choice: Choice
    tokens: int


class _Draft(NamedTuple):
    text: str
    tokens: int
    files: tuple[SelectedFile, ...]


def select(
    task: str,
    files: Mapping[str, str],
    budget_tokens: int,
    counter: TokenCounter,
    ranker: Ranker | None = None,
    recent: Recent = NOTHING_RECENT,
    tell: Teller = UNTOLD,
) -> Selection:
    """The most of the files that the task is likely to need, within a number of tokens.

    `recent`: what was edited lately; `tell`: who wants to know how far it is.
    """
    structures = _structures(files, tell.part(0, _STRUCTURED))
    marks = Marks(*files.values())
    tokens = [counter.count(text) for text in files.values()]
    ranking = tell.part(_STRUCTURED, _RANKED)
    likely = likelihoods(task, structures, ranker, recent=recent, tell=ranking)
    sources = [
        _Source(one, _choice(one, row, counter), count)
        for one, row, count in zip(structures, likely, tokens, strict=True)
    ]
    draft = _best_draft(sources, budget_tokens, marks, counter, tell.part(_RANKED, 1))
    tell(1)
    return Selection(
        draft.text, draft.tokens, budget_tokens, sum(tokens), marks.opening, draft.files
    )


def share_of(files: Mapping[str, str], percent: float, counter: TokenCounter) -> int:
    """A budget that is so many per cent of the files' tokens."""
    return int(sum(counter.count(text) for text in files.values()) * percent / 100)


def _structures(files: Mapping[str, str], tell: Teller) -> list[Structure]:
    found: list[Structure] = []
    done, total = 0, sum(map(len, files.values())) or 1
    for path, text in files.items():
        found.append(structure_of(path, text))
        done += len(text)
        tell(done / total)
    return found


def _choice(structure: Structure, likely: Sequence[float], counter: TokenCounter) -> Choice:
    blocks = structure.blocks
    values = [
        chance * (block.end - block.first) for chance, block in zip(likely, blocks, strict=True)
    ]
    costs = [counter.count(structure.text(block.first, block.end) + "\n") for block in blocks]
    return Choice(values, costs)


def _best_draft(
    sources: Sequence[_Source],
    budget_tokens: int,
    marks: Marks,
    counter: TokenCounter,
    tell: Teller,
) -> _Draft:
    """The fullest draft within the budget, with as many names as their share allows."""
    packing = Packing([one.choice for one in sources])
    names_tokens = budget_tokens * NAMES_SHARE
    shown = packing.packed(budget_tokens - names_tokens)
    most_names = _names_for(sources, shown, names_tokens, marks, counter)
    tell(0.5)
    attempts = tell.part(0.5, 1)
    for names in (most_names, 0):
        best = _fullest(sources, packing, budget_tokens, names, marks, counter, attempts)
        if best is not None:
            return best
    nothing = [[False] * len(one.choice.costs) for one in sources]
    return _drafted(sources, nothing, 0, marks, counter)


def _fullest(
    sources: Sequence[_Source],
    packing: Packing,
    budget_tokens: int,
    most_names: int,
    marks: Marks,
    counter: TokenCounter,
    tell: Teller,
) -> _Draft | None:
    """The fullest draft within the budget: what is left of one attempt goes into the next."""
    room, fitting, too_much = float(budget_tokens), 0.0, float("inf")
    best: _Draft | None = None
    for attempt in range(_ATTEMPTS):
        tell(attempt / _ATTEMPTS)
        draft = _drafted(sources, packing.packed(room), most_names, marks, counter)
        left = budget_tokens - draft.tokens
        if left < 0:
            too_much = room
        else:
            fitting = room
            best = draft if best is None or draft.tokens > best.tokens else best
        if 0 <= left <= budget_tokens * _CLOSE_ENOUGH:
            break
        room += left if left > 0 else 1.2 * left - _STEP_TOKENS
        if not fitting < room < too_much:
            room = (fitting + min(too_much, 2 * budget_tokens)) / 2
    return best


def _names_for(
    sources: Sequence[_Source],
    shown: Sequence[Sequence[bool]],
    names_tokens: float,
    marks: Marks,
    counter: TokenCounter,
) -> int:
    """How many names in an outline line there is room for."""

    def tokens(most_names: int) -> int:
        return sum(
            counter.count(marks.mark(outline_words(source.structure, stretch, most_names)))
            for source, flags in zip(sources, shown, strict=True)
            for stretch in stretches_of(source.structure, flags)
            if not stretch.is_shown
        )

    bare = tokens(0)
    return next((step for step in _NAME_STEPS if tokens(step) - bare <= names_tokens), 0)


def _drafted(
    sources: Sequence[_Source],
    shown: Sequence[Sequence[bool]],
    most_names: int,
    marks: Marks,
    counter: TokenCounter,
) -> _Draft:
    lines: list[str] = []
    files = []
    for source, flags in zip(sources, shown, strict=True):
        structure = source.structure
        stretches = stretches_of(structure, flags)
        outline = []
        lines.append(marks.mark(f"{one_line(structure.path)}, {len(structure.lines)} lines"))
        for stretch in stretches:
            if stretch.is_shown:
                lines.extend(structure.lines[stretch.first : stretch.end])
            else:
                outline.append(outline_words(structure, stretch, most_names))
                lines.append(marks.mark(outline[-1]))
        files.append(
            SelectedFile(
                structure.path,
                len(structure.lines),
                source.tokens,
                tuple(stretches),
                tuple(outline),
            )
        )
    text = "\n".join(lines) + "\n"
    return _Draft(text, counter.count(text), tuple(files))
