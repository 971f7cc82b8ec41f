"""What a transcript shows of the windows of its requests, line by line.

The order of lines is the order of the window, with three exceptions that the lines themselves tell:
a compaction, a cleared tool result, and a person who went back to an earlier prompt. Lines that a
resume wrote again are recognised by their `uuid`.
"""

# No `from __future__ import annotations`: see decoder.py.
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from tokenbudget.model import window
from tokenbudget.model.window import Piece, Placed
from tokenbudget.sources.claude_code import attachments
from tokenbudget.sources.claude_code.decoder import LARGEST_COUNT, NOTHING, REJECTED
from tokenbudget.sources.claude_code.details import blocks_of, target_of

LONGEST_LINE_BYTES = 1 << 26
SKILL_SIGN = "Base directory for this skill: "
"""How the client begins the text of a skill that was called."""
COMMAND_CHARACTERS = 1_000
"""A slash command names itself in the first two lines of its prompt."""
_COMMAND = re.compile(
    r"\A(?:<command-message>[^<]*</command-message>\s*)?<command-name>(/?[^<\n]{1,80})<"
)


class Said(Struct, gc=False):
    """`message` of a user or assistant line."""

    id: str | None = None
    model: str | None = None
    content: Raw = NOTHING


class Rendered(Struct, gc=False):
    """One entry of `rendered`: the exact injected text."""

    content: Raw = NOTHING


class WindowLine(
    Struct,
    gc=False,
    rename={
        "parent": "parentUuid",
        "is_sidechain": "isSidechain",
        "agent": "agentId",
        "request_id": "requestId",
        "is_meta": "isMeta",
        "is_summary": "isCompactSummary",
        "is_shown_only": "isVisibleInTranscriptOnly",
        "is_api_error": "isApiErrorMessage",
        "compact": "compactMetadata",
        "microcompact": "microcompactMetadata",
    },
):
    """The fields of a line that say what is in the window."""

    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    parent: str | None = None
    is_sidechain: bool | None = None
    agent: str | None = None
    request_id: str | None = None
    is_meta: bool | None = None
    is_summary: bool | None = None
    is_shown_only: bool | None = None
    is_api_error: bool | None = None
    message: Said | None = None
    attachment: Raw = NOTHING
    rendered: list[Rendered] | None = None
    shape: Raw = NOTHING
    compact: Raw = NOTHING
    microcompact: Raw = NOTHING


_decode = msgspec.json.Decoder(WindowLine).decode
_text = msgspec.json.Decoder(str).decode


def read_window(
    path: str, reader: "WindowReader | None" = None, offset: int = 0
) -> Iterator[Placed]:
    """Every piece and event of the transcript at `path`, in order, and at last where it ends.

    With a reader that has read everything before `offset`, from there on.

    Raises:
        OSError: the file cannot be read.
    """
    taking = reader or WindowReader()
    with open(path, "rb") as handle:
        handle.seek(offset)
        for line in handle:
            if line[-1:] != b"\n":
                break  # the client is still writing it
            if len(line) < LONGEST_LINE_BYTES:
                yield from taking.take(offset, line)
            offset += len(line)
    yield Placed(offset, 0, "", "", Piece(window.END, "", "", "", 0))


class Places(Protocol):
    """Where the line with a `uuid` begins."""

    def __contains__(self, uuid: str, /) -> bool: ...

    def __getitem__(self, uuid: str, /) -> int: ...

    def __setitem__(self, uuid: str, offset: int, /) -> None: ...


