"""Long thinking of which nothing came but small steps."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import MODEL, OUTPUT_USD, TEXT_ERROR, WRITE_USD, Thread, thread

from tokenbudget.analysis.drains.thinking import DOUBT, FREE_TOKENS, THINKING
from tokenbudget.analysis.study import Sighting


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert THINKING.detect is not None
    return list(THINKING.detect(story.view(), set() if claimed is None else claimed))


def begun() -> Thread:
    """A thread in which something was done."""
    return thread().prompt("Fix the rounding of totals.").says("Fixed.")


def chore(tokens: int = 2_000, prompt: str = "delete the branch") -> Thread:
    """A small wish, thought about at length."""
    story = begun().prompt(prompt).asks().thinks("hm", tokens=tokens)
    return story.bash("git checkout main", "Switched").says("Done.")


def test_a_chore_thought_about_at_length_is_charged_over_what_is_free() -> None:
    """2,000 tokens written, and sent once with the next request."""
    story = chore()
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("thinking", MODEL, 1)
    share = 1 - FREE_TOKENS / 2_000
    assert one.sent_tokens == round(2 * 2_000 * share)
    assert one.cost_pico_usd == round(2_000 * (OUTPUT_USD + WRITE_USD) * share * 1e12)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert one.line == story.view().turns[1].line


def test_a_line_in_reply_to_a_line_counts() -> None:
    """Nothing was asked that a table of contents would not answer."""
    story = begun().prompt("thanks").thinks("hm", tokens=1_500).says("You are welcome.")
    assert len(found(story.goes_on(0))) == 1


@pytest.mark.parametrize(
    "story",
    [
        chore(tokens=900),
        chore(prompt="think about " + "every case of the parser " * 40),
        chore().edit("a.py", "a", "b").goes_on(1),
        chore().says("The reason is that " + "the branch was merged " * 60),
        begun().prompt("why?").thinks("hm", tokens=2_000).says("Because " + "it rounds " * 60),
        begun().prompt("go").asks().thinks("hm", tokens=2_000).bash("npm test", "ok").says("ok"),
        begun().bash("cat a", "x" * 9_000).thinks("hm", tokens=2_000).bash("ls", "a").says("."),
        thread().prompt("hi").asks().thinks("hm", tokens=2_000).bash("ls", "a").says("."),
        begun().prompt("x").asks(owned=False).thinks("hm", tokens=2_000).bash("ls", "a").says("."),
    ],
    ids=[
        "short", "long prompt", "an edit came of it", "long answer", "answered at length", "test",
        "much to read", "first request", "owned elsewhere",
    ],
)  # fmt: skip
def test_thinking_that_may_have_been_needed(story: Thread) -> None:
    """Each differs from the first story in one way."""
    assert found(story) == []


def test_what_comes_after_the_next_prompt_is_another_matter() -> None:
    """The chore was done by then."""
    story = chore().prompt("now rewrite the parser").edit("a.py", "a", "b").goes_on(1)
    assert len(found(story)) == 1


def test_what_is_charged_is_claimed() -> None:
    """And what was claimed is not charged."""
    story, claimed = chore(), set[int]()
    assert found(story, claimed)
    assert [story.view().seen[number].kind for number in claimed] == ["thinking"]
    assert found(story, claimed) == []
