"""What a tool answered, as a value for code.

Structured content where there is any, else the one text as JSON where it is JSON, else the text.
Some servers say everything twice, or pack one value into an object of one key because the
protocol asks for an object; code gets the value itself.
"""

from __future__ import annotations

import json

from tokenbudget.gateway.mcp.sandbox_plain import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.values import Answer, Tool

MOST_DEPTH = 200
"""Deeper JSON stays text: no code looks for something down there."""
_WRAPPED = "x-fastmcp-wrap-result"
_OPENERS = ("{", "[")


def value_of(tool: Tool, answer: Answer) -> object:
    """The value of an answer that is no error."""
    structured = answer.structured
    if structured is not None:
        inner = _unwrapped(tool, structured)
        return parsed(inner) if isinstance(inner, str) else _handed(inner)
    blocks = [_block(one) for one in answer.content]
    if not blocks:
        return None
    return blocks[0] if len(blocks) == 1 else _joined(blocks)


def error_words(answer: Answer) -> str:
    """What the server says of an error, in its own words."""
    texts = [one["text"] for one in answer.content if isinstance(one.get("text"), str)]
    said = "\n".join(str(text) for text in texts).strip()
    if said:
        return said
    if answer.structured is not None:
        return json.dumps(answer.structured, ensure_ascii=False, default=str)
    return "the tool failed and does not say why"


def parsed(text: str) -> object:
    """A text as the JSON object or list that it is, else as the text that it is."""
    stripped = text.strip()
    if not stripped.startswith(_OPENERS):
        return clean(text)
    try:
        return _cleaned(json.loads(stripped))
    except (ValueError, RecursionError):
        return clean(text)


def _handed(value: object) -> object:
    """Structured content as the sandbox can take it."""
    try:
        return _cleaned(value)
    except ValueError:
        return "the answer is nested too deeply"


def _cleaned(value: object) -> object:
    """The same value with texts that every encoding can carry; walked without recursion.

    Raises:
        ValueError: it is nested too deeply to be handed over.
    """
    top: list[object] = [value]
    level: list[list[object] | dict[str, object]] = [top]
    for _ in range(MOST_DEPTH):
        below: list[list[object] | dict[str, object]] = []
        for one in level:
            if isinstance(one, dict):
                made = {clean(key): _text(inner, below) for key, inner in one.items()}
                one.clear()
                one.update(made)
            else:
                one[:] = [_text(inner, below) for inner in one]
        if not below:
            return top[0]
        level = below
    raise ValueError("nested too deeply")


def _text(value: object, below: list[list[object] | dict[str, object]]) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (list, dict)):
        made = list(value) if isinstance(value, list) else dict(value)
        below.append(made)
        return made
    return value


def _unwrapped(tool: Tool, structured: object) -> object:
    """The lone `result` of an object that only wraps it."""
    if not (isinstance(structured, dict) and list(structured) == ["result"]):
        return structured
    schema: Mapping[str, object] = tool.output_schema or {}
    named = schema.get("properties")
    is_alone = isinstance(named, dict) and list(named) == ["result"]
    return structured["result"] if schema.get(_WRAPPED) or is_alone else structured


def _block(block: Mapping[str, object]) -> object:
    """One block of content: its text, its link, or what it is."""
    text = block.get("text")
    if isinstance(text, str):
        return parsed(text)
    resource = block.get("resource")
    if isinstance(resource, dict):
        inner = resource.get("text")
        return parsed(inner) if isinstance(inner, str) else _handed(dict(resource))
    return _handed(dict(block))


def _joined(blocks: Sequence[object]) -> object:
    """Several blocks: one text where all are texts, else the list of them."""
    if all(isinstance(one, str) for one in blocks):
        return "\n".join(str(one) for one in blocks)
    return list(blocks)
