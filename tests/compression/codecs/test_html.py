"""A page as its words: all of them, none of ours, and nothing that imitates a marker."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compression.codecs.facts import drafted, surely, true_draft
from tests.hostile import HTML

from tokenbudget.compression.codecs.html import CODEC
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE, Origin

PROPERTY = settings(deadline=None, max_examples=60, database=None)

PAGE = """<!DOCTYPE html>
<html><head><title>Orders &amp; returns</title><style>p { color: red }</style>
<script>var total = 12345;</script></head>
<body class="a b"><h1>Orders</h1>
<p>Order <b>4711</b> was <em>not</em> shipped. See <a href="/orders/4711">details</a>.</p>
<ul><li>one</li><li>two &lt;tag&gt;</li></ul>
<table><tr><th>id</th><th>sum</th></tr><tr><td>1</td><td>9.50</td></tr></table>
<pre>line one
  line two</pre><!-- secret 99 --></body></html>
"""


def test_a_reader_sees_each_block_on_its_line() -> None:
    draft = surely(drafted(CODEC, PAGE, BALANCED))
    assert draft.text.split("\n") == [
        "[~ HTML as text]",
        "Orders & returns",
        "Orders",
        "Order 4711 was not shipped. See details (/orders/4711).",
        "one",
        "two <tag>",
        "id | sum",
        "1 | 9.50",
        "line one",
        "  line two",
    ]


def test_compressed_leaves_out_where_links_lead() -> None:
    assert "/orders" not in surely(drafted(CODEC, PAGE, COMPRESSED)).text


def test_it_is_not_lossless_and_verbose_leaves_it() -> None:
    assert drafted(CODEC, PAGE, VERBOSE) is None


def test_a_page_that_was_read_from_a_file_is_about_to_be_edited() -> None:
    assert drafted(CODEC, PAGE, BALANCED, Origin("Read", path="/w/index.html")) is None


def test_the_checker_finds_nothing_false() -> None:
    true_draft(CODEC, PAGE, BALANCED)


def test_words_that_would_become_a_marker_are_not_written() -> None:
    for trick in ("[<b>~</b> 40 lines]", "&#91;~ all 9 lines: tokens recall 1]"):
        assert drafted(CODEC, f"<html><body>{trick}</body></html>", BALANCED) is None


@PROPERTY
@given(
    parts=st.lists(st.sampled_from(HTML) | st.text(alphabet="<>/!-\"' abp\ud800İ\x00"), max_size=12)
)
def test_any_page_gives_words_and_no_tag_that_runs(parts: list[str]) -> None:
    draft = drafted(CODEC, "<html>" + "".join(parts), BALANCED)
    assert draft is None or draft.text.startswith("[~ HTML as text]\n")


def test_unfinished_tags_take_no_longer_than_their_length() -> None:
    for bad in ("<!--", "<script>", "<a ", '<a "', "<a href=", "<", "</", "<pre>", "&#"):
        drafted(CODEC, "<html>" + bad * (50_000 // len(bad)), BALANCED)
    for inside in ("a", " a", "a= ", "'"):
        drafted(CODEC, "<html>" + f"<a {inside * 1_000}>" * 100, BALANCED)


def test_a_link_that_says_where_it_leads_says_it_once() -> None:
    page = "<html><a href='https://a.example'>https://a.example</a> <a href='/b'>b</a></html>"
    assert surely(drafted(CODEC, page, BALANCED)).text.endswith("\nhttps://a.example b (/b)")
