"""The window of one session or subagent: everything that `context` and `budget` show."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.composition import Component, Item
from tokenbudget.analysis.window_size import WindowSize
from tokenbudget.budget.forecast import Crossing, Spread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class ComponentCost(NamedTuple):
    """What it cost so far to send a component, in USD as a decimal string."""

    key: str
    cost_usd: str


class ThreadCost(NamedTuple):
    """The cost of one thread's requests in USD, as decimal strings."""

    input_usd: str
    cache_write_usd: str
    cache_read_usd: str
    output_usd: str
    total_usd: str
    unpriced_tokens: int
    by_component: tuple[ComponentCost, ...]


class Sample(NamedTuple):
    """A request and its answer: when, and how full the window was then."""

    at_ms: int
    window_tokens: int
    model: str
    is_reset: bool
    """Whether something was taken out of the window before it."""


class Record(NamedTuple):
    """What the client's record of the last request says, and how far it can be trusted."""

    words: str
    is_whole: bool
    is_proven: bool
    size_bytes: int
    """Of the request as compact JSON, without billing header and cache marks."""
    frame_bytes: int
    """Of it, what stands around the pieces."""
    bytes_by_component: tuple[tuple[str, int], ...]


class SessionWindow(NamedTuple):
    """One window: what was reported of it, what is in it, and what is not known."""

    agent: str
    """The subagent whose window it is; '' for the main thread."""
    model: str
    size: WindowSize
    calibration_steps: int
    calibration_median_error: float | None
    calibration_p90_error: float
    prompt_tokens: int | None
    """What the last request sent, as reported; None where none reported anything."""
    answer_tokens: int
    """What was written in answer to it, as reported: it is sent with the next one."""
    waiting_tokens: int
    """New since then and not sent yet, as counted."""
    at_ms: int
    changed_since: str
    """What took something out of the window since the last request: its size is unknown then."""
    called_servers: tuple[str, ...]
    """The MCP servers that were called in the session."""
    requests: int
    unexplained_requests: int
    """Requests whose growth what is visible does not explain."""
    record: Record | None
    """The client's own record of the last request; None where it keeps none."""
    components: tuple[Component, ...]
    samples: tuple[Sample, ...]
    crossings: tuple[Crossing, ...]
    """When the window reaches its thresholds, if the session goes on."""
    cost: ThreadCost | None
    notes: tuple[str, ...]
    """What is unknown or doubtful, a sentence each."""
    agents: tuple[tuple[str, int, int], ...]

    @property
    def total_tokens(self) -> int | None:
        """Reported tokens in the window: the last request and its answer; None is not known."""
        if self.prompt_tokens is None or self.changed_since:
            return None
        return self.prompt_tokens + self.answer_tokens

    @property
    def free_tokens(self) -> int | None:
        """Left of the window."""
        if self.size.tokens is None or self.total_tokens is None:
            return None
        return max(0, self.size.tokens - self.total_tokens)

    @property
    def until_compaction_tokens(self) -> int | None:
        """Left until the client compacts by itself."""
        if self.size.usable_tokens is None or self.total_tokens is None:
            return None
        return max(0, self.size.usable_tokens - self.total_tokens)


def window_from(fields: Sequence[Any]) -> SessionWindow:
    """The window whose fields were kept as lists: the inverse of writing it as JSON."""
    window = SessionWindow(*fields)
    cost = window.cost
    return window._replace(
        size=WindowSize(*window.size),
        components=tuple(
            Component(*part[:-1], tuple(map(_item, part[-1]))) for part in window.components
        ),
        samples=tuple(Sample(*sample) for sample in window.samples),
        crossings=tuple(map(_crossing, window.crossings)),
        cost=None
        if cost is None
        else ThreadCost(*cost[:-1], tuple(ComponentCost(*part) for part in cost[-1])),
        record=None if window.record is None else _record(window.record),
        called_servers=tuple(window.called_servers),
        notes=tuple(window.notes),
        agents=tuple((name, count, tokens) for name, count, tokens in window.agents),
    )


def _crossing(fields: Sequence[Any]) -> Crossing:
    name, tokens, *spreads, reason = fields
    kept = [None if spread is None else Spread(*spread) for spread in spreads]
    return Crossing._make([name, tokens, *kept, reason])


def _record(fields: Sequence[Any]) -> Record:
    *plain, by_component = fields
    return Record._make([*plain, tuple((name, size) for name, size in by_component)])


def _item(fields: Sequence[Any]) -> Item:
    return Item._make([*fields[:-1], tuple(map(_item, fields[-1]))])
