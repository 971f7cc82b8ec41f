"""Whatever a text holds, a Markdown renderer shows it and does nothing else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.dashboard.frames import HOSTILE

from tokenbudget.model.markdown import cell
from tokenbudget.model.plain_text import one_line

RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
assert RENDERER.linkify is not None
RENDERER.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # GitHub links no bare `a.md`
OPEN_TABLE = "| Name | |\n|---|---|\n"
signs = st.text("|`*_~#[]()!<>&@$\\{}:/.w-a \n\r\t\u2028\x85", max_size=30)


def shown(text: str) -> str:
    """The second cell of the one row of a rendered table."""
    page = RENDERER.render(f"{OPEN_TABLE}| a | {cell(text)} |\n\nAfter.\n")
    match = re.fullmatch(
        r"<table>\n<thead>\n<tr>\n<th>Name</th>\n<th></th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
        r"<td>a</td>\n<td>([^<]*)</td>\n</tr>\n</tbody>\n</table>\n<p>After.</p>\n",
        page,
    )
    assert match is not None, page
    return unescape(match[1])


def expected(text: str) -> str:
    """What a reader should see of it."""
    plain = one_line(text).replace("//", "/[/]").replace("www.", "www[.]")
    return plain.replace("@", "\uff20")


@settings(deadline=None, max_examples=400)
@given(signs | st.text(st.characters(), max_size=30))
def test_a_cell_shows_its_letters_and_nothing_else(text: str) -> None:
    assert shown(text).split() == expected(text).split()


@pytest.mark.parametrize("times", [1, 30])
def test_the_worst_title_is_one_cell(times: int) -> None:
    assert shown(HOSTILE * times).split() == expected(HOSTILE * times).split()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain words, 漢字", "plain words, 漢字"),
        ("a|b", "a&#124;b"),
        ("src/__init__.py", r"src/\_\_init\_\_.py"),
        ("<b> & &lt;", "&lt;b&gt; &amp; &amp;lt;"),
        ("@everyone", "\uff20everyone"),
        ("https://evil.example", r"https:/\[/\]evil.example"),
        ("www.(javascript:alert)", r"www\[.\](javascript:alert)"),
        ("{{ site }}", "&#123;&#123; site &#125;&#125;"),
        ("one\ntwo", "one two"),
    ],
)
def test_in_the_source(text: str, made: str) -> None:
    assert cell(text) == made


@given(signs)
def test_nothing_is_left_that_a_template_engine_or_a_table_reads(text: str) -> None:
    assert not set("|{}<>@\n\r") & set(cell(text))
