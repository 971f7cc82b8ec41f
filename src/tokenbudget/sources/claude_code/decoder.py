"""One transcript line as a typed value, whatever its bytes.

Read from Claude Code 1.0.0 to 2.1.329. The fast path is a typed msgspec decode that skips what it
does not name; a line that msgspec rejects (a lone surrogate, NaN, a BOM, a field of another type)
goes through the standard library, which accepts all of these, and is read leniently field by field.
Only a line that is no JSON at all raises `Malformed`.
"""

# No `from __future__ import annotations` here: msgspec would have to compile every annotation again
# at import, which costs 15 ms.
from typing import Annotated, Optional

import msgspec
from msgspec import Raw, Struct

LARGEST_COUNT = 10**12
"""Tokens of one response; beyond a million million it is not a count but damage."""

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]

NOTHING = Raw(b"")


class Malformed(ValueError):
    """The line is not JSON."""


class NotAnObject(ValueError):
    """The line is JSON, but no object: nothing in it can be a record."""


class CacheSplit(
    Struct,
    gc=False,
    rename={"five": "ephemeral_5m_input_tokens", "hour": "ephemeral_1h_input_tokens"},
):
    """`usage.cache_creation`: cache writes by time to live, in tokens."""

    five: Count | None = None
    hour: Count | None = None


class OutputDetails(Struct, gc=False):
    """`usage.output_tokens_details`."""

    thinking_tokens: Count | None = None


class ServerTools(Struct, gc=False):
    """`usage.server_tool_use`: requests that the provider bills by the piece."""

    web_search_requests: Count | None = None


class Usage(Struct, gc=False):
    """`message.usage`; `input_tokens` excludes everything read from or written to the cache."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: CacheSplit | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerTools | None = None
    service_tier: str | None = None
    speed: str | None = None
    iterations: Optional[list["Usage"]] = None  # noqa: UP045 (a forward reference needs a string)
    model: str | None = None


class Message(Struct, gc=False):
    """`message` of a user or assistant line; `content` stays undecoded."""

    id: str | None = None
    model: str | None = None
    role: str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    content: Raw = NOTHING


class Line(
    Struct,
    gc=False,
    rename={
        "session": "sessionId",
        "is_sidechain": "isSidechain",
        "request_id": "requestId",
        "git_branch": "gitBranch",
        "is_api_error": "isApiErrorMessage",
        "is_meta": "isMeta",
        "is_compact_summary": "isCompactSummary",
        "tool_use_result": "toolUseResult",
        "attribution_skill": "attributionSkill",
        "reported_usd": "costUSD",
        "compact_metadata": "compactMetadata",
        "microcompact_metadata": "microcompactMetadata",
        "ai_title": "aiTitle",
        "custom_title": "customTitle",
    },
):
    """The fields of a line that any rule of ours looks at; `docs/counting.md` names the types."""

    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    session: str | None = None
    cwd: str | None = None
    version: str | None = None
    git_branch: str | None = None
    request_id: str | None = None
    is_sidechain: bool | None = None
    is_api_error: bool | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    attribution_skill: str | None = None
    reported_usd: float | None = None
    summary: str | None = None
    ai_title: str | None = None
    custom_title: str | None = None
    message: Message | None = None
    data: Raw = NOTHING
    attachment: Raw = NOTHING
    rendered: Raw = NOTHING
    tool_use_result: Raw = NOTHING
    compact_metadata: Raw = NOTHING
    microcompact_metadata: Raw = NOTHING


class ProgressMessage(
    Struct, gc=False, rename={"request_id": "requestId", "is_api_error": "isApiErrorMessage"}
):
    """`data.message` of an `agent_progress` line: a whole line of the subagent."""

    type: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    request_id: str | None = None
    is_api_error: bool | None = None
    message: Message | None = None


class Progress(Struct, gc=False):
    """`data` of a progress line."""

    type: str | None = None
    message: ProgressMessage | None = None


typed_line = msgspec.json.Decoder(Line).decode
"""The fast path alone; raises one of `REJECTED`."""

_typed_progress = msgspec.json.Decoder(Progress).decode

REJECTED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def repaired_line(data: bytes) -> Line:
    """The line where `typed_line` rejected it.

    Raises:
        Malformed: the bytes are no JSON, or nested beyond what any parser takes.
        NotAnObject: the value is null, a number, a string or a list.
    """
    try:
        return _line(_plain_object(data))
    except RecursionError as exc:
        raise Malformed("nested too deeply") from exc


def decode_line(data: bytes) -> Line:
    """The line, by the fast path or the lenient one; raises as `repaired_line`."""
    try:
        return typed_line(data)
    except REJECTED:
        return repaired_line(data)


def decode_progress(data: Raw) -> Progress:
    """`data` of a progress line; an empty one where it has another shape."""
    try:
        return _typed_progress(data)
    except REJECTED:
        try:
            return _progress(_plain_object(bytes(data)))
        except (ValueError, RecursionError):
            return Progress()


_KIND_OF_JSON = {"NoneType": "null", "list": "a list", "str": "a string", "bool": "true or false"}


def _plain_object(data: bytes) -> dict[str, object]:
    import json

    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    try:
        value = json.loads(text, parse_constant=lambda name: None)  # NaN and the infinities
    except ValueError as exc:
        raise Malformed(str(exc)) from exc
    if not isinstance(value, dict):
        raise NotAnObject(_KIND_OF_JSON.get(type(value).__name__, "a number"))
    return value


# ── the lenient reading: keep every field that has a usable type, drop the others ──────────────


def _text(value: object) -> str | None:
    """A string that can be stored: a lone surrogate becomes U+FFFD's stand-in, `?`."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= LARGEST_COUNT else None  # NaN fails the comparison


