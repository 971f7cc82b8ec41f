"""A report as text: whole pages at 80 columns, and what no text of others may do to them.

To accept a change: delete the file under `golden`, run the test (it writes the new one and fails),
and look at the difference before you commit it.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hostile import PAYLOADS
from tests.reports.sample_report import empty_report, rich_report, said_by_others

from tokenbudget.analysis.report_data import ReportData
from tokenbudget.model.figures import Style, text_width
from tokenbudget.reports.report_text import report_lines
from tokenbudget.reports.report_words import SECTIONS

GOLDEN = Path(__file__).parent / "golden"
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def hostile_report() -> ReportData:
    return said_by_others(tuple(PAYLOADS.values()))


@pytest.mark.parametrize(("name", "made"), [("rich", rich_report), ("empty", empty_report)])
def test_page(name: str, made: Callable[[], ReportData]) -> None:
    shown = "\n".join(report_lines(made(), Style(80, is_styled=False))) + "\n"
    assert shown == accepted(f"report-{name}-80.txt", shown)


def accepted(name: str, shown: str) -> str:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(shown, encoding="utf-8")
        pytest.fail(f"wrote {name}: look at it, then run again")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80, 100, 160])
@pytest.mark.parametrize("made", [rich_report, empty_report, hostile_report])
def test_no_line_is_wider_than_the_terminal(made: Callable[[], ReportData], width: int) -> None:
    for line in report_lines(made(), Style(width, is_styled=False)):
        assert text_width(line) <= width


def test_hostile_text_moves_no_cursor_and_hides_nothing() -> None:
    text = "".join(report_lines(hostile_report(), Style(100, is_styled=False)))
    assert {unicodedata.category(letter) for letter in text} & HIDDEN == set()


def test_weight_is_only_shown_where_it_can_be() -> None:
    assert "\x1b[1m" in "".join(report_lines(rich_report(), Style(80, is_styled=True)))
    assert "\x1b" not in "".join(report_lines(rich_report(), Style(80, is_styled=False)))


def test_every_section_is_there_in_its_order() -> None:
    lines = report_lines(rich_report(), Style(80, is_styled=False))
    places = [lines.index(heading) for _, heading, _ in SECTIONS]
    assert places == sorted(places)


def test_what_is_cut_is_said() -> None:
    text = "\n".join(report_lines(rich_report(), Style(80, is_styled=False)))
    assert "and 4 more; tokens report json has them all" in text
