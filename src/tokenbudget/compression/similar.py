"""Lines of one template, gathered: one is shown, of the others what differs."""

from __future__ import annotations

from tokenbudget.compression.shapes import differing, shape_of
from tokenbudget.compression.trouble import is_trouble
from tokenbudget.compression.weaving import Cut, is_worth, ranges_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIMILAR = "similar"

WHOLE_AT_ENDS = 3
"""Lines at the beginning and at the end that stay: how it started, and how it stands."""

FEWEST_LINES = 4
"""Of a template. Three lines gain no more than the marker costs."""

SHOWN_OF_TROUBLE = 3
FEWEST_OF_TROUBLE = 12
"""The same error so often is one error: the first are shown whole, of the rest what differs."""

SHORTEST_CHARS = 12
"""What is shorter has no template worth the name."""

LEAST_FIXED_SHARE = 0.4
"""Of a row's line: below this the lines are data, and rows would be a worse table."""


def similar_cuts(
    lines: Sequence[str],
    taken: bytearray,
    is_of_log: Callable[[str], bool],
    keeps_values: bool,
) -> list[Cut]:
    """A cut for each template, and whether what differs is kept under its marker.

    Of what went wrong it always is. Lines of `taken`, and those that are not of the log, are left
    alone; nothing is marked in `taken`.
    """
    cuts = (
        _cut(lines, numbers, is_wrong, keeps_values)
        for (_, is_wrong), numbers in _by_shape(lines, taken, is_of_log).items()
    )
    return [cut for cut in cuts if cut is not None]


def _by_shape(
    lines: Sequence[str], taken: bytearray, is_of_log: Callable[[str], bool]
) -> dict[tuple[str, bool], list[int]]:
    groups: dict[tuple[str, bool], list[int]] = {}
    for number in range(WHOLE_AT_ENDS, len(lines) - WHOLE_AT_ENDS):
        line = lines[number]
        if taken[number] or len(line) < SHORTEST_CHARS or not is_of_log(line):
            continue
        groups.setdefault((shape_of(line), is_trouble(line)), []).append(number)
    return groups


def _cut(
    lines: Sequence[str], numbers: Sequence[int], is_wrong: bool, keeps_values: bool
) -> Cut | None:
    if len(numbers) < (FEWEST_OF_TROUBLE if is_wrong else FEWEST_LINES):
        return None
    shown = SHOWN_OF_TROUBLE if is_wrong else 1
    rows = differing([lines[number] for number in numbers])
    gone = numbers[shown:]
    words = f"{len(gone):,} similar"
    cut = Cut(SIMILAR, ranges_of(gone), words, len(gone), after=numbers[shown - 1])
    if (keeps_values or is_wrong) and any(rows):
        kept = rows[shown:]
        most = (1 - LEAST_FIXED_SHARE) * sum(len(lines[number]) for number in gone)
        if sum(map(len, kept)) > most:
            return None
        cut = cut._replace(words=f"{words}, with", rows=kept)
    return cut if is_worth(cut, lines) else None
