"""The HTML report, parsed: one file, nothing from elsewhere, texts of others in their places."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from tests.hostile import PAYLOADS
from tests.reports.sample_report import empty_report, rich_report, said_by_others

from tokenbudget.analysis.report_data import ReportData
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.html.report_page import report_html
from tokenbudget.reports.report_words import SECTIONS

TAGS = {
    *("html", "head", "meta", "link", "title", "style", "script", "body", "header", "nav", "main"),
    *("section", "footer", "h1", "h2", "h3", "p", "a", "b", "br", "code", "span", "div", "ul"),
    *("ol", "li", "dl", "dt", "dd", "details", "summary", "figure", "figcaption", "button"),
    *("input", "label", "output", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("svg", "rect", "line", "text"),
}
REPORTS = [rich_report, empty_report, lambda: said_by_others(tuple(PAYLOADS.values()))]
NAMES = ["rich", "empty", "hostile"]


class Seen(HTMLParser):
    """Tags, attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.raw: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        kind = dict(attrs).get("type") or tag
        self._inside = kind if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw.append((self._inside, data))
        else:
            self.text.append(data)


@pytest.mark.parametrize("made", REPORTS, ids=NAMES)
class TestEveryPage:
    def test_has_no_tag_but_ours(self, made: Callable[[], ReportData]) -> None:
        assert Seen(report_html(made())).tags <= TAGS

    def test_loads_nothing_and_runs_no_attribute(self, made: Callable[[], ReportData]) -> None:
        for tag, name, value in Seen(report_html(made())).attributes:
            assert not name.startswith("on")
            assert name not in ("src", "srcset", "action", "formaction", "style", "xlink:href")
            if name == "href":
                assert value.startswith("#") or (tag, value) == ("link", "data:,")

    def test_lets_only_its_own_scripts_and_styles_run(self, made: Callable[[], ReportData]) -> None:
        page = report_html(made())
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
        assert policy is not None
        assert policy[1].startswith("default-src 'none';")
        assert "unsafe" not in policy[1]
        for kind, text in Seen(page).raw:
            if kind != "application/json":
                digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert f"'sha256-{digest}'" in policy[1]

    def test_has_every_id_once(self, made: Callable[[], ReportData]) -> None:
        ids = [value for _, name, value in Seen(report_html(made())).attributes if name == "id"]
        assert len(ids) == len(set(ids))
        assert {key for key, _, _ in SECTIONS} <= set(ids)

    def test_holds_json_that_a_script_can_read(self, made: Callable[[], ReportData]) -> None:
        blocks = [text for kind, text in Seen(report_html(made())).raw if "json" in kind]
        assert "days" in json.loads(blocks[-1])

    def test_is_the_same_each_time(self, made: Callable[[], ReportData]) -> None:
        assert report_html(made()) == report_html(made())


def test_hostile_text_is_shown_letter_by_letter() -> None:
    hostile = said_by_others(tuple(PAYLOADS.values()))
    text = "".join(Seen(report_html(hostile)).text)
    for finding in hostile.findings:
        assert one_line(finding.title) in text
    assert one_line(hostile.verdict) in text


def test_every_table_says_what_it_is() -> None:
    page = report_html(rich_report())
    assert page.count("<table") == page.count("<caption")


def test_no_prompt_is_in_it_without_content() -> None:
    asked = rich_report()._replace(prompts=(("s1", "the secret plan"),))
    assert "the secret plan" not in report_html(asked)
    assert "the secret plan" in report_html(asked._replace(has_content=True))
