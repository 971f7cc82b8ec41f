"""Recorded threads made by hand, and what a controller knows of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.analysis.backtest_threads import MINUTE_MS, Part, thread
from tests.analysis.test_backtest_strategies import Words

from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.analysis.backtest_walk import Walked, walk
from tokenbudget.compression.policy import Wishes as TrimWishes
from tokenbudget.model import window
from tokenbudget.model.control import Cache
from tokenbudget.model.protocols import Strategy
from tokenbudget.optimizer.replaying_walk import Scene

PRICES = Cache(None, None, 0.1, 1.25, 5.0, 5e-6)
USABLE = 100_000


def scene(expected: float | None = 100.0, usable: int = USABLE, *, is_main: bool = True) -> Scene:
    return Scene("s", "p", is_main, usable, usable, lambda _n: expected, Words(), TrimWishes())


def growing(
    requests: int, tokens: int = 5_000, gaps_ms: Sequence[int] = (), *, talks: bool = True
) -> Timeline:
    """Each request brings a result; `talks`: each answer ends the turn."""
    parts = [Part(tokens, at, text=f"result {at}\nof the tool\n") for at in range(requests)]
    kind = window.TEXT if talks else window.TOOL_USE
    parts += [Part(40, at, kind, f"answer {at}", name="") for at in range(1, requests)]
    gaps = list(gaps_ms) or [0, *[MINUTE_MS] * (requests - 1)]
    line = thread(parts, gaps)
    sendings = [one._replace(cache=PRICES) for one in line.sendings]
    return line._replace(sendings=sendings)


def walked(line: Timeline, strategy: Strategy) -> Walked:
    return walk(line, strategy, Words())


def compacted_at(found: Walked) -> list[int]:
    return [one.request for one in found.deeds if one.lever in ("history", "client")]
