from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.window_size import RESERVE_TOKENS, WindowSize, own_window, window_size

LARGE, SMALL, UNHEARD = "claude-opus-5-5", "claude-sonnet-4-5", "mystery-1"


def size_of(
    model: str,
    own: Mapping[str, int] | None = None,
    reserve: int | None = None,
    seen: int = 0,
    compacted: Sequence[int] = (),
) -> WindowSize:
    return window_size(model, own or {}, reserve, seen, compacted)


class TestSize:
    @pytest.mark.parametrize("key", [LARGE, "Claude-Opus-5-5", "claude-opus-*", "*"])
    def test_the_persons_own_figure_goes_first(self, key: str) -> None:
        found = size_of(LARGE, {key: 300_000}, seen=900_000)

        assert (found.tokens, found.origin) == (300_000, "setting")

    def test_the_exact_name_then_the_longest_beginning_decides(self) -> None:
        own = {"*": 1, "claude-*": 2, "claude-opus-*": 3, LARGE: 4}

        assert own_window(LARGE, own) == 4
        assert own_window("claude-opus-5", own) == 3
        assert own_window(SMALL, own) == 2
        assert own_window(UNHEARD, own) == 1
        assert own_window(SMALL, {LARGE: 4}) is None

    def test_what_is_published_stands_until_something_else_is_seen(self) -> None:
        assert size_of(LARGE)[:2] == (1_000_000, "published")
        assert size_of(SMALL, seen=200_000)[:2] == (200_000, "published")

    def test_a_larger_prompt_than_published_shows_the_large_window(self) -> None:
        assert size_of(SMALL, seen=200_001)[:2] == (1_000_000, "observed")

    def test_a_larger_prompt_than_any_window_leaves_it_unknown(self) -> None:
        assert size_of(LARGE, seen=1_000_001) == WindowSize(None, "unknown", None, "unknown")

    def test_an_early_compaction_shows_the_standard_window(self) -> None:
        found = size_of(LARGE, seen=160_000, compacted=[150_000, 167_000])

        assert (found.tokens, found.origin) == (200_000, "observed")

    @pytest.mark.parametrize(("seen", "compacted"), [(300_000, 167_000), (160_000, 900_000)])
    def test_a_compaction_that_contradicts_it_does_not(self, seen: int, compacted: int) -> None:
        assert size_of(LARGE, seen=seen, compacted=[compacted])[:2] == (1_000_000, "published")

    def test_of_an_unheard_model_nothing_is_known_whatever_was_seen(self) -> None:
        found = size_of(UNHEARD, seen=150_000, compacted=[160_000])

        assert found == WindowSize(None, "unknown", None, "unknown")
        assert found.usable_tokens is None


class TestReserve:
    def test_the_persons_own_figure_goes_first(self) -> None:
        found = size_of(SMALL, reserve=12_000, compacted=[167_000])

        assert (found.reserve_tokens, found.reserve_origin) == (12_000, "setting")
        assert found.usable_tokens == 188_000

    def test_nought_is_a_figure(self) -> None:
        found = size_of(SMALL, reserve=0)

        assert (found.reserve_tokens, found.usable_tokens) == (0, 200_000)

    def test_it_is_observed_from_the_fullest_automatic_compaction(self) -> None:
        found = size_of(SMALL, compacted=[155_000, 167_000])

        assert (found.reserve_tokens, found.reserve_origin) == (33_000, "observed")

    @pytest.mark.parametrize("compacted", [100_000, 200_001])
    def test_a_compaction_at_an_impossible_size_says_nothing(self, compacted: int) -> None:
        found = size_of(SMALL, compacted=[compacted])

        assert (found.reserve_tokens, found.reserve_origin) == (RESERVE_TOKENS, "assumed")

    def test_otherwise_what_the_client_shows_is_assumed(self) -> None:
        assert size_of(LARGE)[2:] == (RESERVE_TOKENS, "assumed")

    def test_a_small_window_keeps_at_most_a_quarter(self) -> None:
        found = size_of(LARGE, {"*": 40_000})

        assert (found.reserve_tokens, found.usable_tokens) == (10_000, 30_000)

    def test_a_reserve_larger_than_the_window_leaves_nothing(self) -> None:
        assert size_of(SMALL, reserve=300_000).usable_tokens == 0


class TestReported:
    def test_what_the_agent_reports_goes_before_what_is_published(self) -> None:
        found = window_size(LARGE, {}, None, 90_000, (), 200_000)
        assert (found.tokens, found.origin) == (200_000, "reported")

    def test_the_persons_own_figure_goes_before_that(self) -> None:
        found = window_size(LARGE, {"*": 300_000}, None, 90_000, (), 200_000)
        assert (found.tokens, found.origin) == (300_000, "setting")

    def test_a_model_that_nobody_knows_has_the_window_that_its_agent_reports(self) -> None:
        assert window_size(UNHEARD, {}, None, 0, (), 128_000).tokens == 128_000


@given(
    st.sampled_from([LARGE, SMALL, UNHEARD, ""]),
    st.dictionaries(st.sampled_from(["*", "claude-*", SMALL]), st.integers(1, 2_000_000)),
    st.none() | st.integers(0, 500_000),
    st.integers(0, 2_000_000),
    st.lists(st.integers(0, 2_000_000), max_size=4),
)
def test_a_window_is_never_smaller_than_what_is_usable_of_it(
    model: str, own: dict[str, int], reserve: int | None, seen: int, compacted: list[int]
) -> None:
    found = window_size(model, own, reserve, seen, compacted)

    if found.tokens is None:
        assert (found.usable_tokens, found.origin) == (None, "unknown")
    else:
        assert found.usable_tokens is not None
        assert 0 <= found.usable_tokens <= found.tokens
