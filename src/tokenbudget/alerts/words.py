"""What an alert says: what, where, how much, since when, what will happen, what to do."""

from __future__ import annotations

from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.notices import ESCALATE, FIRE, REPEAT, RESOLVE
from tokenbudget.alerts.rules import (
    BURN,
    CONTEXT,
    COSTS,
    CRITICAL,
    EMERGENCY,
    FIVE_HOUR,
    INFO,
    SEVEN_DAY,
    SHARES,
    WARNING,
)
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tokenbudget.alerts.rules import Item, Observation, Rule
    from tokenbudget.alerts.state import Alert, Held

NAMES = {
    CONTEXT: "context window",
    FIVE_HOUR: "5-hour limit",
    SEVEN_DAY: "7-day limit",
    "session-cost": "cost of the session",
    "day-cost": "cost of the day",
    "week-cost": "cost of the week",
    BURN: "burn rate",
}

SYMBOLS = {INFO: "●", WARNING: "▲", CRITICAL: "◆", EMERGENCY: "✖"}

MOST_ITEMS = 3

_CONTEXT_ADVICE = {
    INFO: "Nothing has to be done yet.",
    WARNING: "Prefer knowledge search over reading whole files.",
    CRITICAL: "Delegate searches and test runs to a subagent.",
    EMERGENCY: "Compact now (/compact) or start a new session.",
}
_LIMIT_ADVICE = {
    INFO: "Nothing has to be done yet.",
    WARNING: "Prefer knowledge search over reading whole files; leave long jobs for later.",
    CRITICAL: "Delegate to a subagent on a cheaper model, and put off what can wait.",
    EMERGENCY: "Save your work: compact or start a new session, and pause until the reset.",
}
_COST_ADVICE = {
    INFO: "Nothing has to be done yet.",
    WARNING: "Prefer knowledge search over reading whole files; see tokens usage --by session.",
    CRITICAL: "Delegate to a subagent on a cheaper model.",
    EMERGENCY: "Compact or start a new session: every request pays for the whole window again.",
}
_SEVERITIES = ("even", "fast", "very fast", "far too fast")


def recommendation(scope: str, level: str, items: Sequence[Item]) -> str:
    """What to do at this level, naming what would free most."""
    if scope == CONTEXT:
        advice = _CONTEXT_ADVICE[level]
    else:
        advice = (_COST_ADVICE if scope in COSTS else _LIMIT_ADVICE)[level]
    if not items:
        return advice
    lead = "Largest" if level == INFO else "Would free most"
    return f"{advice} {lead}: {', '.join(_item(item) for item in items[:MOST_ITEMS])}."


def shown_value(scope: str, value: float | Decimal) -> str:
    """A value with its unit: `81%`, `$5.20`, `very fast`. A share is never rounded up."""
    if scope in SHARES:
        return f"{int(round(float(value) * 100, 6))}%"
    if scope in COSTS:
        return f"${value:,.2f}"
    return _SEVERITIES[min(int(value), len(_SEVERITIES) - 1)]


def title(kind: str, alert: Alert, is_gone: bool = False) -> str:
    """One line that says it all.

    Args:
        kind: Of the notice.
        alert: As it stands.
        is_gone: Its session or window has ended, so that its last value says nothing any more.
    """
    what, where = NAMES.get(alert.scope, alert.scope), one_line(alert.where or alert.scope_id, 80)
    by_kind = {
        FIRE: f"{what} at {alert.value}",
        ESCALATE: f"{what} now at {alert.value}",
        REPEAT: f"{what} still at {alert.value}",
        RESOLVE: f"over: {what}" if is_gone else f"over: {what} at {alert.value}",
    }
    return f"{by_kind[kind]}: {where}" if where else by_kind[kind]


def body(
    kind: str, alert: Alert, rule: Rule, seen: Observation | None, now_ms: int, reason: str
) -> str:
    """The sentences under the title."""
    if kind == RESOLVE:
        return f"{reason} It had lasted {shown_span(now_ms - alert.since_ms)}."
    step = rule.steps[min(alert.step, len(rule.steps) - 1)]
    begun = shown_value(rule.scope, step.at)
    said = [
        f"{SYMBOLS[step.level]} {step.level}: {_measured(rule.scope, alert.value)};"
        f" the alert begins at {begun}. It has lasted {shown_span(now_ms - alert.since_ms)}."
    ]
    if seen is not None and seen.outlook:
        said.append(f"Outlook: {one_line(seen.outlook)}.")
    if kind == REPEAT:
        said.append("Nothing has changed. tokens alert ack stops these reminders.")
    return "\n".join(said)


def digest_title(held: Sequence[Held]) -> str:
    """How much the quiet hours kept."""
    still = sum(h.over_ms is None for h in held)
    count = "1 alert" if len(held) == 1 else f"{len(held)} alerts"
    return f"{count} in the quiet hours, {still or 'none'} still open"


def digest_body(held: Sequence[Held], now_ms: int) -> str:
    """A line for each alert."""
    return "\n".join(_digest_line(h, now_ms) for h in held)


def _digest_line(held: Held, now_ms: int) -> str:
    begun = f"{SYMBOLS[held.level]} {held.title}, {shown_span(now_ms - held.at_ms)} ago"
    if held.over_ms is None or held.over_ms == held.at_ms:
        return begun
    return f"{begun}, over {shown_span(now_ms - held.over_ms)} ago"


def _measured(scope: str, value: str) -> str:
    if scope == CONTEXT:
        return f"{value} of the context window is used"
    if scope in SHARES:
        return f"{value} of the {NAMES[scope]} is used"
    if scope in COSTS:
        return f"{NAMES[scope]} is {value}"
    return f"the limit burns {value}"


def _item(item: Item) -> str:
    name = one_line(item.name, 60)
    return name if item.tokens is None else f"{name} ({_short(item.tokens)})"


def _short(tokens: int) -> str:
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M"
    return f"{tokens / 1_000:.3g}K" if tokens >= 1_000 else str(tokens)
