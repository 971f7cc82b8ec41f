from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.alerts.builders import MINUTE, NOON_MS, context_at, limit_at

from tokenbudget.alerts.engine import evaluate
from tokenbudget.alerts.hours import QuietHours
from tokenbudget.alerts.notices import Notice
from tokenbudget.alerts.rules import CONTEXT, FIVE_HOUR, Observation, share_rule
from tokenbudget.alerts.state import (
    Policy,
    State,
    silenced_for,
    state_fields,
    state_from,
)

RULES = [
    share_rule(CONTEXT, 50, ["slack"]),
    share_rule(CONTEXT, 80, ["slack", "email"]),
    share_rule(FIVE_HOUR, 70, ["email"]),
]
POLICIES = (
    Policy(),
    Policy(group_wait_ms=0, resolve_wait_ms=0),
    Policy(quiet=QuietHours(22 * 60, 7 * 60, "Europe/Paris"), rate_per_hour=2),
)

tick = st.tuples(
    st.one_of(st.integers(-40, 600), st.sampled_from([-90_000, 30_000, 300_000])),  # seconds on
    st.lists(
        st.tuples(
            st.sampled_from(["s1", "s2", "w1", "w2"]),
            st.one_of(st.integers(0, 110), st.sampled_from([47, 49, 50, 77, 79, 80, 81, 90])),
            st.sampled_from(["known", "known", "known", "unknown", "over"]),
            st.integers(-100_000, 1_000),  # how old, in milliseconds
        ),
        max_size=4,
    ),
    st.sampled_from(["", "", "", "", "silence"]),
)
days = st.lists(tick, max_size=40)


def observation(what: str, percent: int, how: str, at_ms: int) -> Observation:
    made = limit_at(percent, at_ms, what) if what[0] == "w" else context_at(percent, at_ms, what)
    return made._replace(is_known=how != "unknown", is_over=how == "over")


def lived(
    day: list[tuple[int, list[tuple[str, int, str, int]], str]],
    policy: Policy,
    through_json: bool = False,
) -> tuple[State, list[Notice]]:
    state, notices, now = State(), [], NOON_MS
    for seconds, seen, deed in day:
        now += seconds * 1_000
        if deed:
            state = silenced_for(state, "context-80", 10 * MINUTE, now)
        if through_json:
            state = state_from(json.loads(json.dumps(state_fields(state))))
        observations = [observation(w, p, h, now + age) for w, p, h, age in seen]
        state, made = evaluate(RULES, observations, state, policy, now)
        notices += made
    return state, notices


@settings(max_examples=300, deadline=None)
@given(days, st.sampled_from(POLICIES))
def test_never_two_fires_for_what_is_not_resolved(day: object, policy: Policy) -> None:
    _, notices = lived(day, policy)  # type: ignore[arg-type]
    is_open: dict[str, bool] = {}
    for notice in notices:
        if notice.withheld == "silenced" or notice.kind == "digest":
            if notice.kind == "resolve":
                is_open[notice.fingerprint] = False
            continue
        if notice.kind == "resolve":
            assert is_open.get(notice.fingerprint) in (True, None)
            is_open[notice.fingerprint] = False
        elif notice.kind == "fire":
            assert not is_open.get(notice.fingerprint)
            is_open[notice.fingerprint] = True
        else:
            assert is_open.get(notice.fingerprint)


@settings(max_examples=200, deadline=None)
@given(days, st.sampled_from(POLICIES))
def test_a_trip_through_json_at_any_point_changes_nothing(day: object, policy: Policy) -> None:
    assert lived(day, policy) == lived(day, policy, through_json=True)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(days, st.sampled_from(POLICIES))
def test_versions_rise_and_no_channel_gets_more_than_its_rate(day: object, policy: Policy) -> None:
    forward = [(abs(s), seen, deed) for s, seen, deed in day]  # type: ignore[attr-defined]
    _, notices = lived(forward, policy)
    assert [n.version for n in notices] == sorted({n.version for n in notices})
    for channel in ("slack", "email"):
        times = [n.at_ms for n in notices if channel in n.channels]
        for start in times:
            assert sum(start <= at < start + 3_600_000 for at in times) <= policy.rate_per_hour


@settings(max_examples=200, deadline=None)
@given(days, st.sampled_from(POLICIES))
def test_what_was_seen_already_tells_nothing_new(day: object, policy: Policy) -> None:
    state, _ = lived(day, policy)  # type: ignore[arg-type]
    seen = [context_at(95, state.clock_ms, s) for s in ("s1", "s2")]
    once, _ = evaluate(RULES, seen, state, policy, state.clock_ms)
    twice, made = evaluate(RULES, seen, once, policy, once.clock_ms)
    assert (twice, made) == (once, [])


@settings(max_examples=200, deadline=None)
@given(days)
def test_without_data_nothing_is_told_and_nothing_cleared(day: object) -> None:
    state, _ = lived(day, POLICIES[1])  # type: ignore[arg-type]
    later, made = evaluate(RULES, [], state, POLICIES[1], state.clock_ms + 20 * 3_600_000)
    assert made == []
    before = {a.fingerprint: a.status for a in state.alerts if a.status != "calm"}
    assert {a.fingerprint: a.status for a in later.alerts if a.status != "calm"} == before
