"""Lines made of pieces that say what they are; a theme says later how that looks.

Every piece is plain text that was cleaned already: nothing here reads it as markup.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import cut, text_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PLAIN, STRONG, FAINT, RULE, FOCUS, CURSOR = "plain", "strong", "faint", "rule", "focus", "cursor"
HEALTHY, WARNING, CRITICAL, EMERGENCY = "healthy", "warning", "critical", "emergency"
"""The only roles that have a colour: they are the levels of `budget.health`."""

ROLES = (PLAIN, STRONG, FAINT, RULE, FOCUS, CURSOR, HEALTHY, WARNING, CRITICAL, EMERGENCY)
GAP = "  "


class Span(NamedTuple):
    """A piece of a line, and what it is."""

    text: str
    role: str = PLAIN


Line = tuple[Span, ...]


def line(*pieces: str | Span) -> Line:
    """A line of these pieces; a bare text is plain."""
    return tuple(Span(piece) if isinstance(piece, str) else piece for piece in pieces)


def plain_text(spans: Iterable[Span]) -> str:
    """What the line says."""
    return "".join(span.text for span in spans)


def width_of(spans: Iterable[Span]) -> int:
    """Columns that the line takes."""
    return sum(text_width(span.text) for span in spans)


def fitted(spans: Iterable[Span], width: int) -> Line:
    """The line at exactly this width: its end cut off, or filled with spaces."""
    taken: list[Span] = []
    left = width
    for span in spans:
        room = text_width(span.text)
        if room > left:
            taken.append(span._replace(text=cut(span.text, left, keeps_start=True)))
            left -= text_width(taken[-1].text)
            break
        taken.append(span)
        left -= room
    return (*taken, Span(" " * left)) if left > 0 else tuple(taken)


def between(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """One part at each edge; where both do not fit, the left one is cut."""
    room = width - width_of(right)
    if room < 1:
        return fitted(right, width)
    return (*fitted(left, room - 1), Span(" "), *right) if right else fitted(left, width)


def first_fitting(choices: Sequence[Line], width: int) -> Line:
    """The first line that fits, longest first; else the last."""
    return next((choice for choice in choices if width_of(choice) <= width), choices[-1])


def in_role(spans: Iterable[Span], role: str) -> Line:
    """The same words in one role."""
    return tuple(Span(span.text, role) for span in spans)
