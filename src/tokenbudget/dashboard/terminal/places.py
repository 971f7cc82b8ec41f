"""Where each panel stands at each size of the terminal: boxes that share their borders.

Panels are given up by importance. At 80x24 stand health with what the controller does, composition,
burn with cost, cache and limits, what lies ahead, consumers, recommendations and alerts; decisions
and the other sessions have panels of their own in a larger terminal, and always their keys.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEALTH, COMPOSITION, BURN, LIMITS, AHEAD = "health", "composition", "burn", "limits", "ahead"
CONSUMERS, ADVICE, ALERTS = "consumers", "advice", "alerts"
DECISIONS, SESSIONS = "decisions", "sessions"
PANELS = (
    HEALTH, COMPOSITION, BURN, LIMITS, AHEAD, CONSUMERS, ADVICE, ALERTS, DECISIONS, SESSIONS,
)  # fmt: skip
"""In the order in which Tab goes through those that can be moved in."""

LEAST_WIDTH, LEAST_HEIGHT = 60, 16
"""Of the terminal, the last line with the keys included; in less, one line asks for more room."""
_WIDE, _WIDEST, _TALL = 108, 160, 34
_HEAD = 5
_CONTROL_FROM = 21
"""Rows from which on the head has a line for the controller; from `_TALL` on it has two."""


class Box(NamedTuple):
    """A panel with its border: columns and rows, the border included."""

    name: str
    x: int
    y: int
    width: int
    height: int

    @property
    def inside(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of what is inside the border and its margin."""
        return self.x + 2, self.y + 1, self.width - 4, self.height - 2


class Wants(NamedTuple):
    """How many rows the panels could fill that shrink and grow."""

    parts: int = 5
    ahead: int = 3
    alerts: int = 0
    control: int = 0
    """Of the controller, in the head."""


def is_enough(width: int, height: int) -> bool:
    """Whether there is room for the panels at all."""
    return width >= LEAST_WIDTH and height >= LEAST_HEIGHT


def boxes(width: int, height: int, wants: Wants = Wants()) -> tuple[Box, ...]:  # noqa: B008 (frozen)
    """The boxes; neighbours share a border, and together they fill the whole size."""
    if not is_enough(width, height + 1):
        return ()
    control = 2 if height >= _TALL else 1 if height >= _CONTROL_FROM else 0
    head = Box(HEALTH, 0, 0, width, _HEAD + max(0, min(wants.control, control)))
    begin = head.height - 1
    if width >= _WIDEST and height >= _TALL:
        return (head, *_widest(width, height, wants, begin))
    if width >= _WIDE and height >= _TALL:
        return (head, *_wide(width, height, wants, begin))
    return (head, *_narrow(width, height, wants, begin))


def _narrow(width: int, height: int, wants: Wants, begin: int) -> list[Box]:
    """Two columns: what is held, and what it comes to."""
    left = width // 2
    middle = min(wants.parts + 3, height - begin - 6)
    below = height - begin - (middle - 1)
    burn = Box(BURN, left, begin, width - left, middle)
    top = begin + middle - 1
    found = [
        Box(COMPOSITION, 0, begin, left + 1, middle),
        burn,
        Box(CONSUMERS, 0, top, left + 1, below),
    ]
    least = 3
    alerts = min(wants.alerts, 3, max(0, below - 2 - 2 * least))
    rows = [(AHEAD, min(wants.ahead, 3)), (ADVICE, 0), (ALERTS, alerts)]
    if below < 9:
        rows = [(ADVICE, 0)]
    return [*found, *_column(left, top, width - left, below, rows)]


def _wide(width: int, height: int, wants: Wants, begin: int) -> list[Box]:
    """Three columns above, two below."""
    first, second = _parts(width, (36, 31))
    middle = max(wants.parts + 5, height * 36 // 100)
    top = begin + middle - 1
    rest = height - top
    left = width * 54 // 100
    right = [(ADVICE, 0), (ALERTS, 3), (SESSIONS, 5), (DECISIONS, 2)]
    return [
        Box(COMPOSITION, 0, begin, first + 1, middle),
        Box(BURN, first, begin, second - first + 1, middle),
        *_column(second, begin, width - second, middle, [(AHEAD, 0), (LIMITS, 4)]),
        Box(CONSUMERS, 0, top, left + 1, rest),
        *_column(left, top, width - left, rest, right),
    ]


def _widest(width: int, height: int, wants: Wants, begin: int) -> list[Box]:
    """Three columns above and three below; the sessions stay in sight."""
    first, second = _parts(width, (40, 30))
    middle = max(wants.parts + 5, height * 30 // 100)
    top = begin + middle - 1
    rest = height - top
    third, fourth = _parts(width, (35, 31))
    return [
        Box(COMPOSITION, 0, begin, first + 1, middle),
        Box(BURN, first, begin, second - first + 1, middle),
        *_column(second, begin, width - second, middle, [(AHEAD, 0), (LIMITS, 4)]),
        Box(CONSUMERS, 0, top, third + 1, rest),
        *_column(third, top, fourth - third + 1, rest, [(ADVICE, 0), (ALERTS, (rest - 3) // 3)]),
        *_column(fourth, top, width - fourth, rest, [(SESSIONS, 0), (DECISIONS, (rest - 3) // 3)]),
    ]


def _parts(width: int, percents: Sequence[int]) -> list[int]:
    """Where the second and the third column begin."""
    begin, found = 0, []
    for percent in percents:
        begin += width * percent // 100
        found.append(begin)
    return found


def _column(x: int, y: int, width: int, height: int, rows: Iterable[tuple[str, int]]) -> list[Box]:
    """Panels below each other; the one that asks for 0 rows gets the rest."""
    wanted = [(name, inner) for name, inner in rows if inner or name in (AHEAD, ADVICE, SESSIONS)]
    borders = len(wanted) + 1
    free = height - borders - sum(inner for _, inner in wanted)
    found = []
    for name, inner in wanted:
        tall = (inner or max(1, free)) + 2
        found.append(Box(name, x, y, width, tall))
        y += tall - 1
    return found
