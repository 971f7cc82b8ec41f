"""Who spent it: studies of transcripts added up by tool, file, server, week, project and model."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.analysis.amounts import Amount

CONSUMER_KINDS = (
    "component", "tool", "file", "directory", "command", "mcp_server", "mcp_tool", "skill",
    "subagent", "memory_file", "prompt",
)  # fmt: skip


class Consumer(NamedTuple):
    """Something that takes tokens, and what it took."""

    name: str
    """As a person calls it; paths inside a project are relative to it."""
    pieces: int
    sessions: int
    added_tokens: int
    """What it added to windows."""
    amount: Amount
    """What was billed for it: `prompt_tokens` is its carrying, `output_tokens` its writing."""

    @property
    def carries(self) -> float:
        """How often a token of it was sent, on average."""
        return self.amount.prompt_tokens / self.added_tokens if self.added_tokens else 0.0


class ToolRow(NamedTuple):
    """The calls of a tool."""

    name: str
    server: str
    calls: int
    call_share: float
    """Of all calls."""
    errors: int
    reruns: int
    timed_calls: int
    duration_ms: int
    input_tokens: int
    result_tokens: int
    token_share: float
    """Of the tokens that all tools added to windows."""
    amount: Amount


class WeekRow(NamedTuple):
    """One week, from Monday."""

    begins: str
    """2026-11-16."""
    is_whole: bool
    """False for a week that the period cuts, or that goes on."""
    sessions: int
    requests: int
    amount: Amount
    change: float | None
    """Of the money (of the tokens, without it) against the week before, as a share; None: no such
    week, or one of them is not whole."""
    top: str
    """The consumer that took most."""


class SplitRow(NamedTuple):
    """One project, branch or model."""

    name: str
    sessions: int
    requests: int
    amount: Amount
    project: str = ""
    """Of a branch: the project that it belongs to."""


class Node(NamedTuple):
    """A box of the icicle: component, then tool or kind, then file or command."""

    name: str
    amount: Amount
    added_tokens: int
    children: tuple[Node, ...]
    folded: int = 0
    """So many small boxes are told together here; 0: it is one."""


class SessionRow(NamedTuple):
    """A session as `profile` and `report` list it."""

    session: str
    title: str
    project: str
    branch: str
    model: str
    first_ms: int
    last_ms: int
    requests: int
    peak_tokens: int
    window_tokens: int
    """The size of its window; 0: unknown."""
    compactions: int
    amount: Amount


class Profile(NamedTuple):
    """Where the tokens of a period, or of a session, went."""

    since_ms: int | None
    until_ms: int | None
    session: str
    """'' for all of them."""
    requests: int
    unknown_requests: int
    """Their usage was not reported: not counted anywhere."""
    totals: Amount
    unattributed: Amount
    """Part of `totals` that nothing visible explains."""
    consumers: Mapping[str, tuple[Consumer, ...]]
    """By `CONSUMER_KINDS`, the dearest first. Kinds overlap (a file is read by a tool)."""
    tools: tuple[ToolRow, ...]
    weeks: tuple[WeekRow, ...]
    projects: tuple[SplitRow, ...]
    branches: tuple[SplitRow, ...]
    models: tuple[SplitRow, ...]
    sessions: tuple[SessionRow, ...]
    """The latest first."""
    tree: Node
    """Its boxes add up to `totals`."""
    notes: tuple[str, ...]
