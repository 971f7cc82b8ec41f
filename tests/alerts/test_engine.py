from __future__ import annotations

from decimal import Decimal

import pytest
from tests.alerts.builders import (
    HOUR,
    MINUTE,
    NOON_MS,
    SECOND,
    Engine,
    context_at,
    limit_at,
)

from tokenbudget.alerts.hours import QuietHours
from tokenbudget.alerts.notices import SPENT, history_entry
from tokenbudget.alerts.rules import (
    CONTEXT,
    DAY_COST,
    FIVE_HOUR,
    Observation,
    cost_rule,
    limit_window_id,
    share_rule,
)
from tokenbudget.alerts.state import (
    Policy,
    acked,
    silenced_for,
    silenced_until_resolved,
    unsilenced,
)

NIGHT = QuietHours(22 * 60, 7 * 60, "Europe/Paris")


def firing(percent: int = 80, policy: Policy | None = None) -> Engine:
    engine = Engine([share_rule(CONTEXT, percent, ["slack"])], policy)
    engine.at(percent + 1)
    assert engine.at(percent + 1, after=30 * SECOND) == ["fire"]
    return engine


def test_below_the_threshold_nothing_is_said() -> None:
    assert Engine().holds(79, minutes=60) == []


def test_a_crossing_is_told_once_after_the_group_wait() -> None:
    engine = Engine()
    assert engine.at(81) == []
    assert engine.at(81, after=29 * SECOND) == []
    assert engine.at(81, after=1 * SECOND) == ["fire"]
    assert engine.holds(82, minutes=60) == []


def test_no_message_tells_of_a_value_below_its_threshold() -> None:
    engine = Engine()
    engine.at(81)
    assert engine.at(79, after=MINUTE) == [], "inside the margin: wait, and do not forget"
    assert engine.at(80, after=MINUTE) == ["fire"]
    assert engine.at(79, after=9 * HOUR) == []
    assert engine.at(80, after=SECOND) == ["repeat"]


def test_what_is_over_inside_the_group_wait_is_never_told() -> None:
    engine = Engine()
    engine.at(81)
    assert engine.at(40, after=20 * SECOND) == []
    assert engine.holds(40, minutes=10) == []


def test_a_notice_says_what_where_how_much_and_what_to_do() -> None:
    engine = Engine()
    engine.at(81)
    engine.now += 30 * SECOND
    [notice] = engine.sees(context_at(81.4, engine.now, outlook="full in about 51m"))
    assert notice.title == "context window at 81%: webshop · fix-cart"
    assert "critical: 81% of the context window is used" in notice.body
    assert "full in about 51m" in notice.body
    assert notice.recommendation == (
        "Delegate searches and test runs to a subagent."
        " Would free most: src/cart.py (18.4K), npm test (14.1K)."
    )


def test_it_escalates_upward_only() -> None:
    engine = firing(50)
    assert engine.at(72, after=MINUTE) == ["escalate"]
    assert engine.at(60, after=MINUTE) == []
    assert engine.at(72, after=MINUTE) == []
    assert engine.at(91, after=MINUTE) == ["escalate"]
    assert [n.level for n in engine.notices] == ["info", "warning", "emergency"]


def test_it_resolves_once_after_it_was_below_the_margin_for_five_minutes() -> None:
    engine = firing()
    assert engine.holds(78, minutes=30) == []
    assert engine.holds(76, minutes=5) == []
    assert engine.at(76, after=30 * SECOND) == ["resolve"]
    assert engine.holds(76, minutes=30) == []


def test_flapping_around_the_threshold_is_one_notice() -> None:
    engine = firing()
    for _ in range(200):
        assert engine.at(76, after=MINUTE) + engine.at(82, after=MINUTE) in ([], ["repeat"])
    assert [n.kind for n in engine.notices] == ["fire", "repeat"]


def test_a_new_crossing_after_the_resolve_is_told_again() -> None:
    engine = firing()
    engine.holds(20, minutes=6)
    engine.at(85, after=HOUR)
    assert engine.at(85, after=30 * SECOND) == ["fire"]


