import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget.break_even import (
    CacheRates,
    Edit,
    break_even_calls,
    edit_delta_iet,
    hour_lifetime_delta_iet,
    keep_alive_pings,
    rewrite_ratio,
    trimmed_at_ingress_iet,
)

# 5 minutes and 1 hour at a read multiplier of .1, then .05, then .025: the columns of every table.
COLUMNS = [CacheRates(read, write) for read in (0.1, 0.05, 0.025) for write in (1.25, 2.0)]
LONG_TAIL = Edit(removed_tokens=41_000, replacement_tokens=1_000, kept_tokens=40_000)


def test_the_rewrite_ratio_of_each_model_family() -> None:
    ratios = [rewrite_ratio(rates) for rates in COLUMNS]
    assert ratios == pytest.approx([11.5, 19, 24, 39, 49, 79])


@pytest.mark.parametrize(
    ("removed", "replacement", "kept", "calls"),
    [
        (41_000, 1_000, 10_000, (3.2, 5.2, 6.6, 10.7, 13.5, 21.7)),
        (41_000, 1_000, 40_000, (11.8, 19.5, 24.6, 40.0, 50.2, 81.0)),
        (41_000, 1_000, 100_000, (29.0, 48.0, 60.6, 98.5, 123.7, 199.5)),
        (15_000, 0, 100_000, (76.7, 126.7, 160, 260, 327, 527)),
        (20_000, 0, 150_000, (86.2, 142.5, 180, 293, 368, 593)),
    ],
)
def test_remaining_calls_that_an_edit_needs(
    removed: int, replacement: int, kept: int, calls: tuple[float, ...]
) -> None:
    edit = Edit(removed, replacement, kept)
    for rates, expected in zip(COLUMNS, calls, strict=True):
        found = break_even_calls(edit, rates)
        # The table has one decimal, from 100 on partly none.
        assert found == pytest.approx(expected, abs=0.5 if expected == int(expected) else 0.0501)


@pytest.mark.parametrize(("read", "calls"), [(0.1, 3.6), (0.05, 6.2), (0.025, 11.4)])
def test_a_summary_by_a_model_must_earn_its_own_cost(read: float, calls: float) -> None:
    edit = Edit(125_000, 5_000, 0, production_iet=25_000 + read * 125_000)
    assert break_even_calls(edit, CacheRates(read, 1.25)) == pytest.approx(calls, abs=0.05)


@pytest.mark.parametrize(("cold", "calls"), [(0, 11.8), (0.25, 6.0), (0.5, 0.1), (0.51, 0.0)])
def test_an_edit_pays_sooner_the_likelier_the_cache_is_cold(cold: float, calls: float) -> None:
    found = break_even_calls(LONG_TAIL, COLUMNS[0], next_cold_probability=cold)
    assert found == pytest.approx(calls, abs=0.05)


def test_what_shrinks_nothing_never_pays() -> None:
    assert break_even_calls(Edit(1_000, 1_000, 0), COLUMNS[0]) is None
    assert break_even_calls(Edit(1_000, 2_000, 0), COLUMNS[0]) is None


def test_where_reads_are_free_only_a_cold_cache_pays() -> None:
    free = CacheRates(0.0, 1.25)
    assert break_even_calls(LONG_TAIL, free) is None
    assert break_even_calls(LONG_TAIL, free, next_cold_probability=1) == 0


def test_a_mechanical_edit_before_a_cold_call_is_free() -> None:
    assert break_even_calls(LONG_TAIL, COLUMNS[0], next_cold_probability=1.0) == 0.0


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_an_impossible_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        edit_delta_iet(LONG_TAIL, COLUMNS[0], 1, next_cold_probability=probability)
    with pytest.raises(ValueError, match="cannot be"):
        break_even_calls(LONG_TAIL, COLUMNS[0], next_cold_probability=probability)


def cost_iet(
    before: int, middle: int, after: int, added: list[int], is_cold: list[bool], rates: CacheRates
) -> float:
    """Call by call: what is cached is read, all else is written. The cache holds the old prompt."""
    total, prompt = 0.0, before + middle + after
    for new, cold in zip(added, is_cold, strict=True):
        written = prompt + new if cold else new
        total += rates.write * written + rates.read * (prompt + new - written)
        prompt += new
    return total


@given(
    st.sampled_from(COLUMNS),
    st.tuples(*[st.integers(0, 500_000)] * 4),
    st.lists(st.tuples(st.integers(0, 50_000), st.booleans()), min_size=1, max_size=30),
    st.floats(0, 1e5),
)
def test_the_closed_form_is_what_a_simulation_call_by_call_finds(
    rates: CacheRates,
    sizes: tuple[int, int, int, int],
    calls: list[tuple[int, bool]],
    production: float,
) -> None:
    before, removed, replacement, kept = sizes
    added, is_cold = [new for new, _ in calls], [cold for _, cold in calls]
    untouched = cost_iet(before, removed, kept, added, is_cold, rates)
    edited = production + cost_iet(before, replacement, kept, added, is_cold, rates)
    if not is_cold[0]:  # the first call does not find what follows the edit
        edited += (rates.write - rates.read) * (replacement + kept)
    delta = edit_delta_iet(
        Edit(removed, replacement, kept, production),
        rates,
        calls=len(calls),
        later_cold_calls=sum(is_cold[1:]),
        next_cold_probability=float(is_cold[0]),
    )
    assert delta == pytest.approx(edited - untouched, rel=1e-9, abs=1e-9 * untouched + 1e-9)


@given(
    st.sampled_from(COLUMNS),
    st.tuples(*[st.integers(0, 500_000)] * 3),
    st.floats(0, 5),
    st.floats(0, 1),
)
def test_the_break_even_is_where_the_delta_is_zero(
    rates: CacheRates, sizes: tuple[int, int, int], later_cold: float, next_cold: float
) -> None:
    edit = Edit(*sizes)
    calls = break_even_calls(edit, rates, later_cold, next_cold)
    if calls is None:
        assert edit.shrinkage_tokens <= 0
    elif calls == 0:
        assert edit_delta_iet(edit, rates, 0, later_cold, next_cold) <= 0
    else:
        delta = edit_delta_iet(edit, rates, calls, later_cold, next_cold)
        assert delta == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("read", "pings"), [(0.1, 11), (0.05, 24), (0.025, 49)])
def test_keep_alive_calls_before_they_cost_more_than_they_save(read: float, pings: int) -> None:
    assert keep_alive_pings(CacheRates(read, 1.25)) == pings


@pytest.mark.parametrize("read", [0.1, 0.025])
def test_one_long_pause_is_enough_for_the_hour_lifetime(read: float) -> None:
    without, once = (
        hour_lifetime_delta_iet(read, 1.25, 2.0, gaps, 100_000, 150_000) for gaps in (0, 1)
    )
    assert without == pytest.approx(112_500)
    assert once == pytest.approx(112_500 - (1.25 - read) * 100_000)
    assert once < 0


@pytest.mark.parametrize(("calls", "iet"), [(0, 0), (5, 16_500), (10, 21_500), (30, 41_500)])
def test_what_is_never_sent_saves_its_write_and_every_read(calls: int, iet: float) -> None:
    assert trimmed_at_ingress_iet(10_000, COLUMNS[0], calls) == pytest.approx(iet)
