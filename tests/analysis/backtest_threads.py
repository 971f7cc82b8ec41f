"""Threads made by hand, billed by a small cache of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tokenbudget.analysis.backtest_timeline import Sending, Timeline
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.study_bill import Biller
from tokenbudget.analysis.thread_view import Seen
from tokenbudget.ledger.windows import RequestRow
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window

MODEL = "claude-opus-4-5"
INPUT, WRITE, READ, OUTPUT = 5e-6, 6.25e-6, 0.5e-6, 25e-6
"""USD per token."""
START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
HIDDEN = 1_000


def biller() -> Biller:
    return Biller(PriceBook.bundled(), Zone("UTC", START_MS).spans())


class Part(NamedTuple):
    """A piece: its size, the request that sends it first, and what it is."""

    tokens: int
    entered: int
    kind: str = window.TOOL_RESULT
    text: str = ""
    left: int | None = None
    name: str = "Bash"


@dataclass
class Cached:
    """What a cache that lives five minutes holds of a thread: the sizes of its pieces, in order."""

    row: tuple[tuple[int, object], ...] = ()
    at_ms: int = -(10**15)

    def send(self, row: tuple[tuple[int, object], ...], at_ms: int) -> tuple[int, int]:
        """(read, written) of a request with this window."""
        is_warm = at_ms - self.at_ms <= 5 * MINUTE_MS
        same = 0
        if is_warm:
            for old, new in zip(self.row, row, strict=False):
                if old != new:
                    break
                same += new[0]
        self.row, self.at_ms = row, at_ms
        return same, sum(tokens for tokens, _ in row) - same


def thread(parts: list[Part], gaps_ms: list[int], output: int = 50) -> Timeline:
    """A thread with one request for each gap, billed as the cache has it."""
    cached, at_ms = Cached(), START_MS
    sendings: list[Sending] = []
    count = len(gaps_ms)
    for number, gap in enumerate(gaps_ms):
        at_ms += gap
        here = [
            (part.tokens, place)
            for place, part in enumerate(parts)
            if part.entered <= number < (count if part.left is None else part.left)
        ]
        read, written = cached.send(((HIDDEN, "hidden"), *here), at_ms)
        request = RequestRow(
            f"r{number}", 1, MODEL, at_ms, 0, written, 0, read, output, None, True, 0, 0, "s"
        )
        is_cold = number == 0 or gap > 5 * MINUTE_MS
        sendings.append(
            Sending(number, request, "", True, float(HIDDEN), is_cold, 5 * MINUTE_MS, 11.5)
        )
    pieces = [
        Seen(
            number=place,
            kind=part.kind,
            name=part.name,
            target="",
            link=f"r{part.entered - 1}" if part.kind in window.WRITTEN else f"t{place}",
            text=part.text,
            line=place + 1,
            entered=part.entered,
            left=count if part.left is None else part.left,
            tokens=part.tokens,
            sent_tokens=0,
            sent_usd=0.0,
            written_usd=0.0,
            is_exact=True,
        )
        for place, part in enumerate(parts)
    ]
    return Timeline("s", "", "s.jsonl", False, sendings, pieces, (), {})
