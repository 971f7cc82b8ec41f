"""Stale copies: lines that were edited and then read again, and stay in the window twice."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import READ_USD, TEXT_ERROR, Thread, numbered, thread

from tokenbudget.analysis.drains import stale_copies
from tokenbudget.analysis.drains.stale_copies import DOUBT, STALE_COPY
from tokenbudget.analysis.study import Sighting

PATH = "src/cart.py"
TRUNCATED = "\n\n... [85 lines truncated] ..."
OLD = "".join(f"total_{n} = price_{n} * count_{n}\n" for n in range(60))
NEW = OLD.replace("total_7 ", "sum_7 ")


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert STALE_COPY.detect is not None
    return list(STALE_COPY.detect(story.view(), set() if claimed is None else claimed))


@pytest.fixture(autouse=True)
def low_floor(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """So that short stories can tell what is found; the floor has a test of its own."""
    monkeypatch.setattr(stale_copies, "LEAST_SENT_TOKENS", 1)
    return monkeypatch


def edited() -> Thread:
    """The file was read (1,000 tokens) and edited."""
    return thread().prompt("go").read(PATH, OLD, tokens=4_000).edit(PATH, "total_7 ", "sum_7 ")


def test_an_edited_copy_is_charged_from_the_next_copy_on() -> None:
    """Requests 0 to 2 read, edit, read; 3 is the first with both copies; 7 is the last."""
    story = edited().read(PATH, NEW, tokens=4_000).goes_on(5)
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times) == ("stale-copy", PATH, 1)
    assert one.window_tokens == 4_000
    assert one.sent_tokens == 20_000
    assert one.error_tokens == round(20_000 * (TEXT_ERROR + DOUBT))
    assert one.cost_pico_usd == pytest.approx(20_000 * READ_USD * 1e12, rel=0.02)
    assert one.line == 2
    assert one.detail.startswith("1 older copy (60 lines) carried by 5 requests")
    old = story.view().calls[0].result
    assert old is not None
    assert claimed == {old.number}
    assert found(story, claimed) == []


def test_a_file_written_whole_overtakes_its_copies() -> None:
    """The new text stands in the call."""
    story = thread().read(PATH, OLD, tokens=4_000).write(PATH, NEW).goes_on(5)
    assert [one.sent_tokens for one in found(story)] == [20_000]


def test_a_file_that_is_written_again_leaves_its_first_text_behind() -> None:
    """So does one that is edited, and then read whole."""
    story = thread().write(PATH, OLD * 3).goes_on(2).write(PATH, NEW * 3).goes_on(9)
    first = story.view().calls[0].use
    assert first is not None
    assert [one.sent_tokens for one in found(story)] == [9 * first.tokens]
    story = thread().write(PATH, OLD * 3).edit(PATH, "total_7 ", "sum_7 ").read(PATH, NEW * 3)
    assert [one.sent_tokens for one in found(story.goes_on(9))] == [9 * first.tokens]
    assert found(thread().write(PATH, OLD * 3).read(PATH, OLD * 3).goes_on(9)) == []


def test_each_copy_but_the_newest_is_stale() -> None:
    """Three copies, two edits."""
    story = edited().read(PATH, NEW, tokens=4_000).edit(PATH, "total_8 ", "sum_8 ")
    story.read(PATH, NEW.replace("total_8 ", "sum_8 "), tokens=4_000).goes_on(5)
    [one] = found(story)
    assert one.times == 2
    assert one.sent_tokens == 4 * (7_000 + 5_000)


@pytest.mark.parametrize(
    "story",
    [
        edited().goes_on(9),
        edited().read(PATH, NEW, offset=7, limit=3).goes_on(9),
        edited().read("src/other.py", NEW).goes_on(9),
        edited().read(PATH, NEW, tokens=4_000).goes_on(4),
        edited().read(PATH, NEW, tokens=4_000).compact().goes_on(9),
        edited().compact().read(PATH, NEW, tokens=4_000).goes_on(9),
        edited().read(PATH, "Permission denied. " * 99, error=True).goes_on(9),
        thread().read(PATH, OLD, tokens=4_000).read(PATH, NEW, tokens=4_000).goes_on(9),
        thread().read(PATH, OLD, tokens=299).write(PATH, NEW).goes_on(9),
        thread().read(PATH, OLD, tokens=4_000).write(PATH, NEW, error="No.").goes_on(9),
        thread().read(PATH, OLD, tokens=4_000)
        .edit(PATH, "a", "b", error="String not found").read(PATH, OLD).goes_on(9),
    ],
    ids=["edited only", "a range again", "other file", "soon over", "compacted after",
         "compacted between", "failed read", "no edit of ours", "small", "failed write",
         "failed edit"],
)  # fmt: skip
def test_what_is_not_overtaken_is_no_loss(story: Thread) -> None:
    """The copy is the newest of its lines, or is gone soon enough."""
    assert found(story) == []


def test_the_part_before_a_copy_was_overtaken_is_not_charged() -> None:
    """Ten requests carried it while it was good."""
    story = thread().read(PATH, OLD, tokens=4_000).goes_on(10).edit(PATH, "total_7 ", "sum_7 ")
    story.read(PATH, NEW, tokens=4_000).goes_on(5)
    view = story.view()
    old = view.calls[0].result
    assert old is not None
    [one] = found(story)
    assert one.sent_tokens == 5 * 4_000
    assert old.sent_tokens == 17 * 4_000
    assert one.cost_pico_usd < old.sent_usd * 1e12 / 3


def test_a_file_that_the_client_tells_of_again_is_there_twice() -> None:
    """It puts in how the file begins, each time that it changed."""
    story = thread().prompt("go").attach(PATH, numbered(OLD) + TRUNCATED, tokens=2_000).goes_on(3)
    story.attach(PATH, numbered(NEW) + TRUNCATED, tokens=2_000).goes_on(5)
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.subject, one.times, one.sent_tokens, one.line) == (PATH, 1, 5 * 2_000, 2)
    assert one.detail == (
        "1 older copy (60 lines) carried by 5 requests after a newer one was there"
    )
    assert found(story, claimed) == []


@pytest.mark.parametrize(
    "story",
    [
        thread().attach(PATH, numbered(OLD), tokens=900).goes_on(9),
        thread().attach(PATH, numbered(OLD), tokens=900).attach(PATH, numbered(NEW)).goes_on(9),
        thread().attach(PATH, numbered(OLD), tokens=900).goes_on(1)
        .attach("b.py", numbered(NEW)).goes_on(9),
        thread().attach(PATH, numbered(OLD), tokens=900).goes_on(1)
        .attach(PATH, numbered(NEW, 40)).goes_on(9),
        thread().attach(PATH, numbered(OLD), tokens=900).goes_on(1).compact()
        .attach(PATH, numbered(NEW)).goes_on(9),
        thread().attach(PATH, "(no lines)", tokens=900).goes_on(1)
        .attach(PATH, "(no lines)").goes_on(9),
    ],
    ids=["once", "together", "other file", "other lines", "compacted", "no lines"],
)  # fmt: skip
def test_what_the_client_tells_once_is_no_loss(story: Thread) -> None:
    """Nor what it tells of other lines."""
    assert found(story) == []


def test_what_was_read_is_overtaken_by_what_the_client_tells_of_it() -> None:
    """A formatter, or a person, had changed the file; lines that are as they were are not old."""
    read = thread().prompt("go").read(PATH, OLD, tokens=4_000).goes_on(3)
    story = read.attach(PATH, numbered(NEW) + TRUNCATED).goes_on(5)
    [one] = found(story)
    assert (one.times, one.sent_tokens) == (1, 20_000)
    assert one.line == 3
    ranged = thread().read(PATH, OLD, offset=5, limit=20, tokens=4_000).goes_on(3)
    assert len(found(ranged.attach(PATH, numbered(NEW)).goes_on(5))) == 1
    ranged = thread().read(PATH, OLD, offset=11, limit=20, tokens=4_000).goes_on(3)
    assert found(ranged.attach(PATH, numbered(NEW)).goes_on(5)) == []


def test_what_the_client_told_is_overtaken_by_a_read() -> None:
    """Of the file as it is now."""
    story = thread().attach(PATH, numbered(OLD), tokens=2_500).goes_on(2)
    assert len(found(story.read(PATH, NEW).goes_on(5))) == 1
    story = thread().attach(PATH, numbered(OLD), tokens=2_500).goes_on(2)
    assert found(story.read(PATH, OLD).goes_on(5)) == []


def test_copies_that_are_alike_are_no_old_ones() -> None:
    """The file was changed back, or the edit was behind the lines that both show."""
    story = thread().prompt("go").attach(PATH, numbered(OLD), tokens=4_000).goes_on(3)
    assert found(story.attach(PATH, numbered(OLD), tokens=4_000).goes_on(9)) == []
    part = thread().prompt("go").read(PATH, OLD, limit=20, tokens=4_000)
    part.edit(PATH, "total_50 ", "sum_50 ").read(PATH, OLD, limit=30, tokens=4_000)
    assert found(part.goes_on(9)) == []


def test_a_little_is_not_worth_a_second_look(low_floor: pytest.MonkeyPatch) -> None:
    """Under 30,000 tokens, all old copies of a file together."""
    low_floor.undo()
    assert found(edited_of(1_000).goes_on(29)) == []
    assert len(found(edited_of(1_000).goes_on(30))) == 1


def test_a_fork_pays_for_what_it_carries_and_tells_of_no_event_twice() -> None:
    """The older copy was overtaken in the session that it is a fork of."""
    story = thread().prompt("go").asks(owned=False).read(PATH, OLD, tokens=4_000)
    story.edit(PATH, "total_7 ", "sum_7 ").read(PATH, NEW, tokens=4_000).goes_on(1)
    story.asks(owned=True).says("ok").goes_on(9)
    assert [(one.times, one.sent_tokens) for one in found(story)] == [(0, 40_000)]


def edited_of(tokens: int) -> Thread:
    """A file read, edited and read again, of so many tokens."""
    story = thread().prompt("go").read(PATH, OLD, tokens=tokens)
    return story.edit(PATH, "total_7 ", "sum_7 ").read(PATH, NEW, tokens=tokens)