def test_it_repeats_only_when_nothing_changed_for_four_hours() -> None:
    engine = firing()
    assert engine.at(85, after=3 * HOUR) == []
    assert engine.at(91, after=HOUR // 2) == ["escalate"]
    assert engine.at(91, after=3 * HOUR) == []
    assert engine.at(91, after=HOUR) == ["repeat"]


def test_an_acknowledged_alert_does_not_repeat_but_rises_and_resolves() -> None:
    engine = firing()
    engine.state = acked(engine.state, "context-80")
    assert engine.at(85, after=9 * HOUR) == []
    assert engine.at(91, after=MINUTE) == ["escalate"]
    assert engine.at(91, after=4 * HOUR) == ["repeat"]


def test_no_data_freezes_and_never_clears() -> None:
    engine = firing()
    for _ in range(100):
        engine.now += 10 * MINUTE
        assert engine.sees(context_at(0, engine.now, is_known=False)) == []
    [alert] = engine.state.alerts
    assert (alert.status, alert.is_known) == ("firing", False)
    assert engine.at(40, after=MINUTE) == [], "the five minutes below begin with data"
    assert engine.holds(40, minutes=5) == ["resolve"]


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -0.1])
def test_an_impossible_value_is_no_data(broken: float) -> None:
    engine = firing()
    assert engine.sees(context_at(0, engine.now, value=broken), after=HOUR) == []
    assert not engine.state.alerts[0].is_known


def test_without_any_observation_it_is_no_data_after_two_intervals() -> None:
    engine = firing()
    known = []
    for seconds in (60, 1):
        engine.sees(after=seconds * SECOND)
        known += [alert.is_known for alert in engine.state.alerts]
    assert known == [True, False]
    assert engine.sees(after=24 * HOUR) == []
    assert engine.state.alerts[0].status == "firing"


def test_the_same_event_twice_is_one_message() -> None:
    engine = firing()
    same = context_at(91, engine.now)
    assert len(engine.sees(same, same, same)) == 1
    assert engine.sees(same) == []


def test_the_latest_of_several_observations_decides() -> None:
    engine = Engine(policy=Policy(group_wait_ms=0))
    late, early = context_at(20, engine.now), context_at(95, engine.now - MINUTE)
    assert engine.sees(late, early) == []


def test_an_older_observation_changes_nothing() -> None:
    engine = firing()
    before = engine.state.alerts
    engine.sees(context_at(10, engine.now - HOUR))
    assert engine.state.alerts == before


def test_a_date_in_the_future_does_not_shut_out_what_follows() -> None:
    engine = Engine()
    engine.sees(context_at(10, engine.now + 1_000 * HOUR))
    engine.at(85, after=MINUTE)
    assert engine.at(85, after=MINUTE) == ["fire"]


def test_a_new_window_resolves_the_old_alert_and_begins_a_new_one() -> None:
    engine = Engine([share_rule(FIVE_HOUR, 80, ["slack"])])
    engine.sees(limit_at(85, engine.now, "w1"))
    engine.sees(limit_at(85, engine.now, "w1"), after=MINUTE)
    [over] = engine.sees(limit_at(3, engine.now + HOUR, "w2"), after=HOUR)
    assert (over.kind, over.body[:24]) == ("resolve", "A new window has begun. ")
    engine.sees(limit_at(88, engine.now, "w2"))
    [fire] = engine.sees(limit_at(88, engine.now, "w2"), after=MINUTE)
    assert fire.fingerprint != over.fingerprint


def test_a_late_word_from_the_old_window_is_not_believed() -> None:
    engine = Engine([share_rule(FIVE_HOUR, 80, ["slack"])])
    engine.sees(limit_at(3, engine.now, "w2"))
    assert engine.sees(limit_at(99, engine.now - MINUTE, "w1"), after=HOUR) == []
    assert [a.window_id for a in engine.state.alerts] == ["w2"]


def test_a_wavering_reset_is_the_same_window() -> None:
    hour = NOON_MS - NOON_MS % HOUR
    wavering = {limit_window_id(hour + seconds * SECOND) for seconds in range(-600, 600, 7)}
    assert len(wavering) == 1


def test_the_end_of_a_session_resolves_its_alert_at_once() -> None:
    engine = firing()
    over = context_at(85, engine.now, is_over=True)
    [notice] = engine.sees(over, after=SECOND)
    assert notice.body.startswith("It has ended.")
    assert engine.sees(over, after=SECOND) == []


def test_a_silence_keeps_quiet_and_what_still_fires_is_told_after_it() -> None:
    engine = Engine()
    engine.state = silenced_for(engine.state, "context-80", 2 * HOUR, engine.now)
    engine.at(85)
    engine.now += MINUTE
    [kept] = engine.sees(context_at(85, engine.now))
    assert (kept.withheld, kept.channels) == ("silenced", ())
    assert engine.at(86, after=HOUR) == []
    assert engine.at(86, after=HOUR) == ["fire"]


