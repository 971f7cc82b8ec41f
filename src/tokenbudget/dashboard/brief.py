"""One frame in a few lines, for whoever reads them inside the agent, where every word costs."""

from __future__ import annotations

from tokenbudget.dashboard import controlling, words
from tokenbudget.model.figures import cut, short_count
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_budget import BudgetRow
    from tokenbudget.dashboard.view_model import Frame, SessionView

LARGEST_SHOWN = 3
NAME_WIDTH = 40
ADVICE_WIDTH = 140
ALERTS_SHOWN = 2


def brief_lines(frame: Frame) -> list[str]:
    """How the chosen session stands: the answer first, the least important last."""
    view = frame.chosen
    if view is None:
        return ["? no session has been read yet; ask again after the first answer."]
    lines = [
        _head(view),
        " · ".join(_part(row) for row in view.rows if row.tokens != 0),
        f"Burn {words.burn_words(view)} · {_ahead(view)}",
        f"{words.cost_words(view)} · cache {words.cache_words(view, frame.made_at_ms)}",
        _limits(frame),
        _largest(view),
    ]
    lines += [f"Do: {cut(one_line(text), ADVICE_WIDTH)}" for text in view.recommendations[:1]]
    lines += [_control(frame)]
    alerts = [words.alert_words(one, frame.made_at_ms) for one in frame.alerts[:ALERTS_SHOWN]]
    return [line for line in lines + alerts if line]


def _head(view: SessionView) -> str:
    where = words.project_name(view.project)
    parts = (words.used_words(view), words.amount_words(view), where, words.model_name(view.model))
    named = " · ".join(cut(part, NAME_WIDTH) for part in parts if part)
    return f"{words.level_words(view.level)}: {named}"


def _part(row: BudgetRow) -> str:
    tokens = "?"
    if row.tokens is not None:
        tokens = f"{'' if row.is_exact else '~'}{short_count(row.tokens)}"
    over = (
        f" (over {short_count(row.allotted_tokens)})" if row.is_over and row.allotted_tokens else ""
    )
    return f"{words.clean(row.name).partition(' (')[0]} {tokens}{over}"


def _ahead(view: SessionView) -> str:
    if view.ahead:
        return words.next_words(view)
    reason = words.clean(view.forecast_reason)
    return f"no forecast ({reason})" if reason else "every threshold is reached"


def _limits(frame: Frame) -> str:
    known = [one for one in frame.limits if one.forecast.used_share is not None]
    return " · ".join(words.limit_words(one, frame) for one in known)


def _control(frame: Frame) -> str:
    """What the controller does, where it does more than look on."""
    standing = frame.control
    if standing is None or standing.last is None or standing.last.code == "healthy":
        return ""
    now = controlling.now_words(standing, frame.made_at_ms)
    following = controlling.next_words(standing, frame.made_at_ms)
    return cut(
        f"Control: {now}; next: {following}" if following else f"Control: {now}", ADVICE_WIDTH
    )


def _largest(view: SessionView) -> str:
    found = [
        f"{cut(words.clean(one.name), NAME_WIDTH)} {short_count(one.tokens)}"
        for one in view.consumers[:LARGEST_SHOWN]
    ]
    return f"Largest: {' · '.join(found)}" if found else ""
