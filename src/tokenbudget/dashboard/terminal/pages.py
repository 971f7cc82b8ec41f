"""Pages of text that lie over the main screen: help, alerts, decisions, and one thing in full."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget import health
from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal.keys import APP_KEYS
from tokenbudget.dashboard.terminal.moment import level_role
from tokenbudget.dashboard.terminal.spans import FAINT, PLAIN, STRONG, Line, Span, line
from tokenbudget.model.figures import padded, wrapped
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.dashboard.terminal.moment import Moment
    from tokenbudget.dashboard.view_model import Consumer, Frame

HELP, ALERTS, DECISIONS, ADVICE, CONSUMER = "help", "alerts", "decisions", "advice", "consumer"
LONGEST = 2_000
"""Characters of one text that are shown in full."""
NO_ALERTS = "no alert fires"
NO_DECISIONS = "nothing has been decided: advise mode"
_SIGNS = (
    ("~", "calibrated: right within a few per cent"),
    ("?", "unknown"),
    ("!", "over its allotment, or spent too early"),
    ("P50", "the median; P10 and P90 stand beside it"),
    ("peak", "the most that the window grew in 2 minutes"),
)


class Page(NamedTuple):
    """A title and what stands below it."""

    title: str
    lines: tuple[Line, ...]


def page(kind: str, key: str, moment: Moment, width: int) -> Page:
    """The page of this kind; `key` says of which thing."""
    if kind == HELP:
        return Page("Help", _help(width))
    if kind == ALERTS:
        return Page("Alerts", _alerts(moment, width))
    if kind == DECISIONS:
        return Page("Decisions", _decisions(moment, width))
    if kind == ADVICE:
        return Page(f"Recommendation {key}", _advice(int(key), moment, width))
    return Page("Consumer", _consumer(key, moment, width))


def _help(width: int) -> tuple[Line, ...]:
    keys = [line(Span(f"{key.shown:>6}  ", STRONG), key.help) for key in APP_KEYS]
    levels = [
        line(Span(f"{symbol:>6}  ", level_role(level)), Span(level, level_role(level)))
        for level, symbol in health.SYMBOLS.items()
    ]
    signs = [line(Span(f"{sign:>6}  ", STRONG), text) for sign, text in _SIGNS]
    scale = (
        "The health level has four steps and a memory: better is believed once it has held."
        " The traffic light has three colours and none."
    )
    ground = [line(Span(text, FAINT)) for text in wrapped(scale, width)]
    if width >= 90:
        right = [*levels, *signs]
        right += [()] * (len(keys) - len(right))
        beside = [
            (Span(padded("".join(s.text for s in one), 62)[:8], STRONG),
             Span(padded("".join(s.text for s in one), 62)[8:]), *other)
            for one, other in zip(keys, right, strict=True)
        ]  # fmt: skip
        return (*beside, (), *ground)
    return (*keys, (), *levels, *signs, (), *ground)


def _alerts(moment: Moment, width: int) -> tuple[Line, ...]:
    found: list[Line] = []
    for alert in moment.frame.alerts if moment.frame else ():
        symbol = words.ALERT_SYMBOLS.get(alert.level, "●")
        role = level_role(alert.level) if alert.level != "info" else PLAIN
        level = words.clean(alert.level)
        found.append(line(Span(f"{symbol} {level}", role), Span(f"  {words.clean(alert.status)} for"
                     f" {words.age_words(alert.since_ms, moment.now_ms).removesuffix(' ago')}"
                     )))  # fmt: skip
        found += _text(alert.title, width)
        rule = words.clean(alert.rule_id)
        found += [line(Span(f"  tokens alert why {rule}   tokens alert ack {rule}", FAINT)), ()]
    return (
        *(found or (
            line(Span(NO_ALERTS, STRONG)),
            (),
            line("Set one: tokens alert 80          what has been: tokens alert history"),
            (),
        )),
        *_faults(moment, width),
    )  # fmt: skip


def _faults(moment: Moment, width: int) -> list[Line]:
    """What the lowest border has no room for."""
    if not moment.faults:
        return []
    found = [line(Span("What went wrong", STRONG))]
    for fault in moment.faults:
        found += _text(fault, width)
    return found


def _decisions(moment: Moment, width: int) -> tuple[Line, ...]:
    frame = moment.frame
    found: list[Line] = []
    for one in frame.decisions if frame else ():
        found.append(line(Span(_when(one.at_ms, frame), STRONG)))
        found += _text(one.title, width)
        found += [line(Span(text.text, FAINT)) for row in _text(one.outcome, width) for text in row]
        found.append(())
    return tuple(found) or (
        line(Span(NO_DECISIONS, STRONG)),
        (),
        *(line(text) for text in wrapped("What is worth doing is listed under Recommended; nothing"
          " is done by itself until autoOptimize is set: tokens config --explain", width)),
    )  # fmt: skip


def _when(at_ms: int, frame: Frame | None) -> str:
    return words.time_of_day(at_ms, frame) if frame else ""


def _advice(number: int, moment: Moment, width: int) -> tuple[Line, ...]:
    view = moment.view
    if view is None or not 0 < number <= len(view.recommendations):
        return (line(Span("there is no such recommendation now", FAINT)),)
    session = words.clean(view.session[:8])
    return (
        *_text(view.recommendations[number - 1], width),
        (),
        line(Span("What fills the window    ", FAINT), f"tokens context {session}"),
        line(Span("Against its plan         ", FAINT), f"tokens budget {session}"),
        line(Span("How it came to be        ", FAINT), f"tokens timeline {session}"),
    )


def _consumer(key: str, moment: Moment, width: int) -> tuple[Line, ...]:
    view = moment.view
    found = [one for one in (view.consumers if view else ()) if one.kind + one.name == key]
    if not found or view is None:
        return (line(Span("it is not in the window any more", FAINT)),)
    one = found[0]
    share = (
        f", {words.percent(one.tokens / view.window_tokens)} of it" if view.window_tokens else ""
    )
    facts = [line(Span("Holds      ", FAINT), f"{one.tokens:,} tokens of the window{share}")]
    if one.reads:
        facts.append(line(Span("Was read   ", FAINT), f"{one.reads} times"))
    if one.stale_tokens:
        facts.append(line(Span("Stale      ", FAINT), f"{one.stale_tokens:,} tokens in copies that"
                          " a later read or edit has overtaken"))  # fmt: skip
    return (*_text(one.name, width), line(Span(words.clean(one.kind), FAINT)), (), *facts, (),
            *(line(text) for text in _remedy(one, width)))  # fmt: skip


def _remedy(one: Consumer, width: int) -> list[str]:
    if one.stale_tokens:
        return wrapped("/compact drops the copies that are out of date.", width)
    if one.kind == "MCP tools":
        return wrapped("A server that is not called can be turned off with /mcp; it costs this"
                       " much in every request.", width)  # fmt: skip
    return wrapped("It leaves the window with /compact or /clear.", width)


def _text(text: str, width: int) -> list[Line]:
    """A text from elsewhere in full, or nearly."""
    return [line(piece) for piece in wrapped(one_line(text[:LONGEST]), width)]
