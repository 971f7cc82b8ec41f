"""What the client injects beside the conversation, as pieces: reminders, listings, memory, tools.

Newer clients keep the exact text (`rendered`); of older ones the attachment's own fields are taken,
and the fixed words around them are learnt by calibration. Kinds were read from clients 2.1.62 to
2.1.329; an unknown kind counts with whatever words it has.
"""

from __future__ import annotations

import json
from typing import Any

from tokenbudget.model import window
from tokenbudget.model.window import Piece, mcp_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ENVIRONMENT = frozenset(("environment", "model", "date", "session_context"))
_LISTINGS = {"skill_listing": window.SKILL_LISTING, "agent_listing_delta": window.AGENT_LISTING}

NEVER_SHOWN = frozenset(
    (
        "command_permissions",
        "hook_cancelled",
        "hook_non_blocking_error",
        "hook_system_message",
        "deferred_tools_record",
        "prompt_snapshot",
    )
)
"""Kinds that the client keeps for itself: requests grow by nothing where they stand alone."""


def attachment_pieces(found: Mapping[str, Any], shown: Sequence[str] | None) -> Iterator[Piece]:
    """The pieces of one attachment; `shown` is its exact text where the client kept that."""
    kind = str(found.get("type") or "unknown")
    if kind in NEVER_SHOWN or (shown is not None and not any(shown)):
        return
    if kind == "deferred_tools_delta":
        yield from _deferred(found, shown)
    elif kind == "instructions":
        yield from _memory_files(found, shown)
    elif kind == "mcp_instructions_delta":
        yield from _instructions(found, shown)
    else:
        words = "\n".join(shown) if shown is not None else _own_words(kind, found)
        if words is not None:
            yield _attached(kind, found, words)


def shape_pieces(system: object, tools: object) -> Iterator[Piece]:
    """System prompt and tool schemas of a request."""
    for block in system if isinstance(system, list) else []:
        words = block.get("text") if isinstance(block, dict) else block
        if isinstance(words, str) and words:
            yield piece(window.SYSTEM_PROMPT, words)
    for tool in tools if isinstance(tools, list) else []:
        if isinstance(tool, dict):
            yield tool_piece(tool)


def tool_piece(tool: Mapping[str, Any]) -> Piece:
    """One tool's schema."""
    name = str(tool.get("name") or "unknown")
    words = json.dumps(tool, ensure_ascii=False, separators=(",", ":"))
    server = mcp_server(name)
    return piece(window.MCP_TOOL if server else window.SYSTEM_TOOL, words, name, server)


def piece(kind: str, text: str, name: str = "", target: str = "") -> Piece:
    """A piece of words, with its size."""
    return Piece(kind, name, target, text, len(text.encode("utf-8", "replace")))


def _attached(kind: str, found: Mapping[str, Any], words: str) -> Piece:
    if kind in _ENVIRONMENT or kind == "remote_session_change":
        return piece(window.ENVIRONMENT, words, kind)
    if kind in _LISTINGS:
        return piece(_LISTINGS[kind], words)
    if kind == "nested_memory":
        return piece(window.MEMORY_FILE, words, str(found.get("path") or "unknown"))
    if kind in ("file", "edited_text_file"):
        return piece(window.FILE, words, kind, str(found.get("filename") or ""))
    if kind == "queued_command":
        return piece(window.PROMPT, words)
    return piece(window.REMINDER, words, kind)


def _own_words(kind: str, found: Mapping[str, Any]) -> str | None:
    """What an older client will have shown of an attachment; None for nothing."""
    match kind:
        case "hook_success" | "async_hook_response":
            return _strings(found.get("content")) or None
        case "task_reminder" | "todo_reminder":
            return "\n".join(_strings(item) for item in _items(found.get("content")))
        case "nested_memory":
            return _strings(_field(found.get("content"), "content"))
        case "file":
            content = found.get("content")
            inner = _field(content, "file")
            return "\n".join(
                filter(None, (_strings(found.get("filename")), _strings(inner or content)))
            )
        case "queued_command":
            return _strings(found.get("prompt"))
        case "edited_text_file":
            return _strings(found.get("snippet"))
        case "diagnostics":
            listed = (_items(_field(file, "diagnostics")) for file in _items(found.get("files")))
            return "\n".join(_strings(_field(item, "message")) for some in listed for item in some)
        case "agent_listing_delta":
            return _strings(found.get("addedLines"))
        case "plan_mode" | "plan_mode_exit" | "plan_mode_reentry":
            return _strings(found.get("planFilePath"))
        case _:
            return _strings(found)


_SILENT = frozenset(
    (
        *("type", "hookName", "toolUseID", "hookEvent", "commandMode", "origin", "uuid"),
        *("base64", "data", "media_type", "mimeType", "signature", "filePath", "displayPath"),
    )
)
"""Fields that are no words: what a thing is called, and pictures."""


def _deferred(found: Mapping[str, Any], shown: Sequence[str] | None) -> Iterator[Piece]:
    """Names of tools without their schemas, per server; what is left of the text is the agent's."""
    names = [str(name) for name in _items(found.get("addedNames"))]
    names += [str(name) for name in _items(found.get("removedNames"))]
    by_server: dict[str, list[str]] = {}
    for name in names:
        by_server.setdefault(mcp_server(name), []).append(name)
    own = by_server.pop("", [])
    for server, some in sorted(by_server.items()):
        yield piece(window.DEFERRED_NAMES, "\n".join(some) + "\n", "", server)
    if shown is None:
        rest = "\n".join(own)
    else:
        theirs = {name for some in by_server.values() for name in some}
        lines = "\n".join(shown).splitlines(keepends=True)
        rest = "".join(line for line in lines if line.strip().strip("-*` ") not in theirs)
    if rest:
        yield piece(window.DEFERRED_NAMES, rest)


def _memory_files(found: Mapping[str, Any], shown: Sequence[str] | None) -> Iterator[Piece]:
    """Memory files by path, and the client's words around them."""
    files = [file for file in _items(found.get("files")) if isinstance(file, dict)]
    rest = "\n".join(shown or ())
    for file in files:
        words = _strings(file.get("content"))
        rest = rest.replace(words, "", 1) if words else rest
        yield piece(window.MEMORY_FILE, words, str(file.get("path") or "unknown"))
    if rest:
        yield piece(window.ENVIRONMENT, rest, "instructions")


def _instructions(found: Mapping[str, Any], shown: Sequence[str] | None) -> Iterator[Piece]:
    """Instructions of MCP servers, each with the block that it provided."""
    names = [str(name) for name in _items(found.get("addedNames"))]
    blocks = [_strings(block) for block in _items(found.get("addedBlocks"))]
    rest = "\n".join(shown or ())
    for position, words in enumerate(blocks):
        server = names[position] if position < len(names) else ""
        rest = rest.replace(words, "", 1) if words else rest
        yield piece(window.MCP_INSTRUCTIONS, words, server, server)
    removed = _strings(found.get("removedNames")) if shown is None else ""
    if rest or removed:
        yield piece(window.MCP_INSTRUCTIONS, rest or removed)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _strings(value: object) -> str:
    """Every string in a value, a line each, but for what is no words, or nested too deeply."""
    found: list[str] = []
    left = [(value, 0)]
    while left:
        item, depth = left.pop()
        if isinstance(item, str):
            found.append(item)
        elif depth < 8 and isinstance(item, dict):
            words = [part for name, part in item.items() if name not in _SILENT]
            left += [(part, depth + 1) for part in reversed(words)]
        elif depth < 8 and isinstance(item, list):
            left += [(part, depth + 1) for part in reversed(item)]
    return "\n".join(found)
