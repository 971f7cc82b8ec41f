"""Markdown as parts that stay or move whole."""

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.skill_parts import CODE, ITEM, TAGGED, Part, lines_with_ends, parts_of


def parts(text: str) -> list[Part]:
    """The parts of a text."""
    return parts_of(lines_with_ends(text))


@given(st.text("ab #-*>|`~<x/X!.[]:\t\n\r1=", max_size=200))
def test_every_line_is_in_exactly_one_part(text: str) -> None:
    lines = lines_with_ends(text)
    found = parts_of(lines)
    assert "".join(lines) == text
    assert [at for part in found for at in range(part.first, part.end)] == [*range(len(lines))]


def test_code_that_holds_fences_is_one_part() -> None:
    [one] = parts("````md\n```\n# no heading\n```\n````\n")
    assert one.kind == CODE


def test_an_item_holds_what_is_indented_below_it() -> None:
    found = parts("- a\n\n  ```sh\n\nx\n  ```\n\n  more\n- b\n")
    assert [(one.kind, one.first, one.end) for one in found] == [(ITEM, 0, 8), (ITEM, 8, 9)]


def test_a_tag_holds_what_is_in_it() -> None:
    found = parts("<Gate>\na\n\n<Gate>\nb\n</Gate>\n\nc\n</Gate>\nd\n")
    assert [(one.kind, one.end) for one in found] == [(TAGGED, 9), ("prose", 10)]


def test_a_sentence_that_goes_on_with_a_sign_stays_whole() -> None:
    assert len(parts("a loss of\n>5 points is one\n")) == 1


def test_headings_know_what_they_stand_below() -> None:
    found = parts("# a\n## b\nc\n# d\ne\n")
    assert [one.above for one in found] == [(), (0,), (0, 1), (), (3,)]
