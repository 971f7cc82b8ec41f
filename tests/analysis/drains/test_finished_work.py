"""Finished work: calls and results of which nothing came back, in a window nobody compacted."""

from __future__ import annotations

import pytest
from tests.analysis.drains.test_whole_files import name_of
from tests.analysis.drains.threads import (
    OUTPUT_USD,
    READ_USD,
    TEXT_ERROR,
    WRITE_USD,
    Thread,
    thread,
)

from tokenbudget.analysis.drains.compactions import LATE_COMPACTION
from tokenbudget.analysis.drains.finished_work import DOUBT, LEAST_REQUESTS, SUMMARY_TOKENS
from tokenbudget.analysis.study import Sighting


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert LATE_COMPACTION.detect is not None
    return list(LATE_COMPACTION.detect(story.view(), set() if claimed is None else claimed))


def text_of(file: int) -> str:
    """A file whose names stand in no other."""
    return "".join(f"{name_of(n)} = shop.item({n:05})\n" for n in range(file * 10, file * 10 + 9))


def worked(files: int = 3, each: int = 20_000, prefix: int = 50_000) -> Thread:
    """So many files were read for a first task."""
    story = thread(prefix_tokens=prefix, window_tokens=1_000_000).prompt("fix the cart")
    for number in range(files):
        story.read(f"cart_{number}.py", text_of(number), tokens=each)
    return story.says("Fixed.")


def went_on(story: Thread, requests: int = 40) -> Thread:
    """Another task in the same window."""
    return story.prompt("now build the login page").goes_on(requests)


def test_what_nothing_came_back_of_is_charged_from_the_prompt_on() -> None:
    """Less a summary that would have stood in its place, and its making."""
    story = went_on(worked())
    view = story.view()
    work = view.calls
    tokens = sum(c.use.tokens + c.result.tokens for c in work if c.use and c.result)
    spared = tokens - SUMMARY_TOKENS
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times) == ("late-compaction", "", 1)
    assert one.line == view.turns[4].line
    assert one.window_tokens == spared
    assert one.sent_tokens == 40 * spared - SUMMARY_TOKENS
    usd = 40 * spared * READ_USD - SUMMARY_TOKENS * (OUTPUT_USD + WRITE_USD)
    assert one.cost_pico_usd == pytest.approx(usd * 1e12, rel=1e-6)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert one.detail.startswith("3 calls and results of ")
    assert "carried by 40 more requests" in one.detail
    assert one.detail.endswith("and was not compacted")
    pieces = {p.number for c in work for p in (c.use, c.result) if p is not None}
    assert claimed == pieces
    assert found(story, claimed) == []


def test_what_is_used_again_would_have_been_read_again() -> None:
    """It is no part of what was carried in vain, and reading it again is paid."""
    story = went_on(worked(4).prompt("more").says("ok")).edit("cart_3.py", "x", "y").goes_on(1)
    plain = went_on(worked(4).prompt("more").says("ok")).edit("other.py", "x", "y").goes_on(1)
    [less], [more] = found(story), found(plain)
    assert less.window_tokens < more.window_tokens - 19_000
    assert less.detail.startswith("3 calls")
    assert more.detail.startswith("4 calls")


def test_a_compaction_by_hand_ends_it() -> None:
    """The results went with it."""
    story = went_on(worked()).compact(trigger="manual").goes_on(3)
    [one] = found(story)
    assert one.detail.endswith("until it was compacted")
    assert "carried by 40 more requests" in one.detail


def test_two_tasks_are_told_one_by_one() -> None:
    """What the second left behind is carried by the third alone."""
    story = went_on(worked(), 120)
    for number in range(3, 6):
        story.read(f"login_{number}.py", text_of(number), tokens=30_000)
    story.prompt("and now build the footer").goes_on(60)
    claimed: set[int] = set()
    both = found(story, claimed)
    assert len(both) == 2
    assert found(story, claimed) == []


@pytest.mark.parametrize(
    "story",
    [
        worked().goes_on(40),
        worked().prompt("<task-notification>done</task-notification>").goes_on(40),
        went_on(worked(), LEAST_REQUESTS - 2),
        went_on(worked(prefix=20_000)),
        went_on(worked(each=4_000)),
        went_on(worked(3, each=5_500, prefix=250_000)),
        went_on(worked()).says("See cart_0.py, cart_1.py and cart_2.py.").goes_on(1),
        went_on(worked()).prompt("cart_0.py? cart_1.py? cart_2.py?").goes_on(1),
        went_on(worked()).says(" ".join(name_of(n) for n in (3, 13, 23))).goes_on(1),
        went_on(worked()).says("\n".join(text_of(n) for n in range(3))).goes_on(1),
        went_on(worked(0).read("guide.md", "Be kind.\n" * 9, tokens=60_000).says("ok")),
        went_on(worked(0).call("Skill", {"skill": "x"}, "Be kind.", tokens=60_000).says("ok")),
        went_on(worked().asks(owned=False)),
    ],
    ids=["no prompt", "notice", "few requests", "small window", "little", "small share", "named",
         "asked for", "names used", "quoted", "prose", "skill", "owned elsewhere"],
)  # fmt: skip
def test_what_is_of_use_or_too_little_is_no_loss(story: Thread) -> None:
    """Each differs from the first story in one way."""
    assert found(story) == []


@pytest.mark.parametrize(
    ("said", "asked", "count"),
    [
        ("now build the login page", "Fixed.", 1),
        ("yes", "Fixed.", 0),
        ("yes, please go on", "Fixed.", 0),
        ("the second one of them, please", "Shall I squash these or keep them?", 0),
    ],
)
def test_a_word_in_between_and_an_answer_begin_nothing(said: str, asked: str, count: int) -> None:
    """Nobody would compact there."""
    story = worked().says(asked).prompt(said).goes_on(60)
    assert len(found(story)) == count


def test_an_answer_to_a_form_begins_nothing() -> None:
    """The agent had asked, and waits."""
    form = worked().call("AskUserQuestion", {"questions": []}, "Answered.")
    assert found(form.prompt("the second one of them, please").goes_on(60)) == []


def test_the_nearest_earlier_prompt_that_begins_something_is_taken() -> None:
    """What stood there then is charged from there on."""
    [one] = found(went_on(worked(), 2).prompt("yes").goes_on(40))
    assert one.line == worked().view().turns[-1].line + 2
