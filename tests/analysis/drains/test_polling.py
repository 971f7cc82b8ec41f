"""The same question again and again, and no news."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import OUTPUT_USD, READ_USD, WRITE_USD, Thread, thread

from tokenbudget.analysis.drains.polling import POLLING
from tokenbudget.analysis.study import Sighting
from tokenbudget.model.actions import Json

CHECK = "gh pr checks 43"
PENDING = "build pending 12s\nlint pending 3s\ntest pending 4s"


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert POLLING.detect is not None
    return list(POLLING.detect(story.view(), set() if claimed is None else claimed))


def asks(story: Thread, *answers: str, command: str = CHECK) -> Thread:
    """The command is run once for each answer."""
    for answer in answers:
        story.bash(command, answer, tokens=20)
    return story


def test_five_looks_of_which_three_told_nothing() -> None:
    """Charged: three calls and results, and what else the three requests for them sent again."""
    story = thread(prefix_tokens=5_000).prompt("go")
    asks(story, *[PENDING] * 4, "build pass\nlint pass\ntest pass")
    view = story.goes_on(1).view()
    use = view.calls[0].use
    assert use is not None
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("polling", "gh pr checks", 3)
    again = sum(view.turns[number].prompt_tokens for number in (0, 1, 2)) - (use.tokens + 20)
    carried = (4 + 3 + 2) * (use.tokens + 20)
    assert one.sent_tokens == again + carried + 3 * use.tokens
    usd = again * READ_USD + 3 * use.tokens * OUTPUT_USD
    usd += (use.tokens + 20) * (3 * WRITE_USD + 6 * READ_USD)
    assert one.cost_pico_usd == round(usd * 1e12)
    assert one.line == view.calls[1].line


def test_a_sleep_before_the_question_changes_nothing() -> None:
    """Neither in the command nor in one of its own; nor do the seconds that went by."""
    story = thread()
    for wait in (5, 10, 20, 30):
        story.bash(f"sleep {wait}; {CHECK}", PENDING.replace("12s", f"{wait}s"))
        story.bash(f"sleep {wait}", "")
    story.goes_on(1)
    assert [one.times for one in found(story)] == [3]


def test_looks_at_a_background_task_count_by_the_task() -> None:
    """Whatever else stands in their arguments."""
    story = thread()
    for wait in range(5):
        arguments: dict[str, Json] = {"task_id": "b1", "timeout": wait}
        story.call("TaskOutput", arguments, "<status>running</status> no output yet")
    story.goes_on(1)
    assert [(one.subject, one.times) for one in found(story)] == [("TaskOutput", 4)]


def test_a_few_looks_are_how_one_waits() -> None:
    """Three of the same are not told of."""
    assert found(asks(thread(), *[PENDING] * 3)) == []


def test_looks_that_tell_something_new_are_no_waste() -> None:
    """A log that grows by whole lines."""
    lines = [" ".join(f"step{n}" for n in range(count)) for count in range(2, 8)]
    assert found(asks(thread(), *lines)) == []


@pytest.mark.parametrize(
    "between",
    [
        lambda s: s.edit("a.py", "a", "b"),
        lambda s: s.prompt("is it done?"),
        lambda s: s.bash("git push", "done"),
        lambda s: s.read("a.py", "x\n").read("b.py", "y\n"),
    ],
    ids=["edit", "prompt", "push", "two reads"],
)
def test_whoever_works_in_between_does_not_wait(between: object) -> None:
    """A look now and then, or one that a person asked for."""
    story = thread()
    for _ in range(5):
        asks(story, PENDING)
        between(story)  # type: ignore[operator]
    assert found(story) == []


def test_different_questions_are_not_one() -> None:
    """Each is asked but twice."""
    story = thread()
    for number in (1, 2, 3):
        asks(story, PENDING, PENDING, command=f"gh pr checks {number}")
    assert found(story) == []


def test_a_command_that_does_something_may_be_repeated_on_purpose() -> None:
    """A flaky test, or the next step of many."""
    for command in ("go test -count=1 ./...", "python process_next.py", "npm run build"):
        assert found(asks(thread(), *["ok 3"] * 8, command=command)) == []


def test_an_mcp_tool_that_looks_counts() -> None:
    """Another one does something each time."""
    for tool, times in (("mcp__ci__get_status", 1), ("mcp__game__move", 0)):
        story = thread()
        for _ in range(5):
            story.call(tool, {"id": 7}, "still going")
        assert len(found(story.goes_on(1))) == times


def test_what_is_charged_is_claimed() -> None:
    """And what was claimed is not charged."""
    story, claimed = asks(thread(), *[PENDING] * 5), set[int]()
    assert found(story, claimed)
    assert claimed
    assert found(story, claimed) == []


def test_a_copy_that_another_file_owns_is_not_charged() -> None:
    """Its requests were billed there."""
    assert found(asks(thread().asks(1, owned=False), *[PENDING] * 6)) == []
