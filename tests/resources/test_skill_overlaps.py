"""Skills that say the same: copies, and descriptions that cannot be told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.skill_overlaps import Overlap, Text, overlaps_in

BODY = " ".join(f"word{number} is followed by word{number + 1}" for number in range(60))
OTHER = " ".join(f"another{number} stands alone here{number}" for number in range(60))
WORDS = st.text(max_size=60)


def names(found: list[Overlap]) -> list[tuple[str, str, str]]:
    return [(one.first, one.second, one.what) for one in found]


def test_a_copy_with_a_changed_line_is_told() -> None:
    texts = [Text("a", "", BODY), Text("b", "", BODY + " and one line more"), Text("c", "", OTHER)]
    [found] = overlaps_in(texts)
    assert (found.first, found.second, found.what) == ("a", "b", "text")
    assert found.share > 0.9


def test_descriptions_that_say_the_same_are_told_once() -> None:
    about = "Helps with release notes whenever somebody wants those written for customers"
    texts = [Text("a", about, BODY), Text("b", about + " today", OTHER), Text("c", "Short.", "")]
    assert names(overlaps_in(texts)) == [("a", "b", "description")]
    both = [Text("a", about, BODY), Text("b", about, BODY)]
    assert names(overlaps_in(both)) == [("a", "b", "text")]


def test_few_words_in_common_say_nothing() -> None:
    assert (
        overlaps_in([Text("a", "Do it well.", "Do it."), Text("b", "Do it well.", "Do it.")]) == []
    )


def test_a_thousand_alike_are_not_compared_pair_by_pair() -> None:
    texts = [Text(f"s{number:03}", "", BODY) for number in range(1_000)]
    assert len(overlaps_in(texts)) == 999


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=6))
def test_any_texts_are_compared(texts: list[tuple[str, str, str]]) -> None:
    for one in overlaps_in([Text(*words) for words in texts]):
        assert 0 < one.share <= 1
