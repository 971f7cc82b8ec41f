"""From lines to responses: which lines carry usage, and what one line says of its response.

The rule is written down in `docs/counting.md`; the numbers in brackets are its paragraphs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.model.usage import BATCH, FAST, UNKNOWN, UNKNOWN_TIME, Response, owns
from tokenbudget.sources.claude_code.decoder import Line, Message, Usage, decode_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.usage import Iteration

SYNTHETIC = "<synthetic>"


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
        return max(UNKNOWN_TIME, round(when.timestamp() * 1000))
    except (ValueError, OverflowError):
        return UNKNOWN_TIME


class ResponseTable:
    """The responses of one stretch of one file, each merged from all its lines there."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.synthetic_lines = 0
        self.found: dict[str, Response] = {}

    def add(self, line: Line, offset: int) -> str | None:
        """Take a line in; returns the key of the response that it belongs to, if to one."""
        if line.type == "assistant":
            message = line.message
            if message is None:
                return None
            return self._add(
                message,
                message.id or line.request_id or line.uuid,
                line,
                line.timestamp,
                1 if line.is_sidechain else 0,
                offset,
            )
        if line.type == "progress":
            return self._add_progress(line, offset)
        return None

    def _add_progress(self, line: Line, offset: int) -> str | None:
        """[7] A subagent's line that stands inside its parent's file."""
        progress = decode_progress(line.data)
        inner = progress.message
        if progress.type != "agent_progress" or inner is None or inner.message is None:
            return None
        if inner.type not in (None, "assistant") or inner.message.usage is None:
            return None
        key = inner.message.id or inner.request_id or line.request_id or inner.uuid or line.uuid
        stamp = inner.timestamp or line.timestamp
        return self._add(inner.message, key, line, stamp, 1, offset)

    def _add(
        self,
        message: Message,
        key: str | None,
        line: Line,
        stamp: str | None,
        is_sidechain: int,
        offset: int,
    ) -> str | None:
        if message.model == SYNTHETIC or line.is_api_error:  # [13] text made by the client
            self.synthetic_lines += 1
            return None
        if not key:
            return None
        copy = _response(message, key, line, stamp, is_sidechain, offset, self.session)
        kept = self.found.get(key)
        if kept is None:
            self.found[key] = copy
        else:
            before = (kept.is_sidechain, kept.started_at_ms, "")
            kept.absorb(copy, owns(copy.is_sidechain, copy.started_at_ms, "", before))
        return key


def _response(
    message: Message,
    key: str,
    line: Line,
    stamp: str | None,
    is_sidechain: int,
    offset: int,
    session: str,
) -> Response:
    """What one line says of its response."""
    response = Response(
        key,
        is_sidechain,
        epoch_ms(stamp),
        offset,
        line.session or session,
        message.model or "unknown",
    )
    if message.stop_reason is not None:
        response.has_stop_reason = 1
    if line.attribution_skill:
        response.skill = line.attribution_skill
    if line.reported_usd is not None:
        response.reported_usd = repr(line.reported_usd)
    if message.usage is not None:  # [14] null usage is unknown usage, never zero
        _take_usage(response, message.usage)
    return response


def _take_usage(response: Response, usage: Usage) -> None:
    last = usage
    iterations = usage.iterations
    if iterations is not None and len(iterations) > 1:  # [5] the top level is only the last attempt
        response.iterations = tuple(_iteration(piece, response.model) for piece in iterations[:-1])
        last = iterations[-1]
        response.model = last.model or response.model
    write, hour = _cache_writes(last)
    response.input_tokens = last.input_tokens or 0
    response.output_tokens = last.output_tokens or 0
    response.cache_write_tokens = write
    response.cache_write_1h_tokens = hour
    response.cache_read_tokens = last.cache_read_input_tokens or 0
    if last.cache_creation is not None:
        response.has_cache_split = 1
    if usage.speed == "fast":
        response.speed = FAST
    if usage.service_tier == "batch":
        response.service_tier = BATCH
    if usage.server_tool_use is not None:
        response.web_search_requests = usage.server_tool_use.web_search_requests or 0
    if usage.output_tokens_details is not None:
        thinking = usage.output_tokens_details.thinking_tokens
        response.thinking_tokens = UNKNOWN if thinking is None else thinking


def _iteration(usage: Usage, model: str) -> Iteration:
    write, hour = _cache_writes(usage)
    return (
        usage.model or model,
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


