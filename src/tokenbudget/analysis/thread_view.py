"""What a drain detector sees of one thread: its requests, its tool calls, its pieces, its words.

Made while a transcript is studied and forgotten after; nothing of its words may leave a detector
except as names and counts. Requests are numbered from 0 in the order in which they were sent.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.model.actions import Json


class Turn(NamedTuple):
    """One request and the answer to it."""

    number: int
    key: str
    model: str
    at_ms: int
    """0: unknown."""
    line: int
    """Of the answer's first line in the transcript, from 1."""
    prompt_tokens: int
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    thinking_tokens: int
    """As reported, or as far as it can be told; 0 where there was none."""
    cost_usd: float
    """0.0 where it has no price."""
    read_usd: float
    """Price of reading one token from the cache, of writing one, and of one written by the model;
    0.0 where there is none."""
    write_usd: float
    output_usd: float
    cause: str
    """What changed the window since the request before: compaction, rewound, cleared, retold, model
    switch; '' for nothing."""
    is_owned: bool
    """False for a copy of a request that another file owns: it is seen, and not charged here."""


class Seen(NamedTuple):
    """A piece of the window, its words, and what it came to."""

    number: int
    """In the order of the window."""
    kind: str
    name: str
    target: str
    link: str
    text: str
    line: int
    entered: int
    """The request that sent it first; for what the model wrote, the one after it."""
    left: int
    """The first request that no longer sent it; the number of requests where it stayed."""
    tokens: int
    """What it added to the window."""
    sent_tokens: int
    """Over all owned requests that carried it: tokens x requests, as prompt tokens."""
    sent_usd: float
    """What that cost, at the cache rates that applied."""
    written_usd: float
    """What the model's writing of it cost; 0.0 for what others wrote."""
    is_exact: bool


class Call(NamedTuple):
    """A tool call and its result."""

    number: int
    """In the order of the calls."""
    turn: int
    """The request whose answer made it."""
    name: str
    server: str
    target: str
    command: str
    """A shell command's whole text; '' for other tools."""
    label: str
    """The command in two or three words without arguments (`npm test`); '' for other tools."""
    arguments: Mapping[str, Json]
    input_hash: int
    """Equal numbers mean equal arguments."""
    result_hash: int
    """Equal numbers mean equal results; 0 without one."""
    is_error: bool
    duration_ms: int | None
    called_at_ms: int
    answered_at_ms: int
    line: int
    """Of the call."""
    use: Seen | None
    result: Seen | None
    """None: not answered, or its answer was never sent."""
    file_lines: int | None
    """Of the file that was read, where the client says so; None else."""
    shown_lines: int | None
    """Of them, how many the result shows."""
    first_line: int | None
    """Which of them comes first, from 1."""


class ThreadView(NamedTuple):
    """One thread as the detectors see it."""

    session: str
    thread: str
    is_subagent: bool
    turns: Sequence[Turn]
    calls: Sequence[Call]
    seen: Sequence[Seen]
    """All pieces ever in the window, in order, those of the calls among them."""
    window_tokens: int
    """The size of the window that the model offers here; 0: unknown."""
    text_error_share: float
    """P90 of the relative error of a counted piece, by calibration."""
    compactions: Sequence[tuple[int, str, int]]
    """(number of the first request after it, trigger, tokens before it)."""

    def day_of(self, at_ms: int) -> int:
        """The local day of a moment: 86,400,000 ms from the zone's midnight; see `study.Spend`."""
        return 0 if not at_ms else (at_ms + self.shift_ms) // 86_400_000

    shift_ms: int = 0
    """Distance of the zone from UTC when the thread began."""
