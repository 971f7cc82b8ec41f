"""From lines to responses: which lines carry usage, and what one line says of its response.

The rule is written down in `docs/counting.md`; the numbers in brackets are its paragraphs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.model.usage import BATCH, FAST, OTHER, STANDARD, UNKNOWN_TIME, Response, owns
from tokenbudget.sources.claude_code.decoder import Line, Message, Usage, decode_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.usage import Iteration

SYNTHETIC = "<synthetic>"

_SPEEDS = {"normal": STANDARD, "fast": FAST}
_TIERS = {"batch": BATCH}

_END_OF_TIME_MS = 253_370_764_800_000
"""The year 9999: its last day has no date any more in a zone to the east."""


def epoch_ms(stamp: str | None) -> int:
    """Milliseconds since 1970 of an ISO 8601 time; `UNKNOWN_TIME` where it is none.

    A time without an offset is UTC, as every client writes it.
    """
    if not stamp:
        return UNKNOWN_TIME
    try:
        when = datetime.fromisoformat(stamp)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        at_ms = round(when.timestamp() * 1000)
    except (ValueError, OverflowError):
        return UNKNOWN_TIME
    return at_ms if 0 < at_ms < _END_OF_TIME_MS else UNKNOWN_TIME


class ResponseTable:
    """The responses of one stretch of one file, each merged from all its lines there."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.synthetic_lines = 0
        self.found: dict[str, Response] = {}
        self._stamps: dict[str, str | None] = {}  # as `_comparable` has them

    def add_assistant(self, line: Line, offset: int) -> str | None:
        """Take an assistant line in; returns the key of its response, if it tells of one."""
        message = line.message
        if message is None:
            return None
        key = message.id or line.request_id or line.uuid  # [1]
        sidechain = 1 if line.is_sidechain else 0
        return self._add(message, key, line, line.timestamp, sidechain, offset)

    def add_progress(self, line: Line, offset: int) -> str | None:
        """[7] Take a subagent's line in that stands inside its parent's file."""
        progress = decode_progress(line.data)
        inner = progress.message
        if progress.type != "agent_progress" or inner is None or inner.message is None:
            return None
        if inner.type not in (None, "assistant") or inner.message.usage is None:
            return None
        if inner.is_api_error:
            self.synthetic_lines += 1
            return None
        key = inner.message.id or inner.request_id or line.request_id or inner.uuid or line.uuid
        return self._add(inner.message, key, line, inner.timestamp or line.timestamp, 1, offset)

    def _add(
        self,
        message: Message,
        key: str | None,
        line: Line,
        stamp: str | None,
        sidechain: int,
        offset: int,
    ) -> str | None:
        model = message.model or "unknown"
        if model == SYNTHETIC or line.is_api_error:  # [13] text made by the client
            self.synthetic_lines += 1
            return None
        if not key:
            return None
        kept = self.found.get(key)
        if kept is None:
            kept = self.found[key] = Response(
                key, sidechain, epoch_ms(stamp), offset, line.session or self.session, model
            )
            self._stamps[key] = _comparable(stamp, kept.started_at_ms)
        elif kept.is_sidechain != sidechain or _is_earlier(stamp, self._stamps[key]):
            self._take_place(kept, key, line, stamp, sidechain, offset, model)
        if message.stop_reason is not None:
            kept.has_stop_reason = 1
        if line.attribution_skill:
            kept.skill = max(kept.skill, line.attribution_skill)
        if line.reported_usd is not None:
            kept.reported_usd = max(kept.reported_usd, repr(line.reported_usd))
        if message.usage is not None:  # [14] null usage is unknown usage, never zero
            _take_usage(kept, message.usage, model)
        return key

    def _take_place(
        self,
        kept: Response,
        key: str,
        line: Line,
        stamp: str | None,
        sidechain: int,
        offset: int,
        model: str,
    ) -> None:
        """[4] The earliest line of the main thread owns the response; this may be an earlier."""
        at_ms = epoch_ms(stamp)
        if owns(sidechain, at_ms, "", (kept.is_sidechain, kept.started_at_ms, "")):
            session = line.session or self.session
            place = Response(key, sidechain, at_ms, offset, session, model)
            kept.absorb(place, other_owns=True)
            self._stamps[key] = _comparable(stamp, at_ms)


