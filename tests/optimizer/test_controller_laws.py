"""Laws of the controller over random sessions: whatever happens, these hold."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.optimizer.desk import ALL_ADVISE, ALL_AUTO, ALL_OFF, START_MS, USABLE, Desk
from tests.optimizer.world import NEVER, World

from tokenbudget.budget.health import LEVELS
from tokenbudget.model.control import (
    ACT,
    HISTORY,
    LEVERS,
    RESTORE,
    WAIT,
    Cache,
    Held,
    Signals,
    Wishes,
)
from tokenbudget.optimizer.policy import HISTORY_LEAST_SHARE, LEVERS_AT, RETRY_MS, STALE_MS
from tokenbudget.optimizer.state import FOR_THE_SESSION, LENT
from tokenbudget.optimizer.state_text import state_of, state_text

if TYPE_CHECKING:
    from collections.abc import Sequence

LAW = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], database=None
)
FEW = settings(LAW, max_examples=20)

GROWTH = st.integers(0, 30_000)
UNFIT: tuple[dict[str, Any], ...] = (
    {"used_tokens": None},
    {"used_tokens": -1},
    {"used_tokens": float("nan")},
    {"usable_tokens": 0},
    {"usable_tokens": None},
    {"session": "another"},
    {"request_key": "", "requests": 0},
    {"observed_at_ms": 0},
    {"held": ()},
    {"composition": {}},
    {"client": ""},
    {"compactions": 0},
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("request"), GROWTH),
        st.tuples(st.just("request"), st.integers(0, 2_000)),
        st.tuples(st.just("idle"), st.integers(0, 4_000)),
        st.tuples(st.just("look"), st.integers(0, 3)),
        st.tuples(st.just("unfit"), st.integers(0, len(UNFIT) - 1)),
        st.tuples(st.just("clock"), st.integers(-100_000, 100_000)),
        st.tuples(st.just("ask for"), st.sampled_from(("skills/a", "mcp-servers/x"))),
        st.tuples(st.just("failing"), st.booleans()),
        st.tuples(st.just("over"), st.booleans()),
    ),
    max_size=60,
)
PLAIN = st.lists(
    st.one_of(
        st.tuples(st.just("request"), st.integers(0, 9_000)),
        st.tuples(st.just("idle"), st.integers(0, 900)),
    ),
    min_size=5,
    max_size=60,
)
EXPECTED = st.one_of(st.none(), st.floats(0, 200))
WISHES = st.sampled_from(
    (
        ALL_AUTO,
        ALL_AUTO._replace(cooldown_ms=30_000, lease_ms=600_000),
        ALL_AUTO._replace(warning_share=0.2, critical_share=0.4, emergency_share=0.95),
        ALL_ADVISE._replace(critical_modes={HISTORY: "auto"}),
    )
)


def lived(
    events: Sequence[tuple[str, Any]], wishes: Wishes, expected: float | None = None
) -> World:
    """A world after these events."""
    world = World(wishes, expected)
    for name, value in events:
        happen(world, name, value)
    return world


def happen(world: World, name: str, value: Any) -> None:
    if name == "request":
        world.request(value)
    elif name == "idle":
        world.idle(value)
    elif name == "look":
        for _ in range(value):
            world.tick()
    elif name == "unfit":
        world.tick(**UNFIT[value])
    elif name == "clock":
        world.now_ms += 1_000 * value
        world.tick()
    elif name == "ask for":
        world.ask_for(value)
    elif name == "failing":
        world.is_failing = value
    elif name == "over":
        world.is_over = value
        world.tick()
    else:
        raise AssertionError(name)


def longest_from(share: float, shares: Sequence[float]) -> int:
    """The most requests in a row that were not below this share."""
    runs = (list(run) for is_above, run in groupby(shares, lambda one: one >= share) if is_above)
    return max(map(len, runs), default=0)


# ── what never happens ───────────────────────────────────────────────────────────────────────────


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_a_lever_is_never_pulled_twice_inside_its_cool_down(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    """By the time that passed: where the clock was set, by what it showed to pass besides."""
    elapsed, before = 0, None
    last: dict[str, int] = {}
    for one in lived(events, wishes, expected).log:
        step = one.now_ms - (one.now_ms if before is None else before)
        elapsed, before = elapsed + max(0, step), one.now_ms
        if one.decision.kind == ACT:
            lever = one.decision.lever
            assert elapsed - last.get(lever, -wishes.cooldown_ms) >= wishes.cooldown_ms
            last[lever] = elapsed


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_nothing_is_done_without_a_fresh_look_that_is_known_in_full(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    for one in lived(events, wishes, expected).log:
        if one.decision.kind == ACT:
            assert 0 <= one.now_ms - one.seen.observed_at_ms <= STALE_MS
            assert one.seen.share is not None
            assert one.seen.share >= 0
            assert one.seen.session == "s"
            assert one.decision.request_key == one.seen.request_key != ""


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_a_tick_does_at_most_one_thing_and_only_what_the_level_allows(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    for one in lived(events, wishes, expected).log:
        decision = one.decision
        if decision.kind == ACT:
            held = {thing.id: thing.lever for thing in one.seen.held}
            assert {held[item] for item in decision.items} == {decision.lever}
            assert decision.lever in LEVERS_AT[decision.level]
            assert wishes.mode_of(decision.lever, decision.level) == "auto"
        if decision.kind == WAIT:
            assert decision.prediction is None or decision.lever


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_nothing_is_ever_done_while_the_window_is_healthy(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    for one in lived(events, wishes, expected).log:
        if one.decision.level == "healthy" or (one.seen.share or 0) < wishes.warning_share - 0.03:
            assert one.decision.kind in (WAIT, RESTORE)


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_one_request_leads_to_one_action_but_for_what_was_marked_and_an_emergency(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    acted: set[str] = set()
    for one in lived(events, wishes, expected).log:
        if one.decision.kind != ACT:
            continue
        if one.decision.level != "emergency" and one.decision.code != "cold":
            assert one.seen.request_key not in acted
        acted.add(one.seen.request_key)


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_what_is_pinned_or_essential_never_leaves(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    again: set[str] = set()
    for one in lived(events, wishes, expected).log:
        again |= set(one.state.pinned)
        if one.decision.kind == ACT:
            assert not set(one.decision.items) & {*NEVER, *again}


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_a_level_only_changes_with_a_new_request(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    log = lived(events, wishes, expected).log
    for before, after in pairwise(log):
        if before.state.health.level != after.state.health.level:
            assert before.state.request_key != after.state.request_key


@LAW
@given(events=EVENTS)
def test_with_every_lever_off_nothing_is_ever_done(events: list[tuple[str, Any]]) -> None:
    assert {one.decision.kind for one in lived(events, ALL_OFF).log} <= {WAIT}


@LAW
@given(events=EVENTS, expected=EXPECTED)
def test_in_advise_mode_nothing_is_ever_done_or_marked(
    events: list[tuple[str, Any]], expected: float | None
) -> None:
    log = lived(events, ALL_ADVISE, expected).log
    assert {one.decision.kind for one in log} <= {WAIT, "advise"}


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_only_what_was_done_is_put_back_and_only_once(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    """After an action its opposite comes only for one of the reasons that the policy names."""
    world = World(wishes, expected)
    in_force: list[tuple[str, tuple[str, ...]]] = []
    for name, value in events:
        known = len(world.log)
        happen(world, name, value)
        for one in world.log[known:]:
            key = (one.decision.lever, one.decision.items)
            if one.decision.kind == ACT and not world.is_failing:
                in_force.append(key)
            if one.decision.kind == RESTORE:
                assert key in in_force
                codes = {"boundary", "failed", "over", "lease", "recovered"}
                asked = {"asked-for", "over"} if key[0] in FOR_THE_SESSION else {"asked-for"}
                assert one.decision.code in (codes if key[0] in LENT else asked)
                if not world.is_failing:
                    in_force.remove(key)


@LAW
@given(events=PLAIN, wishes=WISHES, expected=EXPECTED)
def test_what_was_freed_only_ever_grows(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    world = lived(events, wishes, expected)
    freed = [one.freed_tokens for one in world.log]
    assert freed == sorted(freed)
    assert [one.decision for one in world.log if one.decision.code == "asked-for"] == []


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED)
def test_lists_in_the_state_have_an_end(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None
) -> None:
    state = lived(events * 3, wishes, expected).state
    assert len(state.pulled) <= 40
    assert len(state.tried) <= len(LEVERS_AT["emergency"])
    assert len(state.marks) <= len(LEVERS_AT["emergency"])
    assert len(state.said) <= len(LEVERS_AT["emergency"])


ANY_NUMBER = st.one_of(st.none(), st.integers(-5, 1 << 60), st.floats())
ANY_HELD = st.builds(
    Held,
    st.text(max_size=3),
    st.sampled_from((*LEVERS, "no lever")),
    st.just("do it"),
    st.just("evidence"),
    tokens=st.one_of(st.integers(-9, 90_000), st.floats()),
    error_tokens=st.integers(-9, 900),
    last_used_ms=st.one_of(st.none(), st.integers(-9, 9)),
    is_essential=st.booleans(),
    is_pinned=st.booleans(),
    is_reversible=st.booleans(),
    kept_tokens=st.integers(-9, 90_000),
    replacement_tokens=st.integers(-9, 9_000),
    production_input_tokens=st.integers(-9, 90_000),
    production_output_tokens=st.integers(-9, 9_000),
    reread_requests=st.one_of(st.floats(0, 9), st.floats()),
    reread_tokens=st.one_of(st.floats(0, 90_000), st.floats()),
)
ANY_SIGNALS = st.builds(
    Signals,
    session=st.sampled_from(("s", "s", "s", "another", "")),
    project=st.just("/p"),
    client=st.sampled_from(("9.9", "")),
    model=st.just("model"),
    has_tool_search=st.one_of(st.none(), st.booleans()),
    observed_at_ms=st.sampled_from((START_MS, START_MS, 0, -1, 1 << 60)),
    request_key=st.sampled_from(("", "a", "b", "c")),
    request_at_ms=st.integers(-1, 1 << 60),
    requests=st.integers(-1, 9),
    used_tokens=st.one_of(st.integers(40_000, 100_000), ANY_NUMBER),
    usable_tokens=st.one_of(st.just(USABLE), ANY_NUMBER),
    window_tokens=ANY_NUMBER,
    compactions=st.integers(-1, 3),
    is_between_turns=st.booleans(),
    is_over=st.booleans(),
    cache=st.builds(Cache, st.one_of(st.none(), st.booleans()), *[ANY_NUMBER] * 5),
    expected_requests=ANY_NUMBER,
    sure_requests=ANY_NUMBER,
    full_in_ms=st.one_of(st.none(), st.integers(-9, 1 << 60)),
    composition=st.dictionaries(st.sampled_from(("skills", "mcp_tools")), ANY_NUMBER),
    held=st.lists(ANY_HELD, max_size=5).map(tuple),
    reloaded=st.lists(st.text(max_size=2), max_size=2).map(tuple),
)


@LAW
@given(looks=st.lists(ANY_SIGNALS, max_size=12), goes_well=st.booleans())
def test_no_look_however_impossible_crashes_a_tick(looks: list[Signals], goes_well: bool) -> None:
    desk = Desk()
    for seen in looks:
        desk.seen = seen
        decision = desk.look(observed_at_ms=desk.now_ms if seen.observed_at_ms == START_MS else 0)
        assert decision.code
        assert decision.reason
        assert state_of(state_text(desk.state)) == desk.state
        if decision.kind in (ACT, RESTORE):
            assert seen.session == "s"
            if goes_well:
                desk.done(decision)
            else:
                desk.failed(decision)
        if decision.kind == ACT:
            assert decision.prediction is not None
            assert decision.prediction.tokens >= 0
            assert not any(one.is_pinned for one in seen.held if one.id in decision.items)


def test_a_day_of_ticks_leaves_a_small_state() -> None:
    world = World(ALL_AUTO._replace(cooldown_ms=60_000), 50.0)
    sizes = []
    for minute in range(24 * 60):
        world.request(3_000, after_ms=50_000)
        world.tick()
        if minute % 60 == 0:
            sizes.append(len(state_text(world.state)))
            world.ask_for("skills/a")
        world.log.clear()
    assert max(sizes) < 40_000
    assert max(sizes[12:]) <= 1.2 * max(sizes[:12])


# ── what always happens ──────────────────────────────────────────────────────────────────────────


@LAW
@given(events=EVENTS, wishes=WISHES, expected=EXPECTED, after=st.integers(0, 60))
def test_the_same_input_gives_the_same_decisions_also_over_a_restart(
    events: list[tuple[str, Any]], wishes: Wishes, expected: float | None, after: int
) -> None:
    world = lived(events, wishes, expected)
    again = World(wishes, expected)
    for number, (name, value) in enumerate(events):
        again.is_restarting = number >= after
        happen(again, name, value)
    assert str(again.log) == str(world.log)  # a NaN is no other than itself
    assert str(again.state) == str(world.state)


@FEW
@given(events=PLAIN, expected=EXPECTED)
def test_an_emergency_never_lasts_and_comes_below_half_where_the_levers_suffice(
    events: list[tuple[str, Any]], expected: float | None
) -> None:
    """It lasts no longer than a cool-down; where one was on, it may take a second emergency."""
    world = lived(events, ALL_AUTO, expected)
    world.request(max(0, 92_000 - world.used_tokens))
    shares = []
    for _ in range(120):
        world.request(400)
        shares.append(world.used_tokens / USABLE)
    assert min(shares) < 0.5
    seconds = ALL_AUTO.cooldown_ms // 1_000
    assert longest_from(0.9, shares) <= seconds // 15 + 4  # a request takes 15 seconds here


@FEW
@given(events=PLAIN, used=st.integers(76_000, 89_000))
def test_with_a_cold_cache_any_level_comes_below_half_where_the_levers_suffice(
    events: list[tuple[str, Any]], used: int
) -> None:
    """Or as far as a compaction is worth its summary: what would free less waits as `small`."""
    world = lived(events, ALL_AUTO)
    world.request(max(0, used - world.used_tokens))
    shares = []
    for _ in range(40):
        world.idle(310)
        world.request(200)
        shares.append(world.used_tokens / USABLE)
    if world.log[-1].decision.code == "small":
        assert shares[-1] < 0.5 + HISTORY_LEAST_SHARE
        return
    assert min(shares) < 0.5
    assert longest_from(0.5, shares) <= 8


@FEW
@given(events=EVENTS, expected=EXPECTED)
def test_what_was_lent_is_back_once_the_session_is_over(
    events: list[tuple[str, Any]], expected: float | None
) -> None:
    world = lived(events, ALL_AUTO, expected)
    world.is_failing, world.is_over = False, True
    world.tick()
    for _ in range(8):
        world.idle(2 * RETRY_MS // 1_000)
    assert world.lowered_at_ms is None
    assert world.log[-1].decision.code == "over"
    assert not any(one.is_open for one in world.state.pulled)


# ── flapping ─────────────────────────────────────────────────────────────────────────────────────

SHAPES = {
    "step up and down": [20_000] * 20 + [80_000] * 40 + [20_000] * 40,
    "ramp up": [1_000 * i for i in range(100)],
    "ramp down": [1_000 * (99 - i) for i in range(100)],
    "sawtooth at the first boundary": [50_000 + (2_500 if i % 2 else -2_500) for i in range(100)],
    "sawtooth at the second boundary": [75_000 + (2_500 if i % 2 else -2_500) for i in range(100)],
    "sawtooth at the third boundary": [90_000 + (2_500 if i % 2 else -2_500) for i in range(100)],
    "wide sawtooth": [50_000 + (20_000 if i % 2 else -20_000) for i in range(100)],
    "bursts": [95_000 if i % 25 == 24 else 40_000 for i in range(100)],
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_levels_never_flap(shape: str) -> None:
    """In any 20 requests a level turns from worse to better, or back, at most twice."""
    world = World(ALL_OFF)
    for used in SHAPES[shape]:
        world.request(0)
        world.log.pop()
        world.tick(used_tokens=used)
    levels = [LEVELS.index(one.state.health.level) for one in world.log]
    for start in range(len(levels) - 19):
        window = levels[start : start + 20]
        steps = [b - a for a, b in pairwise(window) if a != b]
        turns = sum((a > 0) != (b > 0) for a, b in pairwise(steps))
        assert turns <= 2
        if "sawtooth" in shape or "ramp" in shape:
            assert len(steps) <= 2


@pytest.mark.parametrize("growth", [300, 1_500, 2_500])
def test_a_session_that_is_looked_after_never_flaps_either(growth: int) -> None:
    """One that does not fill the window in less than 20 requests by itself."""
    world = World(ALL_AUTO, 50.0)
    for _ in range(200):
        world.request(growth)
    levels = [LEVELS.index(one.state.health.level) for one in world.log]
    turns = 0
    for start in range(len(levels) - 19):
        window = levels[start : start + 20]
        steps = [b - a for a, b in pairwise(window) if a != b]
        turns = max(turns, sum((a > 0) != (b > 0) for a, b in pairwise(steps)))
    assert turns <= 2