def test_silenced_until_resolved_tells_when_it_is() -> None:
    engine = firing()
    engine.state = silenced_until_resolved(engine.state, "context-80")
    assert [n.withheld for n in engine.sees(context_at(95, engine.now))] == ["silenced"]
    assert engine.at(95, after=9 * HOUR) == []
    engine.at(20, after=MINUTE)
    assert engine.at(20, after=6 * MINUTE) == ["resolve"]
    assert engine.notices[-1].channels == ("slack",)
    assert engine.state.silences == ()


def test_a_silence_can_be_taken_back() -> None:
    engine = Engine()
    engine.state = silenced_for(engine.state, "", HOUR, engine.now)
    engine.state = unsilenced(engine.state, "")
    engine.at(85)
    assert engine.at(85, after=MINUTE) == ["fire"]


def test_quiet_hours_hold_what_is_mild_and_give_one_digest() -> None:
    engine = Engine([share_rule(CONTEXT, 50, ["slack"])], Policy(quiet=NIGHT))
    engine.now = NOON_MS + 11 * HOUR  # midnight in Paris
    for session in ("a", "b", "c"):
        engine.at(55, session=session)
        engine.at(55, after=MINUTE, session=session)
    engine.at(20, after=MINUTE, session="b")
    engine.at(20, after=6 * MINUTE, session="b")
    assert {n.withheld for n in engine.notices} == {"quiet hours"}
    engine.now = NOON_MS + 18 * HOUR  # seven in the morning
    [digest] = engine.sees()
    assert (digest.kind, digest.title) == (
        "digest",
        "3 alerts in the quiet hours, 2 still open",
    )
    assert len(digest.body.splitlines()) == 3
    assert engine.sees(after=MINUTE) == []


def test_what_is_critical_goes_through_quiet_hours() -> None:
    engine = Engine([share_rule(CONTEXT, 50, ["slack"])], Policy(quiet=NIGHT))
    engine.now = NOON_MS + 11 * HOUR
    engine.at(55)
    engine.at(55, after=MINUTE)
    [grave] = engine.sees(context_at(91, engine.now))
    assert (grave.withheld, grave.level) == ("", "emergency")
    engine.now = NOON_MS + 18 * HOUR
    assert engine.at(91) == ["repeat"], "told already, so not in a digest"


@pytest.mark.parametrize(
    ("noon_utc_ms", "hours_of_the_night"),
    [(1_774_699_200_000, 8), (1_792_843_200_000, 10)],  # 2026-03-28 and 2026-10-24, both noon
)
def test_the_day_of_a_clock_change_has_one_digest(
    noon_utc_ms: int, hours_of_the_night: int
) -> None:
    engine = Engine([share_rule(CONTEXT, 50, ["slack"])], Policy(quiet=NIGHT))
    engine.now = noon_utc_ms
    quiet_minutes = 0
    for _ in range(24 * 60):
        engine.at(55 if engine.now > noon_utc_ms + 9 * HOUR else 10, after=MINUTE)
        quiet_minutes += bool(engine.state.held)
    assert [n.kind for n in engine.notices if not n.withheld].count("digest") == 1
    assert abs(quiet_minutes / 60 - hours_of_the_night) < 2


def test_a_rate_limit_says_how_many_it_held_back() -> None:
    engine = Engine()
    for session in map(str, range(1_000)):
        engine.at(85, session=session)
    engine.now += MINUTE
    made = engine.sees(*(context_at(85, engine.now, str(i)) for i in range(1_000)))
    assert len(made) == 1_000
    assert sum(n.withheld == "" for n in made) == 6
    assert sum(n.withheld == "rate limit" for n in made) == 994
    engine.at(85, after=HOUR, session="new")
    engine.now += MINUTE
    [later] = engine.sees(context_at(85, engine.now, "new"))
    assert later.held_back == (("slack", 994),)


def test_one_full_channel_does_not_hold_back_the_others() -> None:
    engine = Engine([share_rule(CONTEXT, 80, ["slack"])], Policy(rate_per_hour=1))
    engine.at(85)
    engine.at(85, after=MINUTE)
    engine.rules = [share_rule(CONTEXT, 80, ["slack", "email"])]
    [notice] = engine.sees(context_at(91, engine.now))
    assert (notice.channels, notice.withheld) == (("email",), "")


def test_the_end_of_what_nobody_heard_of_is_not_told() -> None:
    engine = Engine(policy=Policy(rate_per_hour=0))
    engine.at(85)
    engine.at(85, after=MINUTE)
    engine.at(10, after=MINUTE)
    engine.at(10, after=6 * MINUTE)
    assert [(n.kind, n.withheld) for n in engine.notices] == [
        ("fire", "rate limit"),
        ("resolve", "never told"),
    ]


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    engine = firing()
    engine.state = silenced_for(engine.state, "other", HOUR, engine.now)
    engine.now -= 300 * HOUR
    assert engine.at(85) == []
    assert engine.at(85, after=3 * HOUR) == []
    assert engine.at(85, after=HOUR) == ["repeat"]
    engine.at(10, after=MINUTE)
    assert engine.at(10, after=5 * MINUTE) == ["resolve"]
    assert engine.state.silences == ()