def _comparable(stamp: str | None, at_ms: int) -> str | None:
    """The time as text, where text of the same length can be compared with it."""
    return stamp if at_ms and stamp is not None and stamp[-1] == "Z" else None


def _is_earlier(stamp: str | None, kept: str | None) -> bool:
    """Whether it is worth parsing the time: equal formats compare as text."""
    if stamp is None or kept is None or len(stamp) != len(kept):
        return stamp is not None
    return stamp < kept or stamp[-1] != "Z"


def _take_usage(kept: Response, usage: Usage, model: str) -> None:
    """[2] Raise every field to what this line reports."""
    iterations = usage.iterations
    if kept.iterations or (iterations is not None and len(iterations) > 1):
        _take_attempts(kept, usage, model)
    else:
        _raise_counts(kept, usage)
    if usage.speed is not None and usage.speed != "standard":
        kept.speed = max(kept.speed, _SPEEDS.get(usage.speed, OTHER))
    if usage.service_tier is not None and usage.service_tier != "standard":
        kept.service_tier = max(kept.service_tier, _TIERS.get(usage.service_tier, OTHER))
    server = usage.server_tool_use
    if server is not None and server.web_search_requests:
        kept.web_search_requests = max(kept.web_search_requests, server.web_search_requests)
    details = usage.output_tokens_details
    if details is not None and details.thinking_tokens is not None:
        count = details.thinking_tokens
        if count > kept.thinking_tokens:
            kept.thinking_tokens = count


def _is_empty(usage: Usage) -> bool:
    """[14] Whether it reports nothing: then the usage is as unknown as where it is null."""
    return (
        usage.input_tokens is None
        and usage.output_tokens is None
        and usage.cache_creation_input_tokens is None
        and usage.cache_read_input_tokens is None
        and usage.cache_creation is None
    )


def _raise_counts(kept: Response, usage: Usage) -> None:
    # Plain comparisons: `max` costs three times as much, and this runs for every usage line.
    count = usage.input_tokens or 0
    if not count and _is_empty(usage):
        return
    if count > kept.input_tokens:
        kept.input_tokens = count
    count = usage.output_tokens or 0
    if count > kept.output_tokens:
        kept.output_tokens = count
    count = usage.cache_read_input_tokens or 0
    if count > kept.cache_read_tokens:
        kept.cache_read_tokens = count
    count, hour = _cache_writes(usage)
    if count > kept.cache_write_tokens:
        kept.cache_write_tokens = count
    if hour > kept.cache_write_1h_tokens:
        kept.cache_write_1h_tokens = hour
    if usage.cache_creation is not None:
        kept.has_cache_split = 1


def _take_attempts(kept: Response, usage: Usage, model: str) -> None:
    """[5] Several attempts: the top level of `usage` is only the last one."""
    pieces = usage.iterations or []
    last = pieces[-1] if len(pieces) > 1 else usage
    copy = Response(
        kept.key,
        kept.is_sidechain,
        kept.started_at_ms,
        kept.offset,
        kept.session,
        last.model or model,
        iterations=tuple(_iteration(piece, model) for piece in pieces[:-1]),
    )
    (
        copy.input_tokens,
        copy.output_tokens,
        copy.cache_write_tokens,
        copy.cache_write_1h_tokens,
        copy.cache_read_tokens,
    ) = _counts(last)
    copy.has_cache_split = 0 if last.cache_creation is None else 1
    kept.absorb(copy, other_owns=False)


def _iteration(usage: Usage, model: str) -> Iteration:
    return (usage.model or model, *_counts(usage))


def _counts(usage: Usage) -> tuple[int, int, int, int, int]:
    write, hour = _cache_writes(usage)
    return (
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        write,
        hour,
        usage.cache_read_input_tokens or 0,
    )


def _cache_writes(usage: Usage) -> tuple[int, int]:
    """[8] All cache writes, and how many of them live an hour; the rest lives five minutes."""
    split = usage.cache_creation
    hour = 0 if split is None else split.hour or 0
    if usage.cache_creation_input_tokens is None:
        return (hour + (split.five or 0) if split is not None else 0), hour
    return usage.cache_creation_input_tokens, min(hour, usage.cache_creation_input_tokens)
