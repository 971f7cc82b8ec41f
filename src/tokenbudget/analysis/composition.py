"""What fills a window now: components, what is in each, and how well that is known."""

from __future__ import annotations

import math
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.window_pieces import GROUPS, HIDDEN, WRITING_TOOLS
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.analysis.window_pieces import Held

TITLES = {
    window_pieces.SYSTEM_PROMPT: "System prompt",
    window_pieces.SYSTEM_TOOLS: "System tools",
    window_pieces.MCP_TOOLS: "MCP tools",
    window_pieces.SKILLS: "Skills",
    window_pieces.AGENTS: "Agents",
    window_pieces.MEMORY_FILES: "Memory files",
    window_pieces.MESSAGES: "Messages",
    window_pieces.CONTEXT_FILES: "Context files",
    window_pieces.HIDDEN: "Not recorded",
}

ALL_SERVERS = "all servers"
"""Words about MCP servers that belong to none of them."""

EXACT = "exact"
CALIBRATED = "calibrated"
UNKNOWN = "unknown"


class Item(NamedTuple):
    """Something in a component: a tool, a file, a kind of message."""

    name: str
    tokens: int
    pieces: int
    size_bytes: int
    reads: int
    """How often a file was read; 0 for everything else."""
    stale_tokens: int
    """In copies of a file that a later read or edit has overtaken."""
    children: tuple[Item, ...]


class Component(NamedTuple):
    """A part of the window. `error_tokens` is the P90 of what the count may be off; 0 is exact."""

    key: str
    title: str
    tokens: int
    error_tokens: int
    provenance: str
    items: tuple[Item, ...]


class FileUse(NamedTuple):
    """A file in the window: how often it was read, and what of that is out of date."""

    path: str
    tokens: int
    reads: int
    stale_tokens: int
    """In copies that a later read or edit has overtaken."""


def whole_numbers(parts: Sequence[float], total: int) -> list[int]:
    """Round so that the sum is `total`: the largest remainders are rounded up.

    Parts that do not add up to `total` are scaled; negative ones count as nothing.
    """
    positive = [max(0.0, part) for part in parts]
    amount = sum(positive)
    if not parts or total <= 0 or amount <= 0:
        return [0] * (len(parts) - 1) + [max(0, total)] if parts else []
    scaled = [part * total / amount for part in positive]
    whole = [int(part) for part in scaled]
    order = sorted(range(len(parts)), key=lambda place: whole[place] - scaled[place])
    for index in order[: total - sum(whole)]:
        whole[index] += 1
    return whole


def components(
    held: Sequence[Held], hidden_tokens: float, total_tokens: int, errors: tuple[float, float]
) -> list[Component]:
    """The window after the last request and its answer; the tokens add up to `total_tokens`.

    `hidden_tokens` is the remainder that no piece explains; `errors` are the calibration's relative
    P90 error of a piece, and its median error, which the pieces have in common.
    """
    groups = dict.fromkeys(GROUPS, 0.0)
    groups[HIDDEN] = hidden_tokens
    for piece in held:
        groups[piece.group] += piece.tokens
    order = [*(name for name in GROUPS if name != HIDDEN), HIDDEN]
    tokens = whole_numbers([groups[name] for name in order], total_tokens)
    found: list[Component] = []
    for name, count in zip(order, tokens, strict=True):
        pieces = [piece for piece in held if piece.group == name]
        if not count:
            continue
        known_from = held if name == HIDDEN else pieces
        off = _error_tokens(known_from, *errors)
        is_exact = all(piece.is_exact for piece in known_from)
        provenance = EXACT if is_exact else CALIBRATED
        items = _items(name, pieces, held, count)
        found.append(Component(name, TITLES[name], count, off, provenance, items))
    return found


def files(held: Sequence[Held]) -> list[FileUse]:
    """The files in the window, the largest first."""
    stale = _stale(held)
    by_path: dict[str, list[Held]] = {}
    for piece in held:
        if piece.group == window_pieces.CONTEXT_FILES:
            by_path.setdefault(piece.target, []).append(piece)
    found = [
        FileUse(
            path,
            round(sum(piece.tokens for piece in pieces)),
            sum(piece.kind == window.TOOL_RESULT for piece in pieces),
            round(sum(piece.tokens for piece in pieces if id(piece) in stale)),
        )
        for path, pieces in by_path.items()
    ]
    return sorted(found, key=lambda use: (-use.tokens, use.path))


