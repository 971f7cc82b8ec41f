from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dashboard.frames import (
    CROSSING,
    FIVE_HOURS,
    HOSTILE,
    MINUTE_MS,
    NOON_MS,
    UNKNOWN_LIMIT,
    frame,
    frames,
    hostile,
    session_line,
    session_view,
)

from tokenbudget.analysis.cache_state import CacheState
from tokenbudget.analysis.window_budget import LimitState
from tokenbudget.budget.forecast import Spread
from tokenbudget.dashboard import words
from tokenbudget.dashboard.view_model import AlertLine, Consumer, Frame, Spend
from tokenbudget.model.plain_text import one_line


def all_words(told: Frame) -> list[str]:
    """Everything that is said about a frame."""
    view, now_ms = told.chosen, told.made_at_ms
    found = [words.clock(told)]
    found += [words.limit_words(limit, told) for limit in told.limits]
    found += [words.alert_words(alert, now_ms) for alert in told.alerts]
    for line in told.sessions:
        found += [words.session_name(line), words.project_name(line.project)]
        found += [words.model_name(line.model), words.age_words(line.at_ms, now_ms)]
    if view is not None:
        found += [words.session_name(view), words.level_words(view.level), words.used_words(view)]
        found += [words.amount_words(view), words.next_words(view), words.burn_words(view)]
        found += [words.cost_words(view), words.cache_words(view, now_ms)]
        found += [words.consumer_words(consumer) for consumer in view.consumers]
    return found


class TestAnyFrame:
    @settings(deadline=None, max_examples=300)
    @given(frames)
    def test_every_text_is_one_clean_line(self, told: Frame) -> None:
        assert all(text == one_line(text) for text in all_words(told))

    def test_a_hostile_one_is_inert(self) -> None:
        assert "owned" in "".join(all_words(hostile()))
        assert all(text == one_line(text) for text in all_words(hostile()))

    def test_ten_kilobytes_are_no_title(self) -> None:
        longest = max(map(len, all_words(hostile(HOSTILE * 30))))
        assert longest < 2 * words.NAME_LENGTH


class TestNames:
    @pytest.mark.parametrize(
        ("project", "name"),
        [("/srv/webshop", "webshop"), ("/srv/webshop/", "webshop"), ("shop", "shop"), ("/", "")],
    )
    def test_a_project_is_named_after_its_folder(self, project: str, name: str) -> None:
        assert words.project_name(project) == name

    def test_a_session_without_a_title_after_its_id(self) -> None:
        assert words.session_name(session_view(title="")) == "332633f4"
        assert words.session_name(session_line()) == "Round the cart"

    def test_a_model_without_its_vendor(self) -> None:
        assert words.model_name("claude-opus-5-5") == "opus-5-5"
        assert words.model_name("gpt-9") == "gpt-9"


class TestUse:
    @pytest.mark.parametrize(
        ("level", "said"),
        [("healthy", "● healthy"), ("emergency", "✖ emergency"), (None, "? no data")],
    )
    def test_a_level_has_a_shape(self, level: str | None, said: str) -> None:
        assert words.level_words(level) == said

    def test_of_a_known_window(self) -> None:
        assert words.used_words(session_view()) == "58% of 200K"
        assert words.amount_words(session_view()) == "116,400 used · 83,600 free"

    def test_of_an_unknown_window(self) -> None:
        view = session_view(window_tokens=None)
        assert words.used_words(view) == "116,400 tokens, window unknown"
        assert words.amount_words(view) == "116,400 used"

    def test_of_which_nothing_is_known(self) -> None:
        assert words.used_words(session_view(None)) == "window unknown"
        assert words.used_words(session_view(None, window_tokens=200_000)) == "? of 200K"
        assert words.amount_words(session_view(None)) == "use unknown until the next request"

    def test_more_than_the_window_leaves_nothing(self) -> None:
        view = session_view(total_tokens=210_000)
        assert words.amount_words(view) == "210,000 used · 0 free"

    @pytest.mark.parametrize(
        ("share", "said"), [(0.9, "90%"), (0.8999, "89%"), (0.29, "29%"), (1.07, "107%")]
    )
    def test_a_share_is_never_rounded_up(self, share: float, said: str) -> None:
        assert words.percent(share) == said

    @given(st.integers(0, 10_000), st.integers(1, 10_000))
    def test_a_threshold_is_shown_exactly_when_it_is_reached(self, used: int, whole: int) -> None:
        shown = int(words.percent(used / whole).rstrip("%"))
        assert (shown >= 90) == (used / whole >= 0.9)


