"""A large ledger is a real one: our own reports read it, and the same seed makes it again."""

from __future__ import annotations

from pathlib import Path

from make_large_ledger import REQUESTS_OF_SESSION, make, pieces
from tokenbudget.ledger.queries import UsageQuery, ZoneSpan
from tokenbudget.ledger.store import Ledger

REQUESTS = 2 * REQUESTS_OF_SESSION + 50


def test_it_holds_as_many_requests_as_were_asked_for(tmp_path: Path) -> None:
    path = make(tmp_path / "home", REQUESTS, seed=1)
    with Ledger(str(path)) as ledger:
        assert len(ledger.sessions()) == 3
        everything = UsageQuery(zone=(ZoneSpan(0, 1 << 60, 0),))
        assert sum(row.requests for row in ledger.usage(everything)) == REQUESTS
        assert len(ledger.names("project")) == 3


def test_the_same_seed_makes_the_same_rows() -> None:
    assert list(pieces(700, 1)) == list(pieces(700, 1))
    assert list(pieces(700, 1)) != list(pieces(700, 2))
