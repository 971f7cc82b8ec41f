"""A full listing gives its room to others: what a change frees is reckoned of the sums."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.resources.projects import WordCounter

from tokenbudget.model.actions import NEVER_SENT, UNKNOWN_WEIGHT, Weight
from tokenbudget.resources.skill_listing import Listing, listing_of
from tokenbudget.resources.skills import BUNDLED_CHARACTERS
from tokenbudget.resources.weights import Weights

SIZES = st.integers(0, 50_000)


def weights(window_tokens: int = 200_000) -> Weights:
    return Weights(WordCounter(), 1.0, 0.1, window_tokens=window_tokens)


def of(characters: int, window_tokens: int = 200_000) -> Listing:
    line = "- a: bb\n"
    return listing_of([line] * (characters // len(line)), None, weights(window_tokens))


def test_the_measured_listing_is_reckoned_as_it_was_sent() -> None:
    found = of(5_368)
    assert (found.is_full, found.sent_characters) == (True, 8_000)
    assert found.without(285) == 0
    assert found.without(5_365) == 8_000 - found.characters + 5_365


def test_where_there_is_room_everything_counts() -> None:
    found = of(800, window_tokens=1_000_000)
    assert found.without(80) == 80
    assert found.freed(80).tokens == 30  # three words of eight characters
    assert found.freed(80).error_tokens == 3


def test_near_the_end_the_doubt_covers_all_of_it() -> None:
    found = of(800)
    assert not found.is_full
    assert found.freed(800).error_tokens > 0.1 * (found.freed(800).tokens or 0) + 1


def test_of_a_full_listing_no_more_is_in_doubt_than_is_sent() -> None:
    found = of(50_000)._replace(sample=Weight(12_500, 0, "estimated"), sample_characters=50_000)
    freed = found.freed(50_000)
    assert (freed.tokens or 0) + freed.error_tokens <= found.weight(8_000).tokens  # type: ignore[operator]


def test_a_share_of_the_settings_counts() -> None:
    assert listing_of(["x" * 100], 0.05, weights()).most_characters == 40_000


def test_an_older_client_gives_a_larger_window_no_more_room() -> None:
    found = listing_of(["x" * 100], None, weights(1_000_000), is_wide=False)
    assert found.most_characters == 8_000


def test_nothing_weighs_nothing_and_without_a_counter_nobody_knows() -> None:
    empty = listing_of([], None, weights())
    assert empty.characters == BUNDLED_CHARACTERS
    assert empty.freed(0) == NEVER_SENT
    assert listing_of(["- a: b\n"], None, Weights()).freed(7) == UNKNOWN_WEIGHT


@given(SIZES, SIZES, SIZES)
def test_never_more_than_leaves_and_never_less_than_nothing(
    characters: int, most: int, gone: int
) -> None:
    found = Listing(characters, most, NEVER_SENT, 0)
    assert 0 <= found.without(gone) <= min(gone, characters, most)
    assert found.without(gone) <= found.without(gone + 1)
