"""A thread's calls, words and prompts by request."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import READ_USD, WRITE_USD, thread

from tokenbudget.analysis.drains.charges import Charge
from tokenbudget.analysis.drains.turn_facts import TurnFacts


def facts() -> TurnFacts:
    """Three requests: a read, a word on it, and an answer to a second prompt."""
    story = thread(prefix_tokens=1_000).prompt("go", tokens=10).read("a.py", "x", tokens=500)
    story.says("It is x.", tokens=7).prompt("thanks", tokens=5).says("Bye.", tokens=3).goes_on(1)
    return TurnFacts(story.view())


def test_everything_is_found_by_its_request() -> None:
    """Prompts by the request that sent them first, words by the one that was answered."""
    known = facts()
    assert [call.name for call in known.calls(0)] == ["Read"]
    assert known.calls(1) == known.calls(99) == []
    assert sorted(known.prompts) == [0, 2]
    assert (known.said[1], known.said[2], known.said[0]) == (7, 3, 0)
    assert known.is_prompted(1, 2)
    assert not known.is_prompted(1, 1)
    result = known.calls(0)[0].result
    assert result is not None
    assert result.number in known.pieces_of(0)
    assert known.pieces_of(1) == set()


def test_what_is_sent_again_leaves_out_what_is_charged() -> None:
    """The first request sends nothing again; what is new in a request is not sent again."""
    known = facts()
    turns = known.view.turns
    result = known.calls(0)[0].result
    assert result is not None
    assert known.resent(0, set()) == Charge()
    assert known.resent(99, set()) == Charge()
    sent = turns[0].prompt_tokens
    assert known.resent(1, set()) == Charge(0.0, sent, sent * READ_USD)
    assert known.resent(1, {result.number}).sent_tokens == sent
    assert known.resent(2, {result.number}).sent_tokens == turns[1].prompt_tokens - 500


def test_a_piece_is_carried_at_the_price_of_reading_it() -> None:
    """But for the request that sent it first; requests that are charged as a whole are left out."""
    known = facts()
    result = known.calls(0)[0].result
    use = known.calls(0)[0].use
    assert result is not None
    assert use is not None
    always = range(len(known.view.turns))
    whole = known.carried(result, always, set())
    assert whole[:2] == (500, 1_500)
    assert whole.usd == pytest.approx(500 * (WRITE_USD + 2 * READ_USD))
    assert known.carried(result, range(2, 3), set()) == Charge(500, 500, 500 * READ_USD)
    assert known.carried(known.view.seen[0], always, {use.number}).sent_tokens == 3 * 1_000
    assert known.is_charged(0, {use.number})
    assert not known.is_charged(1, {use.number})
