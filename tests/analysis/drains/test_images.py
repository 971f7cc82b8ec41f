"""Images: carried on after the talk went elsewhere."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import READ_USD, TEXT_ERROR, Thread, thread

from tokenbudget.analysis.drains.images import DOUBT, IMAGE
from tokenbudget.analysis.study import Sighting
from tokenbudget.analysis.thread_view import ThreadView


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert IMAGE.detect is not None
    return list(IMAGE.detect(story.view(), set() if claimed is None else claimed))


def shown(tokens: int = 1_500, at_work: int = 10) -> Thread:
    """An image in a prompt, and the requests that worked on it."""
    return thread().prompt("Make it look like this.").image(tokens).goes_on(at_work)


def test_an_image_is_charged_from_the_next_prompt_on() -> None:
    """1,500 tokens, 12 requests after a prompt about something else."""
    story = shown().prompt("Now the tests.").goes_on(12)
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times) == ("image", "", 1)
    assert one.window_tokens == 1_500
    assert one.sent_tokens == 12 * 1_500
    assert one.cost_pico_usd == pytest.approx(12 * 1_500 * READ_USD * 1e12, rel=0.01)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert one.line == 2
    assert claimed == {1}
    assert found(story, claimed) == []


def test_images_of_one_tool_are_told_together() -> None:
    """Two screenshots of a browser."""
    story = thread().prompt("Look.")
    for _ in range(2):
        story.call("mcp__browser__shot", {}, "taken").image(1_000, "mcp__browser__shot")
    story.goes_on(12).prompt("Next.").goes_on(10)
    assert [(one.subject, one.times, one.sent_tokens) for one in found(story)] == [
        ("mcp__browser__shot", 2, 20_000)
    ]


@pytest.mark.parametrize(
    "story",
    [
        shown().goes_on(40),
        shown().prompt("Now the tests.").goes_on(9),
        shown(at_work=3).prompt("A bit to the left.").goes_on(30),
        shown(400).prompt("Now the tests.").goes_on(30),
        shown().prompt("Now the tests.").goes_on(5).compact().goes_on(30),
        thread().prompt("No picture at all.").goes_on(10).prompt("On.").goes_on(30),
    ],
    ids=["same task", "few after", "prompt about it", "small", "compacted", "none"],
)
def test_an_image_at_work_is_no_loss(story: Thread) -> None:
    """It is looked at, or it is soon gone."""
    assert found(story) == []


def test_in_a_subagent_more_requests_stand_for_the_prompt() -> None:
    """Twenty of them; nobody speaks to it."""
    story = thread("a1").prompt("Describe it.").image(1_500).goes_on(29)
    assert found(story) == []
    assert [one.sent_tokens for one in found(story.goes_on(1))] == [15_000]


def grown(view: ThreadView, request: int, tokens: int) -> ThreadView:
    """The same thread, but from a request on more was sent than its pieces tell."""
    turns = [
        turn._replace(prompt_tokens=turn.prompt_tokens + (tokens if turn.number >= request else 0))
        for turn in view.turns
    ]
    return view._replace(turns=turns)


def test_an_image_that_was_not_counted_is_what_its_request_grew_by() -> None:
    """Two images of 8 tokens by the words of the transcript, 3,000 more by the bill."""
    story = thread().prompt("Hello.").goes_on(1).prompt("Compare.").image(8).image(8).goes_on(10)
    view = grown(story.prompt("Next.").goes_on(10).view(), 1, 3_000)
    assert IMAGE.detect is not None
    [one] = IMAGE.detect(view, set())
    assert one.times == 2
    assert one.window_tokens == 2 * 1_508
    assert one.sent_tokens == 10 * 2 * 1_508


@pytest.mark.parametrize("tokens", [0, 600, 40_000])
def test_growth_that_is_no_image_is_none(tokens: int) -> None:
    """Too little for two images, or more than they can be."""
    story = thread().prompt("Hello.").goes_on(1).prompt("Compare.").image(8).image(8).goes_on(10)
    view = grown(story.prompt("Next.").goes_on(10).view(), 1, tokens)
    assert IMAGE.detect is not None
    assert list(IMAGE.detect(view, set())) == []
