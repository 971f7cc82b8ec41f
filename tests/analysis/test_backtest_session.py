"""Threads added up to sessions, and sessions to strategies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.analysis.backtest_threads import MINUTE_MS, Part, biller, thread
from tests.analysis.test_backtest_strategies import Words

from tokenbudget.analysis.backtest_pruning import AT_ONCE, Pruning
from tokenbudget.analysis.backtest_result import SessionResult, Shortening, merged, saved_share
from tokenbudget.analysis.backtest_session import Subject, backtest_of, thread_results
from tokenbudget.analysis.backtest_strategies import AsItWas
from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.model.protocols import Strategy, TokenCounter

STRATEGIES: Sequence[Strategy] = (AsItWas(), Pruning(AT_ONCE._replace(keep_requests=1)))


def chosen(_counter: TokenCounter, _subject: Subject) -> Sequence[Strategy]:
    return STRATEGIES


def results(line: Timeline) -> list[SessionResult]:
    return thread_results(line, chosen, Words(), biller(), has_requests=True)


def line(tokens: int, session: str = "s", name: str = "") -> Timeline:
    parts = [Part(tokens, 0, text="one two three " * 200)]
    return thread(parts, [0, MINUTE_MS, MINUTE_MS])._replace(session=session, thread=name)


def test_a_session_is_its_threads_together() -> None:
    main, agent, other = line(9_000), line(500, name="a1"), line(40_000, "t")
    found = backtest_of([results(one) for one in (main, agent, other)], STRATEGIES)
    assert (found.sessions, found.threads, found.requests) == (2, 3, 9)
    as_it_was, pruned = found.strategies
    assert [one.session for one in as_it_was.sessions] == ["t", "s"]
    assert as_it_was.sessions[1].was.tokens.total == pytest.approx(
        sum(results(one)[0].was.tokens.total for one in (main, agent))
    )
    assert as_it_was.saved_share == 0
    assert as_it_was.was == pruned.was
    assert pruned.result_tokens_now < pruned.result_tokens_was
    assert len(pruned.sessions[1].by_request) == 6


def test_what_nobody_is_billed_for_here_is_left_out() -> None:
    copied = line(900)
    sendings = [one._replace(is_owned=False) for one in copied.sendings]
    assert results(copied._replace(sendings=sendings)) == []


def test_nothing_at_all_is_an_answer_too() -> None:
    found = backtest_of([], STRATEGIES)
    assert (found.sessions, found.strategies[0].saved_share) == (0, 0.0)


def test_rows_of_one_tool_and_codec_are_one_and_the_best_comes_first() -> None:
    small = Shortening("Bash", "tool_result", "runs", 1, 10, 5, 100, 50, 0.1)
    large = Shortening("Read", "tool_result", "seen", 1, 10, 5, 100, 50, 0.15)
    assert merged([small, large, small]) == (
        Shortening("Bash", "tool_result", "runs", 2, 20, 10, 200, 100, 0.2),
        large,
    )


def test_a_share_of_nothing_is_nothing() -> None:
    assert (saved_share(0, 0), saved_share(4, 3), saved_share(4, 5)) == (0, 0.25, -0.25)
