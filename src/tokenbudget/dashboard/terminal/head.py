"""The answer first: whose window, how healthy, how full, and what comes next."""

from __future__ import annotations

from tokenbudget.budget import health
from tokenbudget.dashboard import controlling, words
from tokenbudget.dashboard.terminal.drawing import block_bar
from tokenbudget.dashboard.terminal.lattice import Labels
from tokenbudget.dashboard.terminal.moment import Moment, level_role, stale_words
from tokenbudget.dashboard.terminal.spans import (
    FAINT,
    PLAIN,
    STRONG,
    Line,
    Span,
    between,
    first_fitting,
    line,
    width_of,
)
from tokenbudget.model.figures import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.dashboard.view_model import SessionView

_SPACE = Span("  ")
_DOT = Span(" · ", FAINT)
_LEAST_NEXT = 20
"""In less room the beginning of what comes next says nothing."""
_TICKS = (health.WARNING, health.CRITICAL, health.EMERGENCY)


def labels(moment: Moment) -> Labels:
    """Project and title to the left; model, time and interval to the right; faults below."""
    view = moment.view
    every = "paused" if moment.is_paused else f"every {interval_words(moment.interval_seconds)}"
    time = words.clock(moment.frame) if moment.frame else ""
    if view is None:
        return Labels(line(Span("tokens monitor", STRONG)), line(Span(f"{time}  {every}".strip())))
    project = words.project_name(view.project)
    name = Span(words.session_name(view))
    left = line(Span(project, STRONG), _DOT, name) if project else line(name)
    if view.git_branch:
        left = (*left, Span(f"  {words.clean(view.git_branch)}", FAINT))
    right = line(words.model_name(view.model)[:28], _SPACE, Span(time, STRONG), _SPACE,
                 Span(every, STRONG if moment.is_paused else FAINT))  # fmt: skip
    return Labels(left, right, keeps_right=True)


def draw(moment: Moment, width: int) -> list[Line]:
    """The words, the bar, where the levels begin; and what the controller does, if there is one."""
    view = moment.view
    if view is None:
        return [_without_session(moment), (), ()]
    left = _state(moment, view)
    if moment.is_stale:
        dull = [between(left, (), width), _bar(view, width, FAINT), _ticks(view, width)]
        return [*dull, *control_lines(moment, width)]
    room = max(0, width - width_of(left) - 2)
    nothing: Line = ()
    right = first_fitting(
        [(Span(words.next_words(view)),), (Span(words.soon_words(view)),), nothing], room
    )
    role = level_role(moment.level)
    lines = [between(left, right, width), _bar(view, width, role), _ticks(view, width)]
    return [*lines, *control_lines(moment, width)]


def control_lines(moment: Moment, width: int) -> list[Line]:
    """What the controller does now and next; then what it did last. Nothing where it never was."""
    standing = moment.frame.control if moment.frame else None
    if standing is None:
        return []
    now = (Span("control  ", FAINT), *line(controlling.now_words(standing, moment.now_ms)))
    following = controlling.next_words(standing, moment.now_ms)
    room = width - width_of(now) - 2
    following = f"next: {following}" if following else ""
    shown = cut(following, room, keeps_start=True) if room >= _LEAST_NEXT else ""
    lines = [between(now, line(Span(shown, FAINT)), width)]
    done = controlling.done_words(standing, moment.now_ms)
    return [*lines, between(line(Span("last     ", FAINT), done), (), width)] if done else lines


def time_words(moment: Moment) -> str:
    """`14:02:31  every 30s`, or since when there is no data."""
    if moment.is_stale:
        return stale_words(moment)
    time = words.clock(moment.frame) if moment.frame else ""
    every = "paused" if moment.is_paused else f"every {interval_words(moment.interval_seconds)}"
    return f"{time}  {every}".strip()


def interval_words(seconds: float) -> str:
    """`30s`, `5m`, `0.5s`."""
    if seconds >= 60 and seconds % 60 == 0:
        return f"{seconds / 60:g}m"
    return f"{seconds:g}s"


def _without_session(moment: Moment) -> Line:
    if moment.is_stale:
        return line(Span(f"? {stale_words(moment)}", STRONG))
    if moment.frame is None:
        return line(Span("reading sessions …", FAINT))
    return line(Span("no session yet", STRONG), Span("  see below how to begin", FAINT))


def _state(moment: Moment, view: SessionView) -> Line:
    if moment.is_stale:
        was = f"{words.level_words(view.level)}, " if view.level else ""
        was += words.used_words(view)
        return line(Span(f"? {stale_words(moment)}", STRONG), Span(f"  it was {was}", FAINT))
    known = Span(words.level_words(view.level), level_role(view.level))
    use = line(Span(words.used_words(view), STRONG), _DOT, words.amount_words(view))
    return (known, _SPACE, *use)


def _bar(view: SessionView, width: int, role: str) -> Line:
    return block_bar(view.share or 0.0, width, role if role != FAINT else PLAIN)


def _ticks(view: SessionView, width: int) -> Line:
    """`▲50%` under the place where the level begins; which scale this is, where there is room."""
    row = [" "] * width
    for level, share in zip(_TICKS, view.threshold_shares, strict=True):
        mark = f"{health.SYMBOLS[level]}{words.percent(share)}"
        begin = max(0, min(int(share * width), width - len(mark)))
        if all(cell == " " for cell in row[max(0, begin - 1) : begin + len(mark)]):
            row[begin : begin + len(mark)] = mark
    light = f", {health.TRAFFIC_LIGHT} {words.clean(view.light)}" if view.light else ""
    for scale in (f"{health.HEALTH_LEVEL}{light}", health.HEALTH_LEVEL):
        if all(cell == " " for cell in row[: len(scale) + 1]):
            row[: len(scale)] = scale
            break
    return line(Span("".join(row), FAINT))
