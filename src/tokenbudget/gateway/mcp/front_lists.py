"""Tools of servers that are listed to the client itself: whole, or with shortened schemas."""

from __future__ import annotations

from tokenbudget.gateway.mcp.signature_text import first_sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.gateway.mcp.values import Tool

CODE, COMPACT, DIRECT = "code", "compact", "direct"
SENTENCE_CHARS, PARAMETER_CHARS = 120, 60
MOST_DEPTH = 12
_WORDS = (
    "type properties required items enum const anyOf oneOf allOf $ref $defs definitions"
    " additionalProperties minimum maximum format prefixItems"
)
_KEPT = frozenset(_WORDS.split())
"""What a call cannot be written without; `title`, `examples`, patterns and lengths are left out."""
_NAMED = ("properties", "$defs", "definitions")
_NESTED = ("items", "anyOf", "oneOf", "allOf", "additionalProperties", "prefixItems")
_LONGEST_DEFAULT = 40


def listed_tool(tool: Tool, alias: str, mode: str) -> dict[str, object]:
    """A tool as `tools/list` shows it.

    Its output schema is not shown: it would bind us to send values beside the text, and clients
    put the value into the window then, not the text that was made fit for it.
    """
    is_whole = mode == DIRECT
    description = tool.description or tool.title
    listed: dict[str, object] = {
        "name": alias,
        "description": description if is_whole else first_sentence(description, SENTENCE_CHARS),
        "inputSchema": _object(tool.input_schema if is_whole else compact(tool.input_schema)),
    }
    if tool.title and is_whole:
        listed["title"] = tool.title
    if tool.annotations:
        listed["annotations"] = tool.annotations
    return listed


def compact(schema: Mapping[str, object]) -> dict[str, object]:
    """A schema that takes the same calls, with less said about them."""
    made = _compact(schema, 0)
    return made if isinstance(made, dict) else {}


def _compact(schema: object, depth: int) -> object:
    if isinstance(schema, list):
        return [_compact(one, depth + 1) for one in schema] if depth < MOST_DEPTH else []
    if not isinstance(schema, dict):
        return schema
    if depth >= MOST_DEPTH:
        return {}
    parts = ((key, _part(key, value, depth)) for key, value in schema.items())
    return {key: part for key, part in parts if part is not None}


def _part(key: str, value: object, depth: int) -> object:
    """What stays of one keyword; None where nothing does."""
    if key in _NAMED and isinstance(value, dict):
        return {name: _compact(one, depth + 1) for name, one in value.items()}
    if key in _NESTED:
        return _compact(value, depth + 1)
    if key == "default":
        return value if len(str(value)) <= _LONGEST_DEFAULT else None
    if key == "description" and isinstance(value, str) and depth:
        return first_sentence(value, PARAMETER_CHARS) or None
    return value if key in _KEPT else None


def _object(schema: Mapping[str, object]) -> Mapping[str, object]:
    """The API takes objects only."""
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}