class TestAhead:
    def test_what_comes_next_and_when(self) -> None:
        assert words.next_words(session_view()) == "critical in ~51m (38m-1h 10m)"
        assert words.next_words(session_view(ahead=())) == ""

    @pytest.mark.parametrize(
        ("minutes", "said"),
        [
            (None, "?"),
            (Spread(1.5, 2.5, None), "in ~2m (1m-far)"),
            (Spread(90.0, None, None), "in 1h 30m or later"),
            (Spread(None, None, None), "far"),
        ],
    )
    def test_beyond_what_is_foreseeable(self, minutes: Spread | None, said: str) -> None:
        assert words.when_words(CROSSING._replace(active_minutes=minutes)) == said


class TestBurnAndCost:
    def test_the_shortest_span_that_has_any(self) -> None:
        assert words.burn_words(session_view()) == "1,640/min · 2.90K per request"
        assert words.burn_words(session_view(burns=())) == "none in the last hour"

    @pytest.mark.parametrize(
        ("spend", "said"),
        [
            (Spend(Decimal("1.86"), Decimal("3.1"), 0), "$1.86 this session · $3.10/h"),
            (Spend(Decimal("1.86"), None, 0), "$1.86 this session"),
            (Spend(Decimal(0), Decimal(0), 9), "$0.00? this session · $0.00?/h"),
            (Spend(None, None, 0), "cost unknown"),
        ],
    )
    def test_what_has_no_price_is_marked(self, spend: Spend, said: str) -> None:
        assert words.cost_words(session_view(spend=spend)) == said


class TestCache:
    @pytest.mark.parametrize(
        ("cache", "said"),
        [
            (CacheState(0.964, 1, NOON_MS + 125_000, True, 9), "hit 96% · warm, cold in 2m"),
            (CacheState(0.964, 1, NOON_MS, False, 9), "hit 96% · cold"),
            (CacheState(None, None, None, None, 0), "hit ? · cold at ?"),
            (CacheState(0.5, None, None, True, 9), "hit 50% · warm"),
            (CacheState(0.5, None, None, False, 9), "hit 50% · cold"),
        ],
    )
    def test_says_how_well_and_how_long(self, cache: CacheState, said: str) -> None:
        assert words.cache_words(session_view(cache=cache), NOON_MS) == said


class TestLimits:
    def test_with_its_reset_by_the_clock_on_the_wall(self) -> None:
        assert words.limit_words(FIVE_HOURS, frame()) == "5-hour 38%, resets 15:40"

    def test_with_the_time_at_which_it_is_spent(self) -> None:
        spent = Spread(None, NOON_MS + 90 * MINUTE_MS, None)
        limit = FIVE_HOURS._replace(forecast=FIVE_HOURS.forecast._replace(exhausted_at_ms=spent))
        said = "5-hour 38%, spent in ~1h 30m, resets 15:40"
        assert words.limit_words(limit, frame()) == said

    def test_another_day_is_named(self) -> None:
        later = FIVE_HOURS.forecast._replace(resets_at_ms=NOON_MS + 3 * 86_400_000)
        limit = LimitState("seven_day", "7-day", later)
        assert words.limit_words(limit, frame()) == "7-day 38%, resets Mon 13:00"

    def test_what_nobody_reported(self) -> None:
        assert words.limit_words(LimitState("x", "7-day", UNKNOWN_LIMIT), frame()) == "7-day ?"


class TestTheRest:
    def test_the_clock(self) -> None:
        assert words.clock(frame()) == "13:00:00"
        assert words.clock(frame(utc_offset_seconds=-5 * 3600)) == "07:00:00"

    @pytest.mark.parametrize(
        ("consumer", "said"),
        [
            (Consumer("Context files", "a", 9, 9, 4_100), "9 reads, 4.10K stale"),
            (Consumer("Context files", "a", 9, 1, 0), "1 read"),
            (Consumer("MCP tools", "a", 9, 0, 0), "mcp tools"),
        ],
    )
    def test_a_consumer(self, consumer: Consumer, said: str) -> None:
        assert words.consumer_words(consumer) == said

    def test_an_alert(self) -> None:
        alert = AlertLine("r", "critical", "window at 81%", "firing", NOON_MS - 12 * MINUTE_MS)
        assert words.alert_words(alert, NOON_MS) == "◆ window at 81% · firing for 12m"
        other = words.alert_words(alert._replace(level="odd"), NOON_MS)
        assert other.startswith("● ")

    def test_an_age(self) -> None:
        assert words.age_words(NOON_MS - 12_000, NOON_MS) == "12s ago"
        assert words.age_words(0, NOON_MS) == "never"
