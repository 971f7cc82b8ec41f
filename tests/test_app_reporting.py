"""A report put together: history of the same days and projects, and what changes saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.profile_sessions import profiled_home
from tests.reports.sample_report import rich_report

from tokenbudget.app.reporting_redacted import redacted_finding
from tokenbudget.ledger.applied_fixes import FixRow
from tokenbudget.ledger.store import Ledger
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model.actions import Outcome, TrashFile
from tokenbudget.model.redaction import Redactor


class At:
    """A clock that stands still."""

    def __init__(self, when: datetime) -> None:
        self._ms = round(when.timestamp() * 1000)

    def now_ms(self) -> int:
        return self._ms

    def monotonic_seconds(self) -> float:
        return self._ms / 1000

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    home = profiled_home(Home(tmp_path / "home"))
    home.run("report", "--json")
    return home


@contextmanager
def ledger_of(home: Home, day: int, month: int = 11) -> Iterator[Ledger]:
    """The ledger as a command at noon of that day has it."""
    path = str(home.config.parent / "ledger.db")
    clock = At(datetime(2026, month, day, 12, tzinfo=UTC))
    with Ledger(path, PriceBook.bundled().thresholds(), clock) as ledger:
        yield ledger


def changed(home: Home, day: int, project: str, month: int = 11) -> int:
    """An action that was carried out; its number."""
    with ledger_of(home, day, month) as ledger:
        step = TrashFile(f"{project}/old.bak", 10, 1)
        number = ledger.journal.begin("tokens compact", project, [step], 900, 10)
        ledger.journal.note(number, 0, Outcome("done", ""))
    return number


def told(home: Home, day: int, event: str, detail: str, month: int = 11) -> None:
    """A line of the alerts' history."""
    at_ms = round(datetime(2026, month, day, 12, tzinfo=UTC).timestamp() * 1000)
    with ledger_of(home, day, month) as ledger, ledger.alerts.transaction() as writing:
        writing.record([(at_ms, "cost-80", "f", event, detail)])


def test_changes_of_the_period_stand_with_what_they_predicted(shop: Home) -> None:
    number = changed(shop, 15, "/srv/shop")
    changed(shop, 2, "/srv/shop", month=9)
    row, *more = shop.ask("report", "--tz", "UTC")["actions"]
    assert more == []
    assert (row["id"], row["project"], row["cause"]) == (number, "/srv/shop", "tokens compact")
    assert row["title"] == "1 file to the trash"
    assert (row["predicted_tokens"], row["saved_tokens_per_week"]) == (900, None)
    assert row["at"].startswith("2026-11-15T12:00")
    assert not row["is_undone"]


def test_changes_of_other_projects_are_left_out(shop: Home) -> None:
    changed(shop, 15, "/srv/shop")
    changed(shop, 15, "/srv/api")
    rows = shop.ask("report", "--project", "api")["actions"]
    assert [row["project"] for row in rows] == ["/srv/api"]


def test_what_was_taken_back_says_so_and_undoing_is_no_change(shop: Home) -> None:
    number = changed(shop, 15, "/srv/shop")
    with ledger_of(shop, 16) as ledger:
        ledger.journal.begin("tokens undo", "/srv/shop", [], None, undoes=number)
        ledger.journal.note_undone(number)
    rows = shop.ask("report")["actions"]
    assert [(row["id"], row["is_undone"]) for row in rows] == [(number, True)]
    assert "taken back" in shop.run("report", "--output", "-").out


def test_what_a_fix_saved_stands_beside_it(shop: Home) -> None:
    number = changed(shop, 8, "/srv/shop")
    with ledger_of(shop, 8) as ledger:
        ledger.fixes.add(
            FixRow(number, "re-read/abc", "re-read", "", "/srv/shop", 50_000, 5_000, 200, 20, 7,
                   100, 50_000, None)
        )  # fmt: skip
    row = shop.ask("report")["actions"][0]
    optimize = shop.ask("optimize")["applied"][0]
    assert optimize["action"] == number
    assert row["saved_tokens_per_week"] == optimize["saved_tokens_per_week"]


def test_alerts_of_the_period_without_their_deliveries(shop: Home) -> None:
    told(shop, 10, "fire", "Cost of the day at 82%: shop (to desktop)")
    told(shop, 10, "sent", "desktop: ok")
    told(shop, 11, "resolve", "over: Cost of the day")
    told(shop, 1, "fire", "long ago", month=9)
    rows = shop.ask("report", "--tz", "UTC")["alerts"]
    assert [row["event"] for row in rows] == ["resolve", "fire"]
    text = shop.run("report", "--output", "-").out
    assert "Cost of the day at 82%: shop" in text
    assert "fired" in text


def test_redacted_history_tells_no_name(shop: Home) -> None:
    changed(shop, 15, "/srv/shop")
    told(shop, 10, "fire", "Cost of the day at 82%: shop (to desktop)")
    report = shop.ask("report", "--redact")
    assert [row["detail"] for row in report["alerts"]] == [""]
    assert report["actions"][0]["project"] not in ("", "/srv/shop")


@pytest.mark.parametrize(
    "detail",
    [
        "failed 2 times with 'cd: acme: No such file'",
        "failed twice with 'it's acme's'",
        '"acme" `acme`',
    ],
)
def test_redacted_evidence_quotes_no_output(detail: str) -> None:
    one = rich_report().findings[0]
    seen = one.evidence[0]._replace(detail=detail, line=3)
    redactor = Redactor(b"k" * 32)
    told = redacted_finding(one._replace(evidence=(seen,)), 1, redactor)
    assert "acme" not in told.evidence[0].detail
    kept = seen._replace(detail="5 lines, carried by 3 requests")
    told = redacted_finding(one._replace(evidence=(kept,)), 1, redactor)
    assert told.evidence[0].detail == kept.detail


def test_a_passing_ledger_has_sessions_and_no_history(shop: Home, tmp_path: Path) -> None:
    changed(shop, 15, "/srv/shop")
    report = shop.ask("report", "--from", str(shop.claude / "projects"))
    assert report["actions"] == report["alerts"] == []
    assert len(report["sessions"]) == 3
