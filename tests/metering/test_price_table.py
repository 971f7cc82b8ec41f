from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from tokenbudget.metering import price_table
from tokenbudget.metering.price_table import Clause, Model, Period
from tokenbudget.metering.rates import Rate

KINDS = {"equals", "starts_with", "ends_with", "contains", "regex", "or", "and"}


def models() -> Iterator[Model]:
    for rows in price_table.MODELS.values():
        yield from rows


def spans() -> Iterator[tuple[Period, ...]]:
    for _, _, periods, variants in models():
        yield periods
        for _, _, own in variants:
            yield own


def clauses(clause: Clause) -> Iterator[Clause]:
    yield clause
    if isinstance(clause[1], tuple):
        for part in clause[1]:
            yield from clauses(part)


def test_the_table_says_its_source_and_its_date() -> None:
    assert price_table.SOURCE.startswith("genai-prices ")
    assert date.fromisoformat(price_table.AS_OF) >= date(2026, 11, 20)


def test_every_provider_of_a_route_has_models() -> None:
    assert {name for _, names in price_table.ROUTES for name in names} == set(price_table.MODELS)


def test_every_price_is_a_finite_decimal_string() -> None:
    found = [p for periods in spans() for _, tiers in periods for _, row in tiers for p in row]
    assert len(found) > 1000
    assert all(p is None or (Decimal(p).is_finite() and Decimal(p) >= 0) for p in found)


def test_every_row_has_one_price_for_each_field_of_a_rate() -> None:
    rows = [row for periods in spans() for _, tiers in periods for _, row in tiers]
    assert {len(row) for row in rows} == {len(Rate._fields)}


def test_dates_ascend() -> None:
    for periods in spans():
        starts = [start for start, _ in periods]
        assert starts == sorted(set(starts))
        assert all(date.fromisoformat(start) for start in starts if start)


def test_every_model_with_prices_has_had_them_always() -> None:
    assert all(periods[0][0] == "" for _, _, periods, _ in models() if periods)


def test_tiers_ascend_from_0() -> None:
    for periods in spans():
        for _, tiers in periods:
            marks = [mark for mark, _ in tiers]
            assert marks[0] == 0
            assert marks == sorted(set(marks))


def test_the_thresholds_are_those_of_the_tiers() -> None:
    marks = {mark for periods in spans() for _, tiers in periods for mark, _ in tiers}
    assert tuple(sorted(marks - {0})) == price_table.THRESHOLDS


def test_variants_are_fast_or_batch() -> None:
    found = {
        (speed, service_tier) for *_, variants in models() for speed, service_tier, _ in variants
    }
    assert found == {("fast", "standard"), ("standard", "batch")}


def test_every_clause_is_of_a_kind_that_the_matcher_knows() -> None:
    top = [model[1] for model in models()] + [clause for clause, _ in price_table.ROUTES]
    every = [part for clause in top for part in clauses(clause)]
    assert {kind for kind, _ in every} <= KINDS
    assert all(isinstance(o, tuple) == (kind in {"or", "and"}) for kind, o in every)


def test_clauses_other_than_regex_are_in_lower_case() -> None:
    every = [part for model in models() for part in clauses(model[1])]
    assert all(o == o.lower() for kind, o in every if isinstance(o, str) and kind != "regex")
