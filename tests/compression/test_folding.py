"""What is cut out of a long string: one middle, or data; never half an escape."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.compression.folding import LONGEST, LONGEST_PROSE, cuts_of
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE

PROPERTY = settings(deadline=None, max_examples=100, database=None)


@PROPERTY
@given(
    text=st.text(min_size=1, max_size=300), times=st.integers(1, 40), level=st.sampled_from(LEVELS)
)
def test_cuts_are_in_order_and_inside(text: str, times: int, level: str) -> None:
    long = text * times
    at = 0
    for start, end in cuts_of(long, level):
        assert at <= start < end <= len(long)
        at = end


@PROPERTY
@given(
    text=st.text(alphabet='aé"\\\n\u2028😀 ', min_size=40),
    level=st.sampled_from((BALANCED, COMPRESSED)),
)
def test_both_parts_of_a_json_string_are_whole(text: str, level: str) -> None:
    leaf = json.dumps(text * (3_000 // len(text) + 1))
    for start, end in cuts_of(leaf, level):
        for part in (leaf[:start] + '"', '"' + leaf[end:]):
            assert isinstance(json.loads(part), str)


def test_what_is_kept_is_as_long_as_the_level_allows() -> None:
    for text, longest in (("word " * 2_000, LONGEST_PROSE), ("{a=b;c(d)} " * 900, LONGEST)):
        ((start, end),) = cuts_of(text, BALANCED)
        kept = len(text) - (end - start)
        assert longest[BALANCED] - 50 < kept < longest[BALANCED] + 50
        assert text[start - 1] == " " == text[end - 1]


def test_encoded_data_goes_although_the_string_is_not_long() -> None:
    text = "see data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAA" * 20 + " for it"
    ((start, end),) = cuts_of(text, BALANCED)
    assert text[:start].startswith("see data:image/png;base64,iVBOR")
    assert text[end:].endswith("for it")


def test_a_path_and_a_ruler_are_no_data() -> None:
    for text in ("/usr/lib/some_folder-of/a_long/path" * 20, "=" * 500, "-" * 500, "a" * 500):
        assert cuts_of(text, BALANCED) == ()


def test_verbose_folds_nothing() -> None:
    assert cuts_of("word " * 10_000, VERBOSE) == ()
