"""The icicle: one page that allows its own style and script and nothing else."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from tests.analysis.profile_builders import facts, profile, result, spend, study, thread
from tests.hostile import PAYLOADS

from tokenbudget.analysis.efficiency_score import efficiency_of
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.profile import Profile
from tokenbudget.model import window
from tokenbudget.reports.profile_icicle import icicle_page

UTC = Zone("UTC", 1_795_000_000_000)
FILES = [
    study(
        thread(
            result("Read", "/srv/shop/a.py", cost=6 * 10**12),
            result("Bash", "npm test", cost=3 * 10**12),
            spend(window.MEMORY_FILE, "/srv/shop/CLAUDE.md", cost=10**12),
        )
    )
]


def page_of(found: Profile) -> str:
    """The page of a profile."""
    return icicle_page(found, efficiency_of(FILES), UTC)


class Tags(HTMLParser):
    """Every element with its attributes, as a browser would parse it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.found.append((tag, dict(attrs)))

    def boxes(self) -> list[dict[str, str | None]]:
        """The boxes of the picture."""
        return [given for _, given in self.found if str(given.get("class")).startswith("box ")]


def test_the_policy_allows_its_own_style_and_script_alone() -> None:
    page = page_of(profile(*FILES))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)

    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert (len(style), len(script)) == (1, 1)
    for text in (style[0], script[0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_nothing_is_fetched_and_no_style_is_inline() -> None:
    page = page_of(profile(*FILES))

    assert not re.search(r"https?://|url\(|@import", page)
    for _, given in Tags(page).found:
        assert not {"style", "src", "href", "onclick", "onload"} & set(given)


def test_boxes_stand_there_without_a_script() -> None:
    boxes = Tags(page_of(profile(*FILES))).boxes()

    widths = {str(box["aria-label"]).partition(":")[0]: box["width"] for box in boxes}
    assert widths["everything"] == "100.000%"
    assert widths["Context files"] == widths["a.py"] == "60.000%"
    assert widths["npm test"] == "30.000%"
    assert all(0 <= float(str(box["x"])[:-1]) <= 100 for box in boxes)


def test_every_box_can_be_named_and_the_first_be_reached() -> None:
    boxes = Tags(page_of(profile(*FILES))).boxes()

    assert all(box["aria-label"] and box["role"] for box in boxes)
    assert [box["tabindex"] for box in boxes].count("0") == 1


def test_the_script_is_told_the_same_boxes() -> None:
    page = page_of(profile(*FILES))
    (told,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', page)

    boxes = json.loads(told)["boxes"]
    assert len(boxes) == len(Tags(page).boxes())
    assert boxes[0] == {
        "parent": -1, "depth": 0, "name": "everything", "cost": 10.0, "tokens": 3_000,
        "cost_text": "$10.00", "tokens_text": "3.00K", "times": 10,
    }  # fmt: skip
    assert all(box["parent"] < number for number, box in enumerate(boxes))


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_an_attack_stays_a_name(name: str) -> None:
    bad = PAYLOADS[name]
    files = study(
        thread(
            result("Read", f"/srv/shop/{bad}"), result(bad, bad), spend(window.MEMORY_FILE, bad)
        ),
        session="s1",
    )
    found = profile(files, titles=[facts("s1", bad)])._replace(session="s1")
    plain, attacked = Tags(page_of(profile(*FILES))), Tags(page_of(found))

    assert {tag for tag, _ in attacked.found} == {tag for tag, _ in plain.found}
    known = {key for _, given in plain.found for key in given}
    assert {key for _, given in attacked.found for key in given} <= known | {"visibility"}


def test_of_nothing_is_a_page() -> None:
    assert "<svg" in page_of(profile())


def test_without_prices_it_is_drawn_by_tokens() -> None:
    found = profile(study(thread(result("Bash", cost=0), result("Read", "/a", cost=0, read=3_000))))
    page = page_of(found)

    assert '"unit":"tokens"' in page
    assert "by cost" not in page


def test_the_page_says_how_its_figures_are_known_and_what_is_missing() -> None:
    noted = profile(*FILES)._replace(notes=("<b>gone</b>",))
    page = page_of(noted)

    assert "counted and calibrated" in page
    assert "&lt;b&gt;gone&lt;/b&gt;" in page
    assert "<b>gone" not in page