def _stale(held: Iterable[Held]) -> set[int]:
    """Copies of a file that a later read or edit of it has overtaken."""
    current: dict[str, list[int]] = {}
    stale: set[int] = set()
    for piece in held:
        if piece.group == window_pieces.CONTEXT_FILES:
            stale.update(current.get(piece.target, ()))
            current[piece.target] = [id(piece)]
        elif piece.kind == window.TOOL_USE and piece.name in WRITING_TOOLS:
            stale.update(current.pop(piece.target, ()))
    return stale


def _error_tokens(pieces: Iterable[Held], own: float, common: float) -> int:
    """What pieces miss each by itself evens out between them; what they have in common does not."""
    counted = [piece.tokens for piece in pieces if not piece.is_exact]
    squares = math.fsum((tokens * own) ** 2 for tokens in counted)
    return round(max(math.sqrt(squares), common * math.fsum(counted)))


def _items(
    group: str, pieces: Sequence[Held], held: Sequence[Held], tokens: int
) -> tuple[Item, ...]:
    if group == window_pieces.CONTEXT_FILES:
        uses = {use.path: use for use in files(held)}
        found = _grouped(pieces, lambda p: p.target or p.name, tokens)
        return tuple(_with_use(item, uses.get(item.name)) for item in found)
    if group == window_pieces.MCP_TOOLS:
        return _grouped(pieces, lambda p: p.target or ALL_SERVERS, tokens, _mcp_part)
    if group == window_pieces.MESSAGES:
        return _grouped(pieces, _message_part, tokens, _message_name)
    return _grouped(pieces, _plain_name, tokens)


def _grouped(
    pieces: Sequence[Held],
    name_of: Callable[[Held], str],
    tokens: int,
    child_of: Callable[[Held], str] | None = None,
) -> tuple[Item, ...]:
    """Pieces by name, the largest first; the tokens of the items add up to `tokens`."""
    by_name: dict[str, list[Held]] = {}
    for piece in pieces:
        by_name.setdefault(name_of(piece), []).append(piece)
    by_size = sorted(by_name.items(), key=lambda pair: -sum(p.tokens for p in pair[1]))
    counts = whole_numbers([sum(p.tokens for p in some) for _, some in by_size], tokens)
    return tuple(
        Item(
            name,
            count,
            len(some),
            sum(piece.size_bytes for piece in some),
            0,
            0,
            _children(some, child_of, count),
        )
        for (name, some), count in zip(by_size, counts, strict=True)
    )


def _children(
    pieces: Sequence[Held], child_of: Callable[[Held], str] | None, tokens: int
) -> tuple[Item, ...]:
    if child_of is None:
        return ()
    keeps_one = pieces[0].kind in (window.TOOL_USE, window.TOOL_RESULT, window.MCP_TOOL)
    found = _grouped(pieces, child_of, tokens)
    return found if len(found) > 1 or keeps_one else ()


def _with_use(item: Item, use: FileUse | None) -> Item:
    if use is None:
        return item
    stale = round(use.stale_tokens * item.tokens / use.tokens) if use.tokens else 0
    return item._replace(reads=use.reads, stale_tokens=min(stale, item.tokens))


def _plain_name(piece: Held) -> str:
    return {
        window.SYSTEM_PROMPT: "prompt",
        window.DEFERRED_NAMES: "names of tools to be loaded",
        window.SKILL_LISTING: "listing",
        window.AGENT_LISTING: "listing",
    }.get(piece.kind) or piece.name


def _mcp_part(piece: Held) -> str:
    return {
        window.DEFERRED_NAMES: "names of tools to be loaded",
        window.MCP_INSTRUCTIONS: "instructions",
    }.get(piece.kind) or piece.name


_MESSAGE_PARTS = {
    window.PROMPT: "your prompts",
    window.TEXT: "assistant text",
    window.THINKING: "thinking",
    window.TOOL_USE: "tool calls",
    window.TOOL_RESULT: "tool results",
    window.SUMMARY: "summary of what was compacted",
    window.REMINDER: "reminders",
    window.IMAGE: "images",
}


def _message_part(piece: Held) -> str:
    return _MESSAGE_PARTS.get(piece.kind, "other")


def _message_name(piece: Held) -> str:
    has_names = piece.kind in (window.TOOL_USE, window.TOOL_RESULT, window.REMINDER, window.IMAGE)
    return piece.name if has_names else ""
