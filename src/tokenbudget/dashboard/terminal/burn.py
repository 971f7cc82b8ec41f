"""How fast the window fills, what it costs, how the cache serves, and how the limits stand."""

from __future__ import annotations

from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal.drawing import chart, line_bar
from tokenbudget.dashboard.terminal.lattice import Labels
from tokenbudget.dashboard.terminal.spans import (
    FAINT,
    PLAIN,
    STRONG,
    WARNING,
    Line,
    Span,
    between,
    first_fitting,
    line,
)
from tokenbudget.model.figures import short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_budget import LimitState
    from tokenbudget.dashboard.terminal.moment import Moment
    from tokenbudget.dashboard.view_model import Frame, SessionView

_LABEL = 7
_MOST_ROWS = 10


def labels(moment: Moment) -> Labels:
    """The title, and which time the chart is of."""
    view = moment.view
    peak = max(view.grown_tokens, default=0) if view else 0
    right = line(Span(f"1 h, peak {short_count(peak)}", FAINT)) if peak else ()
    return Labels(line(Span("Burn and cost", STRONG)), right)


def draw(moment: Moment, width: int, height: int, has_limits: bool) -> list[Line]:
    """Rate, chart, cache and cost; the limits too where they have no panel of their own."""
    view, frame = moment.view, moment.frame
    if view is None or frame is None:
        return []
    below = [_labelled("cache", words.cold_words(view, moment.now_ms), width)]
    cost = words.cost_words(view)
    if len(cost) > width - _LABEL:
        cost = cost.replace(" this session", "")
    below.append(_labelled("cost", cost, width))
    if has_limits:
        below += [_limit_line(limit, frame, width) for limit in frame.limits]
    rows = max(0, min(_MOST_ROWS, height - 1 - len(below)))
    spread = _spans(view) if height - 1 - len(below) >= 5 else ()
    rows = max(0, rows - len(spread))
    grown = view.grown_tokens if rows else ()
    return [
        line(Span(words.burn_words(view), STRONG)),
        *spread,
        *(chart(grown, width, rows, FAINT) if grown else []),
        *below,
    ][:height]


def limit_labels(moment: Moment) -> Labels:
    """The title, and whose word it is."""
    return Labels(line(Span("Limits", STRONG)), line(Span("as the agent reports them", FAINT)))


def draw_limits(moment: Moment, width: int, height: int) -> list[Line]:
    """A line for each limit, and a bar below it where there is room."""
    if moment.frame is None:
        return []
    has_bars = height >= 2 * len(moment.frame.limits)
    found: list[Line] = []
    for limit in moment.frame.limits:
        found.append(_limit_line(limit, moment.frame, width))
        if has_bars:
            role = WARNING if is_spent_early(limit) else PLAIN
            found.append(line_bar(limit.forecast.used_share or 0.0, width, role))
    return found or [line(Span("no limit was reported", FAINT))]


def is_spent_early(limit: LimitState) -> bool:
    """Whether it will more likely than not be used up before its reset."""
    spent = limit.forecast.exhausted_at_ms
    return spent is not None and spent.p50 is not None


def _limit_line(limit: LimitState, frame: Frame, width: int) -> Line:
    title = words.clean(limit.title)
    role = WARNING if is_spent_early(limit) else PLAIN
    mark = " !" if is_spent_early(limit) else ""
    forms = [
        line(Span(f"{title:<{_LABEL}}", FAINT), Span(words.clean(form) + mark, role))
        for form in words.limit_forms(limit, frame)
    ]
    return first_fitting(forms, width)


def _labelled(label: str, text: str, width: int) -> Line:
    return between(line(Span(f"{label:<{_LABEL}}", FAINT), text), (), width)


def _spans(view: SessionView) -> Line | list[Line]:
    """The rate over each span: whether it speeds up."""
    rates = [
        f"{burn.span_minutes}m {short_count(round(burn.tokens_per_minute))}"
        for burn in view.burns
        if burn.tokens_per_minute is not None
    ]
    return [line(Span(" · ".join(rates), FAINT))] if len(rates) > 1 else []
