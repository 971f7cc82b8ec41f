"""Subagents whose set-up outweighs their task."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import READ_USD, TEXT_ERROR, WRITE_USD, Thread, thread

from tokenbudget.analysis.drains.subagents import DOUBT, SUBAGENT
from tokenbudget.analysis.study import Sighting

AGENT = "a4ca7529859c158c2"


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert SUBAGENT.detect is not None
    return list(SUBAGENT.detect(story.view(), set() if claimed is None else claimed))


def agent(name: str = AGENT, prefix_tokens: int = 15_000) -> Thread:
    """A subagent that was given a task."""
    return thread(name, prefix_tokens=prefix_tokens).prompt("Which version is in package.json?")


def test_one_look_with_a_set_up_of_its_own() -> None:
    """15,000 tokens written, then read once, for 50 tokens of a file."""
    story = agent().read("package.json", "{}", tokens=50).says("It is 4.2.")
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("subagent", "", 1)
    assert one.window_tokens == 15_000
    assert one.sent_tokens == 30_000
    assert one.cost_pico_usd == pytest.approx(15_000 * (WRITE_USD + READ_USD) * 1e12, rel=0.01)
    assert one.error_tokens == round(30_000 * (TEXT_ERROR + DOUBT))
    assert one.detail.startswith(
        "15,000 tokens of set-up, sent 2 times, for 1 call that brought 50"
    )


def test_calls_side_by_side_are_one_request() -> None:
    """The caller would have made them at once, too."""
    story = agent().asks(3).read("a", "x").read("b", "y").bash("ls", "z").says("Done.")
    assert len(found(story)) == 1


def test_no_call_at_all_is_a_question_that_needed_no_agent() -> None:
    """Its answer was all it had."""
    assert len(found(agent().says("I would say 4."))) == 1


@pytest.mark.parametrize(
    "story",
    [
        thread("", prefix_tokens=15_000).prompt("Which?").read("a", "x").says("4"),
        agent().read("a", "x").read("b", "y").says("Both."),
        agent().read("a", "x", tokens=9_000).says("Long."),
        agent(prefix_tokens=2_000).read("a", "x").says("4"),
        agent().read("a", "x").says("word " * 99, tokens=20_000),
        agent("acompact-12ab").says("Summary."),
        thread(AGENT, prefix_tokens=15_000).prompt("Warmup").says("Ready."),
        thread(AGENT, prefix_tokens=15_000).says("Nobody asked."),
        agent().asks(owned=False).read("a", "x").says("4"),
        thread(AGENT).prompt("p" * 60_000).says("4"),
        thread(AGENT, prefix_tokens=15_000),
    ],
    ids=[
        "main thread", "two requests with calls", "read much", "small set-up", "wrote much",
        "compaction", "warm-up", "no task", "owned elsewhere", "large task", "no request",
    ],
)  # fmt: skip
def test_what_is_no_overhead(story: Thread) -> None:
    """Each differs from the first story in one way."""
    assert found(story) == []


def test_its_set_up_is_charged_once() -> None:
    """By whoever comes first."""
    story, claimed = agent().read("a", "x").says("4"), set[int]()
    assert found(story, claimed)
    assert claimed == {0}
    assert found(story, claimed) == []
