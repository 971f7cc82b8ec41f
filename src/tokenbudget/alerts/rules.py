"""What is watched, from where on it is told, and what was seen of it.

A rule is a ladder: it fires at its first step and rises with every further one, never back.
"""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from tokenbudget.alerts.inert import one_line
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

INFO, WARNING, CRITICAL, EMERGENCY = "info", "warning", "critical", "emergency"
LEVELS = (INFO, WARNING, CRITICAL, EMERGENCY)
"""From mildest to worst; the last three are the health levels of a window."""

CONTEXT, FIVE_HOUR, SEVEN_DAY = "context", "five-hour", "seven-day"
SESSION_COST, DAY_COST, WEEK_COST = "session-cost", "day-cost", "week-cost"
BURN = "burn"

SHARES = (CONTEXT, FIVE_HOUR, SEVEN_DAY)
COSTS = (SESSION_COST, DAY_COST, WEEK_COST)
SCOPES = (*SHARES, *COSTS, BURN)

PERCENTS = (50, 70, 80, 90)
"""The steps of a share; each has its level and its advice."""

DEFAULT_PERCENT = 80

MARGIN_SHARE = 0.03
"""How far a share must fall below the first step before it counts as over (3 points)."""

COST_FACTORS = ("1", "1.5", "2")
"""The steps of a cost, as multiples of what was set."""

_WINDOW_GRID_MS = 30 * 60_000  # the reported reset of one window wavers by seconds to minutes


class Step(NamedTuple):
    """From here on a rule has this level."""

    at: float | Decimal
    """A share of 0 to 1, US dollars, or the severity of a burn (1, 2, 3)."""
    level: str


class Rule(NamedTuple):
    """One thing that a person wants to be told about; a plain value."""

    id: str
    scope: str
    steps: tuple[Step, ...]
    """Ascending; at least one."""
    channels: tuple[str, ...]
    """Names of the channels that it is told on."""
    scope_id: str = ""
    """Only this session; '' is every one."""


class Item(NamedTuple):
    """Something that would free most: a file, a server, a result."""

    name: str
    tokens: int | None = None
    """What it occupies; `None` is unknown."""


class Observation(NamedTuple):
    """What was seen of one thing at one time."""

    scope: str
    scope_id: str
    """A session's id; an account's or a project's name for a limit or a cost."""
    window_id: str
    """The window inside it: a new one is a new alert. See `limit_window_id`; '' for a context."""
    value: float | Decimal
    at_ms: int
    """When it was so, in milliseconds since 1970."""
    is_known: bool = True
    """False is "no data": the value then says nothing."""
    is_over: bool = False
    """The session or the window has ended."""
    where: str = ""
    """What a person calls it: project and title."""
    outlook: str = ""
    """What will happen, such as `full in about 51m`; with its confidence when it is a guess."""
    items: tuple[Item, ...] = ()
    """What would free most, largest first."""


def share_rule(
    scope: str, percent: int = DEFAULT_PERCENT, channels: Sequence[str] = (), scope_id: str = ""
) -> Rule:
    """A rule over a share, rising with every further step of 50, 70, 80, 90.

    Raises:
        BadRequest: no such scope, or no such step.
    """
    if scope not in SHARES:
        raise BadRequest(f"{one_line(scope, 40)!r} is no share; use {', '.join(SHARES)}")
    if percent not in PERCENTS:
        allowed = ", ".join(map(str, PERCENTS))
        raise BadRequest(f"an alert at {percent} % cannot be set; use one of {allowed}")
    ladder = zip(PERCENTS, LEVELS, strict=True)
    steps = tuple(Step(step / 100, level) for step, level in ladder if step >= percent)
    return Rule(_named(f"{scope}-{percent}", scope_id), scope, steps, tuple(channels), scope_id)


