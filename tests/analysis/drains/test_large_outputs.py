"""Large outputs: results of which little was used."""

from __future__ import annotations

import pytest
from tests.analysis.drains.test_whole_files import WORDS, name_of
from tests.analysis.drains.threads import TEXT_ERROR, Thread, thread

from tokenbudget.analysis.drains.large_outputs import DOUBT, LARGE_OUTPUT
from tokenbudget.analysis.study import Sighting

LINES = [f"src/{name_of(n)}.py: match" for n in range(1, 501)]
OUTPUT = "\n".join(LINES)
DIGITS = str.maketrans("0123456789", "abcdefghij")
COMMAND = "rg --no-heading match src"


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert LARGE_OUTPUT.detect is not None
    return list(LARGE_OUTPUT.detect(story.view(), set() if claimed is None else claimed))


def searched(tokens: int = 5_000) -> Thread:
    """A search brought 500 lines."""
    return thread().prompt("Find it.").bash(COMMAND, OUTPUT, tokens=tokens)


def test_what_is_beyond_a_sensible_size_is_charged() -> None:
    """One line of 500 was used: 500 of 5,000 tokens are kept all the same."""
    story = searched().says(f"It is {name_of(77)}.").goes_on(9)
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.drain, one.subject, one.times, one.line) == ("large-output", "rg", 1, 2)
    assert one.window_tokens == 4_500
    assert one.sent_tokens == 10 * 4_500
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    result = story.view().calls[0].result
    assert result is not None
    assert one.cost_pico_usd == round(result.sent_usd * 0.9 * 1e12)
    assert claimed == {result.number}
    assert found(story, claimed) == []
    assert one.detail == "1 result of 5,000 tokens, of which about 30 were used"


def test_used_lines_beyond_the_sensible_size_are_kept() -> None:
    """100 lines in a row, and one on either side: 102 of 500."""
    used = " ".join(name_of(n) for n in range(200, 300))
    [one] = found(searched(6_000).says(used).goes_on(9))
    assert one.window_tokens == round(6_000 * (1 - 102 / 500))


def test_results_of_one_command_are_told_together() -> None:
    """And those of a tool by its name."""
    story = searched().bash(COMMAND + " lib", OUTPUT, tokens=5_000)
    story.call("mcp__db__query", {"sql": "select"}, OUTPUT, tokens=5_000).goes_on(10)
    assert [(one.subject, one.times) for one in found(story)] == [("rg", 2), ("mcp__db__query", 1)]


@pytest.mark.parametrize(
    "story",
    [
        searched().says(" ".join(name_of(n) for n in range(1, 500, 9))).goes_on(9),
        searched().says("\n".join(LINES[:130])).goes_on(9),
        searched(2_900).goes_on(9),
        searched().goes_on(8),
        searched().compact().goes_on(9),
        thread().bash(COMMAND, OUTPUT, tokens=5_000, error=True).goes_on(9),
        thread().read("src/a.py", OUTPUT, tokens=5_000).goes_on(9),
        thread().call("Agent", {"prompt": "look"}, OUTPUT, tokens=5_000).goes_on(9),
        thread().bash("git diff main", OUTPUT, tokens=5_000).goes_on(9),
        thread().bash("pytest", OUTPUT + "\n1 FAILED", tokens=5_000).goes_on(9),
    ],
    ids=["here and there", "quoted", "small", "late", "compacted", "failed", "file", "subagent",
         "diff", "failed tests"],
)  # fmt: skip
def test_what_was_used_or_cannot_be_less_is_no_loss(story: Thread) -> None:
    """Also where it is another detector's."""
    assert found(story) == []


def test_one_long_line_is_judged_in_parts() -> None:
    """Compact JSON of which one value was used."""
    text = '{"rows":[' + ",".join(f'"{name_of(n)}"' for n in range(1, 501)) + "]}"
    story = thread().call("mcp__db__query", {}, text, tokens=5_000).says(name_of(250)).goes_on(9)
    assert [one.window_tokens for one in found(story)] == [4_500]


def test_plain_words_tell_of_a_result_that_is_read_and_not_of_a_search() -> None:
    """Every line of it has one of its own; a search is used by the names that it found."""
    words = [f"{WORDS[n // 100]} {WORDS[n // 10 % 10]} {WORDS[n % 10]}" for n in range(500)]
    text = "\n".join(f"{line} w{n}ord" for n, line in enumerate(words))
    said = " ".join(f"w{n}ord" for n in range(0, 500, 5))
    plain = text.translate(DIGITS)
    for command, count in (("rg x src", 1), ("./report", 0), ("rg x src; ./report", 0)):
        story = thread().bash(command, plain, tokens=5_000).says(said.translate(DIGITS)).goes_on(9)
        assert len(found(story)) == count


def test_a_smaller_result_is_not_worth_a_word() -> None:
    """However long it was carried."""
    assert found(searched(2_999).goes_on(60)) == []
    assert len(found(searched(3_000).goes_on(10))) == 1


def test_a_fork_tells_of_no_result_twice() -> None:
    """It pays for carrying it."""
    story = thread().prompt("Find it.").asks(owned=False).bash(COMMAND, OUTPUT, tokens=5_000)
    story.asks(owned=True).says("ok").goes_on(12)
    assert [one.times for one in found(story)] == [0]


def test_an_output_that_the_client_saved_and_the_agent_read_whole_is_one() -> None:
    """A diff is there to be read, and a range was chosen."""
    saved = "/home/a/.claude/projects/p/s/tool-results/b1.txt"
    story = thread().read(saved, OUTPUT, tokens=9_000).goes_on(10)
    assert [(one.subject, one.window_tokens) for one in found(story)] == [("Read", 8_500)]
    diff = thread().read(saved, "diff --git a/x b/x\n" + OUTPUT, tokens=9_000).goes_on(9)
    assert found(diff) == []
    ranged = thread().read(saved, OUTPUT, offset=1, limit=400, tokens=9_000).goes_on(9)
    assert found(ranged) == []