def _object(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None


def _raw(value: object) -> Raw:
    return NOTHING if value is None else raw_text(value)


def raw_text(value: object) -> Raw:
    """The value as compact JSON text, which is how clients write it; lone surrogates become `?`."""
    import json

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Raw(text.encode("utf-8", "replace"))


def _usage(value: object) -> Usage | None:
    found = _object(value)
    if found is None:
        return None
    split = _object(found.get("cache_creation"))
    details = _object(found.get("output_tokens_details"))
    server = _object(found.get("server_tool_use"))
    iterations = found.get("iterations")
    pieces = [_usage(piece) for piece in iterations] if isinstance(iterations, list) else []
    return Usage(
        input_tokens=_count(found.get("input_tokens")),
        output_tokens=_count(found.get("output_tokens")),
        cache_creation_input_tokens=_count(found.get("cache_creation_input_tokens")),
        cache_read_input_tokens=_count(found.get("cache_read_input_tokens")),
        cache_creation=None
        if split is None
        else CacheSplit(
            _count(split.get("ephemeral_5m_input_tokens")),
            _count(split.get("ephemeral_1h_input_tokens")),
        ),
        output_tokens_details=OutputDetails(_count((details or {}).get("thinking_tokens"))),
        server_tool_use=ServerTools(_count((server or {}).get("web_search_requests"))),
        service_tier=_text(found.get("service_tier")),
        speed=_text(found.get("speed")),
        iterations=[piece for piece in pieces if piece is not None],
        model=_text(found.get("model")),
    )


def _message(value: object) -> Message | None:
    found = _object(value)
    if found is None:
        return None
    return Message(
        id=_text(found.get("id")),
        model=_text(found.get("model")),
        role=_text(found.get("role")),
        stop_reason=_text(found.get("stop_reason")),
        usage=_usage(found.get("usage")),
        content=_raw(found.get("content")),
    )


def _progress(found: dict[str, object]) -> Progress:
    inner = _object(found.get("message")) or {}
    return Progress(
        type=_text(found.get("type")),
        message=ProgressMessage(
            type=_text(inner.get("type")),
            uuid=_text(inner.get("uuid")),
            timestamp=_text(inner.get("timestamp")),
            request_id=_text(inner.get("requestId")),
            is_api_error=_flag(inner.get("isApiErrorMessage")),
            message=_message(inner.get("message")),
        ),
    )


def _line(found: dict[str, object]) -> Line:
    usd = found.get("costUSD")
    return Line(
        type=_text(found.get("type")),
        subtype=_text(found.get("subtype")),
        uuid=_text(found.get("uuid")),
        timestamp=_text(found.get("timestamp")),
        session=_text(found.get("sessionId")),
        cwd=_text(found.get("cwd")),
        version=_text(found.get("version")),
        git_branch=_text(found.get("gitBranch")),
        request_id=_text(found.get("requestId")),
        is_sidechain=_flag(found.get("isSidechain")),
        is_api_error=_flag(found.get("isApiErrorMessage")),
        is_meta=_flag(found.get("isMeta")),
        is_compact_summary=_flag(found.get("isCompactSummary")),
        attribution_skill=_text(found.get("attributionSkill")),
        reported_usd=float(usd) if isinstance(usd, int | float) and 0 <= usd < 1e9 else None,
        summary=_text(found.get("summary")),
        ai_title=_text(found.get("aiTitle")),
        custom_title=_text(found.get("customTitle")),
        message=_message(found.get("message")),
        data=_raw(found.get("data")),
        attachment=_raw(found.get("attachment")),
        rendered=_raw(found.get("rendered")),
        tool_use_result=_raw(found.get("toolUseResult")),
        compact_metadata=_raw(found.get("compactMetadata")),
        microcompact_metadata=_raw(found.get("microcompactMetadata")),
    )
