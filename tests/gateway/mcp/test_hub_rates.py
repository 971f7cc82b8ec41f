"""How often a server may tell something."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.hub_rates import MOST_STEPS_AT_ONCE, Rate, at_a_rate


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(1, 20), st.floats(0.1, 50))
def test_never_more_than_the_rate_and_what_may_come_at_once(
    pauses: list[float], at_once: int, a_second: float
) -> None:
    now, rate, passed = 5.0, Rate(at_once, 5.0, a_second), 0
    for pause in pauses:
        now += pause
        passed += rate.allows(now)
    assert passed <= at_once + (now - 5.0) * a_second + 1e-6
    assert passed >= min(at_once, len(pauses))


def test_a_clock_that_goes_back_gives_nothing() -> None:
    rate = Rate(1, 10.0)
    assert rate.allows(10.0)
    assert not rate.allows(1.0)


def test_progress_without_end_is_left_out_and_comes_again_later() -> None:
    now = [0.0]
    seen: list[Mapping[str, object]] = []
    told = at_a_rate(lambda params: seen.append(params), lambda: now[0])
    for step in range(100_000):
        told({"progress": step})
    assert seen == [{"progress": step} for step in range(MOST_STEPS_AT_ONCE)]
    now[0] = 1.0
    told({"progress": 100_000})
    assert seen[-1] == {"progress": 100_000}
