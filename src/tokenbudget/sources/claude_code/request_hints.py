"""What a transcript knows of the texts that the client puts into a request.

An attachment line holds the exact text and says what it is. Read from Claude Code 2.1.300 to
2.1.329; older clients do not write the text (`rendered`).
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from tokenbudget.model.window import (
    AGENT_LISTING,
    DEFERRED_NAMES,
    ENVIRONMENT,
    FILE,
    MCP_INSTRUCTIONS,
    MEMORY_FILE,
    PROMPT,
    REMINDER,
    SKILL_LISTING,
    SUMMARY,
    mcp_server,
)
from tokenbudget.sources.claude_code.request_messages import NO_JSON, Json, value_of

OPENING, CLOSING = "<system-reminder>\n", "\n</system-reminder>"
_MARKS = (b'"attachment"', b'"isCompactSummary"')

SHORTEST_TEXT = 8
"""A shorter text could stand anywhere by chance; the shortest real one has 22 characters."""

_KINDS = {
    "environment": ENVIRONMENT,
    "model": ENVIRONMENT,
    "date": ENVIRONMENT,
    "date_change": ENVIRONMENT,
    "session_context": ENVIRONMENT,
    "remote_session_change": ENVIRONMENT,
    "skill_listing": SKILL_LISTING,
    "agent_listing_delta": AGENT_LISTING,
    "queued_command": PROMPT,
    "file": FILE,
    "compact_file_reference": FILE,
}


class Label(NamedTuple):
    """What a stretch of text is, in the words of a piece."""

    kind: str
    name: str = ""
    target: str = ""


class Part(NamedTuple):
    """A text inside a hint's text that is something of its own."""

    label: Label
    text: str


class Hint(NamedTuple):
    """A text that the client injected, without the tags around it."""

    label: Label
    text: str
    parts: tuple[Part, ...] = ()


class Hints:
    """Everything that a transcript's lines say about injected texts."""

    def __init__(self) -> None:
        self._by_start: dict[str, dict[int, dict[str, Hint]]] = {}
        """By the first characters, then by the length: a search tries each length once."""

    def add(self, line: bytes) -> None:
        """Take a line in; one that injects nothing, or is damaged, is passed over."""
        if not any(mark in line for mark in _MARKS):
            return
        try:
            found = value_of(line)
        except NO_JSON:
            return
        if not isinstance(found, dict):
            return
        attachment = found.get("attachment")
        if isinstance(attachment, dict):
            for text in _rendered(found):
                self.know(_hint(attachment, without_tags(text)))
        elif found.get("isCompactSummary") is True:
            self.know(Hint(Label(SUMMARY), _content(found.get("message"))))

    def know(self, hint: Hint) -> None:
        """Remember a hint; what was injected last about a text is what it is."""
        if len(hint.text) < SHORTEST_TEXT:
            return
        lengths = self._by_start.setdefault(hint.text[:SHORTEST_TEXT], {})
        lengths.setdefault(len(hint.text), {})[hint.text] = hint

    def at(self, text: str, begin: int) -> Hint | None:
        """The longest hint whose text stands there."""
        lengths = self._by_start.get(text[begin : begin + SHORTEST_TEXT], {})
        for length in sorted(lengths, reverse=True):
            hint = lengths[length].get(text[begin : begin + length])
            if hint is not None:
                return hint
        return None

    def exactly(self, text: str) -> Hint | None:
        """The hint with this very text."""
        found = self.at(text, 0)
        return found if found is not None and found.text == text else None


def without_tags(text: str) -> str:
    """The words inside of a reminder's tags; any other text is as it was."""
    bare = text.strip()
    if bare.startswith(OPENING) and bare.endswith(CLOSING):
        return bare[len(OPENING) : -len(CLOSING)].strip()
    return bare


def _rendered(line: Json) -> list[str]:
    entries = line.get("rendered")
    return [_content(one) for one in entries] if isinstance(entries, list) else []


def _content(holder: object) -> str:
    """The words of a content: a string, or the first text of a list."""
    content = holder.get("content") if isinstance(holder, dict) else None
    if isinstance(content, list):
        texts = (block.get("text") for block in content if isinstance(block, dict))
        content = next((text for text in texts if isinstance(text, str)), "")
    return content if isinstance(content, str) else ""


def _hint(attachment: Json, text: str) -> Hint:
    name = _text(attachment.get("type")) or "unrecognized"
    kind = _KINDS.get(name, REMINDER)
    target = _text(attachment.get("filename")) if kind == FILE else ""
    match name:
        case "instructions":
            parts = _memory_files(attachment, text)
        case "mcp_instructions_delta":
            parts = _servers(attachment)
        case "deferred_tools_delta":
            parts = _deferred(_texts(attachment.get("addedLines")))
        case "nested_memory":
            return Hint(Label(MEMORY_FILE, _text(attachment.get("path"))), text)
        case _:
            parts = ()
    return Hint(Label(kind, name, target), text, parts)


def _memory_files(attachment: Json, text: str) -> tuple[Part, ...]:
    """Each file with the line that introduces it, from there to the end of its content."""
    parts = []
    at = 0
    for file in _objects(attachment.get("files")):
        path, content = _text(file.get("path")), _text(file.get("content"))
        found = text.find(content, at) if content else -1
        if path and found >= 0:
            heading = text.find(path, at, found)
            begin = found if heading < 0 else max(at, text.rfind("\n", at, heading) + 1)
            at = found + len(content)
            parts.append(Part(Label(MEMORY_FILE, path), text[begin:at]))
    return tuple(parts)


def _servers(attachment: Json) -> tuple[Part, ...]:
    names, blocks = _texts(attachment.get("addedNames")), _texts(attachment.get("addedBlocks"))
    return tuple(
        Part(Label(MCP_INSTRUCTIONS, target=name), block)
        for name, block in zip(names, blocks, strict=False)
    )


def _deferred(lines: list[str]) -> tuple[Part, ...]:
    return tuple(
        Part(Label(DEFERRED_NAMES, target=server), "\n".join(group))
        for server, group in groupby(lines, mcp_server)
    )


def deferred_parts(text: str) -> tuple[Part, ...]:
    """The names in a list of deferred tools, one on each line."""
    return _deferred([line for line in text.split("\n") if line and " " not in line])


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
