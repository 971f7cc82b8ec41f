"""The same failure again, with nothing done in between."""

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

from tokenbudget.analysis.drains.failing_commands import DOUBT, FAILING_COMMAND
from tokenbudget.analysis.study import Sighting

FAILURE = "Exit code 1\nError: cannot find module 'left-pad' (12 ms)" + " at line 7" * 30


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert FAILING_COMMAND.detect is not None
    return list(FAILING_COMMAND.detect(story.view(), set() if claimed is None else claimed))


def fails(story: Thread, command: str = "npm run build", text: str = FAILURE) -> Thread:
    """The command fails once more."""
    return story.bash(command, text, error=True, tokens=400)


def test_three_failures_alike_cost_two_calls_and_two_results() -> None:
    """The second is sent twice, the third once; both were written, in requests of their own."""
    story = fails(fails(fails(thread().prompt("build it")))).goes_on(1)
    use = story.view().calls[0].use
    assert use is not None
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("failing-command", "npm run build", 2)
    assert one.window_tokens == 2 * (400 + use.tokens)
    turns = story.view().turns
    again = turns[0].prompt_tokens + turns[1].prompt_tokens
    assert one.sent_tokens == 3 * (400 + use.tokens) + 2 * use.tokens + again
    usd = (400 + use.tokens) * (2 * WRITE_USD + READ_USD) + 2 * use.tokens * OUTPUT_USD
    usd += again * READ_USD
    assert one.cost_pico_usd == round(usd * 1e12)
    assert one.error_tokens == round(one.sent_tokens * (TEXT_ERROR + DOUBT))
    assert one.line == story.view().calls[1].line


def test_numbers_in_the_failure_may_differ() -> None:
    """Durations, addresses and counters say nothing new."""
    story = fails(fails(thread()), text=FAILURE.replace("12 ms", "9 ms")).goes_on(1)
    assert [one.times for one in found(story)] == [1]


def test_a_look_in_between_helps_nothing() -> None:
    """Reading and listing leave everything as it was."""
    story = fails(thread()).read("a.py", "x = 1\n").bash("ls && git status", "a.py")
    assert [one.times for one in found(fails(story).goes_on(1))] == [1]


def test_another_tool_that_fails_alike_counts_too() -> None:
    """By its name, where it has no label."""
    story = thread()
    for _ in range(2):
        story.call("mcp__db__query", {"sql": "select"}, "relation is missing", error=True)
    assert [(one.subject, one.times) for one in found(story.goes_on(1))] == [("mcp__db__query", 1)]


@pytest.mark.parametrize(
    "between",
    [
        lambda s: s.edit("a.js", "a", "b"),
        lambda s: s.write("package.json", "{}"),
        lambda s: s.bash("npm install left-pad", "added 1 package"),
        lambda s: s.bash("touch a > b", ""),
        lambda s: s.bash("cd app && ls", "package.json"),
        lambda s: s.call("mcp__db__migrate", {}, "done"),
        lambda s: s.call("Agent", {"prompt": "fix it"}, "fixed"),
        lambda s: s.prompt("I started the server, try again"),
        lambda s: s.waits(3_600_000),
        lambda s: s.bash("npm run build", "built"),
    ],
    ids=[
        "edit",
        "write",
        "install",
        "redirect",
        "directory",
        "mcp",
        "agent",
        "prompt",
        "time",
        "success",
    ],
)
def test_a_failure_after_a_change_is_work(between: object) -> None:
    """Red, change, red is how tests are made to pass."""
    story = fails(thread())
    between(story)  # type: ignore[operator]
    assert found(fails(story).goes_on(2)) == []


def test_another_failure_is_news() -> None:
    """The same command that fails in another way got further."""
    story = fails(fails(thread()), text="Exit code 1\nError: 3 tests failed").goes_on(1)
    assert found(story) == []


def test_calls_of_one_answer_did_not_know_of_each_other() -> None:
    """They were made before the first of them failed."""
    assert found(fails(fails(thread().asks(2))).goes_on(1)) == []


def test_a_call_that_was_refused_never_failed() -> None:
    """Whoever refused it may allow it now."""
    for refused in ("The user doesn't want to proceed", "This command requires approval"):
        assert found(fails(fails(thread(), text=refused), text=refused).goes_on(1)) == []


def test_a_command_that_waits_is_not_meant() -> None:
    """Whether a server is up is asked until it is."""
    story = fails(fails(thread(), "sleep 5; curl :80"), "sleep 5; curl :80").goes_on(1)
    assert found(story) == []


