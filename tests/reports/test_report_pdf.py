"""The PDF report: the same bytes for the same report, and text that is never markup."""

import sys
from collections.abc import Callable

import pytest
from tests.hostile import PAYLOADS
from tests.reports.sample_report import empty_report, rich_report, said_by_others

from tokenbudget.analysis.report_data import ReportData
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.pdf.pdf_data import pdf_data
from tokenbudget.reports.pdf.pdf_words import LONGEST_CELL, plain
from tokenbudget.reports.pdf.report_pdf import report_pages, report_pdf

TYPST = (
    '#panic("ran")',
    '#read("/etc/passwd")',
    "#{while true {}}",
    "*bold* _it_ $x^2$ `raw` <label> @ref",
    "] #panic() [",
    "= Heading",
    '"#sys.inputs',
    "\\u{0}",
)


def hostile_report() -> ReportData:
    return said_by_others((*TYPST, *PAYLOADS.values()))


@pytest.mark.parametrize("made", [rich_report, empty_report, hostile_report])
def test_the_same_report_is_the_same_bytes(made: Callable[[], ReportData]) -> None:
    first = report_pdf(made())
    assert first.startswith(b"%PDF-")
    assert first == report_pdf(made())


def test_markup_of_others_is_text() -> None:
    for text in TYPST:
        report = rich_report()._replace(verdict=text, title=text, period=text)
        assert report_pdf(report).startswith(b"%PDF-")


@pytest.mark.parametrize(("paper", "width"), [("a4", "595.27"), ("letter", "612")])
def test_pages_have_the_size_of_the_paper(paper: str, width: str) -> None:
    for page in report_pages(rich_report(), paper, "svg"):
        assert f'width="{width}'.encode() in page[:300]


def test_another_time_is_another_file() -> None:
    later = rich_report()._replace(made_at_ms=rich_report().made_at_ms + 86_400_000)
    assert report_pdf(later) != report_pdf(rich_report())


def test_without_typst_one_sentence_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(BadRequest, match=r"pip install 'tokenbudget\[report\]'"):
        report_pdf(rich_report())


def test_long_words_can_be_broken_and_texts_end() -> None:
    broken = plain("/home/kim/" + "x" * 1000)
    assert len(broken.replace("\u200b", "")) == LONGEST_CELL
    assert max(map(len, broken.split("\u200b"))) <= 12


def test_every_string_of_the_data_is_one_line() -> None:
    def check(value: object) -> None:
        if isinstance(value, str):
            assert "\n" not in value
            assert "\x1b" not in value
        elif isinstance(value, dict):
            for one in value.values():
                check(one)
        elif isinstance(value, list):
            for one in value:
                check(one)

    check(pdf_data(hostile_report(), "a4"))


@pytest.mark.slow
def test_a_year_of_days_and_a_thousand_sessions_fit() -> None:
    report = rich_report()
    rows = report.profile.sessions * 42
    many = report._replace(days=report.days * 13, profile=report.profile._replace(sessions=rows))
    assert len(report_pages(many, "a4", "svg")) < 12
