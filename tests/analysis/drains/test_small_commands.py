"""Chains of small commands: what each request but the first sent again."""

from __future__ import annotations

import pytest
from tests.analysis.drains.threads import READ_USD, Thread, thread

from tokenbudget.analysis.drains.small_commands import DOUBT, READ_DOUBT, SMALL_COMMANDS
from tokenbudget.analysis.study import Sighting


def found(story: Thread, claimed: set[int] | None = None) -> list[Sighting]:
    """What the detector sees."""
    assert SMALL_COMMANDS.detect is not None
    return list(SMALL_COMMANDS.detect(story.view(), set() if claimed is None else claimed))


def begun() -> Thread:
    """A thread with 5,000 tokens in its window."""
    return thread(prefix_tokens=5_000).prompt("look around")


def test_a_chain_of_three_costs_what_two_requests_sent_again() -> None:
    """Read from the cache: all that the request before had sent."""
    story = begun().bash("ls", "a.py\nb.py").bash("git status", "clean").bash("pwd", "/repo")
    story.says("Here is what I see.")
    turns = story.view().turns
    [one] = found(story)
    assert (one.drain, one.subject, one.times) == ("small-commands", "ls, git status, pwd", 1)
    sent = turns[0].prompt_tokens + turns[1].prompt_tokens
    assert one.sent_tokens == sent
    assert one.cost_pico_usd == round(sent * READ_USD * 1e12)
    assert one.error_tokens == round(sent * DOUBT)
    assert one.window_tokens == 0
    assert one.line == story.view().calls[0].line
    assert one.detail == "3 requests in a row for 3 small commands, where one would do"


def test_linters_with_nothing_to_say_belong_to_it() -> None:
    """With more to say they have found something."""
    story = begun().bash("npx eslint .", "").bash("npx tsc", "").bash("git status", "clean")
    assert [one.times for one in found(story.goes_on(1))] == [1]
    told = begun().bash("npx eslint .", "").bash("npx tsc", "x" * 400).bash("git status", "ok")
    assert found(told.goes_on(1)) == []


@pytest.mark.parametrize(
    "second",
    [
        lambda s: s.bash("git status", "clean" * 200),
        lambda s: s.bash("git status", "fatal: not a repository", error=True),
        lambda s: s.bash("npm test", "ok"),
        lambda s: s.bash("grep -rn total .", "a.py"),
        lambda s: s.read("a.py", "x = 1\n"),
        lambda s: s.prompt("and the status?").bash("git status", "clean"),
        lambda s: s.asks().thinks("which one?").bash("git status", "clean"),
        lambda s: s.asks().says("So this is a library, and " * 20).bash("git status", "clean"),
        lambda s: s.bash("cat notes-17.md", "remember the milk"),
        lambda s: s.asks(model="claude-haiku-5-5").bash("git status", "clean"),
        lambda s: s.call("Bash", {"command": "git log", "run_in_background": True}, "started"),
    ],
    ids=[
        "long", "error", "test", "search", "read", "prompt", "thought", "text", "depends", "model",
        "background",
    ],
)  # fmt: skip
def test_a_chain_with_a_decision_in_it_is_none(second: object) -> None:
    """Two commands, of which the second is no plain small step."""
    story = begun().bash("ls", "notes-17.md")
    second(story)  # type: ignore[operator]
    assert found(story.goes_on(1)) == []


def test_two_are_no_chain() -> None:
    """The first may have been looked at before the second was made; nor is what went wrong one."""
    story = begun().bash("ls", "a").bash("pwd", "/repo")
    assert found(story.goes_on(1)) == []
    wrong = begun().bash("git status | cat", "fatal: not a repository").bash("pwd", "/repo")
    assert found(wrong.bash("date", "now").goes_on(1)) == []


@pytest.mark.parametrize("look", ["git add -A && git diff --cached --stat", "git status"])
def test_a_look_before_a_commit_is_a_check(look: str) -> None:
    """Whoever looks at what is staged may yet not commit it."""
    story = begun().bash(look, "cart.py | 4 +-").bash("git commit -m 'Round'", "[main 4a9]")
    assert found(story.bash("git push", "done").goes_on(1)) == []
    blind = begun().bash("git add -A", "").bash("git commit -m 'Round'", "[main 4a9]")
    assert [one.times for one in found(blind.bash("git push", "done").goes_on(1))] == [1]


def test_commands_of_one_answer_are_one_request_already() -> None:
    """Whatever their number."""
    together = begun().asks(3).bash("ls", "a").bash("pwd", "/r").bash("date", "now")
    assert found(together.goes_on(1)) == []


