"""A frame as lines of text: for `--once`, for a pipe, and where there is no terminal library."""

from __future__ import annotations

from tokenbudget.dashboard import controlling, words
from tokenbudget.model.figures import bar, cut, padded, short_count, sparkline, wrapped
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.dashboard.view_model import Frame, SessionLine, SessionView
    from tokenbudget.model.figures import Style

WIDEST = 120
NARROW = 80
"""Below this many columns the tables leave out their last one."""
TIGHT = 48
"""Below this many their columns are as narrow as a million tokens allows."""
LABEL = 12
CONSUMERS_SHOWN = 6
SESSIONS_SHOWN = 8
TIMES_SHOWN = 3


def frame_lines(frame: Frame, style: Style) -> list[str]:
    """Everything of a frame that fits the width; the answer stands in the first line."""
    width = min(style.width, WIDEST)
    style = style._replace(width=width)
    view = frame.chosen
    if view is None:
        lines = [_strong("? no data", style), *wrapped(_nothing(frame), width)]
    else:
        lines = [
            _strong(_first_line(view, frame, width), style),
            _fitted(_bar_line(view, width), width),
            style.faint("─" * width),
            *_composition(view, width, style),
            "",
            *(_fitted(fact, width) for fact in _facts(view, frame, width)),
            *_list("Top consumers", _consumer_lines(view, width), style),
        ]
    lines += _list("Alerts", [words.alert_words(a, frame.made_at_ms) for a in frame.alerts], style)
    if view is not None:
        lines += _list("Recommended", _numbered(view.recommendations, width), style)
        lines += _list("Unsure", _whole(view.notes, width), style)
    lines += _list("Decisions", [_decision(frame, i) for i in range(len(frame.decisions))], style)
    lines += _list(f"Live sessions ({len(frame.sessions)})", _session_lines(frame, width), style)
    return lines + _list("Faults", _whole(frame.faults, width), style)


def _nothing(frame: Frame) -> str:
    return (
        f"No session has been read as of {words.clock(frame)}. Start your agent, or try:"
        " tokens monitor --from PATH"
    )


def _first_line(view: SessionView, frame: Frame, width: int) -> str:
    parts = (words.project_name(view.project), words.session_name(view))
    names = [*parts, f"subagent {words.clean(view.agent)}" if view.agent else ""]
    who = " · ".join(part for part in (*names, words.model_name(view.model)) if part)
    right = f"{words.used_words(view)} · {words.clock(frame)}"
    left = f"{words.level_words(view.level)}   {who}"
    return padded(left, max(0, width - len(right) - 2)) + "  " + right


def _bar_line(view: SessionView, width: int) -> str:
    amounts = words.amount_words(view)
    if view.share is None:
        return amounts
    return f"{bar(view.share, max(10, width - len(amounts) - 2))}  {amounts}"


def _composition(view: SessionView, width: int, style: Style) -> list[str]:
    has_plan = any(row.allotted_tokens is not None for row in view.rows)
    name, number = (20, 12) if width >= TIGHT else (16, 11)
    head = f"{'Part':<{name}}{'tokens':>{number}}{'allotted' if has_plan else '':>{number}}"
    lines = [_strong(head, style)]
    for row in view.rows:
        tokens = "unknown"
        if row.tokens is not None:
            tokens = f"{row.tokens:,}" if row.is_exact else f"~{row.tokens:,}"
        allotted = "" if row.allotted_tokens is None else f"{row.allotted_tokens:,}"
        mark = " !" if row.is_over else "  "
        note = words.clean(row.note) if width >= NARROW else ""
        figures = f"{tokens:>{number}}{allotted:>{number}}{mark}"
        lines.append(_fitted(f"{padded(words.clean(row.name), name)}{figures}  {note}", width))
    return lines


