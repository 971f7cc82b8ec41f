"""What was learnt about counting is kept as it was learnt."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.builders import Home, answer, write

from tokenbudget.ledger.calibrations import (
    CalibrationRow,
    calibrated_at_ms,
    calibrations,
    store_calibrations,
)
from tokenbudget.ledger.migrations import migrate
from tokenbudget.ledger.schema import SCHEMA_VERSION

WEIGHTS = '{"bpe_tokens": 1.25, "digit_bytes": -0.001}'


def learnt(model: str, steps: int = 9, made_at_ms: int = 1) -> CalibrationRow:
    return CalibrationRow(model, steps, 2, 0.02, 0.07, 0.09, 0.1, WEIGHTS, made_at_ms)


@pytest.fixture
def empty_ledger() -> Iterator[sqlite3.Connection]:
    """A ledger in memory without a row."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, SCHEMA_VERSION)
        yield connection


def test_what_was_learnt_comes_back_with_the_best_known_first(
    empty_ledger: sqlite3.Connection,
) -> None:
    store_calibrations(empty_ledger, [learnt("c", 1), learnt("b", 7), learnt("a", 7)])
    assert calibrations(empty_ledger) == [learnt("a", 7), learnt("b", 7), learnt("c", 1)]


def test_what_is_learnt_anew_replaces_all_that_was_kept(empty_ledger: sqlite3.Connection) -> None:
    store_calibrations(empty_ledger, [learnt("a"), learnt("b")])
    store_calibrations(empty_ledger, [learnt("b", 99)])
    assert calibrations(empty_ledger) == [learnt("b", 99)]


def test_an_error_that_nobody_measured_is_none(empty_ledger: sqlite3.Connection) -> None:
    store_calibrations(empty_ledger, [learnt("a")._replace(median_error=None)])
    assert calibrations(empty_ledger)[0].median_error is None


def test_the_last_lesson_says_when_it_was_learnt(empty_ledger: sqlite3.Connection) -> None:
    assert calibrated_at_ms(empty_ledger) == 0
    store_calibrations(empty_ledger, [learnt("a", made_at_ms=5), learnt("b", made_at_ms=9)])
    assert calibrated_at_ms(empty_ledger) == 9


def test_what_was_learnt_outlives_a_rebuild(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("msg_1"))
    home.refresh()
    with home.open() as ledger:
        ledger.windows.store_calibrations([learnt("a")])
    home.rebuild()
    with home.open() as ledger:
        assert ledger.windows.calibrations() == [learnt("a")]
        assert ledger.windows.calibrated_at_ms() == 1


SHARES = st.floats(0, 10)
LESSONS = st.builds(
    CalibrationRow,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**63 - 1),
    st.none() | SHARES,
    SHARES,
    SHARES,
    SHARES,
    st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False)).map(json.dumps),
    st.integers(0, 2**63 - 1),
)


@settings(deadline=None, max_examples=50, database=None)
@given(st.lists(LESSONS, max_size=4, unique_by=lambda row: row.model))
def test_whatever_was_learnt_comes_back(rows: list[CalibrationRow]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, SCHEMA_VERSION)
        store_calibrations(connection, rows)
        assert sorted(calibrations(connection)) == sorted(rows)
