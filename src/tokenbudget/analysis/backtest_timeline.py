"""A recorded thread as a backtest goes through it: requests, pieces with their words, calls.

The tokens of every request are those that were billed, and those of its pieces add up to them
(`window_replay`), so that a text which is counted by a public vocabulary is worth what this very
session paid for it.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.cache_state import TTL_1H_MS, TTL_5M_MS
from tokenbudget.analysis.study_build import threads_of
from tokenbudget.analysis.study_view import view_of
from tokenbudget.model import window
from tokenbudget.model.control import UNKNOWN_CACHE, Cache
from tokenbudget.model.replay import Moment, Stood

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.analysis.carrying_accounts import Sent
    from tokenbudget.analysis.study_bill import Biller, Rates
    from tokenbudget.analysis.study_build import Material, Rules
    from tokenbudget.analysis.thread_view import Call, Seen
    from tokenbudget.ledger.windows import RequestRow

NO_ARGUMENTS: Mapping[str, object] = {}


class Sending(NamedTuple):
    """One request of the thread."""

    number: int
    request: RequestRow
    cause: str
    """What changed the window since the request before; '' for nothing."""
    is_owned: bool
    """Whether it is billed here; a copy of another file's request is gone through, not counted."""
    hidden_tokens: float
    """What no piece explains: mostly the system prompt and the tools."""
    is_cold: bool
    """Whether what was cached before it is known to be gone, by the time that has passed."""
    ttl_ms: int
    """How long what this thread caches lives, as far as it was told by then."""
    rewrite_reads: float
    """As in `model.replay.Moment`."""
    cache: Cache = UNKNOWN_CACHE
    """The same."""


class Timeline(NamedTuple):
    """One thread; pieces and calls as `thread_view` tells them."""

    session: str
    thread: str
    path: str
    is_subagent: bool
    sendings: Sequence[Sending]
    pieces: Sequence[Seen]
    """By their number, in the order of the window."""
    calls: Sequence[Call]
    call_of: Mapping[int, Call]
    """The call that a piece is, or answers, by the piece's number."""

    def moments(self) -> Iterator[Moment]:
        """What is known before each request, in order."""
        entering: dict[int, list[Seen]] = {}
        leaving: dict[int, list[int]] = {}
        for piece in self.pieces:
            entering.setdefault(piece.entered, []).append(piece)
            leaving.setdefault(piece.left, []).append(piece.number)
        before: RequestRow | None = None
        for sending in self.sendings:
            request = sending.request
            fresh = tuple(map(self.stood, entering.get(sending.number, ())))
            yield Moment(
                number=sending.number,
                at_ms=request.started_at_ms,
                idle_ms=_idle_ms(before, request),
                is_cold=sending.is_cold,
                rewrite_reads=sending.rewrite_reads,
                cause=sending.cause,
                model=request.model,
                window_tokens=_window_after(before),
                fresh=fresh,
                gone=tuple(leaving.get(sending.number, ())),
                ttl_ms=sending.ttl_ms,
                cache=sending.cache,
                is_owned=sending.is_owned,
            )
            before = request

    def stood(self, piece: Seen) -> Stood:
        """A piece as a strategy is told of it."""
        call = self.call_of.get(piece.number)
        is_result = piece.kind == window.TOOL_RESULT
        return Stood(
            piece.number,
            piece.kind,
            piece.name,
            piece.target,
            piece.link,
            piece.text,
            float(piece.tokens),
            NO_ARGUMENTS if call is None else call.arguments,
            is_result and call is not None and call.is_error,
            shown_share=_shown_share(call) if is_result and call is not None else None,
        )


def _shown_share(call: Call) -> float | None:
    if not call.file_lines or call.shown_lines is None:
        return None
    return min(1.0, call.shown_lines / call.file_lines)


def timelines(material: Material, rules: Rules) -> list[Timeline]:
    """Every thread of a transcript that holds a request."""
    found: list[Timeline] = []
    for thread in threads_of(material, rules):
        if not thread.carrying.sent:
            continue
        view = view_of(thread, material.words, rules.biller)
        call_of: dict[int, Call] = {}
        for call in view.calls:
            for piece in (call.use, call.result):
                if piece is not None:
                    call_of[piece.number] = call
        found.append(
            Timeline(
                view.session,
                view.thread,
                material.studied.file.path,
                view.is_subagent,
                _sendings(thread.carrying.sent, rules.biller),
                view.seen,
                view.calls,
                call_of,
            )
        )
    return found


def _sendings(sent: Sequence[Sent], biller: Biller) -> list[Sending]:
    found: list[Sending] = []
    before: RequestRow | None = None
    ttl_ms = TTL_5M_MS
    for number, one in enumerate(sent):
        is_cold = before is None or is_known_cold(before, one.request, ttl_ms)
        rates = biller.rates(biller.tag(one.request))
        facts = (one.request, one.cause, one.is_owned, one.hidden_tokens)
        prices = (_rewrite_reads(rates, ttl_ms), _cache(rates, ttl_ms))
        found.append(Sending(number, *facts, is_cold, ttl_ms, *prices))
        ttl_ms = _ttl_ms(one.request) or ttl_ms
        if one.request.prompt_tokens:
            before = one.request
    return found


def _cache(rates: Rates, ttl_ms: int) -> Cache:
    """Prices as multiples of plain input."""
    plain, write = rates.input, _write(rates, ttl_ms)
    if not plain:
        return UNKNOWN_CACHE
    read, said = rates.cache_read, rates.output
    return Cache(None, None, _times(read, plain), _times(write, plain), _times(said, plain), plain)


def _times(usd: float | None, plain: float) -> float | None:
    return None if usd is None else usd / plain


def _write(rates: Rates, ttl_ms: int) -> float | None:
    return rates.cache_write_1h if ttl_ms == TTL_1H_MS else rates.cache_write_5m


def _rewrite_reads(rates: Rates, ttl_ms: int) -> float:
    write, read = _write(rates, ttl_ms), rates.cache_read
    return (write - read) / read if write and read else 0.0


def is_known_cold(before: RequestRow, request: RequestRow, ttl_ms: int) -> bool:
    """Whether the cache of the request before is gone for this one: by time, or another model's."""
    idle = _idle_ms(before, request)
    return before.model != request.model or (idle is not None and idle > ttl_ms)


def _idle_ms(before: RequestRow | None, request: RequestRow) -> int | None:
    if before is None or not before.started_at_ms or not request.started_at_ms:
        return None
    return max(0, request.started_at_ms - before.started_at_ms)


def _window_after(request: RequestRow | None) -> int:
    return 0 if request is None else (request.prompt_tokens or 0) + request.output_tokens


def _ttl_ms(request: RequestRow) -> int:
    """By most of what it wrote; 0 where it wrote nothing."""
    short, long = request.cache_write_5m_tokens, request.cache_write_1h_tokens
    if not short and not long:
        return 0
    return TTL_1H_MS if long > short else TTL_5M_MS
