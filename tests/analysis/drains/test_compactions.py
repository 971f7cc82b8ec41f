"""Compactions that came late, or early."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import (
    OUTPUT_USD,
    READ_USD,
    TEXT_ERROR,
    WRITE_USD,
    Thread,
    thread,
)

from tokenbudget.analysis.drains.compactions import (
    EARLY_COMPACTION,
    EARLY_DOUBT,
    LATE_COMPACTION,
    LATE_DOUBT,
)
from tokenbudget.analysis.study import Sighting

TEXT = "x = 1\ny = 2\n"


def late(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector of late ones sees."""
    assert LATE_COMPACTION.detect is not None
    return list(LATE_COMPACTION.detect(story.view(), set() if claimed is None else claimed))


def early(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector of early ones sees."""
    assert EARLY_COMPACTION.detect is not None
    return list(EARLY_COMPACTION.detect(story.view(), set() if claimed is None else claimed))


# ── late ─────────────────────────────────────────────────────────────────────────────────────────


def first_topic(files: int = 3) -> Thread:
    """So many files of 20,000 tokens each, and done."""
    story = thread().prompt("fix the cart")
    for number in range(files):
        story.read(f"cart_{number}.py", TEXT, tokens=60_000 // files)
    return story.says("Fixed.")


def second_topic(story: Thread, requests: int = 40, tokens: int = 90_000) -> Thread:
    """Another task, until the window is full."""
    story.prompt("now build the login page").read("login.py", TEXT, tokens=tokens)
    return story.goes_on(requests)


def test_a_finished_topic_is_charged_from_the_next_one_to_the_compaction() -> None:
    """Less the summary that would have taken its place."""
    story = second_topic(first_topic()).compact("s" * 4_000).goes_on(2)
    view = story.view()
    boundary, first = 4, view.compactions[0][0]
    older = [p for p in view.seen if p.entered < boundary and p.kind != "prompt"]
    tokens, requests, summary = sum(p.tokens for p in older), first - boundary, 1_000
    [one] = late(story)
    assert (one.drain, one.subject, one.times) == ("late-compaction", "", 1)
    assert one.window_tokens == tokens - summary
    assert one.sent_tokens == tokens * requests - summary * (requests + 1)
    usd = tokens * requests * READ_USD
    usd -= summary * (requests * READ_USD + WRITE_USD + OUTPUT_USD)
    assert one.cost_pico_usd == pytest.approx(usd * 1e12, rel=0.001)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + LATE_DOUBT))
    assert one.line == view.turns[boundary].line


@pytest.mark.parametrize(
    "story",
    [
        second_topic(first_topic(), requests=10).compact().goes_on(2),
        second_topic(first_topic(), tokens=30_000).compact(trigger="manual").goes_on(2),
        second_topic(first_topic(), tokens=20_000).compact().goes_on(2),
        second_topic(first_topic(files=2)).compact().goes_on(2),
        second_topic(first_topic()).edit("cart_1.py", "x", "y").goes_on(1).compact().goes_on(2),
        second_topic(first_topic()).compact().read("cart_1.py", TEXT).goes_on(2),
        second_topic(first_topic()).prompt("and cart_1.py?").goes_on(1).compact().goes_on(2),
        second_topic(first_topic(), tokens=30_000).goes_on(2),
        second_topic(first_topic().asks(owned=False)).compact().goes_on(2),
    ],
    ids=[
        "few requests", "by hand", "room left", "few files", "touched", "touched after", "named",
        "no compaction", "owned elsewhere",
    ],
)  # fmt: skip
def test_what_is_not_late(story: Thread) -> None:
    """Each differs from the first story in one way."""
    assert late(story) == []


def test_one_long_topic_is_not_late() -> None:
    """Without another prompt, nothing is known to be finished."""
    story = first_topic().read("login.py", TEXT, tokens=90_000).goes_on(40).compact().goes_on(1)
    assert late(story) == []


# ── early ────────────────────────────────────────────────────────────────────────────────────────


def compacted(trigger: str = "manual", tokens: int = 3_000) -> Thread:
    """Two files read, and compacted with most of the window free."""
    story = thread(prefix_tokens=10_000).prompt("fix it")
    story.read("a.py", TEXT, tokens=tokens).read("b.py", TEXT + "z = 3\n", tokens=tokens)
    return story.goes_on(1).compact(trigger=trigger)


def read_again(story: Thread, tokens: int = 3_000) -> Thread:
    """Both files once more."""
    story.read("a.py", TEXT, tokens=tokens).read("b.py", TEXT + "z = 3\n", tokens=tokens)
    return story.goes_on(1)


def test_what_is_read_again_after_an_early_compaction_is_charged() -> None:
    """Results and calls: the first is sent twice, the second once."""
    story = read_again(compacted())
    use = story.view().calls[2].use
    assert use is not None
    [one] = early(story)
    assert (one.drain, one.subject, one.times) == ("early-compaction", "", 1)
    assert one.sent_tokens == 3 * (3_000 + use.tokens) + 2 * use.tokens
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + EARLY_DOUBT))
    assert "2 files read again, unchanged" in one.detail
    assert one.line == story.view().calls[2].line


@pytest.mark.parametrize(
    "story",
    [
        compacted().read("a.py", TEXT, tokens=5_000).goes_on(1),
        read_again(compacted(), tokens=500),
        read_again(compacted(tokens=60_000)),
        read_again(compacted().waits(600_000)),
        read_again(compacted().goes_on(20)),
        compacted().read("c.py", "c = 1\n", tokens=3_000).read("d.py", "d = 1\n", tokens=3_000),
        compacted().read("a.py", "new = 1\n", tokens=3_000).read("b.py", "n = 2\n", tokens=3_000),
        read_again(compacted().edit("a.py", "x", "y").edit("b.py", "x", "y")),
        read_again(compacted().asks(2, owned=False)),
        compacted().goes_on(3),
    ],
    ids=[
        "one file", "small files", "full window", "cold cache", "much later", "other files",
        "changed files", "edited", "owned elsewhere", "nothing read",
    ],
)  # fmt: skip
def test_what_is_not_early(story: Thread) -> None:
    """Each differs from the first story in one way."""
    assert early(story.goes_on(1)) == []


def test_what_is_charged_is_claimed() -> None:
    """And what was claimed is not charged."""
    story, claimed = read_again(compacted()), set[int]()
    assert early(story, claimed)
    assert early(story, claimed) == []
    story, claimed = second_topic(first_topic()).compact().goes_on(1), set[int]()
    assert late(story, claimed)
    assert late(story, claimed) == []
