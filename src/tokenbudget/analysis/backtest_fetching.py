"""What a strategy took away and was needed after all: fetched again, and carried from there."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_layout import READ
from tokenbudget.analysis.fidelity_use import is_told_in, read_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.backtest_layout import Layout
    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_timeline import Sending, Timeline
    from tokenbudget.analysis.backtest_walk import Version

FETCH_OUTPUT_TOKENS = 120
"""That the model writes to ask for something again: a call with a handle and a word about it."""
FETCH_FRAME_TOKENS = FETCH_OUTPUT_TOKENS + 30
"""Of that call and its result in the window, beside the text itself."""


class Missed(NamedTuple):
    """A need that was not met."""

    need: Need
    piece: int
    by: str


class _Fetched(NamedTuple):
    """An original that was fetched again, behind the window of one request."""

    since: int
    until: int
    tokens: float
    place: float


class Fetching:
    """The needs of a thread on the way through it, request by request."""

    def __init__(
        self, line: Timeline, needs: Sequence[Need], compacted: Sequence[int] = ()
    ) -> None:
        self._line = line
        self._compacted = sorted(compacted)
        """The requests before which the strategy had the window summarised."""
        self._needs: dict[int, list[Need]] = {}
        for need in needs:
            self._needs.setdefault(need.request, []).append(need)
        self._fetched: list[_Fetched] = []
        self._again: dict[int, int] = {}
        self.missed: list[Missed] = []

    def carry(
        self, now: list[float], number: int, moved_from: float, write: int, layout: Layout
    ) -> float:
        """Send what was fetched before; how much that is."""
        total = 0.0
        for one in self._fetched:
            if one.since <= number < one.until:
                kind = layout.class_at(one.place)
                now[write if kind == READ and one.place >= moved_from else kind] += one.tokens
                total += one.tokens
        return total

    def missing(
        self, sending: Sending, current: Mapping[int, Version], scale: float
    ) -> list[float]:
        """Of what the answer needed and was not told: what each takes when it is fetched."""
        found: list[float] = []
        for need in self._needs.get(sending.number, ()):
            told = (self._is_told(one, need, sending.number, current) for one in need.holders)
            if any(told) or not sending.is_owned:
                continue
            number = need.holders[0]
            version = current.get(number)
            self.missed.append(Missed(need, number, "" if version is None else version.by))
            found.append(self._fetch(number, sending, scale))
        return found

    def _is_told(
        self, number: int, need: Need, request: int, current: Mapping[int, Version]
    ) -> bool:
        if self._again.get(number, 0) > request:
            return True
        version = current.get(number)
        if version is None or version.is_lossless:
            return True
        if version.text is None:  # a modelled one: what it says is taken to be the same
            return version.is_said_so
        return is_told_in(read_as(version.text, self._line.pieces[number].name), need)

    def _fetch(self, number: int, sending: Sending, scale: float) -> float:
        """From the next request on it stands behind all that this one puts into the cache."""
        request = sending.request
        tokens = self._line.pieces[number].tokens * scale + FETCH_FRAME_TOKENS
        until = self._until(sending.number)
        cached = (request.prompt_tokens or 0) - (request.input_tokens or 0)
        self._again[number] = until
        self._fetched.append(_Fetched(sending.number + 1, until, tokens, max(0.0, cached - 1.0)))
        return tokens

    def _until(self, number: int) -> int:
        """The next request behind a compaction: what is in the window now is gone then."""
        later = self._line.sendings[number + 1 :]
        until = next(
            (one.number for one in later if one.cause == "compaction"), len(self._line.sendings)
        )
        return min([until, *(one for one in self._compacted if one > number)])
