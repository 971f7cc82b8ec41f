"""Findings in a report: the first in full, the others a line each, none lost."""

import pytest
from tests.reports.sample_report import rich_report

from tokenbudget.analysis.drains.ranking import total_of
from tokenbudget.analysis.report_data import ReportData
from tokenbudget.reports.html.parts import findings_html, prose
from tokenbudget.reports.pdf.pdf_data import pdf_data
from tokenbudget.reports.report_findings import (
    MOST_IN_FULL,
    headline,
    smaller_table,
    smaller_words,
)
from tokenbudget.reports.report_words import capital, price_words


def with_findings(count: int) -> ReportData:
    data = rich_report()
    first = data.findings[0]
    return data._replace(
        findings=tuple(first._replace(title=f"drain {n:02}") for n in range(1, count + 1))
    )


@pytest.mark.parametrize("count", [0, 1, MOST_IN_FULL, MOST_IN_FULL + 1, 40])
def test_every_finding_is_told_once(count: int) -> None:
    data = with_findings(count)
    page = findings_html(data)
    drains = [
        section for section in pdf_data(data, "a4")["sections"] if "change" in section["title"]
    ]
    for number in range(1, count + 1):
        assert page.count(f">Drain {number:02}<") == 1
        assert str(drains).count(f"Drain {number:02}'") == 1
    assert page.count("<li><h3>") == min(count, MOST_IN_FULL)


def test_the_smaller_ones_go_on_counting_and_add_up() -> None:
    data = with_findings(MOST_IN_FULL + 3)
    table = smaller_table(data)
    assert [row[0] for row in table.rows] == [MOST_IN_FULL + n for n in (1, 2, 3)]
    worth = price_words(total_of(data.findings[MOST_IN_FULL:]))
    assert smaller_words(data) == f"3 smaller, together {worth}"
    assert smaller_words(with_findings(MOST_IN_FULL)) == ""


def test_a_heading_begins_with_a_capital_but_a_name_keeps_its_letters() -> None:
    one = rich_report().findings[0]
    assert headline(one._replace(title="the cache ran out", subject="")) == "The cache ran out"
    assert headline(one._replace(title="grep failed twice", subject="grep")) == "grep failed twice"
    assert capital("src/a.py read whole") == "src/a.py read whole"
    assert capital("") == ""


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Cut `git log`: filter it", "Cut <code>git log</code>: filter it"),
        ("one ` alone", "one &#96; alone"),
        ("`<b>` and `&`", "<code>&lt;b&gt;</code> and <code>&amp;</code>"),
        ("`a` ` `<script>`", "&#96;a&#96; &#96; &#96;&lt;script&gt;&#96;"),
    ],
)
def test_code_in_a_sentence(text: str, made: str) -> None:
    assert prose(text) == made
