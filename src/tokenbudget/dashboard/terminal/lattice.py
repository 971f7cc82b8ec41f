"""The borders of all boxes in one drawing, so that neighbours share theirs and junctions meet."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.dashboard.terminal.spans import FOCUS, RULE, Line, Span, fitted, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.dashboard.terminal.places import Box

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_GLYPHS = {
    0: " ", _LEFT | _RIGHT: "─", _UP | _DOWN: "│", _DOWN | _RIGHT: "╭", _DOWN | _LEFT: "╮",
    _UP | _RIGHT: "╰", _UP | _LEFT: "╯", _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤",
    _DOWN | _LEFT | _RIGHT: "┬", _UP | _LEFT | _RIGHT: "┴", _UP | _DOWN | _LEFT | _RIGHT: "┼",
    _UP: "│", _DOWN: "│", _LEFT: "─", _RIGHT: "─",
}  # fmt: skip


_LEAST = 9
"""A label in less room is left out."""


class Labels(NamedTuple):
    """What stands in the border of a box."""

    left: Line = ()
    right: Line = ()
    keeps_right: bool = False
    """Where both do not fit, the left one is cut and not the right one."""


def drawn(
    width: int,
    height: int,
    boxes: Sequence[Box],
    labels: Mapping[str, Labels],
    focus: str = "",
    told: Line = (),
) -> list[Line]:
    """The whole area as lines: borders with their labels, and blanks inside.

    `told` stands in the lowest border, across all boxes; the border of `focus` is a strong one.
    """
    masks = [[0] * width for _ in range(height)]
    strong: set[tuple[int, int]] = set()
    for box in boxes:
        edge = _edge(box)
        for (x, y), mask in edge.items():
            masks[y][x] |= mask
        if box.name == focus:
            strong = set(edge)
    written = _written(boxes, labels)
    if told:
        written[height - 1] = [(2, _spaced(told, width - 4))]
    return [_row(masks[y], y, strong, written.get(y, [])) for y in range(height)]


def _edge(box: Box) -> dict[tuple[int, int], int]:
    """Every cell of a border and the directions in which its line goes on."""
    right, bottom = box.x + box.width - 1, box.y + box.height - 1
    found: dict[tuple[int, int], int] = {}
    for x in range(box.x, right + 1):
        along = (_LEFT if x > box.x else 0) | (_RIGHT if x < right else 0)
        found[x, box.y] = found[x, bottom] = along
    for y in range(box.y, bottom + 1):
        along = (_UP if y > box.y else 0) | (_DOWN if y < bottom else 0)
        found[box.x, y] = found.get((box.x, y), 0) | along
        found[right, y] = found.get((right, y), 0) | along
    return found


def _written(
    boxes: Sequence[Box], labels: Mapping[str, Labels]
) -> dict[int, list[tuple[int, Line]]]:
    """By row: where a label begins, and the label with a blank at each side."""
    found: dict[int, list[tuple[int, Line]]] = {}
    for box in boxes:
        label = labels.get(box.name, Labels())
        room = box.width - 4
        left, right = _shared(label, room)
        row = found.setdefault(box.y, [])
        row.append((box.x + 2, left))
        row.append((box.x + box.width - 2 - width_of(right), right))
    return found


def _shared(label: Labels, room: int) -> tuple[Line, Line]:
    """Both labels of a border, the one that may be cut within what the other leaves."""
    if label.keeps_right:
        right = _spaced(label.right, room)
        return _spaced(label.left, room - width_of(right) - (1 if right else 0)), right
    left = _spaced(label.left, room)
    return left, _spaced(label.right, room - width_of(left) - (1 if left else 0))


def _spaced(label: Line, room: int) -> Line:
    """The label between two blanks, cut to the room; nothing where there is too little."""
    if not label or room < _LEAST:
        return ()
    cut = label if width_of(label) <= room - 2 else fitted(label, room - 2)
    return (Span(" "), *cut, Span(" "))


def _row(
    masks: Sequence[int], y: int, strong: set[tuple[int, int]], written: list[tuple[int, Line]]
) -> Line:
    found: list[Span] = []
    x = 0
    for begin, label in sorted(pair for pair in written if pair[1]):
        found += _rules(masks, x, begin, y, strong)
        found += label
        x = begin + width_of(label)
    found += _rules(masks, x, len(masks), y, strong)
    return tuple(found)


def _rules(
    masks: Sequence[int], begin: int, end: int, y: int, strong: set[tuple[int, int]]
) -> list[Span]:
    """Stretches of border, split where the focused box begins or ends."""
    found: list[Span] = []
    for x in range(begin, end):
        role = FOCUS if (x, y) in strong else RULE
        glyph = _GLYPHS[masks[x]]
        if found and found[-1].role == role:
            found[-1] = Span(found[-1].text + glyph, role)
        else:
            found.append(Span(glyph, role))
    return found
