"""Lists that a person can move in: their items as lines, before any of them is chosen."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal.moment import level_role
from tokenbudget.dashboard.terminal.spans import (
    FAINT,
    PLAIN,
    STRONG,
    Line,
    Span,
    between,
    fitted,
    line,
    width_of,
)
from tokenbudget.model.figures import cut, padded, short_count, text_width, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.dashboard.terminal.moment import Moment
    from tokenbudget.dashboard.view_model import Consumer, SessionLine, SessionView


class Item(NamedTuple):
    """One thing in a list."""

    key: str
    """What it is, from frame to frame: the cursor stays with it."""
    lines: tuple[Line, ...]


CONSUMER_ORDERS = ("tokens", "reads", "stale", "name")
SESSION_ORDERS = ("activity", "use", "project")
_CONSUMER_KEYS: dict[str, Callable[[Consumer], tuple[int | str, ...]]] = {
    "tokens": lambda one: (-one.tokens, one.name),
    "reads": lambda one: (-one.reads, -one.tokens, one.name),
    "stale": lambda one: (-one.stale_tokens, -one.tokens, one.name),
    "name": lambda one: (one.name.casefold(), -one.tokens),
}
_SESSION_KEYS: dict[str, Callable[[SessionLine], tuple[float | str, ...]]] = {
    "activity": lambda one: (-one.at_ms, one.session),
    "use": lambda one: (-(one.share or -1.0), one.session),
    "project": lambda one: (words.project_name(one.project).casefold(), -one.at_ms),
}


def chosen_consumers(view: SessionView, query: str, order: str) -> list[Consumer]:
    """Those that hold the words of the query, in this order."""
    found = [one for one in view.consumers if is_match(query, one.kind, one.name)]
    return sorted(found, key=_CONSUMER_KEYS[order])


def chosen_sessions(moment: Moment, query: str, order: str) -> list[SessionLine]:
    """The live sessions that hold the words of the query, in this order."""
    lines = moment.frame.sessions if moment.frame else ()
    found = [one for one in lines if is_match(query, one.project, one.title, one.model, one.level
             or "", one.session)]  # fmt: skip
    return sorted(found, key=_SESSION_KEYS[order])


def is_match(query: str, *texts: str) -> bool:
    """Whether every word of the query is in one of the texts."""
    shown = " ".join(words.clean(text) for text in texts).casefold()
    return all(word in shown for word in query.casefold().split())


def consumer_item(one: Consumer, project: str, width: int, order: str) -> Item:
    """`src/cart.py   9 reads, 8.2K stale   18.4K`."""
    prefix = project.rstrip("/") + "/"
    name = words.clean(one.name.removeprefix(prefix) if project else one.name)
    tokens = f"{short_count(one.tokens):>6}"
    if width >= 64:
        kind = Span(padded(words.clean(one.kind).lower(), 15), FAINT)
        extra = padded(_reads(one), 20)
        right = line(kind, Span(extra, FAINT), tokens)
    else:
        extra = f"{short_count(one.stale_tokens)} stale" if order == "stale" else _reads(one)
        extra = _reads(one).partition(",")[0] if width < 44 and order != "stale" else extra
        right = line(Span(f"{extra:>10}", FAINT), tokens)
    room = max(4, width - sum(len(span.text) for span in right) - 1)
    return Item(one.kind + one.name, (between(line(cut(name, room)), right, width),))


def _reads(one: Consumer) -> str:
    return words.consumer_words(one) if one.reads or one.stale_tokens else ""


def advice_items(view: SessionView, width: int, height: int) -> list[Item]:
    """Numbered; each in as many lines as leave room for all."""
    texts = [words.clean(text) for text in view.recommendations]
    whole = [wrapped(text, width - 3) for text in texts]
    most = [1] * len(whole)
    for place, lines in enumerate(whole):
        most[place] = max(1, min(len(lines), height - sum(most) + 1))
    return [
        Item(texts[number], _numbered(number + 1, lines, most[number], width))
        for number, lines in enumerate(whole)
    ]


def _numbered(number: int, lines: Sequence[str], most: int, width: int) -> tuple[Line, ...]:
    kept = list(lines[:most])
    if len(lines) > most:
        kept[-1] = cut(" ".join(lines[most - 1 :]), width - 3, keeps_start=True)
    return tuple(
        fitted(line(Span(f"{number}  " if i == 0 else "   ", STRONG), text), width)
        for i, text in enumerate(kept)
    )


def alert_items(moment: Moment, width: int) -> list[Item]:
    """`▲ context window at 71% · firing for 12m`."""
    found = []
    for alert in moment.frame.alerts if moment.frame else ():
        symbol, _, rest = words.alert_words(alert, moment.now_ms).partition(" ")
        role = level_role(alert.level) if alert.level != "info" else PLAIN
        found.append(Item(alert.rule_id, (_named(symbol, role, rest, width),)))
    return found


def _named(symbol: str, role: str, rest: str, width: int) -> Line:
    """What is told last is shown whole; the title before it gives way."""
    title, dot, status = rest.rpartition(" · ")
    if text_width(rest) + 2 > width:
        status = status.removeprefix("firing for ").replace(" for ", " ")
    right = line(Span(f" · {status}" if dot else status, FAINT))
    room = max(4, width - 2 - len(right[0].text))
    return fitted(line(Span(f"{symbol} ", role), cut(title, room, keeps_start=True), *right), width)


def decision_items(moment: Moment, width: int) -> list[Item]:
    """`13:53  shorten results of npm test · freed 11,240 tokens`."""
    frame = moment.frame
    if frame is None:
        return []
    return [
        Item(
            f"{one.at_ms}{one.title}",
            (
                fitted(
                    line(
                        Span(f"{words.time_of_day(one.at_ms, frame)}  ", FAINT),
                        words.clean(one.title),
                        Span(f" · {words.clean(one.outcome)}" if one.outcome else "", FAINT),
                    ),
                    width,
                ),
            ),
        )
        for one in frame.decisions
    ]


def session_item(one: SessionLine, moment: Moment, width: int, chosen: str) -> Item:
    """Level, project and title, use, model, last activity; what matters less goes first."""
    mark = "▸ " if one.session == chosen else "  "
    has_words = width >= 70
    level = words.level_words(one.level)
    role = FAINT if moment.is_stale else level_role(one.level)
    use = "?" if one.share is None else words.percent(one.share)
    right = [Span(f"{use:>5}")]
    if width >= 50:
        size = f"of {short_count(one.window_tokens):>5}" if one.window_tokens else ""
        right.append(Span(f" {size:<8}", FAINT))
    if has_words:
        right.append(Span("  " + padded(words.model_name(one.model), width // 6), FAINT))
    age = words.age_words(one.at_ms, moment.now_ms)
    right.append(Span(f"{age.removesuffix(' ago'):>8}", FAINT))
    begin = line(
        mark, Span(padded(level if has_words else level[:1], 12 if has_words else 2), role)
    )
    room = max(4, width - width_of((*begin, *right)) - 1)
    project, name = words.project_name(one.project), words.session_name(one)
    named = cut(f"{project} · {name}" if project else name, room, keeps_start=True)
    return Item(one.session, (between(line(*begin, named), right, width),))
