"""A window against its plan: what each part was allotted, how healthy it is, when it runs out."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.composition import ALL_SERVERS, EXACT
from tokenbudget.budget import allocation, burn, health
from tokenbudget.budget.limits import (
    FIVE_HOURS_MS,
    SEVEN_DAYS_MS,
    LimitSample,
    limit_experience_of,
    limit_forecast,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.analysis.composition import Component, Item
    from tokenbudget.analysis.session_window import Sample, SessionWindow
    from tokenbudget.budget.limits import LimitForecast

SYSTEM = "System"
MCPS = "MCPs (active)"
SKILLS = "Skills (loaded)"
AGENTS = "Agents"
MESSAGES = "Messages"
CONTEXT = "Context"

_ROWS = {
    SYSTEM: (
        window_pieces.SYSTEM_PROMPT,
        window_pieces.SYSTEM_TOOLS,
        window_pieces.MEMORY_FILES,
        window_pieces.HIDDEN,
    ),
    MCPS: (window_pieces.MCP_TOOLS,),
    SKILLS: (window_pieces.SKILLS,),
    AGENTS: (window_pieces.AGENTS,),
    MESSAGES: (window_pieces.MESSAGES,),
    CONTEXT: (window_pieces.CONTEXT_FILES,),
}
_LEAVES = {
    SYSTEM: (allocation.SYSTEM_PROMPT, allocation.MODES, allocation.SYMBOLS),
    MCPS: (allocation.MCP_SERVERS,),
    SKILLS: (allocation.SKILLS,),
    AGENTS: (allocation.AGENTS,),
    MESSAGES: (allocation.CONVERSATION,),
    CONTEXT: (allocation.CONTEXT,),
}

LIMITS = (("five_hour", "5-hour", FIVE_HOURS_MS), ("seven_day", "7-day", SEVEN_DAYS_MS))
SAME_RESET_MS = 600_000
"""Reports of one window name its reset with some seconds' difference."""
MOST_ADVICE = 4
WORTH_TOKENS = 1_000
"""Nobody is told of less."""


class BudgetRow(NamedTuple):
    """One part of the window beside what it was allotted."""

    name: str
    tokens: int | None
    is_exact: bool
    allotted_tokens: int | None
    note: str
    """The largest things in it."""

    @property
    def is_over(self) -> bool:
        """Whether it holds more than its allotment."""
        return self.excess_tokens > 0

    @property
    def excess_tokens(self) -> int:
        """By how much it holds more than that; 0 where it does not, or nobody knows."""
        if self.tokens is None or self.allotted_tokens is None:
            return 0
        return max(0, self.tokens - self.allotted_tokens)


class LimitState(NamedTuple):
    """A usage limit as the agent reported it, and what it will come to."""

    name: str
    title: str
    forecast: LimitForecast


class WindowBudget(NamedTuple):
    """Everything that `tokens budget` says. None is not known."""

    level: str | None
    light: str | None
    share: float | None
    rows: list[BudgetRow]
    burns: list[burn.Burn]
    limits: list[LimitState]
    advice: list[str]


def window_budget(
    window: SessionWindow,
    shares: Mapping[str, float] | None,
    limits: health.Thresholds,
    now_ms: int,
    reports: Mapping[str, Sequence[LimitSample]],
) -> WindowBudget:
    """The state of a window against its plan; `reports` are those of the agent on its limits.

    Raises:
        BadConfig: the shares are impossible.
    """
    size, used = window.size.tokens, window.total_tokens
    plan = allocation.allocated(size or 0, shares)  # where shares are impossible, it says so
    share = None if not size or used is None else used / size
    rows = _rows(window.components, plan if size else None)
    samples = [burn.Sample(sample.at_ms, sample.window_tokens) for sample in window.samples]
    return WindowBudget(
        level=None if share is None or not size else level_of(window.samples, size, limits),
        light=None if share is None else health.traffic_light(share),
        share=share,
        rows=rows,
        burns=burn.burns(samples, now_ms),
        limits=[
            limit_state(name, title, window_ms, reports.get(name, ()), now_ms)
            for name, title, window_ms in LIMITS
        ],
        advice=_advice(window, rows)[:MOST_ADVICE],
    )


