"""What fills a context window: pieces, and the requests that carried them.

A piece is the smallest thing that a person would point at: a tool's schema, a memory file, the
result of one tool call. Its text goes to a counter and is then forgotten; sizes and counts are
kept.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# ── before the conversation ──────────────────────────────────────────────────────────────────────
SYSTEM_PROMPT = "system_prompt"
ENVIRONMENT = "environment"
"""Facts that the client puts before the conversation: directory, model, date, git status."""
SYSTEM_TOOL = "system_tool"
MCP_TOOL = "mcp_tool"
"""A loaded schema; `name` is the tool, `target` its server."""
DEFERRED_NAMES = "deferred_names"
"""Names of tools whose schemas are not loaded; `target` is their server, '' for the agent's own."""
MCP_INSTRUCTIONS = "mcp_instructions"
SKILL_LISTING = "skill_listing"
AGENT_LISTING = "agent_listing"
MEMORY_FILE = "memory_file"
"""`name` is its path."""

# ── the conversation ─────────────────────────────────────────────────────────────────────────────
PROMPT = "prompt"
TEXT = "text"
THINKING = "thinking"
TOOL_USE = "tool_use"
TOOL_RESULT = "tool_result"
"""`name` is the tool, `target` what it acted on."""
SKILL_BODY = "skill_body"
"""`name` is the skill."""
SUMMARY = "summary"
REMINDER = "reminder"
"""Text that the client puts between turns; `name` is the kind of attachment."""
FILE = "file"
"""A file that the client itself attached; `target` is its path."""
IMAGE = "image"
OTHER = "other"
FRAME = "frame"
"""The JSON around all other pieces of a request; it has bytes, and no text of its own."""

# ── events that change what is in the window ─────────────────────────────────────────────────────
COMPACTED = "compacted"
"""The conversation before it is gone; `link` lists the offsets of lines that were kept, `name` says
what triggered it, and `target` how many tokens the client says there were."""
CLEARED = "cleared"
"""One tool result is gone; `link` names its call."""
REWOUND = "rewound"
"""The person went back: what stands behind the line at offset `link` is gone."""
RESHAPED = "reshaped"
"""System prompt and tools were told anew; what was told of them before is void."""
END = "end"
"""Where the last whole line of a transcript ends; always the last that is told."""

EVENTS = frozenset((COMPACTED, CLEARED, REWOUND, RESHAPED))
PREFIX = frozenset((SYSTEM_PROMPT, SYSTEM_TOOL, MCP_TOOL))
"""Kinds that stand before the conversation in every request; a compaction leaves them."""
WRITTEN = frozenset((TEXT, THINKING, TOOL_USE))
"""Kinds that the model wrote; `link` is the key of the response."""

MCP_PREFIX = "mcp__"


class Piece(NamedTuple):
    """One piece of a window.

    `size_bytes` is that of its text where a line of a transcript shows it, and its part of the
    compact UTF-8 JSON where it was cut out of a rebuilt request.
    """

    kind: str
    name: str
    target: str
    text: str
    size_bytes: int


class Placed(NamedTuple):
    """A piece, or an event, where a transcript shows it.

    `thread` is '' for the main thread, else the subagent's id. `link` is the response's key for
    what the model wrote, the tool_use id for a tool's result, the command for a prompt that is a
    slash command, and what `EVENTS` say.
    """

    offset: int
    position: int
    thread: str
    link: str
    piece: Piece


class ShownFile(NamedTuple):
    """How much of a file a tool's result shows, as the client says."""

    file_lines: int
    shown_lines: int
    first_line: int
    """From 1."""


class LineFacts(NamedTuple):
    """What the lines of a transcript tell beside the pieces."""

    starts: Sequence[int]
    """The offset of each line, in order."""
    shown_files: Mapping[str, ShownFile]
    """By tool_use id."""
    agents: Mapping[str, tuple[str, str]]
    """(id, type) of the subagent that a call started, by tool_use id; a type of '' was not told."""
    agent_type: str
    """Of the subagent whose transcript it is; '' where that is not told, or it is none."""

    def line_of(self, offset: int) -> int:
        """The number of the line that begins at an offset, from 1; 0 where nothing is known."""
        return bisect_right(self.starts, offset)


class Measure(NamedTuple):
    """What a counter and a look at the characters say of a text; the features of calibration."""

    bpe_tokens: int
    """Tokens of a public vocabulary (see `metering.tokenizer`), not of the model's own."""
    lower_bytes: int
    upper_bytes: int
    digit_bytes: int
    space_bytes: int
    line_bytes: int
    sign_bytes: int
    high_bytes: int
    """Bytes of characters beyond ASCII."""


class RebuiltRequest(NamedTuple):
    """A request as the client recorded it; `docs/window.md` says how much that proves."""

    pieces: list[Piece]
    """Everything that it sent, in order; their bytes add up to the whole request."""
    is_whole: bool
    """Whether every part was found and has the hash that the client noted."""
    is_proven: bool
    """Whether the whole has the digest that the client noted."""
    missing_messages: int
    mismatched_messages: int


def mcp_server(tool: str) -> str:
    """The server in `mcp__server__tool`; '' for the agent's own tools."""
    if not tool.startswith(MCP_PREFIX):
        return ""
    return tool[len(MCP_PREFIX) :].partition("__")[0]
