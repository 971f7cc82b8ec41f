"""Lists of paths as trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_survives, drafted

from tokenbudget.compression.codecs import listing
from tokenbudget.compression.codecs.listing import CODEC
from tokenbudget.compression.passage import LEVELS, VERBOSE

OPENING = "[~"

FOUND = """\
/home/dev/shop/src/shop/cart.py
/home/dev/shop/src/shop/price.py
/home/dev/shop/src/shop/tax/germany.py
/home/dev/shop/src/shop/tax/france.py
/home/dev/shop/src/shop/tax/spain.py
/home/dev/shop/README.md
/home/dev/shop/tests/test_cart.py
/home/dev/shop/tests/test_price.py
/home/dev/shop/tests/data"""


def test_a_folder_stands_once_above_what_lies_in_it() -> None:
    draft = drafted(CODEC, FOUND, VERBOSE)
    assert draft is not None
    assert draft.is_lossless
    assert (
        draft.text
        == """\
/home/dev/shop/
 src/shop/
  cart.py
  price.py
  tax/germany.py
  tax/france.py
  tax/spain.py
 README.md
 tests/
  test_cart.py
  test_price.py
  data"""
    )
    assert listing.decode(draft.text, OPENING) == FOUND


def test_what_is_no_path_stays_where_it_is() -> None:
    text = f"Found 9 files\n{FOUND}\n\n(Results are truncated.)"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.startswith("Found 9 files\n/home/dev/shop/\n")
    assert draft.text.endswith("\n\n(Results are truncated.)")
    assert listing.decode(draft.text, OPENING) == text


@pytest.mark.parametrize(
    "line",
    ["https://x.example/{n}", "a/b {n}", "import x/{n} from y", "  a/{n}", "// a {n}", "</a{n}>"],
)
def test_lines_with_slashes_are_not_all_paths(line: str) -> None:
    assert drafted(CODEC, "\n".join(line.format(n=n) for n in range(40))) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


_PART = st.sampled_from(["src", "a", "shop", "x.py", "déjà", "...", "b-c", "tests", "[id]"])
_PATHS = st.builds(
    lambda root, parts, end: root + "/".join(parts) + end,
    st.sampled_from(["", "/", "./", "../", "C:/"]),
    st.lists(_PART, min_size=1, max_size=5),
    st.sampled_from(["", "", "", "/"]),
)
_LINE = st.one_of(_PATHS, _PATHS, _PATHS, st.sampled_from(["", " x", "  a/", "Found 3", "src/"]))


@given(st.lists(_LINE, min_size=8, max_size=60), st.booleans())
def test_what_is_listed_can_be_made_again(lines: list[str], is_sorted: bool) -> None:
    text = "\n".join(sorted(lines) if is_sorted else lines)
    draft = drafted(CODEC, text)
    if draft is not None:
        assert draft.is_lossless
        assert listing.decode(draft.text, OPENING) == text
