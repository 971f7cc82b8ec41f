"""From lines to events other than usage: tools, words, attachments, compactions.

A line's `uuid` is its identity: a line that a fork or a resume wrote again is the same event.
"""

# No `from __future__ import annotations`: see decoder.py.
import msgspec
from msgspec import Raw, Struct

from tokenbudget.model.events import (
    Attachment,
    Compaction,
    Content,
    Detail,
    ToolCall,
    ToolResult,
    text_sum,
)
from tokenbudget.sources.claude_code.decoder import (
    NOTHING,
    REJECTED,
    Count,
    Line,
    decode_progress,
    raw_text,
)
from tokenbudget.sources.claude_code.usage import epoch_ms


class Block(Struct, gc=False):
    """One block of `message.content`, its long parts undecoded."""

    type: str | None = None
    id: str | None = None
    name: str | None = None
    tool_use_id: str | None = None
    tool_name: str | None = None
    is_error: bool | None = None
    input: Raw = NOTHING
    content: Raw = NOTHING
    text: Raw = NOTHING
    thinking: Raw = NOTHING
    source: Raw = NOTHING


class ToolInput(Struct, gc=False):
    """The arguments of a tool that say what it acts on."""

    file_path: str | None = None
    notebook_path: str | None = None
    path: str | None = None
    skill: str | None = None
    subagent_type: str | None = None
    url: str | None = None


class ResultFacts(
    Struct, gc=False, rename={"duration_ms": "durationMs", "total_ms": "totalDurationMs"}
):
    """`toolUseResult`: only what is wanted of its 91 shapes."""

    duration_ms: float | None = None
    total_ms: float | None = None


class Rendered(Struct, gc=False):
    """One entry of a line's `rendered`: the exact injected text."""

    content: Raw = NOTHING


class Attached(Struct, gc=False):
    """`attachment` of an attachment line."""

    type: str | None = None


class CompactFacts(
    Struct,
    gc=False,
    rename={"pre_tokens": "preTokens", "post_tokens": "postTokens", "saved_tokens": "tokensSaved"},
):
    """`compactMetadata` and `microcompactMetadata`."""

    trigger: str | None = None
    pre_tokens: Count | None = None
    post_tokens: Count | None = None
    saved_tokens: Count | None = None


_blocks = msgspec.json.Decoder(list[Block]).decode
_tool_input = msgspec.json.Decoder(ToolInput).decode
_result_facts = msgspec.json.Decoder(ResultFacts).decode
_attached = msgspec.json.Decoder(Attached).decode
_rendered = msgspec.json.Decoder(list[Rendered]).decode
_compact_facts = msgspec.json.Decoder(CompactFacts).decode

_KINDS = {"text": "text", "thinking": "thinking", "redacted_thinking": "thinking", "image": "image"}


def text_hash(raw: Raw) -> int:
    """A 64-bit sum of the JSON text: equal text, equal number."""
    return text_sum(bytes(raw))


def blocks_of(content: Raw) -> list[Block]:
    """The blocks of a `message.content`; a bare string is one text block."""
    data = bytes(content)
    if data[:1] == b'"':
        return [Block(type="text", text=content)]
    if data[:1] != b"[":
        return []
    try:
        return _blocks(data)
    except REJECTED:
        return _lenient_blocks(data)