def test_a_clock_that_jumped_ahead_and_came_back_does_no_harm() -> None:
    engine = Engine()
    engine.at(10)
    engine.at(10, after=10_000 * HOUR)
    engine.now -= 10_000 * HOUR
    engine.at(85, after=MINUTE)
    assert engine.at(85, after=MINUTE) == ["fire"]


def test_evaluators_whose_clocks_differ_by_seconds_do_not_set_time_back() -> None:
    engine = firing()
    told = engine.state.alerts[0].told_at_ms
    engine.at(85, after=-5 * SECOND)
    assert engine.state.alerts[0].told_at_ms == told


def test_fifty_and_eighty_on_one_channel_are_one_message_each() -> None:
    engine = Engine([share_rule(CONTEXT, p, ["slack"]) for p in (50, 80)])
    for percent in (55, 75, 85, 95):
        engine.at(percent, after=MINUTE)
        engine.at(percent, after=MINUTE)
    assert [(n.kind, n.rule_id) for n in engine.notices] == [
        ("fire", "context-50"),
        ("escalate", "context-50"),
        ("fire", "context-80"),
        ("escalate", "context-80"),
    ]


def test_a_jump_over_two_rules_and_back_is_one_message_each() -> None:
    engine = Engine([share_rule(CONTEXT, p, ["slack"]) for p in (50, 80)])
    for percent in (85, 85, 20):
        engine.at(percent, after=MINUTE)
    engine.at(85, after=5 * HOUR)
    engine.at(20, after=MINUTE)
    engine.at(20, after=6 * MINUTE)
    sent = [(n.kind, n.rule_id) for n in engine.notices if not n.withheld]
    assert sent == [("fire", "context-80"), ("repeat", "context-80"), ("resolve", "context-80")]
    withheld = {n.withheld for n in engine.notices if n.rule_id == "context-50"}
    assert withheld == {"told by a higher rule"}


def test_a_higher_rule_that_is_silenced_takes_nothing_over() -> None:
    engine = Engine([share_rule(CONTEXT, p, ["slack"]) for p in (50, 80)])
    engine.state = silenced_for(engine.state, "context-80", HOUR, engine.now)
    engine.at(85)
    engine.at(85, after=MINUTE)
    assert [n.rule_id for n in engine.notices if not n.withheld] == ["context-50"]


def test_eighty_elsewhere_takes_nothing_from_fifty_here() -> None:
    rules = [share_rule(CONTEXT, 50, ["email"]), share_rule(CONTEXT, 80, ["slack"])]
    engine = Engine(rules)
    for percent in (55, 85):
        engine.at(percent, after=MINUTE)
        engine.at(percent, after=MINUTE)
    told = {(n.rule_id, n.kind) for n in engine.notices}
    assert told == {("context-50", "fire"), ("context-50", "escalate"), ("context-80", "fire")}


def test_a_cost_is_compared_as_decimal() -> None:
    engine = Engine([cost_rule(DAY_COST, "0.30", ["slack"])])
    spent = Observation(DAY_COST, "all", "2025-11-21", Decimal("0.10") * 3, engine.now)
    engine.sees(spent)
    [fire] = engine.sees(spent, after=MINUTE)
    assert (fire.title, fire.level) == ("cost of the day at $0.30: all", "warning")
    [risen] = engine.sees(spent._replace(value=Decimal("0.61")), after=MINUTE)
    assert risen.level == "emergency"


def test_the_end_of_a_day_is_no_news_about_its_cost() -> None:
    engine = Engine([cost_rule(DAY_COST, "10", ["slack"])])
    spent = Observation(DAY_COST, "all", "2025-11-21", Decimal(12), engine.now)
    engine.sees(spent)
    assert [n.kind for n in engine.sees(spent, after=MINUTE)] == ["fire"]
    [over] = engine.sees(spent._replace(is_over=True), after=HOUR)
    assert (over.kind, over.channels, over.withheld) == ("resolve", (), SPENT)


def test_the_digest_says_that_the_day_of_a_cost_is_over() -> None:
    policy = Policy(quiet=QuietHours(0, 23 * 60, "UTC"))
    engine = Engine([cost_rule(DAY_COST, "10", ["slack"])], policy)
    spent = Observation(DAY_COST, "all", "2025-11-21", Decimal(12), engine.now)
    engine.sees(spent)
    engine.sees(spent, after=MINUTE)
    engine.sees(spent._replace(is_over=True), after=HOUR)
    [digest] = engine.sees(after=10 * HOUR)
    assert digest.title == "1 alert in the quiet hours, none still open"