def test_a_word_that_was_known_before_is_no_decision() -> None:
    """The first command named the folder already."""
    story = begun().bash("ls packages", "packages core").bash("wc -l packages/x", "9 packages")
    assert [one.times for one in found(story.bash("ls packages/lib", "lib").goes_on(1))] == [1]


def test_a_commit_and_a_push_were_decided_on_before() -> None:
    """Whatever the words of the message and the name of the branch."""
    story = begun().bash("git add -A && git branch", "* fix-totals\n cart.py")
    story.bash("git commit -m 'Round totals in cart.py'", "[fix-totals 4a9] 1 file changed")
    story.bash("git push origin fix-totals", "done").goes_on(1)
    assert [one.subject for one in found(story)] == ["git add, git branch, git commit, git push"]


def test_a_copy_that_another_file_owns_is_not_charged() -> None:
    """Its requests were billed there."""
    story = begun().asks(1, owned=False)
    assert found(story.bash("ls", "a").bash("pwd", "/r").bash("date", "now").goes_on(1)) == []


def test_pieces_that_others_charged_pay_their_own_way() -> None:
    """What a drain has charged is left out of what was sent again; charged calls break a chain."""
    story = begun().bash("ls", "a").bash("git status", "b").bash("pwd", "c").goes_on(1)
    view = story.view()
    whole, prompt = found(story)[0], view.seen[1]
    [less] = found(story, {prompt.number})
    assert less.sent_tokens == whole.sent_tokens - 2 * prompt.tokens
    use = view.calls[1].use
    assert use is not None
    assert found(story, {use.number}) == []


def test_its_calls_are_claimed() -> None:
    """So that no other drain charges the same requests."""
    story = begun().bash("ls", "a").bash("git status", "b").bash("pwd", "c").goes_on(1)
    claimed: set[int] = set()
    found(story, claimed)
    assert claimed == {call.use.number for call in story.view().calls if call.use is not None}
    assert found(story, claimed) == []


# ── a file read in pieces ────────────────────────────────────────────────────────────────────────

TEXT = "".join(f"line {n}\n" for n in range(400))


def pieces(*ranges: tuple[int, int], path: str = "src/cart.py") -> Thread:
    """A file is read by (first line, count), each range in a request."""
    story = begun()
    for first, count in ranges:
        story.read(path, TEXT, offset=first, limit=count)
    return story


def test_a_range_read_in_pieces_costs_what_the_later_requests_sent_again() -> None:
    """Forwards, backwards, with a line twice or some left out."""
    story = pieces((100, 50), (149, 50), (60, 30)).goes_on(1)
    turns = story.view().turns
    claimed: set[int] = set()
    [one] = found(story, claimed)
    assert (one.subject, one.times) == ("Read of adjoining lines", 1)
    assert one.detail == "2 requests in a row for adjoining lines of cart.py"
    assert one.sent_tokens == turns[0].prompt_tokens
    assert one.error_tokens == round(one.sent_tokens * READ_DOUBT)
    assert found(story, claimed) == []
    back = pieces((100, 50), (70, 30), (20, 30)).goes_on(1)
    assert [one.detail[0] for one in found(back)] == ["3"]


@pytest.mark.parametrize(
    "story",
    [
        pieces((100, 50)),
        pieces((100, 50), (250, 50)),
        begun().read("a", TEXT * 3, limit=900).read("a", TEXT * 3, offset=901, limit=200),
        pieces((100, 50)).read("src/other.py", TEXT, offset=150, limit=50),
        pieces((100, 50)).prompt("go on").read("src/cart.py", TEXT, offset=150, limit=50),
        pieces((100, 50)).asks().thinks("hm").read("src/cart.py", TEXT, offset=150, limit=50),
        pieces((100, 50)).bash("npm test", "ok").read("src/cart.py", TEXT, offset=150, limit=50),
        begun().asks(2).read("a", TEXT, limit=50).read("a", TEXT, offset=50, limit=50),
        begun().asks(owned=False).read("a", TEXT, limit=50).read("a", TEXT, offset=50, limit=50),
    ],
    ids=["once", "far", "long", "other file", "prompt", "thought", "something else", "together",
         "owned elsewhere"],
)  # fmt: skip
def test_what_is_no_range_in_pieces(story: Thread) -> None:
    """Or could not have been asked for at once."""
    assert found(story.goes_on(1)) == []
