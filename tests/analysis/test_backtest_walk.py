"""Strategies led through a thread: what is told when, and which answers are taken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.analysis.backtest_threads import MINUTE_MS, Part, thread
from tests.analysis.test_backtest_strategies import Words, moment, stood

from tokenbudget.analysis.backtest_compacting import (
    KEEP_REQUESTS,
    LEAST_TOKENS,
    SUMMARY_TOKENS,
    Compacting,
)
from tokenbudget.analysis.backtest_walk import Remembering, walk
from tokenbudget.model import window
from tokenbudget.model.replay import SUMMARY_PIECE, Change, Moment


class Saying:
    """A strategy that says what it is told to, by request, and remembers what it was asked."""

    name, basis, said = "saying", "modelled", "says"

    def __init__(self, changes: dict[int, list[Change]]) -> None:
        self._changes = changes
        self.asked: list[Moment] = []

    def walker(self) -> Saying:
        return self

    def before(self, moment: Moment) -> Sequence[Change]:
        self.asked.append(moment)
        return self._changes.get(moment.number, ())


LINE = thread(
    [Part(1_000, 0, text="a b c d"), Part(500, 1, text="e f", left=3), Part(10, 2)],
    [0, MINUTE_MS, 6 * MINUTE_MS, MINUTE_MS],
)


def test_each_request_is_told_with_what_came_and_what_went() -> None:
    saying = Saying({})
    walk(LINE, saying, Words())
    assert [[piece.number for piece in one.fresh] for one in saying.asked] == [[0], [1], [2], []]
    assert [one.gone for one in saying.asked] == [(), (), (), (1,)]
    assert [one.is_cold for one in saying.asked] == [True, False, True, False]
    assert [one.idle_ms for one in saying.asked] == [None, MINUTE_MS, 6 * MINUTE_MS, MINUTE_MS]


def test_a_text_is_worth_what_the_session_paid_for_the_original() -> None:
    walked = walk(LINE, Saying({1: [Change(0, "a", "rule")]}), Words())
    version = walked.version_at(0, 1)
    assert version is not None
    assert version.tokens == pytest.approx(250)
    assert walked.version_at(0, 0) is None
    assert (walked.text_at(0, 0), walked.text_at(0, 3)) == ("a b c d", "a")


def test_what_is_not_in_the_window_cannot_be_changed() -> None:
    changes = {0: [Change(2, "x", "early")], 3: [Change(1, "x", "late"), Change(99, "x", "none")]}
    assert walk(LINE, Saying(changes), Words()).versions == {}


def test_the_last_word_of_a_moment_counts() -> None:
    changes = {1: [Change(0, "a b", "first"), Change(0, "a", "second")]}
    [version] = walk(LINE, Saying(changes), Words()).changes_of(0)
    assert version.by == "second"


def test_a_long_text_is_counted_once() -> None:
    class Counting(Words):
        times = 0

        def count(self, text: str) -> int:
            self.times += 1
            return super().count(text)

    counter = Counting()
    remembering = Remembering(counter)
    assert [remembering.count("a b c") for _ in range(3)] == [3, 3, 3]
    assert counter.times == 1


# ── compaction at a cold moment ──────────────────────────────────────────────────────────────────


def test_a_large_window_is_summarised_when_it_is_cold() -> None:
    walker = Compacting().walker()
    front = stood(0, 9_000.0, kind=window.SYSTEM_PROMPT)
    history = [stood(1, 60_000.0), stood(2, 50_000.0)]
    walker.before(moment(0, [front, *history]))
    late = KEEP_REQUESTS + 1
    assert walker.before(moment(late, window_tokens=LEAST_TOKENS)) == []
    changes = walker.before(moment(late + 1, window_tokens=LEAST_TOKENS, is_cold=True))
    assert [change.piece for change in changes] == [1, 2, 1, SUMMARY_PIECE]
    assert changes[2].share * 60_000 == SUMMARY_TOKENS
    again = moment(late + 2, window_tokens=LEAST_TOKENS, is_cold=True)
    assert walker.before(again) == []
