"""Re-reads: the same lines again, while the first copy is still in the window."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import (
    NOON_MS,
    OUTPUT_USD,
    READ_USD,
    TEXT_ERROR,
    WRITE_USD,
    Thread,
    thread,
)

from tokenbudget.analysis.drains import re_reads
from tokenbudget.analysis.drains.re_reads import DOUBT, RE_READ
from tokenbudget.analysis.study import Sighting

PATH = "src/cart.py"
TEXT = "".join(f"total_{n} = price_{n} * count_{n}\n" for n in range(60))


@pytest.fixture(autouse=True)
def low_floor(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """So that short stories can tell what is found; the floor has a test of its own."""
    monkeypatch.setattr(re_reads, "LEAST_SENT_TOKENS", 1)
    return monkeypatch


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert RE_READ.detect is not None
    return list(RE_READ.detect(story.view(), set() if claimed is None else claimed))


def test_a_file_read_three_times_costs_two_copies_and_two_calls() -> None:
    """600 tokens a copy; the second is sent twice, the third once, and each call is written."""
    story = thread().prompt("go").read(PATH, TEXT, tokens=600)
    story.read(PATH, TEXT, tokens=600).read(PATH, TEXT, tokens=600).goes_on(1)
    use = story.view().calls[1].use
    assert use is not None
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("re-read", PATH, 2)
    assert one.window_tokens == 2 * (600 + use.tokens)
    assert one.sent_tokens == 3 * (600 + use.tokens) + 2 * use.tokens
    usd = (600 + use.tokens) * (2 * WRITE_USD + READ_USD) + 2 * use.tokens * OUTPUT_USD
    assert one.cost_pico_usd == round(usd * 1e12)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert one.line == 4
    assert one.at_ms == NOON_MS + 2 * 60_000


def test_what_it_charges_is_claimed_and_what_was_claimed_is_not_charged() -> None:
    """A second run over the same claims finds nothing."""
    story = thread().read(PATH, TEXT).read(PATH, TEXT).goes_on(1)
    claimed: set[int] = set()
    assert found(story, claimed)
    copy = story.view().calls[1].result
    assert copy is not None
    assert copy.number in claimed
    assert found(story, claimed) == []


def test_the_same_range_twice_is_a_re_read() -> None:
    """Also where the arguments are spelt in another way."""
    story = thread().read(PATH, TEXT, offset=1, limit=60).read(PATH, TEXT).goes_on(1)
    assert [one.times for one in found(story)] == [1]


@pytest.mark.parametrize(
    "story",
    [
        thread().read(PATH, TEXT).goes_on(9),
        thread().read(PATH, TEXT, limit=30).read(PATH, TEXT, offset=31).goes_on(1),
        thread().read(PATH, TEXT, limit=30).read(PATH, TEXT).goes_on(1),
        thread().read(PATH, TEXT).read("src/other.py", TEXT).goes_on(1),
        thread().read(PATH, TEXT).read(PATH, TEXT.replace("5", "6")).goes_on(1),
        thread().read(PATH, "x = 1\n").read(PATH, "x = 1\n").goes_on(1),
        thread().read(PATH, TEXT).read(PATH, TEXT),
    ],
    ids=["once", "next range", "wider", "other file", "other text", "a line", "never sent"],
)
def test_other_reads_are_none(story: Thread) -> None:
    """What is not the same lines of the same file, or costs nothing."""
    assert found(story) == []


@pytest.mark.parametrize(
    "story",
    [
        thread().read(PATH, TEXT).compact().read(PATH, TEXT).goes_on(1),
        thread().read(PATH, TEXT).goes_on(1).clear_result(0).read(PATH, TEXT).goes_on(1),
    ],
    ids=["compacted", "cleared"],
)
def test_a_read_after_the_first_copy_left_the_window_is_needed(story: Thread) -> None:
    """There is no copy to answer from."""
    assert found(story) == []


@pytest.mark.parametrize(
    "story",
    [
        thread().read(PATH, TEXT).edit(PATH, "x", "y", error="File has been modified since read"),
        thread().read(PATH, TEXT).write(PATH, TEXT, error="Denied."),
        thread().read(PATH, TEXT).write(PATH, TEXT[:99]).edit(PATH, "total_1 ", "total_1 "),
        thread().read(PATH, TEXT).bash("git checkout main", "Switched"),
        thread().read(PATH, TEXT).bash("cd src && sed -i 's/a/b/' *.py", ""),
        thread().read(PATH, TEXT).bash("ruff format .", "1 file left unchanged"),
        thread().read(PATH, TEXT).bash("python fix.py > /src/cart.py", ""),
        thread().read(PATH, TEXT).call("Agent", {"prompt": "tidy up"}, "Done."),
        thread().read(PATH, TEXT).call("mcp__ide__save", {"uri": f"file:///{PATH}"}, "saved"),
        thread().read(PATH, TEXT).goes_on(1).prompt("I changed cart.py, look again"),
    ],
    ids=["failed edit", "failed write", "written anew", "checkout", "sed",
         "format", "redirected", "subagent", "mcp", "asked"],
)  # fmt: skip
def test_a_read_with_a_reason_is_none(story: Thread) -> None:
    """Something in between may have changed the file, though it did not."""
    assert found(story.read(PATH, TEXT).goes_on(1)) == []


def test_what_the_agent_wrote_itself_need_not_be_read_back() -> None:
    """Its lines stand in the call; a formatter's work would show as other lines."""
    story = thread().write(PATH, TEXT).read(PATH, TEXT, offset=11, limit=40).goes_on(1)
    assert [one.detail for one in found(story)] == [
        "read of 40 lines that stood in the window already, unchanged"
    ]
    story = thread().write(PATH, TEXT).read(PATH, TEXT.replace(" = ", "=")).goes_on(1)
    assert found(story) == []


