"""The icicle of `tokens profile --html` in Chromium: zoom, search, units, keys and themes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.profile_builders import profile, result, spend, study, thread
from tests.e2e.pages import Visit, browser, visit
from tests.hostile import PAYLOADS

from tokenbudget.analysis.efficiency_score import efficiency_of
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.study import PREFIX
from tokenbudget.model import window
from tokenbudget.reports.profile_icicle import icicle_page

USD = 10**12
WORK = study(
    thread(
        result("Read", "/srv/shop/src/cart.py", cost=30 * USD, read=10),
        result("Read", "/srv/shop/src/tax.py", cost=10 * USD, read=90_000),
        result("Bash", "npm test", cost=20 * USD),
        spend(window.THINKING, cost=25 * USD),
        spend(component=PREFIX, cost=15 * USD, added=0, pieces=0),
    )
)
ATTACK = study(
    thread(
        *(result("Read", f"/srv/shop/{bad}", cost=USD) for bad in PAYLOADS.values()),
        *(result(bad, bad, cost=USD) for bad in PAYLOADS.values()),
    )
)
PAGES = {"work": [WORK], "hostile": [ATTACK], "nothing": []}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, files in PAGES.items():
        page = icicle_page(profile(*files), efficiency_of(files), Zone("UTC", 0))
        found[name] = folder / f"{name}.html"
        found[name].write_text(page, encoding="utf-8", errors="replace")
    return found


@pytest.fixture
def work(chromium: Any, pages: dict[str, Path]) -> Iterator[Visit]:
    with visit(chromium, pages["work"], 1200, "light") as opened:
        yield opened


def width(opened: Visit, name: str) -> float:
    """How much of the picture a box takes, in percent."""
    box = opened.page.locator(f".box[aria-label^='{name}:']").first
    return float(str(box.get_attribute("width")).rstrip("%"))


def focused(opened: Visit) -> str:
    """The name of the box that has the focus."""
    label = opened.page.evaluate("document.activeElement.getAttribute('aria-label') || ''")
    return str(label).partition(":")[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("columns", [360, 820, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_alone_and_accessible(
    chromium: Any, pages: dict[str, Path], name: str, columns: int, theme: str
) -> None:
    with visit(chromium, pages[name], columns, theme) as opened:
        assert opened.faults() == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= columns
        assert not opened.has_run_others()
        assert (opened.said, opened.asked) == ([], [])


def test_a_click_zooms_and_a_second_one_goes_back(work: Visit) -> None:
    box = work.page.locator(".box[aria-label^='Context files:']")
    assert width(work, "Context files") == 40
    box.click(position={"x": 5, "y": 5})
    assert (width(work, "Context files"), width(work, "src/cart.py")) == (100, 75)
    box.click(position={"x": 5, "y": 5})
    assert width(work, "Context files") == 40


def test_keys_walk_zoom_and_leave(work: Visit) -> None:
    work.page.locator(".box").first.focus()
    for key, name in (
        ("ArrowDown", "Messages"),
        ("ArrowRight", "Context files"),
        ("ArrowDown", "Read"),
        ("ArrowDown", "src/cart.py"),
        ("ArrowUp", "Read"),
    ):
        work.page.keyboard.press(key)
        assert focused(work) == name
    work.page.keyboard.press("Enter")
    assert width(work, "src/cart.py") == 75
    work.page.keyboard.press("Escape")
    work.page.keyboard.press("Escape")
    assert width(work, "Context files") == 40


def test_it_can_be_drawn_by_tokens(work: Visit) -> None:
    before = width(work, "src/tax.py")
    work.page.get_by_role("button", name="by tokens").click()
    assert width(work, "src/tax.py") > 5 * before


def test_search_marks_what_it_finds_and_says_how_much_it_is(work: Visit) -> None:
    work.page.get_by_label("Find").fill("cart")
    assert work.page.locator(".box.hit").count() == 1
    assert work.page.locator("#found").text_content() == "1 found, 30% of all"
    work.page.get_by_label("Find").fill("")
    assert work.page.locator(".box.miss").count() == 0


def test_the_theme_turns_over(work: Visit) -> None:
    before = work.page.evaluate("getComputedStyle(document.body).backgroundColor")
    work.page.get_by_role("button", name="light or dark").click()
    assert work.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert work.faults() == []


def test_a_pointer_is_told_about_the_box(work: Visit) -> None:
    work.page.locator(".box[aria-label^='npm test:']").hover()
    assert "20% of all · $20.00" in (work.page.locator("#tip").text_content() or "")