def test_a_copy_that_another_file_owns_is_not_charged() -> None:
    """Neither its requests nor its words were billed here."""
    story = thread().asks(3, owned=False)
    assert found(fails(fails(story))) == []


def test_what_is_charged_is_claimed() -> None:
    """And what was claimed is not charged."""
    story, claimed = fails(fails(thread())).goes_on(1), set[int]()
    assert found(story, claimed)
    call = story.view().calls[1]
    assert call.use is not None
    assert call.result is not None
    assert claimed == {call.use.number, call.result.number}
    assert found(story, claimed) == []


# ── what a failure had told ──────────────────────────────────────────────────────────────────────

UNREAD = "<tool_use_error>File has not been read yet. Read it first before writing to it."


def unread(story: Thread, path: str) -> Thread:
    """An edit of a file that was not read."""
    return story.edit(path, "old", "new", error=UNREAD)


def test_a_rule_of_the_client_that_is_broken_again() -> None:
    """With other files, and work in between: the first failure had told what to do."""
    story = unread(thread(), "a.py").read("a.py", "x = 1\n").edit("a.py", "x", "y").prompt("on")
    story = unread(unread(story, "b.py"), "c.py").goes_on(1)
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.subject, one.times) == ("Edit", 2)
    assert one.detail == "failed 3 times with 'File has not been read yet'"
    assert one.line == story.view().calls[3].line
    assert found(story, claimed) == []


def test_the_wrong_folder_twice_is_told_by_its_command() -> None:
    """Whatever else the commands do; another folder is another failure."""
    story = fails(thread(), "cd src && ls", "bash: line 3: cd: src: No such file or directory")
    story.prompt("and the tests?")
    again = fails(story, "cd src; go test", "bash: line 9: cd: src: No such file or directory")
    [one] = found(again.goes_on(1))
    assert one.detail == "failed 2 times with 'cd: src: No such file or directory'"
    story = fails(thread(), "cd src && ls", "bash: cd: src: No such file or directory")
    story = fails(story.prompt("?"), "cd lib && ls", "bash: cd: lib: No such file or directory")
    assert found(story.goes_on(1)) == []


@pytest.mark.parametrize(
    "story",
    [
        unread(thread(), "a.py").goes_on(1),
        unread(unread(thread().asks(2), "a.py"), "b.py").goes_on(1),
        fails(fails(thread(), "pytest").edit("a", "b", "c"), "pytest -x").goes_on(1),
        fails(fails(thread(), "cat a", "cat: a: No such file").prompt("?"), "cat b", "cat: b: No"),
        unread(unread(thread().asks(3, owned=False), "a.py").asks(1), "b.py"),
    ],
    ids=["once", "side by side", "other failures", "other files", "owned elsewhere"],
)
def test_what_had_not_been_told_before_is_none(story: Thread) -> None:
    """Nobody could have known."""
    assert found(story) == []


IGNORED = "The following paths are ignored by one of your .gitignore files: dist"


def test_a_repair_in_vain_is_an_attempt_and_no_repetition() -> None:
    """The file that the message names was edited in between."""
    story = thread().prompt("go").bash("git add dist", IGNORED, error=True).bash("ls", "dist")
    plain = story.bash("git add dist/x", IGNORED, error=True).goes_on(2)
    assert [one.times for one in found(plain)] == [1]
    story = thread().prompt("go").bash("git add dist", IGNORED, error=True)
    story.edit(".gitignore", "dist", "!dist")
    assert found(story.bash("git add dist/x", IGNORED, error=True).goes_on(2)) == []


def test_what_was_made_in_between_is_an_attempt() -> None:
    """An installation that did not help is no repetition."""
    missing = "ModuleNotFoundError: No module named 'shop'"
    story = thread().prompt("go").bash("python a.py", missing, error=True)
    story.bash("pip install shop", "ok").bash("python b.py", missing, error=True)
    assert found(story.goes_on(2)) == []


def test_a_fork_tells_of_no_failure_twice() -> None:
    """Its past is a copy; only what it carries on is charged."""
    wrong = "cd: src: No such file or directory"
    story = thread().prompt("go").asks(owned=False).bash("cd src && ls", wrong, error=True)
    story.bash("cd src && pwd", wrong, error=True).asks(owned=True).says("ok").goes_on(2)
    assert [(one.subject, one.times) for one in found(story)] == [("cd", 0)]
