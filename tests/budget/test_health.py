import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget import health
from tokenbudget.budget.health import (
    LEVELS,
    MARGIN_SHARE,
    STANDARD,
    HealthState,
    Transition,
    advance,
    level_of,
    thresholds,
    traffic_light,
)
from tokenbudget.model.errors import BadConfig

SECOND_MS = 1_000
any_share = st.floats(0, 1.5)


def walked(state: HealthState, shares: list[float]) -> tuple[HealthState, list[Transition]]:
    """One request a second."""
    seen = []
    for i, share in enumerate(shares):
        state, transition = advance(state, share, i * SECOND_MS)
        if transition is not None:
            seen.append(transition)
    return state, seen


@pytest.mark.parametrize(
    ("share", "level"),
    [
        (0.0, "healthy"),
        (0.4999, "healthy"),
        (0.5, "warning"),
        (0.75, "critical"),
        (0.8999, "critical"),
        (0.9, "emergency"),
        (7.0, "emergency"),
    ],
)
def test_a_boundary_belongs_to_the_worse_level(share: float, level: str) -> None:
    assert level_of(share) == level


@pytest.mark.parametrize("share", [-0.01, float("nan")])
def test_an_impossible_share_is_refused(share: float) -> None:
    for judge in (level_of, traffic_light, lambda s: advance(HealthState(), s, 0)):
        with pytest.raises(ValueError, match="cannot be"):
            judge(share)


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.9), (0, 0.5, 0.9), (0.5, 0.75, 1.1)])
def test_thresholds_must_ascend_within_the_window(shares: tuple[float, float, float]) -> None:
    with pytest.raises(BadConfig, match="do not ascend"):
        thresholds(*shares)
    assert thresholds() == STANDARD


def test_worse_takes_effect_at_once_and_may_skip_levels() -> None:
    state, transition = advance(HealthState(), 0.93, 5)
    assert state.level == "emergency"
    assert transition == Transition("healthy", "emergency", 5, "worse")


def test_better_is_believed_at_the_third_calm_request() -> None:
    state, seen = walked(HealthState("warning"), [0.46, 0.46])
    assert (state.level, seen) == ("warning", [])
    state, transition = advance(state, 0.46, 2 * SECOND_MS)
    assert transition == Transition("warning", "healthy", 2 * SECOND_MS, "recovery")


def test_better_is_believed_after_five_calm_minutes() -> None:
    state, _ = advance(HealthState("critical"), 0.6, 0)
    state, transition = advance(state, 0.6, 5 * 60 * SECOND_MS)
    assert transition is not None
    assert (transition.from_level, transition.to_level) == ("critical", "warning")


def test_a_request_inside_the_margin_starts_the_wait_anew() -> None:
    state, seen = walked(HealthState("warning"), [0.46, 0.46, 0.48, 0.46, 0.46])
    assert (state.level, seen) == ("warning", [])


def test_recovery_takes_one_step_at_a_time_and_waits_for_each() -> None:
    state, seen = walked(HealthState("emergency"), [0.1] * 9)
    assert [(t.from_level, t.to_level) for t in seen] == [
        ("emergency", "critical"),
        ("critical", "warning"),
        ("warning", "healthy"),
    ]
    assert [t.at_ms for t in seen] == [2 * SECOND_MS, 5 * SECOND_MS, 8 * SECOND_MS]
    assert state == HealthState("healthy")


@given(st.sampled_from(range(3)), st.booleans(), st.data())
def test_nothing_flaps_around_a_boundary(index: int, is_above: bool, data: st.DataObject) -> None:
    boundary = STANDARD[index]
    near = st.floats(boundary - MARGIN_SHARE, boundary + MARGIN_SHARE)
    shares = data.draw(st.lists(near, max_size=40))
    _, seen = walked(HealthState(LEVELS[index + is_above]), shares)
    assert len(seen) <= 1


@given(st.sampled_from(LEVELS), any_share, any_share)
def test_more_in_the_window_is_never_healthier(level: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    after_less, _ = advance(HealthState(level), less, 0)
    after_more, _ = advance(HealthState(level), more, 0)
    assert LEVELS.index(after_less.level) <= LEVELS.index(after_more.level)


@given(st.lists(any_share, max_size=30))
def test_a_level_is_never_better_than_its_share_says(shares: list[float]) -> None:
    state = HealthState()
    for i, share in enumerate(shares):
        state, _ = advance(state, share, i * SECOND_MS)
        assert LEVELS.index(state.level) >= LEVELS.index(level_of(share))


@given(st.lists(any_share, max_size=30))
def test_a_restart_changes_nothing(shares: list[float]) -> None:
    kept, restarted = HealthState(), HealthState()
    for i, share in enumerate(shares):
        kept, one = advance(kept, share, i * SECOND_MS)
        restarted, other = advance(HealthState(**restarted._asdict()), share, i * SECOND_MS)
        assert (kept, one) == (restarted, other)


def test_the_traffic_light_has_boundaries_of_its_own() -> None:
    lights = [traffic_light(share) for share in (0.0, 0.49, 0.5, 0.79, 0.8, 2.0)]
    assert lights == ["green", "green", "yellow", "yellow", "red", "red"]
    assert health.HEALTH_LEVEL != health.TRAFFIC_LIGHT


def test_every_level_has_a_symbol_and_an_emoji() -> None:
    assert set(health.SYMBOLS) == set(health.EMOJI) == set(LEVELS)
    assert "".join(health.SYMBOLS[level] for level in LEVELS) == "●▲◆✖"
    assert "".join(health.EMOJI[level] for level in LEVELS) == "🟢🟡🟠🔴"