class WindowReader:
    """Reads lines in order; remembers which tool a call used and where each line stands."""

    def __init__(self) -> None:
        self._tools: dict[str, tuple[str, str]] = {}
        self._places: Places = {}
        self._last: dict[str, str] = {}
        self._last_said: dict[str, int] = {}
        self._has_shape = False

    def take(self, offset: int, line: bytes) -> Iterator[Placed]:
        """The pieces and events of one line, whatever its bytes."""
        found = _line(line)
        if found is None:
            return
        thread = found.agent or "sidechain" if found.is_sidechain else ""
        if found.uuid:
            if found.uuid in self._places:
                return  # written again by a resume or a compaction
            self._places[found.uuid] = offset
        placed = list(self._rewound(found, thread, offset))
        for link, piece in self._pieces(found):
            placed.append(Placed(offset, len(placed), thread, link, piece))
        if found.type == "assistant" or (found.type == "user" and _is_prompt(found)):
            self._last_said[thread] = offset
        if found.uuid:
            self._last[thread] = found.uuid
        yield from placed

    def _rewound(self, line: WindowLine, thread: str, offset: int) -> Iterator[Placed]:
        """A prompt whose parent is not the line before it: the lines between are left behind."""
        parent = line.parent
        if line.type != "user" or line.is_meta or line.is_shown_only or parent is None:
            return
        if self._last.get(thread) == parent or parent not in self._places or not _is_prompt(line):
            return
        place = self._places[parent]
        if self._last_said.get(thread, -1) > place:
            event = Piece(window.REWOUND, "", "", "", 0)
            yield Placed(offset, 0, thread, str(place), event)

    def _pieces(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        match line.type:
            case "assistant":
                yield from self._written(line)
            case "user":
                if not line.is_shown_only:
                    yield from self._said(line)
            case "attachment":
                yield from self._attached(line)
            case "system":
                yield from self._event(line)
            case "api-request-shape":
                yield from self._shape(line)
            case _:
                pass

    def _written(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        message = line.message
        if message is None or line.is_api_error or message.model == "<synthetic>":
            return
        key = message.id or line.request_id or line.uuid or ""
        is_empty = True
        for block in blocks_of(message.content):
            is_empty = False
            if block.type == "tool_use":
                name, target = block.name or "unknown", target_of(block.input)
                self._tools[block.id or ""] = (name, target)
                words = name + " " + bytes(block.input).decode("utf-8", "replace")
                yield key, _piece(window.TOOL_USE, words, name, target)
            elif block.type == "text":
                yield key, _piece(window.TEXT, plain(block.text))
            elif block.type == "thinking":
                yield key, _piece(window.THINKING, plain(block.thinking))
            else:
                yield key, _piece(window.OTHER, "", block.type or "unknown")
        if is_empty:
            yield key, _piece(window.OTHER, "", "empty")

    def _said(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        content = NOTHING if line.message is None else line.message.content
        for block in blocks_of(content):
            if block.type == "tool_result":
                link = block.tool_use_id or ""
                for piece in self._results(link, block.content):
                    yield link, piece
            elif block.type == "text":
                piece = _prompt(line, plain(block.text))
                yield _command(piece) if piece.kind == window.PROMPT else "", piece
            elif block.type == "image":
                yield "", _piece(window.IMAGE, "", size_bytes=len(bytes(block.source)))
            else:
                yield "", _piece(window.OTHER, "", block.type or "unknown")

    def _results(self, link: str, content: Raw) -> Iterator[Piece]:
        name, target = self._tools.get(link, ("unknown", ""))
        words: list[str] = []
        for block in blocks_of(content):
            if block.type == "text":
                words.append(plain(block.text))
            elif block.type == "image":
                yield _piece(window.IMAGE, "", name, target, len(bytes(block.source)))
            elif block.type == "tool_reference":
                words.append(block.tool_name or "")
            else:
                yield _piece(window.OTHER, "", block.type or "unknown")
        yield _piece(window.TOOL_RESULT, "\n".join(words), name, target)

    def _attached(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        found = _object(line.attachment)
        kind = found.get("type")
        if kind == "prompt_snapshot":
            if not self._has_shape and isinstance(found.get("tools"), list):
                yield "", _piece(window.RESHAPED, "")
                for piece in attachments.shape_pieces(found.get("systemPrompt"), found["tools"]):
                    yield "", piece
            return
        shown = None if line.rendered is None else [plain(part.content) for part in line.rendered]
        for piece in attachments.attachment_pieces(found, shown):
            yield "", piece

    def _shape(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        found = _object(line.shape)
        self._has_shape = True
        yield "", _piece(window.RESHAPED, "")
        for piece in attachments.shape_pieces(found.get("system"), found.get("tools")):
            yield "", piece

    def _event(self, line: WindowLine) -> Iterator[tuple[str, Piece]]:
        if line.subtype == "compact_boundary":
            facts = _object(line.compact)
            kept = " ".join(str(self._places[uuid]) for uuid in self._kept(facts))
            before = facts.get("preTokens")
            is_told = isinstance(before, int) and 0 < before < LARGEST_COUNT
            trigger = str(facts.get("trigger") or "unknown")
            yield kept, _piece(window.COMPACTED, "", trigger, str(before) if is_told else "")
        elif line.subtype == "microcompact_boundary":
            ids = _object(line.microcompact).get("compactedToolIds")
            for link in ids if isinstance(ids, list) else ():
                if isinstance(link, str):
                    yield link, _piece(window.CLEARED, "")

    def _kept(self, facts: dict[str, Any]) -> list[str]:
        """Lines that a compaction says it preserved, of those that we have seen."""
        preserved = facts.get("preservedMessages")
        uuids = preserved.get("uuids") if isinstance(preserved, dict) else None
        known = uuids if isinstance(uuids, list) else []
        return [uuid for uuid in known if isinstance(uuid, str) and uuid in self._places]


def _piece(kind: str, text: str, name: str = "", target: str = "", size_bytes: int = -1) -> Piece:
    size = len(text.encode("utf-8", "replace")) if size_bytes < 0 else size_bytes
    return Piece(kind, name, target, text, size)


def _prompt(line: WindowLine, words: str) -> Piece:
    if line.is_summary:
        return _piece(window.SUMMARY, words)
    if not line.is_meta:
        return _piece(window.PROMPT, words)
    if words.startswith(SKILL_SIGN):
        folder = words[len(SKILL_SIGN) :].partition("\n")[0].replace("\\", "/").rstrip("/")
        return _piece(window.SKILL_BODY, words, folder.rpartition("/")[2] or "unknown")
    return _piece(window.REMINDER, words, "notice")


def _command(prompt: Piece) -> str:
    """The slash command that a prompt is, as `/name`; '' for what a person wrote."""
    found = _COMMAND.match(prompt.text, 0, COMMAND_CHARACTERS)
    return "" if found is None else f"/{found[1].lstrip('/')}"


def _is_prompt(line: WindowLine) -> bool:
    blocks = blocks_of(NOTHING if line.message is None else line.message.content)
    return bool(blocks) and all(block.type != "tool_result" for block in blocks)


def plain(raw: Raw) -> str:
    """The words of a JSON string, or of the text blocks of a list; '' for anything else."""
    if bytes(memoryview(raw)[:1]) == b"[":
        return "\n".join(plain(block.text) for block in blocks_of(raw) if block.type == "text")
    if bytes(memoryview(raw)[:1]) != b'"':
        return ""
    try:
        return _text(raw)
    except REJECTED:
        try:
            return str(json.loads(bytes(raw).decode("utf-8", "replace"), strict=False))
        except ValueError:
            return ""


def _object(raw: Raw) -> dict[str, Any]:
    try:
        found = json.loads(bytes(raw).decode("utf-8", "replace") or "null", strict=False)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(data: bytes) -> WindowLine | None:
    """A line's fields, those of another type left out; None for what is no record."""
    try:
        return _decode(data)
    except REJECTED:
        pass
    try:
        found = json.loads(data.decode("utf-8-sig", "replace"), parse_constant=lambda name: None)
        if not isinstance(found, dict):
            return None
        return _decode(json.dumps(_fitting(found), ensure_ascii=False).encode("utf-8", "replace"))
    except (*REJECTED, ValueError, RecursionError):
        return None


_TEXTS = frozenset(("type", "subtype", "uuid", "parentUuid", "agentId", "requestId"))
_FLAGS = frozenset(
    (
        *("isSidechain", "isMeta", "isCompactSummary"),
        *("isVisibleInTranscriptOnly", "isApiErrorMessage"),
    )
)


def _fitting(found: dict[str, Any]) -> dict[str, Any]:
    """The fields that have the expected type."""

    def fits(name: str, value: object) -> bool:
        if name in _TEXTS:
            return isinstance(value, str)
        return isinstance(value, bool) if name in _FLAGS else True

    line = {name: value for name, value in found.items() if fits(name, value)}
    message = line.pop("message", None)
    if isinstance(message, dict):
        named = {key: message[key] for key in ("id", "model") if isinstance(message.get(key), str)}
        line["message"] = {**named, "content": message.get("content")}
    rendered = line.pop("rendered", None)
    if isinstance(rendered, list):
        line["rendered"] = [part for part in rendered if isinstance(part, dict)]
    return line
