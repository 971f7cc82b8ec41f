"""What a thread would have cost under a strategy, request by request.

Every piece keeps the state that its place in the window had: read from the cache, written to it, or
sent plainly. A piece that is smaller from its first request on never entered with more: it is
written smaller once and carried smaller. A piece that is changed later costs, at that request, a
second writing of everything behind it that was read from the cache; where the cache was cold that
is nothing. What turns out to be needed and is no longer there is fetched again: one more request,
and the whole original from there on.

The recorded compactions stay where they were, though a smaller window would have come to them
later; and a model that is come back to within its cache's lifetime is taken to find it as it was.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_layout import (
    INPUT,
    OUTPUT,
    READ,
    Layout,
    classes_of,
    write_classes,
)
from tokenbudget.analysis.backtest_result import (
    Bill,
    Classes,
    RequestResult,
)
from tokenbudget.analysis.backtest_tally import Tallies
from tokenbudget.analysis.fidelity_use import read_as
from tokenbudget.model import window
from tokenbudget.model.replay import PREFIX_PIECE, SUMMARY_PIECE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_result import Shortening
    from tokenbudget.analysis.backtest_timeline import Sending
    from tokenbudget.analysis.backtest_walk import Version, Walked
    from tokenbudget.analysis.study_bill import Biller
    from tokenbudget.ledger.windows import RequestRow

FETCH_OUTPUT_TOKENS = 120
"""That the model writes to ask for something again: a call with a handle and a word about it."""
FETCH_FRAME_TOKENS = 60
"""Of that call and its result in the window, beside the text itself."""
PREFIX = PREFIX_PIECE


class Missed(NamedTuple):
    """A need that was not met."""

    need: Need
    piece: int
    by: str


class Costed(NamedTuple):
    """What came of one thread."""

    requests: list[RequestResult]
    """Owned ones alone."""
    shortenings: list[Shortening]
    refetches: int
    refetch_usd: float
    missed: list[Missed]


class _Fetched(NamedTuple):
    """An original that was fetched again, behind the window of one request."""

    since: int
    until: int
    tokens: float
    place: float


def costed(walked: Walked, biller: Biller, needs: Sequence[Need]) -> Costed:
    """Price a thread as it was and as it would have been; `needs` are fetched again if missed."""
    return _Costing(walked, biller, needs).run()


class _Costing:
    def __init__(self, walked: Walked, biller: Biller, needs: Sequence[Need]) -> None:
        self._walked = walked
        self._line = walked.timeline
        self._biller = biller
        self._needs: dict[int, list[Need]] = {}
        for need in needs:
            self._needs.setdefault(need.request, []).append(need)
        self._layout = Layout(self._line)
        self._current: dict[int, Version] = {}
        self._tallies = Tallies()
        self._fetched: list[_Fetched] = []
        self._again: dict[int, int] = {}
        self._changes: dict[int, list[tuple[int, Version]]] = {}
        for number, versions in walked.versions.items():
            for version in versions:
                self._changes.setdefault(version.since, []).append((number, version))
        self._prefix_tokens = self._line.sendings[0].hidden_tokens
        self._unsaid = self._said_shorter()
        self._missed: list[Missed] = []
        self._refetch_usd = 0.0
        self._refetches = 0
        self._summary_tokens = 0.0

    def run(self) -> Costed:
        kinds = write_classes(self._line.sendings)
        results = [
            result
            for sending, kind in zip(self._line.sendings, kinds, strict=True)
            if (result := self._request(sending, kind)) is not None
        ]
        sums = (self._refetches, self._refetch_usd, self._missed)
        return Costed(results, self._tallies.rows(self._walked), *sums)

    def _said_shorter(self) -> dict[str, float]:
        """Output that was not written, by the key of the response."""
        found: dict[str, float] = {}
        for number, versions in self._walked.versions.items():
            said = [version for version in versions if version.is_said_so]
            if number >= 0 and said:
                piece = self._line.pieces[number]
                found[piece.link] = found.get(piece.link, 0.0) + piece.tokens - said[0].tokens
        return found

    # ── one request ────────────────────────────────────────────────────────────────────────────

    def _request(self, sending: Sending, write: int) -> RequestResult | None:
        layout = self._layout
        layout.to(sending)
        moved_from = self._take_changes(sending)
        request = sending.request
        if not request.prompt_tokens:
            return None
        was = classes_of(request)
        now = list(was)
        rates = self._rates(request, was)
        spared = self._spare(now, moved_from, rates, sending.is_owned)
        self._move(now, moved_from, spared, write, rates if sending.is_owned else None)
        result_delta = self._carry_fetched(now, sending.number, moved_from[0], write)
        now[OUTPUT] = max(0.0, now[OUTPUT] - self._unsaid.get(request.key, 0.0))
        now = [a + b for a, b in zip(now, self._summarised(was), strict=True)]
        fetches = self._meet_needs(sending, now, write)
        if not sending.is_owned:
            return None
        carried = layout.result_tokens * layout.scale
        return RequestResult(
            sending.number,
            request.key,
            request.model,
            request.started_at_ms,
            sending.is_cold,
            self._bill(request, was),
            self._bill(request, now),
            carried,
            carried - self._spared_results + result_delta,
            fetches,
        )

    def _take_changes(self, sending: Sending) -> tuple[float, int]:
        """Take over what changes now; (the first token that changed, whose piece it was)."""
        layout = self._layout
        first, by = float("inf"), PREFIX
        for number, version in self._changes.get(sending.number, ()):
            if number == SUMMARY_PIECE:
                self._summary_tokens = version.tokens
                continue
            old = self._current.get(number)
            self._current[number] = version
            if number == PREFIX:
                if sending.number and old is None:
                    first, by = 0.0, PREFIX
                continue
            is_older = self._line.pieces[number].entered < sending.number
            if is_older and layout.has(number) and layout.start(number) < first:
                first, by = layout.start(number), number
        return first, by

    def _summarised(self, was: Sequence[float]) -> list[float]:
        """The request that wrote a summary before this one: it sent the whole window."""
        tokens, self._summary_tokens = self._summary_tokens, 0.0
        return [*was[:OUTPUT], tokens] if tokens else [0.0] * len(was)

    def _spare(
        self,
        now: list[float],
        moved_from: tuple[float, int],
        rates: Sequence[float],
        is_owned: bool,
    ) -> float:
        """Take away what is not sent; how much of that was a read behind the first change."""
        layout = self._layout
        behind = 0.0
        self._spared_results = 0.0
        for number, version in list(self._current.items()):
            if number == PREFIX:
                before = 1.0
                parts = layout.range(0.0, min(layout.hidden_tokens, self._prefix_tokens))
                start = 0.0
            elif layout.has(number):
                before = float(self._line.pieces[number].tokens)
                parts = layout.parts(number)
                start = layout.start(number)
            else:
                del self._current[number]
                continue
            if before <= 0:
                continue
            share = 1 - version.tokens / before
            usd = 0.0
            for kind, tokens in parts:
                now[kind] -= tokens * share
                usd += tokens * share * rates[kind]
                if kind == READ and start >= moved_from[0]:
                    behind += tokens * share
            total = sum(tokens for _, tokens in parts)
            if number != PREFIX and self._line.pieces[number].kind == window.TOOL_RESULT:
                self._spared_results += total * share
            if is_owned:
                self._tallies.of(number).carry(total, total * (1 - share), usd)
        return behind

    def _move(
        self,
        now: list[float],
        moved_from: tuple[float, int],
        spared: float,
        write: int,
        rates: Sequence[float] | None,
    ) -> None:
        """Write again what stood behind the first change and was read from the cache."""
        first, by = moved_from
        tokens = min(max(0.0, self._layout.read_tokens - first - spared), now[READ])
        if tokens <= 0:
            return
        now[READ] -= tokens
        now[write] += tokens
        if rates is not None:
            self._tallies.of(by).saved_usd -= tokens * (rates[write] - rates[READ])

    def _carry_fetched(self, now: list[float], number: int, moved_from: float, write: int) -> float:
        """Send what was fetched again; how much that is."""
        total = 0.0
        for one in self._fetched:
            if one.since <= number < one.until:
                kind = self._layout.class_at(one.place)
                now[write if kind == READ and one.place >= moved_from else kind] += one.tokens
                total += one.tokens
        return total

    # ── what is missed ─────────────────────────────────────────────────────────────────────────

    def _meet_needs(self, sending: Sending, now: list[float], write: int) -> int:
        """Fetch again what the answer to this request needed and was not told; how often."""
        fetches = 0
        for need in self._needs.get(sending.number, ()):
            is_told = any(
                self._is_told(number, need.span, sending.number) for number in need.holders
            )
            if is_told or not sending.is_owned:
                continue
            number = need.holders[0]
            version = self._current.get(number)
            self._missed.append(Missed(need, number, "" if version is None else version.by))
            fetches += 1
            self._fetch(number, sending, now, write)
        return fetches

    def _is_told(self, number: int, span: str, request: int) -> bool:
        if self._again.get(number, 0) > request:
            return True
        version = self._current.get(number)
        if version is None:
            return True
        piece = self._line.pieces[number]
        if version.is_lossless:
            return True
        if version.text is None:  # a modelled one: what it says is taken to be the same
            return version.is_said_so
        return span in read_as(version.text, piece.name)

    def _fetch(self, number: int, sending: Sending, now: list[float], write: int) -> None:
        """One more request: it reads the window, writes the original, and asks for it."""
        before = self._bill(sending.request, now).usd.total
        tokens = self._line.pieces[number].tokens * self._layout.scale + FETCH_FRAME_TOKENS
        sent = sum(now[:OUTPUT])
        until = self._until(sending.number)
        now[READ if write != INPUT else INPUT] += sent
        now[write] += tokens
        now[OUTPUT] += FETCH_OUTPUT_TOKENS
        self._again[number] = until
        place = float(sending.request.prompt_tokens or 0)
        self._fetched.append(_Fetched(sending.number + 1, until, tokens, place))
        self._refetches += 1
        self._refetch_usd += self._bill(sending.request, now).usd.total - before

    def _until(self, number: int) -> int:
        """The next request behind a compaction: what is in the window now is gone then."""
        later = self._line.sendings[number + 1 :]
        return next(
            (one.number for one in later if one.cause == "compaction"), len(self._line.sendings)
        )

    # ── money ──────────────────────────────────────────────────────────────────────────────────

    def _rates(self, request: RequestRow, tokens: Sequence[float]) -> list[float]:
        """USD per token by class, at the tier of a prompt of this size; 0.0 without a price."""
        return [usd or 0.0 for usd in self._biller.rates_at(request, sum(tokens[:OUTPUT]))]

    def _bill(self, request: RequestRow, tokens: Sequence[float]) -> Bill:
        rates = self._biller.rates_at(request, sum(tokens[:OUTPUT]))
        usd = [count * (rate or 0.0) for count, rate in zip(tokens, rates, strict=True)]
        unpriced = sum(
            count for count, rate in zip(tokens, rates, strict=True) if rate is None and count
        )
        return Bill(Classes._make(tokens), Classes._make(usd), unpriced)
