"""Whole files: read from end to end for the sake of a few lines."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import TEXT_ERROR, Thread, thread

from tokenbudget.analysis.drains.whole_files import AROUND_LINES, DOUBT, WHOLE_FILE
from tokenbudget.analysis.study import Sighting

PATH = "src/shop.py"
WORDS = ("apple", "berry", "cedar", "daisy", "ember", "fjord", "grape", "hazel", "ivory", "jolly")


def name_of(line: int) -> str:
    """A name that stands on one line only; every line has the same length."""
    return "_".join(WORDS[int(digit)] for digit in f"{line:04}")


LINES = [f"{name_of(n)} = shop.item({n:05})" for n in range(1, 601)]
TEXT = "\n".join(LINES)


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert WHOLE_FILE.detect is not None
    return list(WHOLE_FILE.detect(story.view(), set() if claimed is None else claimed))


def read_whole(tokens: int = 6_000) -> Thread:
    """600 lines of 10 tokens each."""
    return thread().prompt("Fix it.").read(PATH, TEXT, tokens=tokens)


def edited(first: int = 300, last: int = 302) -> Thread:
    """Some of its lines are edited later, by number."""
    old = "\n".join(LINES[first - 1 : last])
    return read_whole().edit(PATH, old, "pass").goes_on(9)


def test_all_but_the_edited_lines_and_their_surroundings_is_charged() -> None:
    """3 lines and 25 on either side are kept: 53 of 600; ten requests carried it."""
    story = edited()
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert AROUND_LINES == 25
    assert (one.drain, one.subject, one.times, one.line) == ("whole-file", PATH, 1, 2)
    assert one.window_tokens == round(6_000 * (1 - 53 / 600))
    assert one.sent_tokens == 10 * one.window_tokens
    copy = story.view().calls[0].result
    assert copy is not None
    assert one.cost_pico_usd == round(copy.sent_usd * (1 - 53 / 600) * 1e12)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert claimed == {copy.number}
    assert found(story, claimed) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda story: story.says(f"The fault is in {name_of(300)} of shop.py."),
        lambda story: story.thinks(f"In shop.py:\n  {LINES[299]}\n"),
        lambda story: story.says("See shop.py:300."),
        lambda story: story.says("In `shop.py` around line 300."),
        lambda story: story.bash(f"rg {name_of(300)} src/shop.py", "3 hits"),
        lambda story: story.read(PATH, TEXT, offset=300, limit=1),
    ],
    ids=["named", "quoted", "cited", "cited in words", "searched", "read again"],
)
def test_every_kind_of_use_is_seen(use) -> None:  # type: ignore[no-untyped-def]
    """One line, and 25 on either side."""
    [one] = found(use(read_whole()).goes_on(9))
    assert one.window_tokens == round(6_000 * (1 - 51 / 600))


@pytest.mark.parametrize(
    "story",
    [
        read_whole().goes_on(20),
        read_whole().says(f"There is {name_of(300)}.").goes_on(20),
        edited(1, 300),
        edited().says(", ".join(map(name_of, (20, 90, 190, 450, 550)))).goes_on(9),
        edited().write(PATH, "anew").goes_on(9),
        edited().read(PATH, TEXT, tokens=6_000).goes_on(9),
        read_whole(1_999).edit(PATH, LINES[299], "pass").goes_on(9),
        read_whole().edit(PATH, LINES[299], "pass").goes_on(3),
        thread().read(PATH, TEXT, offset=1, limit=500).edit(PATH, LINES[9], "pass").goes_on(9),
        thread().read("guide.md", TEXT, tokens=6_000).says("See guide.md:300.").goes_on(9),
        thread().read(PATH, TEXT[:6_000], tokens=6_000).edit(PATH, LINES[9], "x").goes_on(9),
    ],
    ids=["no use", "not named", "large part", "here and there", "written whole",
         "read whole again", "small", "short thread", "a range", "prose", "few lines"],
)  # fmt: skip
def test_a_file_that_was_needed_is_no_loss(story: Thread) -> None:
    """Much of it was used, or nobody can tell."""
    assert found(story) == []


def test_a_word_that_stands_on_many_lines_tells_of_none() -> None:
    """`item` is on each of them, `shop` too."""
    [one] = found(edited().says("Each shop.item has to be changed.").goes_on(1))
    assert one.window_tokens == round(6_000 * (1 - 53 / 600))


def test_a_citation_far_beyond_the_file_is_no_use() -> None:
    """Numbers in words are anything."""
    assert len(found(edited().says("shop.py:99999-999999 and shop.py:0").goes_on(1))) == 1


def test_a_plain_word_of_the_file_is_met_again_in_whatever_spelling() -> None:
    """`noiseFilter` of the file is a `noise filter`, or `Filter`, in what is written of it."""
    named = {40: "noiseFilter", 140: "CHORUS_LEVEL"}
    lines = [f"{named.get(n, name_of(n))} = shop.item({n:05})" for n in range(1, 601)]
    text = "\n".join(lines)
    story = thread().prompt("Survey it.").read(PATH, text, tokens=6_000)
    story.edit(PATH, lines[539], "pass")
    [alone] = found(story.goes_on(9))
    story = thread().prompt("Survey it.").read(PATH, text, tokens=6_000)
    story.edit(PATH, lines[539], "pass").says("It has a Filter and a chorus of its own.")
    [less] = found(story.goes_on(9))
    assert less.window_tokens < alone.window_tokens - 900


def test_a_word_that_the_prompt_had_tells_of_no_line() -> None:
    """The model need not have it from the file."""
    lines = [*LINES]
    lines[39] = "noiseFilter = shop.item(00040)"
    text = "\n".join(lines)
    story = thread().prompt("Mend the filter.").read(PATH, text, tokens=6_000)
    story.edit(PATH, lines[299], "pass").says("The filter is mended.")
    [one] = found(story.goes_on(9))
    assert one.window_tokens == round(6_000 * (1 - 51 / 600))
