"""A whole request as named pieces, whose bytes add up exactly.

Counted is the compact UTF-8 JSON of system, tools and messages, without the billing header and the
marks for the cache. Of a text, the piece is the words and the frame is the block around them; any
other block is a piece as a whole. Read from Claude Code 2.0.76 to 2.1.329.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tokenbudget.model.window import (
    FRAME,
    IMAGE,
    MCP_TOOL,
    OTHER,
    SYSTEM_PROMPT,
    SYSTEM_TOOL,
    TEXT,
    THINKING,
    TOOL_RESULT,
    TOOL_USE,
    Piece,
    mcp_server,
)
from tokenbudget.sources.claude_code.request_hints import Hints, Label
from tokenbudget.sources.claude_code.request_messages import Json, compact
from tokenbudget.sources.claude_code.request_texts import (
    Slice,
    injected_slices,
    is_reminder,
    result_tail,
    user_slices,
)

_BILLING = "x-anthropic-billing-header"
_TARGETS = ("file_path", "notebook_path", "skill", "subagent_type", "path", "url")
"""The arguments that say what a tool acts on, as for a transcript's tool calls."""


def pieces_of(system: object, tools: object, messages: object, hints: Hints) -> list[Piece]:
    """Every piece of a request in its order, and the frame as the last.

    The sizes add up to the size of `counted(system, tools, messages)`. The parts may be anything
    that JSON can be: what has no known shape is a piece named `other`, or part of the frame.
    """
    try:
        whole = counted(system, tools, messages)
        found = list(_Cutter(hints).pieces(whole))
        frame = json_size(whole) - sum(piece.size_bytes for piece in found)
    except RecursionError:  # nested beyond what can be written as JSON
        return []
    return [*found, Piece(FRAME, "", "", "", frame)]


def counted(system: object, tools: object, messages: object) -> Json:
    """The part of a request that is counted."""
    blocks = [block for block in _list(system) if not _is_billing(block)]
    return {
        "system": [_unmarked(block) for block in blocks] if isinstance(system, list) else system,
        "tools": [_unmarked(tool) for tool in tools] if isinstance(tools, list) else tools,
        "messages": [_unmarked_message(one) for one in messages]
        if isinstance(messages, list)
        else messages,
    }


def json_size(value: object) -> int:
    """The bytes of its compact UTF-8 JSON."""
    return len(compact(value))


def text_size(text: str) -> int:
    """The bytes of a text inside of JSON, without its quotes."""
    return json_size(text) - 2


class _Cutter:
    """Cut one request; tool calls are remembered for their results."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self._calls: dict[str, Label] = {}

    def pieces(self, whole: Json) -> Iterator[Piece]:
        """All pieces but the frame."""
        yield from self._system(whole["system"])
        for tool in _list(whole["tools"]):
            yield _tool(tool)
        for message in _list(whole["messages"]):
            if not isinstance(message, dict):
                yield _other(message)
            else:
                yield from self._message(message)

    def _system(self, system: object) -> Iterator[Piece]:
        for block in _blocks(system):
            text = _text_of(block)
            if text is None:
                yield _other(block)
            else:
                yield from _sliced(text, [Slice(0, len(text), Label(SYSTEM_PROMPT))])

    def _message(self, message: Json) -> Iterator[Piece]:
        role = message.get("role")
        skills: list[str] = []
        for block in _blocks(message.get("content")):
            text = _text_of(block)
            if text is not None:
                yield from _sliced(text, self._text_slices(role, text, skills))
            elif not isinstance(block, dict):
                yield _other(block)
            else:
                yield from self._block(block, skills)

    def _text_slices(self, role: object, text: str, skills: list[str]) -> list[Slice]:
        match role:
            case "system":
                return injected_slices(text, self._hints)
            case "user":
                return user_slices(text, self._hints, skills)
            case _:
                return [Slice(0, len(text), Label(TEXT))]

    def _block(self, block: Json, skills: list[str]) -> Iterator[Piece]:
        match block.get("type"):
            case "thinking" | "redacted_thinking":
                yield Piece(THINKING, "", "", _text(block.get("thinking")), json_size(block))
            case "tool_use":
                call = Label(TOOL_USE, _text(block.get("name")), _target(block.get("input")))
                self._calls[_text(block.get("id"))] = call
                yield Piece(*call, _json_text(block.get("input")), json_size(block))
            case "tool_result":
                call = self._calls.get(_text(block.get("tool_use_id")), Label(TOOL_USE))
                if call.name == "Skill":
                    skills.append(call.target)
                yield from self._result(block, call._replace(kind=TOOL_RESULT))
            case "image":
                yield Piece(IMAGE, "", "", "", json_size(block))
            case _:
                yield _other(block)

    def _result(self, block: Json, label: Label) -> Iterator[Piece]:
        """The result, its images, and what the client put behind it."""
        words: list[str] = []
        apart: list[Piece] = []
        for part in _blocks(block.get("content")):
            text = _text_of(part)
            if text is not None:
                end = 0 if is_reminder(text, self._hints) else result_tail(text, self._hints)
                words.append(text[:end])
                apart += _sliced(text[end:], injected_slices(text[end:], self._hints))
            elif isinstance(part, dict) and part.get("type") == "image":
                apart.append(Piece(IMAGE, label.name, label.target, "", json_size(part)))
            else:
                words.append(_json_text(part))
        size = json_size(block) - sum(piece.size_bytes for piece in apart)
        yield Piece(*label, "\n".join(word for word in words if word), size)
        yield from apart


def _sliced(text: str, slices: Sequence[Slice]) -> Iterator[Piece]:
    for begin, end, label in slices:
        if begin < end:
            words = text[begin:end]
            yield Piece(*label, words, text_size(words))


def _tool(tool: object) -> Piece:
    name = _text(tool.get("name")) if isinstance(tool, dict) else ""
    server = mcp_server(name)
    return Piece(
        MCP_TOOL if server else SYSTEM_TOOL, name, server, _json_text(tool), json_size(tool)
    )


def _other(value: object) -> Piece:
    name = _text(value.get("type")) if isinstance(value, dict) else ""
    return Piece(OTHER, name, "", _json_text(value), json_size(value))


def _json_text(value: object) -> str:
    return compact(value).decode()


def _target(given: object) -> str:
    found = (given.get(name) for name in _TARGETS) if isinstance(given, dict) else ()
    return next((one for one in found if isinstance(one, str) and one), "")


def _text_of(block: object) -> str | None:
    """The words of a text block; None for anything else."""
    if not isinstance(block, dict) or block.get("type") != "text":
        return None
    text = block.get("text")
    return text if isinstance(text, str) else None


def _is_billing(block: object) -> bool:
    return (_text_of(block) or "").startswith(_BILLING)


def _unmarked(value: Any) -> Any:
    if not isinstance(value, dict) or "cache_control" not in value:
        return value
    return {name: part for name, part in value.items() if name != "cache_control"}


def _unmarked_message(message: Any) -> Any:
    """The message without marks: on its blocks, and on the blocks in a tool's result."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    blocks = [_unmarked(block) for block in message["content"]]
    return {**message, "content": [_unmarked_result(block) for block in blocks]}


def _unmarked_result(block: Any) -> Any:
    if not isinstance(block, dict) or not isinstance(block.get("content"), list):
        return block
    return {**block, "content": [_unmarked(part) for part in block["content"]]}


def _blocks(content: object) -> list[Any]:
    """The blocks of a content; a string is one text."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else _list(content)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