class DetailTable:
    """The events of one stretch of one file."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.calls: list[ToolCall] = []
        self.results: list[ToolResult] = []
        self.contents: list[Content] = []
        self.attachments: list[Attachment] = []
        self.compactions: list[Compaction] = []

    def detail(self) -> Detail:
        """Everything found so far."""
        return Detail(self.calls, self.results, self.contents, self.attachments, self.compactions)

    def add(self, line: Line, offset: int, response_key: str | None) -> None:
        """Take a line in; `response_key` names the response that it belongs to, if to one."""
        match line.type:
            case "assistant":
                if response_key is not None:
                    content = NOTHING if line.message is None else line.message.content
                    self._add_blocks(line, line.uuid, content, offset, response_key)
            case "user":
                content = NOTHING if line.message is None else line.message.content
                self._add_blocks(line, line.uuid, content, offset, "")
            case "progress":
                self._add_progress(line, offset, response_key)
            case "attachment":
                self._add_attachment(line, offset)
            case "system":
                self._add_compaction(line, offset)
            case _:
                pass

    def _add_progress(self, line: Line, offset: int, response_key: str | None) -> None:
        if response_key is None:
            return
        inner = decode_progress(line.data).message
        if inner is not None and inner.message is not None:
            self._add_blocks(line, inner.uuid, inner.message.content, offset, response_key)

    def _add_blocks(
        self, line: Line, uuid: str | None, content: Raw, offset: int, response_key: str
    ) -> None:
        identity = uuid or f"{self.session}:{offset}"
        at_ms = epoch_ms(line.timestamp)
        for position, block in enumerate(blocks_of(content)):
            if block.type == "tool_use":
                self._add_call(block, response_key, at_ms, offset)
            elif block.type == "tool_result":
                self._add_result(line, block, at_ms, offset)
            else:
                self._add_content(line, identity, position, block, response_key, at_ms, offset)

    def _add_call(self, block: Block, response_key: str, at_ms: int, offset: int) -> None:
        if not block.id:
            return
        self.calls.append(
            ToolCall(
                tool_use_id=block.id,
                response_key=response_key,
                name=block.name or "unknown",
                target=target_of(block.input),
                input_bytes=len(bytes(block.input)),
                input_hash=text_hash(block.input),
                called_at_ms=at_ms,
                offset=offset,
            )
        )

    def _add_result(self, line: Line, block: Block, at_ms: int, offset: int) -> None:
        if not block.tool_use_id:
            return
        self.results.append(
            ToolResult(
                tool_use_id=block.tool_use_id,
                result_bytes=len(bytes(block.content)),
                result_hash=text_hash(block.content),
                is_error=1 if block.is_error else 0,
                duration_ms=_duration_ms(line.tool_use_result),
                answered_at_ms=at_ms,
                offset=offset,
            )
        )

    def _add_content(
        self,
        line: Line,
        identity: str,
        position: int,
        block: Block,
        response_key: str,
        at_ms: int,
        offset: int,
    ) -> None:
        kind = _KINDS.get(block.type or "", "other")
        if not response_key and kind == "text":
            kind = _user_kind(line)
        size_bytes = sum(len(bytes(part)) for part in (block.text, block.thinking, block.source))
        session = line.session or self.session
        self.contents.append(
            Content(identity, position, response_key, kind, size_bytes, at_ms, session, offset)
        )

    def _add_attachment(self, line: Line, offset: int) -> None:
        try:
            attached = _attached(line.attachment)
        except REJECTED:
            attached = Attached()
        try:
            size_bytes = sum(len(bytes(part.content)) for part in _rendered(line.rendered))
        except REJECTED:  # an older client keeps no rendered text
            size_bytes = len(bytes(line.attachment))
        self.attachments.append(
            Attachment(
                uuid=line.uuid or f"{self.session}:{offset}",
                kind=attached.type or "unknown",
                size_bytes=size_bytes,
                at_ms=epoch_ms(line.timestamp),
                session=line.session or self.session,
                offset=offset,
            )
        )

    def _add_compaction(self, line: Line, offset: int) -> None:
        if line.subtype == "compact_boundary":
            kind, raw = "compact", line.compact_metadata
        elif line.subtype == "microcompact_boundary":
            kind, raw = "microcompact", line.microcompact_metadata
        else:
            return
        try:
            facts = _compact_facts(raw)
        except REJECTED:
            facts = CompactFacts()
        self.compactions.append(
            Compaction(
                uuid=line.uuid or f"{self.session}:{offset}",
                kind=kind,
                trigger=facts.trigger or "unknown",
                pre_tokens=facts.pre_tokens,
                post_tokens=facts.post_tokens,
                saved_tokens=facts.saved_tokens,
                at_ms=epoch_ms(line.timestamp),
                session=line.session or self.session,
                offset=offset,
            )
        )


def _user_kind(line: Line) -> str:
    if line.is_compact_summary:
        return "summary"
    return "notice" if line.is_meta else "prompt"


def target_of(raw: Raw) -> str:
    """What a tool acts on; empty where its arguments do not say."""
    try:
        given = _tool_input(raw)
    except REJECTED:
        return ""
    return (
        given.file_path
        or given.notebook_path
        or given.skill
        or given.subagent_type
        or given.path
        or given.url
        or ""
    )


def _duration_ms(raw: Raw) -> int | None:
    """How long the tool ran, where the result says so; most shapes do not."""
    if bytes(memoryview(raw)[:1]) != b"{":
        return None
    try:
        facts = _result_facts(raw)
    except REJECTED:
        return None
    found = facts.duration_ms if facts.duration_ms is not None else facts.total_ms
    return None if found is None or not 0 <= found < 1e12 else round(found)


def _lenient_blocks(data: bytes) -> list[Block]:
    """Blocks of a list that msgspec rejects, whatever in it has the expected type."""
    import json

    try:
        found = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda name: None)
        return [_lenient_block(item) for item in found if isinstance(item, dict)]
    except (ValueError, RecursionError):
        return []


def _lenient_block(item: dict[str, object]) -> Block:
    def text(name: str) -> str | None:
        value = item.get(name)
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None

    def raw(name: str) -> Raw:
        return raw_text(item[name]) if name in item else NOTHING

    return Block(
        type=text("type"),
        id=text("id"),
        name=text("name"),
        tool_use_id=text("tool_use_id"),
        tool_name=text("tool_name"),
        is_error=item.get("is_error") is True,
        input=raw("input"),
        content=raw("content"),
        text=raw("text"),
        thinking=raw("thinking"),
        source=raw("source"),
    )


def first_text(content: Raw) -> str | None:
    """The words of the first text block of a `message.content`."""
    for block in blocks_of(content):
        if block.type == "text":
            try:
                return msgspec.json.decode(block.text, type=str)
            except REJECTED:
                return None
    return None
