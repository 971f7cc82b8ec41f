"""Which sessions go: the rules alone, without a file."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.app.archiving_plan import (
    DAY_MS,
    REST_MS,
    SKEW_MS,
    Rules,
    SessionFacts,
    cleanup_warning,
    decided,
    timer_days,
)
from tokenbudget.sources.claude_code.cleanup import Cleanup
from tokenbudget.sources.claude_code.session_files import FoundSession

NOW_MS = 1_800_000_000_000


def facts(session: str, age_ms: int, project: str = "/p") -> SessionFacts:
    return SessionFacts(FoundSession(session, "/r", ()), project, "", NOW_MS - age_ms)


ages = st.integers(-3 * DAY_MS, 200 * DAY_MS)
sessions = st.lists(st.tuples(ages, st.sampled_from(["/p", "/q", ""])), max_size=12).map(
    lambda pairs: [facts(f"s{n}", age, project) for n, (age, project) in enumerate(pairs)]
)
rules = st.builds(
    Rules,
    older_than_days=st.integers(0, 100),
    keep_last=st.integers(0, 4),
    projects=st.none(),
    session=st.just(""),
)


@given(sessions, rules)
def test_every_session_goes_or_stays_and_none_does_both(
    found: Sequence[SessionFacts], wanted: Rules
) -> None:
    decision = decided(found, wanted, NOW_MS, lambda facts: None)

    gone = [one.session for one in decision.chosen]
    kept = [one.session for one in decision.left]
    assert sorted(gone + kept) == sorted(one.session for one in found)


@given(sessions, rules)
def test_what_goes_is_older_than_asked_and_at_rest(
    found: Sequence[SessionFacts], wanted: Rules
) -> None:
    for one in decided(found, wanted, NOW_MS, lambda facts: None).chosen:
        age_ms = NOW_MS - one.last_ms
        assert age_ms > wanted.older_than_days * DAY_MS
        assert age_ms >= REST_MS


@given(sessions, rules)
def test_of_each_project_as_many_stay_as_asked(
    found: Sequence[SessionFacts], wanted: Rules
) -> None:
    gone = {one.session for one in decided(found, wanted, NOW_MS, lambda facts: None).chosen}

    for project in {one.project for one in found}:
        newest = sorted((o for o in found if o.project == project), key=lambda o: -o.last_ms)
        assert not gone & {one.session for one in newest[: wanted.keep_last]}


def test_whatever_is_asked_a_live_or_future_one_stays() -> None:
    for asked in (Rules(0), Rules(session="s")):
        live = decided([facts("s", REST_MS - 1)], asked, NOW_MS, lambda facts: None)
        future = decided([facts("s", -SKEW_MS - 1)], asked, NOW_MS, lambda facts: None)
        assert (live.left[0].reason, future.left[0].reason) == ("live", "future")


def test_an_obstacle_is_looked_for_in_old_sessions_only() -> None:
    looked = []
    found = [facts("old", 50 * DAY_MS), facts("young", DAY_MS)]

    decision = decided(found, Rules(), NOW_MS, lambda one: looked.append(one.session))

    assert looked == ["old"]
    assert [one.session for one in decision.chosen] == ["old"]


@given(st.integers(1, 4000))
def test_the_timer_is_always_before_the_agent(days: int) -> None:
    assert 0 <= timer_days(Cleanup(days)) < days
    assert cleanup_warning(Cleanup(days), timer_days(Cleanup(days))) == ""
    assert cleanup_warning(Cleanup(days), days) != ""
    assert cleanup_warning(Cleanup(None), days) == ""
