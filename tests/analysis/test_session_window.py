import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.window_builders import component, session_window_of

from tokenbudget.analysis.composition import TITLES, Component, Item
from tokenbudget.analysis.session_window import (
    ComponentCost,
    Record,
    Sample,
    SessionWindow,
    ThreadCost,
    window_from,
)
from tokenbudget.analysis.window_pieces import MESSAGES
from tokenbudget.analysis.window_size import WindowSize
from tokenbudget.budget.forecast import Crossing, Spread

counts = st.integers(0, 10**7)
words = st.text(max_size=12)
shares = st.floats(0, 10)
few = 3


def some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=few).map(tuple)


leaves = st.builds(Item, words, counts, counts, counts, counts, counts, st.just(()))
items = st.builds(Item, words, counts, counts, counts, counts, counts, some(leaves))
parts = st.builds(
    Component, st.sampled_from(sorted(TITLES)), words, counts, counts, words, some(items)
)
spreads = st.none() | st.builds(Spread, *[st.none() | st.floats(0, 1e6)] * 3)
costs = st.builds(ThreadCost, *[words] * 5, counts, some(st.builds(ComponentCost, words, words)))
windows = st.builds(
    SessionWindow,
    agent=words,
    model=words,
    size=st.builds(WindowSize, st.none() | counts, words, st.none() | counts, words),
    calibration_steps=counts,
    calibration_median_error=st.none() | shares,
    calibration_p90_error=shares,
    prompt_tokens=st.none() | counts,
    answer_tokens=counts,
    waiting_tokens=counts,
    at_ms=counts,
    changed_since=words,
    called_servers=some(words),
    requests=counts,
    unexplained_requests=counts,
    record=st.none()
    | st.builds(
        Record, words, st.booleans(), st.booleans(), counts, counts, some(st.tuples(words, counts))
    ),
    components=some(parts),
    samples=some(st.builds(Sample, counts, counts, words, st.booleans())),
    crossings=some(st.builds(Crossing, words, counts, spreads, spreads, spreads, words)),
    cost=st.none() | costs,
    notes=some(words),
    agents=some(st.tuples(words, counts, counts)),
)


@settings(max_examples=50, deadline=None)
@given(windows)
def test_a_window_that_was_kept_is_the_same_window(window: SessionWindow) -> None:
    kept = window_from(json.loads(json.dumps(window)))

    assert kept == window
    assert repr(kept) == repr(window)  # equal tuples may still be of other types


def test_a_kept_window_can_be_asked_what_a_new_one_can() -> None:
    window = session_window_of(component(MESSAGES, 150_000), answer_tokens=2_000)

    kept = window_from(json.loads(json.dumps(window)))

    assert kept.total_tokens == window.total_tokens == 152_000
    assert kept.components[0].title == "Messages"


@pytest.mark.parametrize(
    ("used", "free", "until_compaction"),
    [(0, 200_000, 167_000), (150_000, 50_000, 17_000), (190_000, 10_000, 0), (250_000, 0, 0)],
)
def test_what_is_left_of_a_window(used: int, free: int, until_compaction: int) -> None:
    window = session_window_of(component(MESSAGES, used))

    assert (window.free_tokens, window.until_compaction_tokens) == (free, until_compaction)


def test_of_an_unknown_window_nothing_is_left_or_gone() -> None:
    window = session_window_of(component(MESSAGES, 5), size_tokens=None)

    assert window.total_tokens == 5
    assert (window.free_tokens, window.until_compaction_tokens) == (None, None)


def test_of_an_unknown_prompt_nothing_is_known() -> None:
    window = session_window_of(prompt_tokens=None)

    found = (window.total_tokens, window.free_tokens, window.until_compaction_tokens)
    assert found == (None, None, None)


def test_what_a_compaction_left_nobody_knows_before_the_next_request() -> None:
    window = session_window_of(component(MESSAGES, 5), changed_since="compaction")

    assert window.prompt_tokens == 5
    found = (window.total_tokens, window.free_tokens, window.until_compaction_tokens)
    assert found == (None, None, None)
