"""What `tokens optimize` found dearest stands on the first screen, for a week."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.hostile import PAYLOADS

from tokenbudget.analysis.drains.found import Findings
from tokenbudget.analysis.findings import Finding, Fix, Price
from tokenbudget.analysis.overview import Worth
from tokenbudget.app.worth_doing import FRESH_MS, keep_worth, worth_doing
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.figures import Style
from tokenbudget.reports.overview import _worth


class _Clock:
    def __init__(self) -> None:
        self.at_ms = 1_000

    def now_ms(self) -> int:
        return self.at_ms


def _finding(number: int, usd: str | None) -> Finding:
    price = Price(700, 9, None if usd is None else Decimal(usd), None)
    fix = Fix("advice", "read ranges", "", "", "")
    return Finding(
        f"re-read/{number:06}", "re-read", f"file {number} read twice", "a.py", "/p", 1, 1, (), 9,
        price, "", "", "low", "", fix,
    )  # fmt: skip


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Any]:
    with Ledger(str(tmp_path / "ledger.db")) as ledger:
        yield SimpleNamespace(ledger=ledger, clock=_Clock())


def _found(*rows: Finding) -> Findings:
    return Findings(rows, Price(0, 0, None, None), ())


def test_the_dearest_three_are_kept_and_told(bench: Any) -> None:
    keep_worth(bench, _found(*(_finding(n, f"{9 - n}.5") for n in range(5))))
    told = worth_doing(bench)
    assert [one.id for one in told] == ["re-read/000000", "re-read/000001", "re-read/000002"]
    assert told[0] == Worth("re-read/000000", "file 0 read twice", "9.5", 700)


def test_a_price_that_is_not_known_stays_unknown(bench: Any) -> None:
    keep_worth(bench, _found(_finding(1, None)))
    assert worth_doing(bench)[0].weekly_usd == ""


def test_after_a_week_it_is_not_told_any_more(bench: Any) -> None:
    keep_worth(bench, _found(_finding(1, "2")))
    bench.clock.at_ms += FRESH_MS
    assert worth_doing(bench)
    bench.clock.at_ms += 1
    assert worth_doing(bench) == ()


def test_nothing_found_takes_the_old_advice_away(bench: Any) -> None:
    keep_worth(bench, _found(_finding(1, "2")))
    keep_worth(bench, _found())
    assert worth_doing(bench) == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"at_ms": 1}', '{"at_ms": 1, "rows": [[1]]}', '{"at_ms": 1, "rows": 4}'],
)
def test_what_cannot_be_read_is_nothing(bench: Any, text: str) -> None:
    bench.ledger.keep_advice(text)
    assert worth_doing(bench) == ()


def test_a_ledger_that_nobody_keeps_keeps_no_advice() -> None:
    with Ledger(TEMPORARY) as ledger:
        bench: Any = SimpleNamespace(ledger=ledger, clock=_Clock())
        keep_worth(bench, _found(_finding(1, "2")))
        assert ledger.kept_advice() is None


def test_it_fits_the_width_whatever_the_titles_hold() -> None:
    worth = [Worth("re-read/0a1b2c", title, "1.25", 9) for title in PAYLOADS]
    for line in _worth(worth, 80, Style(80, is_styled=False)):
        assert len(line) <= 80
        assert line.isprintable()
