"""A piece in the window: which component it belongs to and what it counts."""

from __future__ import annotations

from typing import TypeAlias

from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.ledger.windows import PieceRow, RequestRow
    from tokenbudget.model.window import Measure

SYSTEM_PROMPT = "system_prompt"
SYSTEM_TOOLS = "system_tools"
MCP_TOOLS = "mcp_tools"
SKILLS = "skills"
AGENTS = "agents"
MEMORY_FILES = "memory_files"
MESSAGES = "messages"
CONTEXT_FILES = "context_files"
HIDDEN = "hidden"
GROUPS = (
    SYSTEM_PROMPT, SYSTEM_TOOLS, MCP_TOOLS, SKILLS, AGENTS, MEMORY_FILES, MESSAGES, CONTEXT_FILES,
    HIDDEN,
)  # fmt: skip

READING_TOOLS = frozenset(("Read", "NotebookRead"))
WRITING_TOOLS = frozenset(("Edit", "MultiEdit", "Write", "NotebookEdit"))
ANSWERS = frozenset((*window.WRITTEN, window.OTHER))
"""Kinds that are part of an answer where the ledger knows the response that they name."""

LEAST_TOKENS = 1e-9
"""A sum below it is none: a share of it, or a scale from it, need not be a number."""

_GROUP = {
    window.SYSTEM_PROMPT: SYSTEM_PROMPT,
    window.ENVIRONMENT: SYSTEM_PROMPT,
    window.SYSTEM_TOOL: SYSTEM_TOOLS,
    window.MCP_TOOL: MCP_TOOLS,
    window.MCP_INSTRUCTIONS: MCP_TOOLS,
    window.SKILL_LISTING: SKILLS,
    window.SKILL_BODY: SKILLS,
    window.AGENT_LISTING: AGENTS,
    window.MEMORY_FILE: MEMORY_FILES,
    window.FILE: CONTEXT_FILES,
}


def group_of(kind: str, name: str, target: str) -> str:
    """The component that a piece belongs to."""
    if kind == window.TOOL_RESULT:
        return CONTEXT_FILES if name in READING_TOOLS and target else MESSAGES
    if kind == window.DEFERRED_NAMES:
        return MCP_TOOLS if target else SYSTEM_TOOLS
    return _GROUP.get(kind, MESSAGES)


def label_of(kind: str, name: str) -> str:
    """What a piece counts as in calibration: reminders each have words of their own around them."""
    return f"{kind}:{name}" if kind in (window.REMINDER, window.FILE) else kind


Identity: TypeAlias = "tuple[str, str, str, Measure]"
"""Kind, name, target and measure of a piece."""


def answer_keys(rows: Iterable[PieceRow]) -> set[str]:
    """What the answers among these rows name as their response, known to the ledger or not."""
    return {row.link for row in rows if row.kind in ANSWERS and row.link}


class Held:
    """A piece in the window and what it counts."""

    __slots__ = (
        "group", "is_exact", "is_shrunk", "kind", "link", "measure", "name", "offset", "position",
        "raw_tokens", "size_bytes", "target", "tokens",
    )  # fmt: skip

    def __init__(self, row: PieceRow) -> None:
        self.kind = row.kind
        self.name = row.name
        self.target = row.target
        self.link = row.link
        self.offset = row.byte_offset
        self.position = row.position
        self.size_bytes = row.size_bytes
        self.measure = row.measure
        self.group = group_of(row.kind, row.name, row.target)
        self.tokens = self.raw_tokens = 0.0
        self.is_exact = False
        self.is_shrunk = False

    def copied(self) -> Held:
        """The same piece, to be counted on its own from now on."""
        twin: Held = object.__new__(type(self))
        for name in Held.__slots__:
            setattr(twin, name, getattr(self, name))
        return twin

    @property
    def identity(self) -> Identity:
        """The same words in the same place: a client that tells them again tells nothing new."""
        return self.kind, self.name, self.target, self.measure


def share_out(answer: list[Held], request: RequestRow) -> None:
    """Give an answer's reported output to its blocks; thinking without its words takes the rest."""
    left = float(request.output_tokens)
    thoughts = [piece for piece in answer if piece.kind == window.THINKING]
    said = [piece for piece in answer if piece.kind != window.THINKING]
    silent = [piece for piece in thoughts if not piece.measure.bpe_tokens]
    if request.thinking_tokens and thoughts:
        _scale(thoughts, min(left, float(request.thinking_tokens)))
        thought = sum(piece.tokens for piece in thoughts)
        _scale(said or thoughts, max(0.0, left - thought) if said else left)
    elif silent:
        loud = [piece for piece in answer if piece not in silent]
        rest = left - sum(piece.tokens for piece in loud)
        if rest < 0:
            _scale(loud, left)
        _scale(silent, max(0.0, rest))
    else:
        _scale(answer, left)
    for piece in answer:
        piece.is_exact = len(answer) == 1


def _scale(pieces: list[Held], tokens: float) -> None:
    total = sum(piece.tokens for piece in pieces)
    for piece in pieces:
        piece.tokens = (
            piece.tokens * tokens / total if total > LEAST_TOKENS else tokens / len(pieces)
        )
        piece.raw_tokens = piece.tokens
