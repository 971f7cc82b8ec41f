"""Figures and phrases that the four formats share."""

import html
import json
from decimal import Decimal

import pytest
from tests.reports.sample_report import (
    amount,
    empty_report,
    findings,
    price,
    rich_report,
)

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.drains.ranking import total_of
from tokenbudget.model.figures import Style, dollars
from tokenbudget.reports.html.report_page import report_html
from tokenbudget.reports.optimize_words import usd_words
from tokenbudget.reports.pdf.pdf_data import pdf_data
from tokenbudget.reports.report_findings import MOST_IN_FULL
from tokenbudget.reports.report_json import report_json
from tokenbudget.reports.report_tables import MOST_SESSIONS, sessions_table, weeks_table
from tokenbudget.reports.report_text import report_lines
from tokenbudget.reports.report_words import (
    applied_words,
    change_words,
    cost_cell,
    duration,
    figures,
    last_part,
    open_findings,
    percent,
    price_words,
    short_id,
    signed_percent,
)
from tokenbudget.reports.table import shown


def test_the_four_figures_of_a_month() -> None:
    assert [(one.label, one.value) for one in figures(rich_report())] == [
        ("Cost", "$95.51?"),
        ("Tokens", "98.3M"),
        ("Efficiency", "78 B"),
        ("Could be saved", "~$6.73"),
    ]


def test_the_four_figures_of_nothing() -> None:
    assert [one.value for one in figures(empty_report())] == [
        "$0.00", "0", "\N{EN DASH}", "$0.00",
    ]  # fmt: skip


def test_what_a_fix_saves_already_is_not_offered_again() -> None:
    rich = rich_report()
    assert [one.id for one in findings() if one not in open_findings(rich)] == ["skill/000006"]
    undone = [
        one if one.applied is None else one._replace(applied=one.applied._replace(is_undone=True))
        for one in findings()
    ]
    assert len(open_findings(rich._replace(findings=tuple(undone)))) == len(findings())


def test_what_could_be_saved_is_what_optimize_tells() -> None:
    data = rich_report()
    total = total_of(open_findings(data))
    assert figures(data)[3].value == f"~{dollars(total.usd or Decimal(0))}"
    assert price_words(total) == f"~{usd_words(total)} a week"
    assert total_of(()).usd is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (0.1, "+10%"),
        (-0.104, "\N{MINUS SIGN}10%"),
        (-1.0, "\N{MINUS SIGN}100%"),
        (48.2, "\N{MULTIPLICATION SIGN}49"),
    ],
)
def test_changes(change: float, words: str) -> None:
    assert signed_percent(change) == words


def test_a_change_is_told_of_what() -> None:
    rich = rich_report()
    assert change_words(rich) == "\N{MINUS SIGN}10% on the 30 days before"
    assert change_words(rich._replace(previous=amount(1))).endswith("times the 30 days before")
    assert change_words(rich._replace(previous=None)) == "nothing before it to compare with"
    assert change_words(rich._replace(previous=NOTHING)) == "nothing before it to compare with"


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0%"), (0.0001, "<0.1%"), (0.004, "0.4%"), (0.5, "50%"), (1.0, "100%")],
)
def test_shares(share: float, words: str) -> None:
    assert percent(share) == words


def test_prices_per_week() -> None:
    assert price_words(price(100_000, 10_000, "2")) == "~$2.00 \N{PLUS-MINUS SIGN} 0.20 a week"
    assert price_words(price(61_000, 10, None)) == "~61.0K \N{PLUS-MINUS SIGN} 10 tokens a week"
    rare = price_words(price(1_000, 1_500, "0.02"))  # may never come again
    assert rare.startswith("~$0.020 (0 to ")


def test_what_came_of_a_fix() -> None:
    applied = findings()[5]
    assert applied.applied is not None
    assert "saves ~$0.29" in applied_words(applied)
    waiting = applied._replace(applied=applied.applied._replace(saved=None))
    assert "a week of use will tell" in applied_words(waiting)
    undone = applied._replace(applied=applied.applied._replace(is_undone=True))
    assert applied_words(undone) == "applied as action 11 and taken back"
    assert applied_words(findings()[0]) == ""


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(810, "0.8 s"), (9_940, "9.9 s"), (9_960, "10 s"), (240_000, "4 min"), (7_600_000, "2.1 h")],
)
def test_durations(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


def test_names_and_ids() -> None:
    assert last_part("/home/kim/shop/") == "shop"
    assert last_part("/") == "/"
    assert last_part("D:\\work\\shop") == "shop"
    assert short_id("0a1b2c3d-0000-4000-8000-000000000000") == "0a1b2c3d"
    assert short_id("session-0123456789") == "session-0123456789"


def test_long_tables_say_what_they_leave_out() -> None:
    rich = rich_report()
    many = rich.profile._replace(sessions=rich.profile.sessions * 30, weeks=rich.profile.weeks * 4)
    table = sessions_table(rich._replace(profile=many))
    assert (len(table.rows), table.left_out) == (MOST_SESSIONS, 720 - MOST_SESSIONS)
    weeks = weeks_table(rich._replace(profile=many))
    assert weeks.left_out == 7
    assert weeks.rows[-1][0] == "2026-11-16 (part)"


def test_every_format_tells_the_same_figures() -> None:
    data = rich_report()
    pages = {
        "text": "\n".join(report_lines(data, Style(100, is_styled=False))),
        "html": html.unescape(report_html(data)),
        "pdf": json.dumps(pdf_data(data, "a4"), ensure_ascii=False).replace("\u200b", ""),
    }
    told = [one.value for one in figures(data)]
    told += [shown(one.usd, False) for one in data.costs.kinds]
    told += [shown(cost_cell(one.amount), False) for one in data.profile.models]
    told += [price_words(one.weekly) for one in data.findings[:MOST_IN_FULL]]
    assert len(told) > 12
    for name, page in pages.items():
        assert [value for value in told if value not in page] == [], name
    everything = json.loads(report_json(data))
    assert [one["value"] for one in everything["figures"]] == told[:4]
    assert [f"{Decimal(one['cost_usd']):.2f}" for one in everything["costs"]["kinds"]] == [
        f"{one.usd:.2f}" for one in data.costs.kinds
    ]
