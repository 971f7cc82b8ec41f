"""How long until each threshold of the window, as a spread."""

from __future__ import annotations

from tokenbudget.budget import health
from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal.lattice import Labels
from tokenbudget.dashboard.terminal.moment import level_role
from tokenbudget.dashboard.terminal.spans import FAINT, PLAIN, STRONG, Line, Span, between, line
from tokenbudget.model.figures import short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.budget.forecast import Crossing
    from tokenbudget.dashboard.terminal.moment import Moment

_TOKENS_FROM = 44


def labels(moment: Moment) -> Labels:
    """The title, and how to read the numbers."""
    return Labels(line(Span("Time left", STRONG)), line(Span("of work, P50 (P10-P90)", FAINT)))


def draw(moment: Moment, width: int, height: int) -> list[Line]:
    """The nearest thresholds and the last; or why nothing is foretold."""
    view = moment.view
    if view is None:
        return []
    if not view.ahead:
        reason = words.clean(view.forecast_reason) or "every threshold is reached"
        return [line(Span(reason, FAINT))]
    return [_row(crossing, width) for crossing in _shown(view.ahead, height)]


def _shown(ahead: Sequence[Crossing], height: int) -> Sequence[Crossing]:
    return ahead if len(ahead) <= height else [*ahead[: height - 1], ahead[-1]][:height]


def _row(crossing: Crossing, width: int) -> Line:
    name = words.clean(crossing.name)
    symbol = health.SYMBOLS.get(name, "·")
    role = level_role(name) if name in health.LEVELS else PLAIN
    left_words = words.left_words(crossing)
    if len(name) + len(left_words) + 3 > width:
        name = name.removeprefix("auto-")
    left = line(Span(f"{symbol} ", role), name)
    if width >= _TOKENS_FROM:
        left = (*left, Span(f" at {short_count(crossing.threshold_tokens)}", FAINT))
    return between(left, line(left_words), width)
