"""One moment of everything that a live view shows: immutable, and made of plain values.

Whoever draws it (the terminal, a plain frame, a tracker file, a page) decides only where it stands
and in which colour. Texts out of transcripts are still as they were found: what shows them cleans
them. `None` is unknown, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.cache_state import UNKNOWN as UNKNOWN_CACHE
from tokenbudget.analysis.cache_state import CacheState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tokenbudget.analysis.composition import Component, Item
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import BudgetRow, LimitState, WindowBudget
    from tokenbudget.budget.burn import Burn
    from tokenbudget.budget.forecast import Crossing
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.control_standing import Standing

MOST_CONSUMERS = 40
BUCKET_MS = 120_000
BUCKETS = 30
"""The sparkline of the burn: the last hour, in steps of two minutes."""


class SessionLine(NamedTuple):
    """One session in the list of all that are live."""

    session: str
    project: str
    """The folder as the ledger names it; '' is unknown."""
    title: str
    model: str
    total_tokens: int | None
    window_tokens: int | None
    level: str | None
    at_ms: int
    """When it was last active."""

    @property
    def share(self) -> float | None:
        """Of its window."""
        if self.total_tokens is None or not self.window_tokens:
            return None
        return self.total_tokens / self.window_tokens


class Consumer(NamedTuple):
    """Something that occupies the window: what could leave it."""

    kind: str
    """The component that it belongs to, such as `Context files` or `MCP tools`."""
    name: str
    tokens: int
    reads: int
    """How often a file was read; 0 for everything else."""
    stale_tokens: int
    """In copies that a later read or edit has overtaken."""


class Spend(NamedTuple):
    """Money, in USD; what has no price is in `unpriced_tokens` and in no sum."""

    session_usd: Decimal | None
    hour_usd: Decimal | None
    """An hour at the pace of the last one; None while there is too little to tell a pace from."""
    unpriced_tokens: int


class AlertLine(NamedTuple):
    """An alert that fires, or waits to."""

    rule_id: str
    level: str
    title: str
    status: str
    """A word such as `firing`, `pending`, `firing, acked`, `no data`."""
    since_ms: int


class Decision(NamedTuple):
    """What was decided, and what came of it; the place for what later capabilities do."""

    at_ms: int
    title: str
    outcome: str


class SessionView(NamedTuple):
    """The chosen session, whole."""

    session: str
    agent: str
    project: str
    title: str
    git_branch: str
    model: str
    at_ms: int
    """The last request; 0 where there is none."""
    level: str | None
    """Of `budget.health.LEVELS`: with a memory."""
    light: str | None
    """The traffic light, without one: green, yellow, red."""
    total_tokens: int | None
    window_tokens: int | None
    until_compaction_tokens: int | None
    threshold_shares: tuple[float, float, float]
    """Where warning, critical and emergency begin."""
    rows: tuple[BudgetRow, ...]
    burns: tuple[Burn, ...]
    grown_tokens: tuple[int, ...]
    """Growth of the window per `BUCKET_MS` over the last hour, oldest first."""
    ahead: tuple[Crossing, ...]
    """The thresholds that are not reached yet, nearest first."""
    forecast_reason: str
    """Why nothing is foretold; '' where something is."""
    spend: Spend
    cache: CacheState
    consumers: tuple[Consumer, ...]
    recommendations: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """Of the window."""
        if self.total_tokens is None or not self.window_tokens:
            return None
        return self.total_tokens / self.window_tokens


class Frame(NamedTuple):
    """One tick."""

    made_at_ms: int
    interval_seconds: float
    sessions: tuple[SessionLine, ...]
    """Those that are live, the last used first; the chosen one is among them."""
    chosen: SessionView | None
    """None where there is no session at all."""
    limits: tuple[LimitState, ...]
    alerts: tuple[AlertLine, ...]
    decisions: tuple[Decision, ...]
    faults: tuple[str, ...]
    """What went wrong in this tick, a sentence each; the rest is as good as it can be."""
    utc_offset_seconds: int
    """Of the zone whose times are shown, now."""
    control: Standing | None = None
    """How the controller stands with the chosen session; None where none has looked at it."""


def session_view(
    facts: SessionRow,
    window: SessionWindow,
    budget: WindowBudget,
    shares: tuple[float, float, float],
    spend: Spend,
    now_ms: int,
    cache: CacheState = UNKNOWN_CACHE,
) -> SessionView:
    """The chosen session as it stands at `now_ms`; `shares` are the thresholds of its health."""
    ahead = tuple(
        crossing
        for crossing in window.crossings
        if crossing.requests is not None and crossing.requests.p90 != 0
    )
    unknown = [crossing.reason for crossing in window.crossings if crossing.requests is None]
    reason = "nothing is known until the next request" if window.changed_since else ""
    return SessionView(
        session=facts.session,
        agent=window.agent,
        project=facts.project,
        title=facts.title,
        git_branch=facts.git_branch,
        model=window.model,
        at_ms=window.at_ms,
        level=budget.level,
        light=budget.light,
        total_tokens=window.total_tokens,
        window_tokens=window.size.tokens,
        until_compaction_tokens=window.until_compaction_tokens,
        threshold_shares=shares,
        rows=tuple(budget.rows),
        burns=tuple(budget.burns),
        grown_tokens=growth(window, now_ms),
        ahead=() if window.changed_since else ahead,
        forecast_reason=reason or ("" if ahead else next(iter(unknown), "")),
        spend=spend,
        cache=cache,
        consumers=consumers(window, facts.project.rstrip("/")),
        recommendations=tuple(budget.advice),
        notes=window.notes,
    )


def growth(window: SessionWindow, now_ms: int) -> tuple[int, ...]:
    """What the window grew by in each of the last `BUCKETS` stretches, oldest first.

    They begin at whole multiples of `BUCKET_MS`, so that what is past stays as it was shown.
    """
    begin_ms = (-(-now_ms // BUCKET_MS) - BUCKETS) * BUCKET_MS
    found = [0] * BUCKETS
    for before, after in zip(window.samples, window.samples[1:], strict=False):
        place = (after.at_ms - begin_ms) // BUCKET_MS
        grown = after.window_tokens - before.window_tokens
        if 0 <= place < BUCKETS and grown > 0:
            found[place] += grown
    return tuple(found)


_WITHOUT_ITEMS = (window_pieces.SYSTEM_PROMPT, window_pieces.HIDDEN)
"""Parts that nobody can take out piece by piece."""


def consumers(
    window: SessionWindow, project: str, most: int = MOST_CONSUMERS
) -> tuple[Consumer, ...]:
    """What occupies most of the window, largest first; files as seen from their project."""
    found = [
        one
        for component in window.components
        if component.key not in _WITHOUT_ITEMS
        for item in component.items
        for one in _consumers(component, item, project)
        if one.tokens > 0
    ]
    return tuple(sorted(found, key=lambda one: (-one.tokens, one.name))[:most])


def _consumers(component: Component, item: Item, project: str) -> list[Consumer]:
    """An item; of calls and results, a line for each tool."""
    if component.key == window_pieces.MESSAGES and item.children:
        return [
            Consumer(component.title, f"{part.name}, {item.name}", part.tokens, 0, 0)
            for part in item.children
        ]
    name = item.name
    if project and name.startswith(f"{project}/"):
        name = name[len(project) + 1 :]
    return [Consumer(component.title, name, item.tokens, item.reads, item.stale_tokens)]


def chosen_first(lines: Sequence[SessionLine], session: str) -> tuple[SessionLine, ...]:
    """The lines, those of the chosen session before the others."""
    return tuple(sorted(lines, key=lambda line: (line.session != session, -line.at_ms)))
