"""The rows of an export: in batches, in little memory, whatever the ledger holds."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from make_large_ledger import make
from tokenbudget.analysis.periods import Zone
from tokenbudget.app.exporting import tables_of
from tokenbudget.app.exporting_rows import MOST_REMEMBERED, Known, Source
from tokenbudget.ledger.export_rows import BATCH_ROWS, Limits
from tokenbudget.ledger.store import Ledger
from tokenbudget.metering.rates import PriceBook
from tokenbudget.reports.exporters.csv_text import csv_chunks
from tokenbudget.reports.exporters.json_text import jsonl_chunks
from tokenbudget.reports.exporters.sql_dump import sql_chunks

REQUESTS = 10_000
NOW_MS = 1_795_262_400_000
MOST_BYTES = 12_000_000
"""Of all that Python holds at any moment; a list of all rows would be of 20 MB and more."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path = make(tmp_path_factory.mktemp("large"), REQUESTS, seed=3)
    with Ledger(str(path), PriceBook.bundled({}).thresholds()) as opened:
        yield opened


def source_of(ledger: Ledger, told: list[int]) -> Source:
    book = PriceBook.bundled({})
    return Source(ledger, book, Zone("UTC", NOW_MS), Limits(), None, told.append)


def chunks_of(name: str, ledger: Ledger, told: list[int]) -> Iterator[str]:
    tables = tables_of(source_of(ledger, told), ["requests"])
    writers: dict[str, Any] = {
        "csv": lambda: csv_chunks(tables[0]),
        "jsonl": lambda: jsonl_chunks(tables),
        "sql": lambda: sql_chunks(tables, "a test"),
    }
    made: Iterator[str] = writers[name]()
    return made


@pytest.mark.parametrize("name", ["csv", "jsonl", "sql"])
def test_a_writer_holds_a_batch_and_no_more(ledger: Ledger, name: str) -> None:
    told: list[int] = []
    peaks = []
    tracemalloc.start()
    try:
        size = 0
        for number, chunk in enumerate(chunks_of(name, ledger, told)):
            size += len(chunk)
            if number % 2 == 1:
                peaks.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()

    assert size > 1_500_000
    assert sum(told) == REQUESTS
    assert max(told) <= BATCH_ROWS
    assert max(peaks, default=0) < MOST_BYTES


def test_nothing_is_read_before_it_is_asked_for(ledger: Ledger) -> None:
    told: list[int] = []
    chunks = chunks_of("csv", ledger, told)
    next(chunks)
    assert told == []
    next(chunks)

    assert told == [BATCH_ROWS]


def test_what_is_remembered_is_bounded() -> None:
    known = Known(str.upper)
    for number in range(MOST_REMEMBERED * 2 + 5):
        assert known[f"a{number}"] == f"A{number}"

    assert len(known) <= MOST_REMEMBERED
