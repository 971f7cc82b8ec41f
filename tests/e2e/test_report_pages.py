"""The HTML report in Chromium, at three widths and in both themes; the PDF report as pictures.

A machine that has none of it installs Playwright, a browser and axe-core first.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.pages import Visit, browser, visit
from tests.hostile import PAYLOADS
from tests.reports.sample_report import empty_report, rich_report, said_by_others

from tokenbudget.analysis.report_data import ReportData
from tokenbudget.reports.html.report_page import report_html
from tokenbudget.reports.pdf.report_pdf import report_pages

WIDTHS = (360, 820, 1440)
THEMES = ("light", "dark")
REPORTS: dict[str, Callable[[], ReportData]] = {
    "rich": rich_report,
    "empty": empty_report,
    "hostile": lambda: said_by_others(tuple(PAYLOADS.values())),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, made in REPORTS.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(report_html(made()), encoding="utf-8")
    return found


@pytest.fixture
def rich(chromium: Any, pages: dict[str, Path]) -> Iterator[Visit]:
    with visit(chromium, pages["rich"], 1440, "light") as opened:
        yield opened


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
def test_a_page_is_quiet_alone_and_accessible(
    chromium: Any, pages: dict[str, Path], name: str, width: int, theme: str
) -> None:
    with visit(chromium, pages[name], width, theme) as opened:
        assert opened.faults() == []
        wide = opened.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width  # only tables scroll sideways, within themselves
        assert not opened.has_run_others()
        assert (opened.said, opened.asked) == ([], [])


def test_hostile_text_stands_there_letter_by_letter(chromium: Any, pages: dict[str, Path]) -> None:
    with visit(chromium, pages["hostile"], 820, "light") as opened:
        text = opened.page.evaluate("document.body.textContent")
        assert "<script>window.pwned=1</script>" in text
        for kind in ("iframe", "object", "embed", "img", "form", "base", "math"):
            assert opened.page.locator(f"body {kind}").count() == 0
        scripts = opened.page.locator("script:not([type='application/json'])").count()
        assert scripts == 3  # the chart library, the page's own, the icicle's
        assert opened.page.evaluate(
            "[...document.querySelectorAll('*')].every(one =>"
            " [...one.attributes].every(a => !a.name.startsWith('on')))"
        )


def test_the_theme_turns_over_and_the_chart_with_it(rich: Visit) -> None:
    before = rich.page.evaluate("getComputedStyle(document.body).backgroundColor")
    rich.page.get_by_role("button", name="Dark theme").click()
    after = rich.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    assert rich.faults() == []
    rich.page.get_by_role("button", name="Light theme").click()
    assert rich.page.evaluate("getComputedStyle(document.body).backgroundColor") == before


def test_a_table_is_sorted_by_its_headings(rich: Visit) -> None:
    cells = rich.page.locator("#table-sessions tbody tr td:last-child")

    def costs() -> list[float]:
        return [float(one.strip("$?")) for one in cells.all_text_contents()]

    heading = rich.page.locator("#table-sessions th", has_text="Cost")
    given = costs()
    heading.get_by_role("button").click()
    assert costs() == sorted(given, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").press("Enter")
    assert costs() == sorted(given)
    assert heading.get_attribute("aria-sort") == "ascending"


def test_sessions_are_filtered_by_words(rich: Visit) -> None:
    rich.page.get_by_label("Filter sessions").fill("gateway async")
    shown = rich.page.locator("#table-sessions tbody tr:visible")
    assert shown.count() > 0
    assert all("async" in text for text in shown.all_text_contents())
    assert f"{shown.count()} of 24" in rich.page.locator("#session-count").inner_text()
    rich.page.get_by_label("Filter sessions").fill("no such session")
    assert shown.count() == 0


def test_the_timeline_zooms_by_mouse_and_by_keys(rich: Visit) -> None:
    plot = rich.page.locator("#timeline-chart .plot .u-over")
    labels = "document.querySelector('#timeline-chart .plot canvas').toDataURL()"
    whole = rich.page.evaluate(labels)
    box = plot.bounding_box()
    assert box is not None
    y = box["y"] + 50
    rich.page.mouse.move(box["x"] + 100, y)
    rich.page.mouse.down()
    rich.page.mouse.move(box["x"] + 300, y, steps=4)
    rich.page.mouse.up()
    rich.page.mouse.move(0, 0)
    zoomed = rich.page.evaluate(labels)
    assert zoomed != whole
    rich.page.locator("#timeline-chart .plot").focus()
    rich.page.keyboard.press("Escape")
    rich.page.wait_for_function(f"{labels} !== {zoomed!r}")
    rich.page.get_by_role("button", name="Last 7 days").click()
    rich.page.wait_for_function(f"{labels} !== {whole!r}")


def test_the_timeline_tells_the_day_pointed_at(rich: Visit) -> None:
    plot = rich.page.locator("#timeline-chart .plot .u-over")
    box = plot.bounding_box()
    assert box is not None
    assert rich.page.locator("#timeline-day").inner_text() == "All days"
    rich.page.mouse.move(box["x"] + 20, box["y"] + 100)
    assert re.fullmatch(r"\w{3} 2026-10-2\d", rich.page.locator("#timeline-day").inner_text())


def test_a_year_is_drawn_by_the_week_until_it_is_zoomed(chromium: Any, tmp_path: Path) -> None:
    data = rich_report()
    last = date.fromisoformat(data.days[-1].day)
    days = tuple(
        data.days[-1]._replace(day=(last - timedelta(days=back)).isoformat())
        for back in reversed(range(400))
    )
    (tmp_path / "year.html").write_text(report_html(data._replace(days=days)), encoding="utf-8")
    with visit(chromium, tmp_path / "year.html", 1440, "light") as opened:
        told = opened.page.locator("#timeline-day")
        costs = opened.page.locator("#timeline-chart .legend b").all_inner_texts()
        assert told.inner_text() == "All days, a bar a week"
        box = opened.page.locator("#timeline-chart .plot .u-over").bounding_box()
        assert box is not None
        opened.page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100)
        assert re.fullmatch(r"Week of 2026-11-\d\d", told.inner_text())
        opened.page.mouse.move(0, 0)
        opened.page.get_by_role("button", name="Last 30 days").click()
        assert told.inner_text() == "All days"
        assert opened.page.locator("#timeline-chart .legend b").all_inner_texts() == costs
        opened.page.get_by_role("button", name="All", exact=True).click()
        assert told.inner_text() == "All days, a bar a week"
        assert (opened.said, opened.asked) == ([], [])


def test_a_box_of_the_icicle_fills_it_when_it_is_chosen(rich: Visit) -> None:
    box = rich.page.locator("#map .box").nth(1)
    narrow = float((box.get_attribute("width") or "").rstrip("%"))
    box.click()
    assert float((box.get_attribute("width") or "").rstrip("%")) > narrow
    assert float((box.get_attribute("width") or "").rstrip("%")) == pytest.approx(100)
    rich.page.keyboard.press("Escape")
    assert float((box.get_attribute("width") or "").rstrip("%")) == pytest.approx(narrow)


def test_without_scripts_the_page_has_its_charts(chromium: Any, pages: dict[str, Path]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["rich"].as_uri())
    assert page.locator("#timeline-chart .static svg").is_visible()
    assert page.locator("#map").is_visible()
    assert not page.get_by_role("button", name="Dark theme").is_visible()
    context.close()


def test_on_paper_the_charts_are_drawn_and_the_controls_are_gone(rich: Visit) -> None:
    rich.page.emulate_media(media="print", color_scheme="dark")
    assert rich.page.locator("#timeline-chart .static svg").is_visible()
    assert not rich.page.locator("#timeline-chart .plot").is_visible()
    assert not rich.page.locator("nav").is_visible()
    assert rich.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("name", REPORTS)
def test_no_page_of_the_pdf_is_blank(name: str, paper: str) -> None:
    pictures = report_pages(REPORTS[name](), paper, "png", 40)
    assert len(pictures) < 40
    for picture in pictures:
        assert ink_share(picture) > 0.005


def ink_share(png: bytes) -> float:
    """The share of bytes that are not the paper's white (RGBA, whatever the row filter)."""
    data, place = b"", 8
    while place < len(png):
        size = int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + size]
        place += 12 + size
    raw = zlib.decompress(data)
    return sum(byte not in (0, 255) for byte in raw) / len(raw)