def _facts(view: SessionView, frame: Frame, width: int) -> list[str]:
    spark = sparkline(view.grown_tokens)[LABEL - width :]  # in one piece, the last minutes kept
    facts = [
        ("Burn", f"{words.burn_words(view)}  1h {spark}"),
        *(("Work left" if n == 0 else "", text) for n, text in enumerate(_work_left(view))),
        ("Cost", words.cost_words(view)),
        ("Cache", words.cache_words(view, frame.made_at_ms)),
        ("Limits", " · ".join(words.limit_words(limit, frame) for limit in frame.limits)),
        *_control(frame),
    ]
    return [
        f"{label if number == 0 else '':<{LABEL}}{line}"
        for label, text in facts
        for number, line in enumerate(wrapped(text, width - LABEL))
    ]


def _control(frame: Frame) -> list[tuple[str, str]]:
    """What the controller does, what it did last, and what comes next; where there is one."""
    standing = frame.control
    if standing is None:
        return []
    found = [
        ("Control", controlling.now_words(standing, frame.made_at_ms)),
        ("Done last", controlling.done_words(standing, frame.made_at_ms)),
        ("Next", controlling.next_words(standing, frame.made_at_ms)),
    ]
    return [(label, text) for label, text in found if text]


def _work_left(view: SessionView) -> list[str]:
    """When warning, critical and full are reached, in time of work: a pause is none."""
    if not view.ahead:
        reason = words.clean(view.forecast_reason)
        return [f"unknown ({reason})" if reason else "every threshold is reached"]
    return [f"{words.clean(one.name)} {words.when_words(one)}" for one in view.ahead[:TIMES_SHOWN]]


def _consumer_lines(view: SessionView, width: int) -> list[str]:
    room = max(20, width - 34)
    return [
        f"{padded(words.clean(one.name), room)}{short_count(one.tokens):>8}"
        f"  {words.consumer_words(one)}"
        for one in view.consumers[:CONSUMERS_SHOWN]
    ]


def _numbered(texts: Sequence[str], width: int) -> list[str]:
    return [
        line
        for number, text in enumerate(texts, start=1)
        for line in wrapped(f"{number}  {one_line(text)}", width - 2, "   ")
    ]


def _decision(frame: Frame, place: int) -> str:
    decision = frame.decisions[place]
    age = words.age_words(decision.at_ms, frame.made_at_ms)
    return f"{age}: {words.clean(decision.title)} · {words.clean(decision.outcome)}"


def _session_lines(frame: Frame, width: int) -> list[str]:
    if len(frame.sessions) < 2:
        return []
    shown = [_session_line(one, frame, width) for one in frame.sessions[:SESSIONS_SHOWN]]
    left = len(frame.sessions) - len(shown)
    return [*shown, f"and {left} more: tokens sessions"] if left else shown


def _session_line(one: SessionLine, frame: Frame, width: int) -> str:
    share = "  ?" if one.share is None else f"{words.percent(one.share):>4}"
    name = " · ".join(
        part for part in (words.project_name(one.project), words.session_name(one)) if part
    )
    room = max(16, width - 52)
    age = words.age_words(one.at_ms, frame.made_at_ms)
    level, model = words.level_words(one.level), padded(words.model_name(one.model), 12)
    return f"{level:<12}{share:>5}  {padded(name, room)}  {model}  {age}"


def _whole(texts: Sequence[str], width: int) -> list[str]:
    """In as many lines as they take: nowhere else could they be read to the end."""
    return [line for text in texts for line in wrapped(one_line(text), width - 2, "  ")]


def _list(title: str, lines: Sequence[str], style: Style) -> list[str]:
    if not lines:
        return []
    return ["", _strong(title, style), *(_fitted(f"  {line}", style.width) for line in lines)]


def _strong(text: str, style: Style) -> str:
    """Cut first: the signs that switch the weight take no room, and the last one must stay."""
    return style.bold(_fitted(text, style.width))


def _fitted(text: str, width: int) -> str:
    return cut(text.rstrip(), width, keeps_start=True).rstrip()
