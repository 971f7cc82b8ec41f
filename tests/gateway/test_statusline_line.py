"""What the line shows, how short its words are, and what goes where there is no room."""

from __future__ import annotations

import pytest
from tests.gateway.status_bar import NOW_MS, SNAPSHOT, drawn

from tokenbudget.gateway import statusline_line


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            180,
            "opus-5-5  ▲ warning ▕█████▉    ▏ 58% of 200K  1.6K/min"
            " ~51m (38m\u20131h10m) to critical"
            "  $1.86  5h 38% (resets in 2h00m) 7d 61% (resets in 2d21h)"
            "  cache hit 96%, cold in 2m  ⚑ 1 alert",
        ),
        (
            120,
            "opus-5-5  ▲ warning ▕█████▉    ▏ 58% of 200K  1.6K/min ~51m  $1.86  5h 38% 7d 61%"
            "  cache hit 96%, cold in 2m  ⚑ 1 alert",
        ),
        (
            86,
            "opus-5-5  ▲ ▕██▉  ▏ 58% of 200K  1.6K/min ~51m  $1.86  5h 38% 7d 61%"
            "  cache 96% 2m  ⚑1",
        ),
        (85, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% cache 96% 2m ⚑1"),
        (80, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% cache 96% 2m ⚑1"),
        (79, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K 1.6K/min ~51m $1.86 5h 38% 7d 61% ⚑1"),
        (40, "opus-5-5 ▲ ▕██▉  ▏ 58% of 200K ⚑1"),
        (12, "opus-5-5 ⚑1"),
        (8, "opus-5-5"),
        (5, "opus…"),
        (1, "…"),
    ],
)
def test_what_does_not_fit_goes_from_the_right_and_the_alert_mark_last(
    width: int, expected: str
) -> None:
    assert drawn(width) == expected


@pytest.mark.parametrize(
    ("used", "symbol"),
    [(0, ""), (99_999, "●"), (100_000, "▲"), (150_000, "◆"), (180_000, "✖"), (900_000, "✖")],
)
def test_the_health_level_begins_at_50_75_and_90_percent(used: int, symbol: str) -> None:
    window = {"total_input_tokens": used, "context_window_size": 200_000}
    text = drawn(120, snapshot={}, context_window=window)
    assert [sign for sign in "●▲◆✖" if sign in text] == list(symbol)


def test_a_fresh_snapshot_speaks_for_the_level_and_a_stale_one_only_for_the_thresholds() -> None:
    assert "◆" in drawn(120, snapshot={"level": "critical"})
    stale = {"level": "critical", "is_fresh": False, "threshold_shares": [0.6, 0.75, 0.9]}
    assert "●" in drawn(120, snapshot=stale)
    assert "▲" in drawn(120, snapshot={"threshold_shares": ["a", None, {}]})


def test_before_the_first_response_the_use_is_unknown() -> None:
    window = {"total_input_tokens": 0, "context_window_size": 1_000_000, "used_percentage": None}
    text = drawn(80, snapshot={}, context_window=window, prompt_cache=None, rate_limits=None)
    assert text == "opus-5-5  ?% of 1M  $1.86"


def test_limits_are_never_guessed() -> None:
    assert "5h" not in drawn(120, rate_limits=None)
    assert "5h" not in drawn(120, rate_limits={"five_hour": {"used_percentage": None}})
    over = {"used_percentage": 99, "resets_at": NOW_MS // 1000 - 1}
    weekly = {"used_percentage": 61, "resets_at": NOW_MS // 1000 + 9}
    assert " 7d 61%" in drawn(80, rate_limits={"five_hour": over, "seven_day": weekly})
    assert "5h" not in drawn(120, rate_limits={"five_hour": over})


def test_a_cold_cache_is_called_cold() -> None:
    past = {"warm": True, "expires_at": NOW_MS // 1000 - 1, "hit_ratio": 0.5}
    assert "cache 50% cold" in drawn(90, prompt_cache=past)
    assert "cache cold" in drawn(90, prompt_cache={"warm": False})
    assert "cache" not in drawn(200, prompt_cache=None)
    told_by_us = {"cache": "warm", "cache_cold_at_ms": NOW_MS + 60_000, "cache_hit_share": 0.9}
    assert "cache hit 90%, cold in 1m" in drawn(200, snapshot=told_by_us, prompt_cache=None)


def test_an_old_snapshot_no_longer_says_how_fast_it_burns_but_keeps_its_alerts() -> None:
    text = drawn(120, snapshot={**SNAPSHOT, "is_fresh": False, "is_old": True})
    assert "/min" not in text
    assert "⚑" in text


@pytest.mark.parametrize(
    ("usd", "shown"),
    [(0, "$0.00"), (0.00001, "<$0.0001"), (0.0051, "$0.0051"), (1234.5, "$1,234.50")],
)
def test_money_has_two_digits_and_four_under_a_cent(usd: float, shown: str) -> None:
    assert shown in drawn(120, cost={"total_cost_usd": usd}).split()


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("claude-opus-5-5-20260801", "opus-5-5"),
        ("eu.anthropic.claude-sonnet-5-5", "sonnet-5-5"),
        ("local-model", "local-model"),
        ("x" * 500, "x" * 24),
        ("\x1b]0;owned\x07claude-\u202eopus", "opus"),
        (7, ""),
    ],
)
def test_a_model_is_named_shortly(identity: object, name: str) -> None:
    assert statusline_line.model_name({"model": {"id": identity}}, {}) == name


def test_counts_and_times_are_short() -> None:
    counts = [0, 999, 1000, 1612, 99_960, 200_000, 999_999, 1_240_000, 2_000_000_000]
    assert [statusline_line.short_count(count) for count in counts] == [
        "0", "999", "1K", "1.61K", "100K", "200K", "1M", "1.24M", "2B",
    ]  # fmt: skip
    times = [0, 59.4, 59.6, 61, 3599, 3600, 86_400, 172_800, 950_000]
    assert [statusline_line.short_time(seconds) for seconds in times] == [
        "0s", "59s", "59s", "1m", "59m", "1h00m", "1d0h", "2d0h", "10d23h",
    ]  # fmt: skip
