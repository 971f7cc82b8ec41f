"""The top of skills, agents and rules: read as far as it is plain, and never further."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.front_matter import front_matter


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("name: plain words", "plain words"),
        ("name: 'it''s quoted'", "it's quoted"),
        ('name: "say \\"yes\\""', 'say "yes"'),
        ("name: words # a comment", "words"),
        ("name: has: colons: inside", "has: colons: inside"),
        ("name: >\n  folded\n  words", "folded words"),
        ("name: |\n  two\n  lines", "two\nlines"),
        ("name: goes on\n  below", "goes on below"),
        ("other: x\nname: later", "later"),
        ("name: &anchor words", "&anchor words"),  # nothing is expanded
        ("name:", ""),
    ],
)
def test_words_are_read_as_they_are_meant(written: str, meant: str) -> None:
    assert front_matter(f"---\n{written}\n---\nbody\n").words("name") == meant


@pytest.mark.parametrize(
    "written",
    ["paths: [a, 'b c']", 'paths:\n  - a\n  - "b c"', "paths:\n- a\n- b c", "paths: a, b c"],
)
def test_lists_are_read_however_they_are_written(written: str) -> None:
    assert front_matter(f"---\n{written}\n---\n").items("paths") == ("a", "b c")


def test_switches_are_on_off_or_not_said() -> None:
    found = front_matter("---\na: true\nb: false\n---\n")
    assert found.is_on("a")
    assert found.is_off("b")
    assert not found.is_on("c")
    assert not found.is_off("c")


def test_the_body_begins_behind_it() -> None:
    text = "---\r\nname: x\r\n---\r\nbody"
    assert text[front_matter(text).body_at :] == "body"
    assert front_matter("\ufeff---\nname: x\n---\nb").words("name") == "x"


@pytest.mark.parametrize(
    "text", ["", "---", "---\nname: x\n", "body\n---\nname: x\n---\n", "----\n"]
)
def test_what_is_none_is_all_body(text: str) -> None:
    assert front_matter(text) == ({}, 0)


def test_a_bomb_is_a_text_like_any_other() -> None:
    bomb = "---\na: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(900)) + "---\n"
    assert front_matter(bomb).items("b3") == ("*a", "*a")
    assert front_matter("---\n" + "k: v\n" * 100_000 + "---\n") == ({}, 0)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    found = front_matter("---\n" + text + "\n---\nbody")
    assert 0 <= found.body_at <= len(text) + 13
