"""What a thread would have cost under a strategy, request by request.

Every piece keeps the state that its place in the window had: read from the cache, written to it, or
sent plainly. A piece that is smaller from its first request on never entered with more: it is
written smaller once and carried smaller. A piece that is changed later costs, at that request, a
second writing of everything behind it that was read from the cache; where the cache was cold that
is nothing. What turns out to be needed and is no longer there is fetched again: one more request,
and the whole original from there on.

A model that is come back to finds in its cache what it was sent last: what was changed since is
written again then. The recorded compactions stay where they were, though a smaller window would
have come to them later.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_fetching import FETCH_OUTPUT_TOKENS, Fetching
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
from tokenbudget.analysis.backtest_stretches import Stretches
from tokenbudget.analysis.backtest_tally import Tallies
from tokenbudget.model import window
from tokenbudget.model.replay import PREFIX_PIECE, SUMMARY_PIECE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_fetching import Missed
    from tokenbudget.analysis.backtest_layout import Parts
    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_result import Shortening
    from tokenbudget.analysis.backtest_timeline import Sending
    from tokenbudget.analysis.backtest_walk import Version, Walked
    from tokenbudget.analysis.study_bill import Biller
    from tokenbudget.ledger.windows import RequestRow

PREFIX = PREFIX_PIECE


class Costed(NamedTuple):
    """What came of one thread."""

    requests: list[RequestResult]
    """Owned ones alone."""
    shortenings: list[Shortening]
    refetches: int
    refetch_usd: float
    missed: list[Missed]


def costed(
    walked: Walked, biller: Biller, needs: Sequence[Need], *, has_shortenings: bool = True
) -> Costed:
    """Price a thread as it was and as it would have been; `needs` are fetched again if missed.

    Without shortenings nothing is told of single pieces, nor of results alone: it is faster.
    """
    stretches = None if has_shortenings else Stretches(walked.timeline)
    return _Costing(walked, biller, needs, stretches).run()


class _Costing:
    def __init__(
        self,
        walked: Walked,
        biller: Biller,
        needs: Sequence[Need],
        stretches: Stretches | None,
    ) -> None:
        self._stretches = stretches
        self._walked = walked
        self._line = walked.timeline
        self._biller = biller
        compacted = [one.since for one in walked.changes_of(SUMMARY_PIECE)]
        self._fetching = Fetching(self._line, needs, compacted)
        self._layout = Layout(self._line)
        self._current: dict[int, Version] = {}
        self._tallies = Tallies()
        self._last_of: dict[str, int] = {}
        """The last request of each model, and what was changed since that it had been sent."""
        self._unseen: dict[str, set[int]] = {}
        self._changes: dict[int, list[tuple[int, Version]]] = {}
        for number, versions in walked.versions.items():
            for version in versions:
                self._changes.setdefault(version.since, []).append((number, version))
        self._prefix_tokens = self._line.sendings[0].hidden_tokens
        self._unsaid = self._said_shorter()
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
        sums = (self._refetches, self._refetch_usd, self._fetching.missed)
        rows = [] if self._stretches else self._tallies.rows(self._walked)
        return Costed(results, rows, *sums)

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
        whole = self._unchanged(sending, write) if self._has_summary(sending) else []
        moved_from = self._take_changes(sending)
        request = sending.request
        if not request.prompt_tokens:
            return None
        was = classes_of(request)
        now = list(was)
        rates = self._rates(request, was)
        spared = self._spare(now, moved_from, rates, sending.is_owned)
        self._move(now, moved_from, spared, write, rates if sending.is_owned else None)
        place = (sending.number, moved_from[0], write)
        result_delta = self._fetching.carry(now, *place, layout)
        now[OUTPUT] = max(0.0, now[OUTPUT] - self._unsaid.get(request.key, 0.0))
        prompt = sum(now[:OUTPUT])
        answered = now[OUTPUT]
        now = [a + b for a, b in zip(now, self._summarised(whole), strict=True)]
        fetches = self._meet_needs(sending, now, write, prompt)
        if not sending.is_owned:
            return None
        carried = layout.result_tokens * layout.scale
        return RequestResult(
            sending.number,
            request.key,
            request.model,
            request.started_at_ms,
            sending.is_cold,
            self._bill(request, was, request.prompt_tokens),
            self._bill(request, now, prompt),
            carried,
            carried - self._spared_results + result_delta,
            fetches,
            sum(was),
            prompt + answered,
        )

    def _take_changes(self, sending: Sending) -> tuple[float, int]:
        """Take over what changes now; (the first token that is not cached so, whose piece it is).

        The cache of this model holds what its last request sent.
        """
        for number, version in self._changes.get(sending.number, ()):
            if number == SUMMARY_PIECE:
                self._summary_tokens = version.tokens
                continue
            self._current[number] = version
            if self._stretches is not None:
                self._stretches.forget()
            for model, last in self._last_of.items():
                entered = 0 if number == PREFIX else self._line.pieces[number].entered
                if entered <= last:
                    self._unseen[model].add(number)
        model, layout = sending.request.model, self._layout
        unseen = self._unseen.get(model, ())
        if sending.request.prompt_tokens:
            self._last_of[model], self._unseen[model] = sending.number, set()
        starts = [(layout.start(number), number) for number in unseen if layout.has(number)]
        starts += [(0.0, PREFIX)] if PREFIX in unseen else []
        return min(starts, default=(float("inf"), PREFIX))

    def _has_summary(self, sending: Sending) -> bool:
        return any(number == SUMMARY_PIECE for number, _ in self._changes.get(sending.number, ()))

    def _unchanged(self, sending: Sending, write: int) -> list[float]:
        """What the request would send without the changes that begin with it."""
        sent = classes_of(sending.request)
        for number, version in self._current.items():
            found = self._place_of(number)
            if found is not None:
                before, parts, _ = found
                for kind, tokens in parts:
                    sent[kind] -= tokens * (1 - version.tokens / before)
        self._fetching.carry(sent, sending.number, float("inf"), write, self._layout)
        return sent

    def _summarised(self, whole: Sequence[float]) -> list[float]:
        """The request that wrote a summary before this one: it sent the whole window."""
        tokens, self._summary_tokens = self._summary_tokens, 0.0
        return [*whole[:OUTPUT], tokens] if tokens else [0.0] * (OUTPUT + 1)

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
        if self._stretches is not None and PREFIX not in self._current:
            return self._stretches.spare(now, self._current, layout, moved_from[0])
        for number, version in list(self._current.items()):
            if number != PREFIX and not layout.has(number):
                del self._current[number]
                continue
            found = self._place_of(number)
            if found is None:
                continue
            before, parts, start = found
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

    def _place_of(self, number: int) -> tuple[float, Parts, float] | None:
        """(its size, how it was billed, where it begins) of what stands in this window."""
        layout = self._layout
        if number == PREFIX:
            return 1.0, layout.range(0.0, min(layout.hidden_tokens, self._prefix_tokens)), 0.0
        if not layout.has(number) or self._line.pieces[number].tokens <= 0:
            return None
        return float(self._line.pieces[number].tokens), layout.parts(number), layout.start(number)

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

    def _meet_needs(self, sending: Sending, now: list[float], write: int, prompt: float) -> int:
        """Fetch what was missed: a request for each, that reads the window and writes the text."""
        missing = self._fetching.missing(sending, self._current, self._layout.scale)
        before = self._bill(sending.request, now, prompt).usd.total
        for tokens in missing:
            now[READ if write != INPUT else INPUT] += prompt
            now[write] += tokens
            now[OUTPUT] += FETCH_OUTPUT_TOKENS
            prompt += tokens
        self._refetches += len(missing)
        self._refetch_usd += self._bill(sending.request, now, prompt).usd.total - before
        return len(missing)

    # ── money ──────────────────────────────────────────────────────────────────────────────────

    def _rates(self, request: RequestRow, tokens: Sequence[float]) -> list[float]:
        """USD per token by class, at the tier of a prompt of this size; 0.0 without a price."""
        return [usd or 0.0 for usd in self._biller.rates_at(request, sum(tokens[:OUTPUT]))]

    def _bill(self, request: RequestRow, tokens: Sequence[float], prompt: float) -> Bill:
        """At the tier of a prompt of this size: `tokens` may be those of more than one request."""
        rates = self._biller.rates_at(request, prompt)
        usd = [count * (rate or 0.0) for count, rate in zip(tokens, rates, strict=True)]
        unpriced = sum(
            count for count, rate in zip(tokens, rates, strict=True) if rate is None and count
        )
        return Bill(Classes._make(tokens), Classes._make(usd), unpriced)