def cost_rule(
    scope: str, usd: Decimal | str, channels: Sequence[str] = (), scope_id: str = ""
) -> Rule:
    """A rule over money: a warning at the amount, critical at 1.5 times, emergency at twice.

    Raises:
        BadRequest: no such scope, or no amount above 0.
    """
    if scope not in COSTS:
        raise BadRequest(f"{one_line(scope, 40)!r} is no cost; use {', '.join(COSTS)}")
    amount = _amount(usd)
    ladder = zip(COST_FACTORS, LEVELS[1:], strict=True)
    steps = tuple(Step(amount * type(amount)(factor), level) for factor, level in ladder)
    rule_id = _named(f"{scope}-{amount.normalize():f}", scope_id)
    return Rule(rule_id, scope, steps, tuple(channels), scope_id)


def burn_rule(channels: Sequence[str] = ()) -> Rule:
    """A rule over how fast the 5-hour and 7-day limits burn; see `burn_rate`."""
    steps = tuple(Step(float(i), level) for i, level in enumerate(LEVELS[:3], 1))
    return Rule(BURN, BURN, steps, tuple(channels))


def limit_window_id(resets_at_ms: int) -> str:
    """The window of a limit, by its reset: the nearest half hour, because reports waver."""
    return str((resets_at_ms + _WINDOW_GRID_MS // 2) // _WINDOW_GRID_MS * _WINDOW_GRID_MS)


def step_of(rule: Rule, value: float | Decimal) -> int:
    """The number of the highest step that the value has reached; -1 for none."""
    return sum(value >= step.at for step in rule.steps) - 1


def is_below(rule: Rule, value: float | Decimal) -> bool:
    """Whether the value is so far below the first step that the alert may count as over."""
    first = rule.steps[0].at
    if rule.scope in SHARES:
        return value < round(float(first) - MARGIN_SHARE, 9)
    return value < first


def is_sound(seen: Observation) -> bool:
    """Whether a value can be used: not a NaN, not infinite, not below 0."""
    return bool(isfinite(seen.value) and seen.value >= 0)


def fingerprint(rule: Rule, scope_id: str, window_id: str) -> str:
    """What makes two crossings the same: rule, scope, whose, and window."""
    parts = (rule.id, rule.scope, scope_id, window_id)
    joined = "|".join(part.replace("%", "%25").replace("|", "%7C") for part in parts)
    return joined.encode("utf-8", "backslashreplace").decode()  # a store may refuse lone surrogates


def without_overlap(rules: Sequence[Rule]) -> list[Rule]:
    """The rules, each ending where a higher one on the same channels takes over.

    Someone who has set 50 and 80 wants one message at 80, not two.
    """
    return [_up_to_the_next(rule, rules) for rule in rules]


def takes_over(other: Rule, rule: Rule) -> bool:
    """Whether this rule's ladder ends where another one begins, whatever the session."""
    return (
        tells_instead(other, rule)
        and other.scope_id in ("", rule.scope_id)
        and other.steps[0].at > rule.steps[0].at
    )


def tells_instead(other: Rule, rule: Rule) -> bool:
    """Whether another rule, where it fires as well, tells everybody whom this one tells.

    One that begins higher; of two that begin alike the one that is for a single session.
    """
    begins = (rule.steps[0].at, bool(rule.scope_id))
    return (
        other.scope == rule.scope
        and (other.steps[0].at, bool(other.scope_id)) > begins
        and set(other.channels) >= set(rule.channels)
    )


def _up_to_the_next(rule: Rule, rules: Sequence[Rule]) -> Rule:
    starts = [other.steps[0].at for other in rules if takes_over(other, rule)]
    if not starts:
        return rule
    return rule._replace(steps=tuple(s for s in rule.steps if s.at < min(starts)))


def _named(name: str, scope_id: str) -> str:
    return f"{name}@{one_line(scope_id, 80)}" if scope_id else name


def _amount(usd: Decimal | str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(str(usd).strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not Decimal("0.01") <= amount <= 1_000_000:
        shown = one_line(str(usd), 40)
        raise BadRequest(f"{shown!r} is no amount in US dollars; write one such as 5 or 12.50")
    return amount