def limit_state(
    name: str, title: str, window_ms: int, samples: Sequence[LimitSample], now_ms: int
) -> LimitState:
    """Reports of earlier windows are the experience; those of the open one are its state."""
    windows: dict[int, list[LimitSample]] = {}
    for sample in samples:
        windows.setdefault(sample.resets_at_ms // SAME_RESET_MS, []).append(sample)
    past = [some for some in windows.values() if some[-1].resets_at_ms <= now_ms]
    experience = limit_experience_of(past, window_ms)
    return LimitState(name, title, limit_forecast(samples, now_ms, experience))


def level_of(samples: Sequence[Sample], size_tokens: int, limits: health.Thresholds) -> str:
    """The health level after a session so far; a compaction begins anew."""
    state = health.HealthState()
    for sample in samples:
        share = sample.window_tokens / size_tokens
        if sample.is_reset:
            state = health.HealthState(health.level_of(share, limits))
        else:
            state, _ = health.advance(state, share, sample.at_ms, limits)
    return state.level


def _rows(components: Sequence[Component], plan: allocation.Allocation | None) -> list[BudgetRow]:
    by_key = {component.key: component for component in components}
    rows: list[BudgetRow] = []
    for name, keys in _ROWS.items():
        parts = [by_key[key] for key in keys if key in by_key]
        tokens = sum(part.tokens for part in parts) if components else None
        if not tokens and name == AGENTS:
            continue
        allotted = None
        if plan is not None:
            allotted = sum(plan.tokens_by_leaf[leaf] for leaf in _LEAVES[name])
        is_exact = bool(parts) and all(part.provenance == EXACT for part in parts)
        rows.append(BudgetRow(name, tokens, is_exact, allotted, _note(name, parts)))
    return rows


def _note(name: str, parts: Sequence[Component]) -> str:
    if name == SYSTEM:
        named = [(part.title.lower(), part.tokens) for part in parts if part.tokens]
    else:
        named = [(item.name, item.tokens) for part in parts for item in part.items if item.tokens]
    if name == CONTEXT:
        files = sum(len(part.items) for part in parts)
        return f"{files} file{'' if files == 1 else 's'}" if files else ""
    top = sorted(named, key=lambda pair: -pair[1])[:2]
    return " · ".join(f"{label} {tokens:,}" for label, tokens in top) if len(top) > 1 else ""


def _advice(window: SessionWindow, rows: Sequence[BudgetRow]) -> list[str]:
    """What to do about it, the largest gain first; each with its figures."""
    by_key = {component.key: component for component in window.components}
    found = [*_stale_files(by_key), *_unused_servers(by_key, window.called_servers)]
    found += [
        (row.excess_tokens, _over(row))
        for row in rows
        if row.excess_tokens >= WORTH_TOKENS and not _is_unseen(row, by_key)
    ]
    ordered = [text for _, text in sorted(found, key=lambda pair: -pair[0])]
    left, size = window.until_compaction_tokens, window.size.tokens
    if left == 0:
        ordered.insert(0, "the client will compact any moment: /compact or /clear before it does")
    elif left is not None and size and left < size * 0.1:
        ordered.insert(
            0, f"{left:,} tokens until the client compacts: /compact at a pause, or /clear"
        )
    return ordered


def _is_unseen(row: BudgetRow, by_key: Mapping[str, Component]) -> bool:
    """Whether a part is over its plan by what no transcript shows: nobody can act on that."""
    hidden = by_key.get(window_pieces.HIDDEN)
    return row.name == SYSTEM and hidden is not None and hidden.tokens >= row.excess_tokens


def _over(row: BudgetRow) -> str:
    most = f" (most: {row.note})" if row.note and row.name != CONTEXT else ""
    return f"{row.name} holds {row.tokens:,} of {row.allotted_tokens:,} allotted{most}"


def _stale_files(by_key: Mapping[str, Component]) -> list[tuple[int, str]]:
    component = by_key.get(window_pieces.CONTEXT_FILES)
    stale = [(item.stale_tokens, item.name) for item in component.items] if component else []
    total = sum(tokens for tokens, _ in stale)
    if total < WORTH_TOKENS:
        return []
    tokens, path = max(stale)
    count = sum(tokens > 0 for tokens, _ in stale)
    return [
        (
            total,
            f"{total:,} tokens are out-of-date copies of {count} file{'' if count == 1 else 's'}"
            f" (most: {path}, {tokens:,}); /compact drops them",
        )
    ]


def _unused_servers(
    by_key: Mapping[str, Component], called_servers: Sequence[str]
) -> list[tuple[int, str]]:
    return [
        (
            item.tokens,
            f"MCP server {item.name}: {item.tokens:,} tokens in every request, and this session"
            " has not called it",
        )
        for item in unused_servers(by_key.values(), called_servers)
    ]


def unused_servers(components: Iterable[Component], called_servers: Sequence[str]) -> list[Item]:
    """The MCP servers that stand in every request without having been called."""
    called = {_spelling(name) for name in called_servers}
    return [
        item
        for component in components
        if component.key == window_pieces.MCP_TOOLS
        for item in component.items
        if item.tokens >= WORTH_TOKENS
        and item.name != ALL_SERVERS
        and _spelling(item.name) not in called
    ]


def _spelling(server: str) -> str:
    """A server's name as the names of its tools have it: of `claude.ai Mail`, `claude_ai_Mail`."""
    return "".join(char if char.isalnum() else "_" for char in server).lower()
