"""Cache misses: what was written again, and why."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import MINUTE_MS, READ_USD, WRITE_USD, Thread, thread

from tokenbudget.analysis.cache_state import TTL_1H_MS, TTL_5M_MS
from tokenbudget.analysis.drains.cache_misses import (
    CACHE_MODEL_SWITCH,
    CACHE_PREFIX,
    CACHE_TTL,
    LATENCY_MS,
    misses,
)
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.study import Sighting
from tokenbudget.analysis.thread_view import ThreadView, Turn

DRAINS = (CACHE_TTL, CACHE_PREFIX, CACHE_MODEL_SWITCH)


def found(view: ThreadView, *drains: Drain) -> list[Sighting]:
    """What these detectors see, all of them unless some are named."""
    return [one for drain in drains or DRAINS if drain.detect for one in drain.detect(view, set())]


def warm() -> Thread:
    """A thread with 20,000 tokens in a cache of five minutes."""
    return thread(prefix_tokens=20_000).prompt("go").says("ok")


def with_turn(view: ThreadView, number: int, **fields: object) -> ThreadView:
    """The same thread with one request told otherwise."""
    turns = list(view.turns)
    turns[number] = turns[number]._replace(**fields)  # type: ignore[arg-type]
    return view._replace(turns=turns)


def cold(view: ThreadView, number: int, read: int = 4_000, **fields: object) -> ThreadView:
    """The same, where a request read only so much from the cache and wrote the rest."""
    turn = view.turns[number]
    wrote = turn.prompt_tokens - read
    return with_turn(view, number, cache_read_tokens=read, cache_write_5m_tokens=wrote, **fields)


# ── a pause ──────────────────────────────────────────────────────────────────────────────────────


def test_a_pause_over_the_lifetime_costs_writing_what_would_have_been_read() -> None:
    """Money, and not a token."""
    view = warm().waits(10 * MINUTE_MS).prompt("again").says("ok").view()
    cached = view.turns[0].prompt_tokens
    [one] = found(view)
    assert (one.drain, one.subject, one.times) == ("cache-ttl", "", 1)
    assert one.cost_pico_usd == round(cached * (WRITE_USD - READ_USD) * 1e12)
    assert (one.sent_tokens, one.error_tokens, one.error_pico_usd) == (0, 0, 0)
    assert (one.line, one.at_ms) == (view.turns[1].line, view.turns[1].at_ms)
    assert one.detail == (
        f"{cached:,} tokens written again, after a pause of 11 min, the cache lives 5 minutes;"
        " no token less would be sent"
    )


def test_a_night_is_said_to_be_expected() -> None:
    """It is a loss all the same."""
    large = thread(prefix_tokens=100_000).prompt("go").says("ok")
    [one] = found(large.waits(9 * TTL_1H_MS).prompt("again").says("ok").view())
    assert "after a pause of 9.0 h" in one.detail
    assert "as is to be expected when a session is resumed" in one.detail
    assert found(warm().waits(9 * TTL_1H_MS).prompt("again").says("ok").view()) == []


def test_a_thread_that_writes_for_an_hour_keeps_its_cache_for_one() -> None:
    """The same pause is another cause then: not the lifetime, for its first tokens were read."""
    view = warm().waits(10 * MINUTE_MS).prompt("again").says("ok").view()
    cached = view.turns[0].prompt_tokens
    hourly = with_turn(
        view, 0, cache_write_5m_tokens=0, cache_write_1h_tokens=cached, write_usd=8e-6
    )
    assert found(hourly, CACHE_TTL) == []
    hourly = cold(hourly, 1, cache_write_1h_tokens=0)
    assert [one.drain for one in found(hourly)] == ["cache-prefix"]


@pytest.mark.parametrize("is_hourly", [False, True])
def test_near_the_end_of_a_lifetime_nothing_is_said(*, is_hourly: bool) -> None:
    """When the request began is not known to the second."""
    ttl_ms = TTL_1H_MS if is_hourly else TTL_5M_MS
    view = cold(warm().prompt("again").says("ok").view(), 1)
    if is_hourly:
        wrote = view.turns[0].cache_write_5m_tokens
        view = with_turn(view, 0, cache_write_5m_tokens=0, cache_write_1h_tokens=wrote)
    start = view.turns[0].at_ms
    causes = {
        gap: [one.drain for one in found(with_turn(view, 1, at_ms=start + gap))]
        for gap in (ttl_ms - LATENCY_MS, ttl_ms - LATENCY_MS + 1, ttl_ms - 1, ttl_ms)
    }
    assert list(causes.values()) == [["cache-prefix"], [], [], ["cache-ttl"]]


# ── a changed prefix ─────────────────────────────────────────────────────────────────────────────


def test_a_prefix_that_changed_is_told_with_what_explains_it() -> None:
    """Tools loaded by a search, or whatever entered with the request."""
    story = warm().call("ToolSearch", {"query": "x"}, "loaded").says("ok")
    view = cold(story.view(), 1)
    [one] = found(view)
    cached = view.turns[0].prompt_tokens
    assert (one.drain, one.sent_tokens) == ("cache-prefix", 0)
    assert one.cost_pico_usd == round((cached - 4_000) * (WRITE_USD - READ_USD) * 1e12)
    assert "a tool search had just loaded tools" in one.detail
    plain = cold(warm().prompt("more").says("ok").view(), 1)
    detail = found(plain)[0].detail
    assert detail.count("no cause is recorded; only its first 4,000 tokens were there") == 1
    retold = with_turn(plain, 1, cause="retold")
    assert "told anew" in found(retold)[0].detail


def test_all_lost_and_nothing_to_explain_it_is_told_without_a_cause() -> None:
    """That it was lost is certain."""
    view = cold(warm().prompt("more").says("ok").view(), 1, read=0)
    assert [miss.tokens for miss in misses(view)] == [view.turns[0].prompt_tokens]
    [one] = found(view)
    assert "by the same model: no cause is recorded; nothing of it was there" in one.detail


# ── another model ────────────────────────────────────────────────────────────────────────────────


def test_another_model_has_a_cache_of_its_own() -> None:
    """Unless the pause was longer than a lifetime anyway."""
    story = warm().prompt("more").asks(model="claude-sonnet-5-5").says("ok")
    view = story.view()
    [one] = found(view)
    assert (one.drain, one.times) == ("cache-model-switch", 1)
    cached = view.turns[0].prompt_tokens
    assert one.cost_pico_usd == round(cached * (WRITE_USD - READ_USD) * 1e12)
    paused = warm().prompt("more").waits(TTL_5M_MS).asks(model="claude-sonnet-5-5").says("ok")
    assert [one.drain for one in found(paused.view())] == ["cache-ttl"]


def test_a_model_switch_without_times_is_told_too() -> None:
    """A pause is not, then."""
    view = warm().prompt("more").asks(model="claude-sonnet-5-5").says("ok").view()
    assert [one.drain for one in found(with_turn(view, 0, at_ms=0))] == ["cache-model-switch"]
    same = cold(warm().prompt("more").says("ok").view(), 1)
    assert found(with_turn(same, 0, at_ms=0)) == []


# ── what is no miss ──────────────────────────────────────────────────────────────────────────────


def test_a_warm_thread_has_none() -> None:
    """Nor has the first request of one."""
    assert found(warm().goes_on(5).view()) == []
    assert found(warm().view()) == []


@pytest.mark.parametrize("cause", ["compaction", "rewound", "cleared"])
def test_what_is_meant_to_change_the_window_is_none(cause: str) -> None:
    """By the person, or by the client."""
    view = warm().waits(10 * MINUTE_MS).prompt("again").says("ok").view()
    assert found(with_turn(view, 1, cause=cause)) == []


def _as_plain(turn: Turn) -> dict[str, int]:
    return {
        "input_tokens": turn.prompt_tokens,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
    }


def test_a_provider_without_a_cache_has_none() -> None:
    """Everything is plain input there, after a pause as before it."""
    view = warm().waits(10 * MINUTE_MS).prompt("again").says("ok").view()
    for number, turn in enumerate(view.turns):
        view = with_turn(view, number, **_as_plain(turn))
    assert found(view) == []


def test_another_conversation_is_none() -> None:
    """A prompt that is much smaller than the one before it."""
    view = warm().waits(10 * MINUTE_MS).prompt("again").says("ok").view()
    small = with_turn(view, 1, prompt_tokens=9_000, cache_write_5m_tokens=9_000)
    assert found(small) == []


def test_a_little_that_is_written_again_is_none() -> None:
    """The client moves its marks."""
    view = warm().prompt("more").says("ok").view()
    cached = view.turns[0].prompt_tokens
    assert found(cold(view, 1, read=cached - 4_999)) == []
    assert len(found(cold(view, 1, read=cached - 5_000))) == 1


def test_a_copy_that_another_file_owns_is_not_charged() -> None:
    """But the request before it may be one."""
    story = thread(prefix_tokens=20_000).prompt("go").asks(owned=False).says("ok")
    assert found(story.waits(10 * MINUTE_MS).prompt("again").says("ok").view()) == []
    story = thread(prefix_tokens=20_000).prompt("go").asks(owned=False).says("ok")
    story.waits(10 * MINUTE_MS).prompt("again").asks(owned=True).says("ok")
    assert [one.drain for one in found(story.view())] == ["cache-ttl"]


def test_a_miss_is_one_drains_alone() -> None:
    """Whatever its cause is."""
    story = warm().waits(10 * MINUTE_MS).prompt("a").says("b").prompt("c")
    story.asks(model="claude-sonnet-5-5").says("d").prompt("e").says("f")
    view = cold(story.view(), 3)
    assert [one.drain for one in found(view)] == [
        "cache-ttl", "cache-prefix", "cache-model-switch",
    ]  # fmt: skip


def switched(prices: dict[str, float], output_tokens: int = 0, later: int = 0) -> ThreadView:
    """A change to a model with these prices, and so many requests more to it."""
    story = warm().prompt("more").asks(model="claude-sonnet-5-5").says("ok").goes_on(later)
    view = story.view()
    for number in range(1, len(view.turns)):
        view = with_turn(view, number, **{**prices, "output_tokens": output_tokens})
    return view


def test_a_change_to_a_model_so_cheap_that_filling_its_cache_costs_less_is_no_loss() -> None:
    """The same prompt, warm, would have cost more with the model before it."""
    cheap = {"read_usd": READ_USD / 20, "write_usd": READ_USD / 2}
    assert found(switched(cheap)) == []
    dear = found(switched({"read_usd": READ_USD, "write_usd": WRITE_USD}))
    assert [one.drain for one in dear] == ["cache-model-switch"]


def test_a_cheaper_model_that_goes_on_earns_what_filling_its_cache_cost() -> None:
    """What it reads and writes costs less with every request."""
    half = {"read_usd": READ_USD / 2, "write_usd": WRITE_USD / 2, "output_usd": 1e-6}
    [soon] = found(switched(half, later=2))
    [first] = found(switched(half))
    assert 0 < soon.cost_pico_usd < first.cost_pico_usd
    assert found(switched(half, later=30)) == []
    assert found(switched(half, output_tokens=100_000)) == []


def test_a_change_without_prices_is_not_told() -> None:
    """Nobody knows whether it cost anything."""
    assert found(switched({"read_usd": 0.0, "write_usd": 0.0})) == []