def test_commands_that_only_look_are_no_reason() -> None:
    """Tests, and redirections of what they say."""
    story = thread().read(PATH, TEXT).bash("npm test 2>&1 | tail -5 2>/dev/null > /dev/null", "ok")
    assert [one.times for one in found(story.read(PATH, TEXT).goes_on(1))] == [1]


def test_a_failed_read_and_the_clients_own_stub_are_none() -> None:
    """They bring no lines, and are as good as free."""
    stub = "File unchanged since last read. " + "Refer to the earlier tool_result. " * 40
    story = thread().read(PATH, TEXT)
    for _ in range(2):
        story.call("Read", {"file_path": PATH}, stub, target=PATH)
        story.read(PATH, "File does not exist. " * 40, error=True)
    assert found(story.goes_on(1)) == []


def test_a_reminder_behind_the_lines_makes_no_difference() -> None:
    """Older clients put one behind some reads."""
    said = "\n\n<system-reminder>\nThink of malware.\n</system-reminder>"
    story = thread().read(PATH, TEXT)
    shown = story.goes_on(1).view().calls[0].result
    assert shown is not None
    story.call("Read", {"file_path": PATH}, shown.text + said, target=PATH)
    assert [one.times for one in found(story.goes_on(1))] == [1]


def test_a_request_that_another_file_owns_costs_nothing_here() -> None:
    """A resumed session tells again what its parent paid for."""
    story = thread().asks(owned=False).read(PATH, TEXT).read(PATH, TEXT).goes_on(1)
    assert found(story) == []
    [one] = found(story.asks(owned=True).says("Mine."))
    copy = story.view().calls[1]
    assert copy.result is not None
    assert copy.use is not None
    assert one.sent_tokens == copy.result.tokens + copy.use.tokens


def test_the_agents_own_edit_of_other_lines_is_no_reason() -> None:
    """It knows what it changed; its lines stand elsewhere in the file now."""
    longer = TEXT.replace("total_1 =", "# the first\ntotal_1 =")
    for story in (thread().read(PATH, TEXT), thread().write(PATH, TEXT)):
        story.edit(PATH, "total_1 =", "# the first\ntotal_1 =")
        [one] = found(story.read(PATH, longer, offset=20, limit=40).goes_on(1))
        assert one.detail.startswith("read of 40 lines")
        assert one.times == 1


def test_lines_that_the_edit_changed_are_news() -> None:
    """The file as it is now is not in the window."""
    story = thread().read(PATH, TEXT).edit(PATH, "total_1 ", "sum_1 ")
    assert found(story.read(PATH, TEXT.replace("total_1 ", "sum_1 ")).goes_on(1)) == []


def test_a_commit_message_in_a_here_document_is_no_reason() -> None:
    """A file written from one is; `gofmt -l` only lists."""
    message = "git add -A && git commit -q -F - <<'EOF'\nRound > totals\nEOF"
    story = thread().read(PATH, TEXT).bash(message, "").bash("gofmt -l .", "")
    assert [one.times for one in found(story.read(PATH, TEXT).goes_on(1))] == [1]
    for command in ("cat > a.py <<'EOF'\nx\nEOF", "gofmt -w .", message + "\ngit checkout main"):
        story = thread().read(PATH, TEXT).bash(command, "")
        assert found(story.read(PATH, TEXT).goes_on(1)) == []


def test_a_little_is_not_worth_a_second_look(low_floor: pytest.MonkeyPatch) -> None:
    """Under 10,000 tokens, all needless copies of a file together."""
    low_floor.undo()
    again = thread().prompt("go").read(PATH, TEXT, tokens=600).read(PATH, TEXT, tokens=600)
    assert found(again.goes_on(16)) == []
    assert len(found(again.goes_on(1))) == 1


def test_a_fork_pays_for_a_copy_and_tells_of_no_read_twice() -> None:
    """It was read again in the session that it is a fork of."""
    story = thread().prompt("go").asks(owned=False).read(PATH, TEXT).read(PATH, TEXT)
    assert [one.times for one in found(story.asks(owned=True).says("ok").goes_on(3))] == [0]
