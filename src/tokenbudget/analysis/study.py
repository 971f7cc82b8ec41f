"""What one transcript is known to have spent, and on what: made once, kept, and added up.

A study holds no words, only names, counts and places. Studies of many transcripts are merged into a
profile, findings and a score (`profile`, `findings`, `efficiency`), so that a warm command opens no
transcript. Times are days of the zone that the study was made for.
"""

from __future__ import annotations

from typing import NamedTuple

PICO_USD = 10**12
"""Money in studies is whole pico-dollars: sums of integers lose nothing."""

UNATTRIBUTED = "unattributed"
"""The one component for what is billed and cannot be named."""
PREFIX = "prefix"
"""What stood before the first prompt and was not recorded: system prompt and tools, undivided."""


class Spend(NamedTuple):
    """What one consumer took on one day with one model.

    A consumer is (component, kind, name, target): a component of the window (`window_pieces`),
    `PREFIX` or `UNATTRIBUTED`; a kind of piece (`model.window`); the tool, skill, memory file or
    subagent type; and the path, MCP server or command label (`npm test`) it acted on. The token
    fields are its whole-number share of what the requests of that day were billed: per day and
    model they add up to the bill exactly, and so does the money.
    """

    day: int
    """Local days since 1970; 0 for requests without a usable time."""
    model: str
    component: str
    kind: str
    name: str
    target: str
    pieces: int
    """That entered the window on that day."""
    added_tokens: int
    """What they added to the window; each later request sent it again."""
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    """What the model wrote of it (calls, text, thinking)."""
    cost_pico_usd: int
    unpriced_tokens: int


class ToolDay(NamedTuple):
    """The calls of one tool on one day."""

    day: int
    name: str
    server: str
    """Its MCP server; '' for the agent's own tools."""
    calls: int
    errors: int
    reruns: int
    """Calls with arguments that the same thread had used before."""
    timed_calls: int
    duration_ms: int
    """Of the timed calls; the client does not time every one."""
    input_tokens: int
    """That the model wrote to call it."""
    result_tokens: int
    """That the results added to the window."""


class Sighting(NamedTuple):
    """One place where a detector saw tokens go down a drain."""

    drain: str
    """The detector's id, such as `re-read`."""
    subject: str
    """What it is about: a path, a command label, a tool, a model; '' for the thread as a whole."""
    day: int
    at_ms: int
    line: int
    """Of the transcript, from 1: where a person would look."""
    times: int
    """How often it happened here (4 re-reads); 0 where that was in the history that a fork copied:
    it is counted where it happened, and charged here for what it was carried on."""
    window_tokens: int
    """Room that it took in the window."""
    sent_tokens: int
    """Prompt and output tokens billed for it, over all requests that carried it."""
    error_tokens: int
    """Half of the interval around `sent_tokens`."""
    cost_pico_usd: int
    error_pico_usd: int
    detail: str
    """One sentence with figures and no words of the transcript: 'read 4 times, unchanged'."""


class ThreadStudy(NamedTuple):
    """One thread of a transcript: the main one, or a subagent."""

    thread: str
    """'' for the main thread."""
    requests: int
    """With known usage, owned by this file."""
    first_ms: int
    last_ms: int
    peak_tokens: int
    """The largest window."""
    last_window_tokens: int
    last_model: str
    compactions: int
    spends: tuple[Spend, ...]
    tools: tuple[ToolDay, ...]
    sightings: tuple[Sighting, ...]
    whole_file_tokens: int
    """What reads of a range would have added, had they read their files whole; measured where the
    client says how many lines a file has."""
    whole_file_sent_tokens: int
    """The same times the requests that would have carried it."""
    unsized_range_reads: int
    """Reads of a range where that is not known."""
    deferred_tools: int
    """Tools that were offered by name only, at most at one time."""
    agent_type: str = ""
    """Of a subagent, where its own transcript tells; see `study_agents.agent_types`."""
    agents: tuple[tuple[str, str], ...] = ()
    """(thread, type) of the subagents that it started, where the client says which."""


class FileStudy(NamedTuple):
    """A transcript's threads, with what the ledger knows of the file."""

    file_id: int
    path: str
    session: str
    project: str
    branch: str
    is_subagent: bool
    threads: tuple[ThreadStudy, ...]