def test_a_rule_without_a_channel_is_decided_and_shown_only() -> None:
    engine = Engine([share_rule(CONTEXT, 80)])
    engine.at(85)
    assert engine.at(85, after=MINUTE) == ["fire"]
    assert "no channel" in history_entry(engine.notices[0]).detail


def test_the_alerts_of_a_removed_rule_are_gone() -> None:
    engine = firing()
    engine.rules = [share_rule(CONTEXT, 90, ["slack"])]
    engine.at(85, after=HOUR)
    assert [a.rule_id for a in engine.state.alerts] == ["context-90"]


def test_what_is_calm_and_gone_is_forgotten() -> None:
    engine = Engine()
    engine.at(10)
    engine.sees(after=25 * HOUR)
    assert engine.state.alerts == ()


def test_an_end_that_nobody_saw_for_hours_is_no_news() -> None:
    """Nobody wants to be told in the morning that yesterday's session is over."""
    engine = Engine()
    engine.holds(85, 1)
    evening = engine.now
    over = context_at(0, evening + 14 * HOUR, is_over=True)
    [late] = engine.sees(over, after=14 * HOUR)
    assert (late.kind, late.withheld, late.channels) == ("resolve", "over long ago", ())

    engine = Engine()
    engine.holds(85, 1)
    [soon] = engine.sees(context_at(0, engine.now + HOUR, is_over=True), after=HOUR)
    assert (soon.kind, soon.withheld, soon.channels) == ("resolve", "", ("slack",))


class TestOneSessionAndAll:
    """A rule for every session, and one for this session, on the same channels."""

    def told(self, special: int, *percents: int) -> list[tuple[str, str]]:
        engine = Engine(
            [share_rule(CONTEXT, 80, ["slack"]), share_rule(CONTEXT, special, ["slack"], "s1")]
        )
        for percent in percents:
            engine.holds(percent, 6)
        return [(n.kind, n.rule_id) for n in engine.notices if not n.withheld]

    def test_two_that_are_alike_are_one_message_up_and_down(self) -> None:
        assert self.told(80, 40, 85, 92, 40) == [
            ("fire", "context-80@s1"), ("escalate", "context-80@s1"), ("resolve", "context-80@s1"),
        ]  # fmt: skip

    def test_the_higher_one_of_a_session_is_one_message_at_its_step(self) -> None:
        assert self.told(90, 40, 85, 92) == [("fire", "context-80"), ("fire", "context-90@s1")]

    def test_other_sessions_are_told_by_the_rule_for_all(self) -> None:
        engine = Engine(
            [share_rule(CONTEXT, 80, ["slack"]), share_rule(CONTEXT, 80, ["slack"], "s1")]
        )
        engine.at(85, session="s2")
        engine.at(85, after=MINUTE, session="s2")
        assert [(n.rule_id, n.withheld) for n in engine.notices] == [("context-80", "")]


class TestARiseOverTwoRules:
    @pytest.fixture
    def engine(self) -> Engine:
        engine = Engine([share_rule(CONTEXT, 50, ["slack"]), share_rule(CONTEXT, 80, ["slack"])])
        engine.holds(60, 2)
        engine.notices.clear()
        return engine

    def told(self, engine: Engine) -> list[tuple[str, str]]:
        return [(n.kind, n.rule_id) for n in engine.notices if not n.withheld]

    def test_the_higher_one_tells_and_nobody_else(self, engine: Engine) -> None:
        engine.holds(85, 10)
        assert self.told(engine) == [("fire", "context-80")]

    def test_what_falls_back_between_them_is_told_by_the_lower_one(self, engine: Engine) -> None:
        engine.at(85, after=30 * SECOND)
        engine.holds(75, 10)
        assert self.told(engine) == [("escalate", "context-50")]

    def test_what_hovers_below_the_higher_one_is_told_by_the_lower_one(
        self, engine: Engine
    ) -> None:
        engine.at(85, after=30 * SECOND)
        engine.holds(78, 10)
        assert self.told(engine) == [("escalate", "context-50")]

    def test_a_silent_one_tells_nobody_so_nobody_waits_for_it(self, engine: Engine) -> None:
        engine.state = silenced_for(engine.state, "context-80", HOUR, engine.now)
        engine.at(85, after=30 * SECOND)
        assert self.told(engine) == [("escalate", "context-50")]
