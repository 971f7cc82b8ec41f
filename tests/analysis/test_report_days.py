"""Days and hours of a report: nothing lost, nothing counted twice, gaps filled."""

from datetime import date
from decimal import Decimal

import pytest

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.report_days import (
    day_rows,
    days_before,
    heat_cells,
    period_words,
    usual_first,
)
from tokenbudget.analysis.usage import Names
from tokenbudget.ledger.queries import UsageRow
from tokenbudget.metering.rates import PriceBook

NAMES = Names({1: "claude-opus-5-5", 2: "made-up"}, {})
BOOK = PriceBook.bundled()
DAY = 20_777  # 2026-11-20
HOUR = DAY * 24 + 9


def row(period: int, model: int = 1, session: str = "a", **counts: int) -> UsageRow:
    """Usage of one group."""
    given = {"input_tokens": 1_000, "output_tokens": 100, "cache_read_tokens": 50_000, **counts}
    everything = dict.fromkeys(UsageRow._fields, 0) | {
        "period": period, "utc_day": DAY, "session": session, "model_id": model, "requests": 2,
    }  # fmt: skip
    return UsageRow(**(everything | given))  # type: ignore[arg-type]


def test_days_without_use_are_in_it() -> None:
    days = day_rows([row(DAY), row(DAY - 3)], NAMES, BOOK)
    assert [day.day for day in days] == ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]
    assert [day.requests for day in days] == [2, 0, 0, 2]


def test_a_period_is_filled_to_its_ends() -> None:
    days = day_rows([row(DAY)], NAMES, BOOK, DAY - 29, DAY)
    assert len(days) == 30
    assert days[0].day == "2026-10-22"


def test_undated_use_stands_on_no_day() -> None:
    assert day_rows([row(0)], NAMES, BOOK) == ()


def test_kinds_of_money_add_up_to_the_day() -> None:
    day = day_rows([row(DAY), row(DAY, session="b", cache_write_1h_tokens=7)], NAMES, BOOK)[0]
    assert day.amount.cost_pico_usd > 0
    assert sum(day.kind_pico_usd) == day.amount.cost_pico_usd
    assert day.sessions == 2


def test_what_has_no_price_is_counted_all_the_same() -> None:
    day = day_rows([row(DAY, model=2)], NAMES, BOOK)[0]
    assert (day.amount.cost_pico_usd, day.amount.unpriced_tokens) == (0, 51_100)
    assert day.kind_pico_usd == (0,) * 5


@pytest.mark.parametrize(
    ("zone", "place"), [("UTC", (4, 9)), ("Asia/Tokyo", (4, 18)), ("Pacific/Honolulu", (3, 23))]
)
def test_hours_are_those_of_the_zone(zone: str, place: tuple[int, int]) -> None:
    cells = heat_cells([row(HOUR), row(HOUR)], NAMES, BOOK, Zone(zone, DAY * 86_400_000))
    assert [(cell.weekday, cell.hour, cell.requests) for cell in cells] == [(*place, 4)]
    assert cells[0].tokens == 2 * 51_100
    assert Decimal(cells[0].cost_pico_usd) > 0


def test_as_many_days_before() -> None:
    assert days_before(DAY - 29, DAY) == (DAY - 59, DAY - 30)
    assert days_before(DAY, DAY) == (DAY - 1, DAY - 1)


def test_periods_in_words() -> None:
    assert period_words(DAY, DAY) == "2026-11-20"
    assert period_words(DAY - 29, DAY) == "2026-10-22 to 2026-11-20"
    assert usual_first(date(2026, 11, 20), 30) == date(2026, 10, 22)
