"""Charts: bars that add up, axes that one can count in, boxes inside their frame."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reports.sample_report import amount, day_rows, empty_report, profile, rich_report

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.report_data import DayRow, HeatCell
from tokenbudget.reports.report_charts import (
    HEAT_STEPS,
    MOST_BARS,
    bars_of,
    has_money,
    heat_grid,
    heat_words,
    icicle,
    nice_step,
    timeline,
)

DAYS = st.integers(1, 900)


def many(count: int, pico_usd: int = 7) -> list[DayRow]:
    """So many days in a row, all alike."""
    first = date(2024, 1, 1)
    one = NOTHING._replace(input_tokens=3, cost_pico_usd=pico_usd)
    return [
        DayRow((first + timedelta(days=i)).isoformat(), one, 1, 1, (pico_usd, 0, 0, 0, 0))
        for i in range(count)
    ]


@given(DAYS)
def test_bars_hold_every_day_once(count: int) -> None:
    _, bars = bars_of(many(count), in_money=False)
    assert sum(sum(bar.values) for bar in bars) == 3 * count


@pytest.mark.parametrize(
    ("count", "unit"), [(MOST_BARS, "day"), (MOST_BARS + 1, "week"), (MOST_BARS * 7 + 1, "month")]
)
def test_longer_periods_have_wider_bars(count: int, unit: str) -> None:
    found, bars = bars_of(many(count), in_money=True)
    assert found == unit
    assert len(bars) <= MOST_BARS + 1


@given(DAYS)
def test_boxes_lie_inside_the_chart(count: int) -> None:
    chart = timeline(many(count))
    assert chart is not None
    for box in chart.boxes:
        assert 0 <= box.x <= box.x + box.width <= 1
        assert -1e-9 <= box.y <= box.y + box.height <= 1 + 1e-9
    assert all(0 <= tick.at <= 1 for tick in (*chart.x_ticks, *chart.y_ticks))
    assert len(chart.x_ticks) <= 8


def test_the_highest_bar_is_as_high_as_its_axis_says() -> None:
    chart = timeline(many(10, pico_usd=8 * 10**12))
    assert chart is not None
    assert [tick.label for tick in chart.y_ticks] == ["$0", "$2", "$4", "$6", "$8"]
    assert {round(box.height, 6) for box in chart.boxes} == {1.0}


def test_without_prices_it_is_told_in_tokens() -> None:
    chart = timeline(many(5, pico_usd=0))
    assert chart is not None
    assert chart.unit == "tokens a day"
    assert has_money(day_rows())


def test_nothing_used_is_nothing_drawn() -> None:
    assert timeline([]) is None
    assert timeline([DayRow("2026-11-20", NOTHING, 0, 0, (0,) * 5)]) is None
    assert icicle(empty_report().profile) == ()


@given(st.floats(1e-6, 1e15))
def test_steps_are_one_two_or_five_times_a_power_of_ten(rough: float) -> None:
    step = nice_step(rough)
    assert rough <= step <= max(2.51 * rough, 10 * 1e-6 if rough >= 1 else 1)


def test_shades_follow_the_tokens() -> None:
    grid = heat_grid([HeatCell(0, 9, 100, 1, 0), HeatCell(6, 23, 1, 1, 0)])
    assert grid[0][9] == (HEAT_STEPS, 100)
    assert grid[6][23] == (1, 1)
    assert sum(shade > 0 for row in grid for shade, _ in row) == 2


def test_impossible_hours_are_left_out() -> None:
    assert heat_grid([HeatCell(7, 3, 5, 1, 0), HeatCell(0, 24, 5, 1, 0)]) == [[(0, 0)] * 24] * 7


def test_the_busiest_hour_is_named() -> None:
    words = heat_words([HeatCell(0, 9, 80, 1, 0), HeatCell(5, 3, 20, 1, 0)])
    assert words.startswith("Busiest: Mon 09:00, with 80% of all tokens; 20% fall on weekends")


def test_boxes_of_the_icicle_lie_below_their_parents() -> None:
    boxes = icicle(profile())
    assert boxes[0].width == pytest.approx(1)
    levels = sorted({round(box.y, 6) for box in boxes})
    for level in levels:
        row = sorted(box for box in boxes if round(box.y, 6) == level)
        for left, right in pairwise(row):
            assert left.x + left.width <= right.x + 1e-9
    names = [box.label for box in boxes]
    assert "src/cart.py" in names
    assert boxes[names.index("messages")].title.startswith("$")


def test_the_rich_sample_adds_up() -> None:
    report = rich_report()
    total = NOTHING
    for day in report.days:
        total = total.plus(day.amount)
    assert total == report.profile.totals._replace(unpriced_tokens=0)
    assert sum(amount(1)[:5]) > 0
