"""The model of the cache foretells what a simulated cache did, without looking at it."""

from __future__ import annotations

import pytest
from tests.analysis.backtest_threads import HIDDEN, MINUTE_MS, Part, thread

from tokenbudget.analysis.backtest_cache import INPUT_TOKENS, STATIC_SHARE, Foretold, foretold
from tokenbudget.analysis.backtest_timeline import Timeline

STATIC = HIDDEN * STATIC_SHARE


def of(line: Timeline, rewritten: tuple[str, ...] = ()) -> list[Foretold]:
    found = foretold([line], rewritten)
    for one in found:
        prompt = one.sending.request.prompt_tokens
        assert one.read_tokens + one.write_tokens + INPUT_TOKENS == pytest.approx(prompt)
    return found


def test_a_warm_request_reads_the_whole_window_before_it() -> None:
    line = thread([Part(5_000, 0), Part(700, 1)], [0, MINUTE_MS, MINUTE_MS])
    found = of(line)
    assert [one.why for one in found] == ["first", "warm", "warm"]
    assert [one.read_tokens for one in found[1:]] == [
        one.sending.request.cache_read_tokens for one in found[1:-1]
    ] + [pytest.approx(6_700 - INPUT_TOKENS)]


def test_what_others_keep_alive_is_read_after_a_pause_and_nothing_more() -> None:
    found = of(thread([Part(5_000, 0)], [0, 6 * MINUTE_MS]))
    assert [(one.why, one.read_tokens) for one in found] == [("first", STATIC), ("cold", STATIC)]


def test_what_left_the_window_ends_what_can_be_read() -> None:
    line = thread([Part(1_000, 0), Part(2_000, 0, left=1), Part(3_000, 1)], [0, MINUTE_MS])
    last = of(line)[-1]
    assert last.why == "changed"
    assert last.read_tokens == HIDDEN + 1_000


def test_what_the_client_rewrote_leaves_system_prompt_and_tools() -> None:
    line = thread([Part(5_000, 0), Part(1, 1), Part(1, 2)], [0, MINUTE_MS, MINUTE_MS])
    found = of(line, ("r1",))
    assert [one.why for one in found] == ["first", "rewritten", "warm"]
    assert found[1].read_tokens == STATIC


def test_the_reported_split_is_never_looked_at() -> None:
    line = thread([Part(5_000, 0), Part(700, 1)], [0, MINUTE_MS, 9 * MINUTE_MS])
    other = line._replace(
        sendings=[
            one._replace(
                request=one.request._replace(
                    cache_read_tokens=0, cache_write_5m_tokens=one.request.prompt_tokens or 0
                )
            )
            for one in line.sendings
        ]
    )
    assert [one[2:] for one in of(line)] == [one[2:] for one in of(other)]
