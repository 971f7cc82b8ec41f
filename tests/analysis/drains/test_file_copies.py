"""Copies of files: what a read shows of one, and what may have changed it since."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.drains.threads import numbered, thread

from tokenbudget.analysis.drains.file_copies import (
    carried_code,
    copy_of,
    file_name,
    is_prose,
    is_ranged,
    may_change,
    reads,
)
from tokenbudget.analysis.drains.identifiers import defined_in, is_coined
from tokenbudget.analysis.thread_view import ThreadView


def read(shown: str) -> ThreadView:
    """A thread in which a read gave this."""
    arguments = {"file_path": "a.py"}
    return thread().call("Read", arguments, shown, target="a.py").goes_on(1).view()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])), min_size=1),
       st.integers(1, 99_999))  # fmt: skip
def test_a_copy_gives_back_the_lines_of_the_file(lines: list[str], first: int) -> None:
    """In both of the forms that clients show."""
    for shown in (
        "\n".join(f"{n:6}→{line}" for n, line in enumerate(lines, first)),
        "\n".join(f"{n}\t{line}" for n, line in enumerate(lines, first)),
    ):
        [(call, result)] = reads(read(shown))
        copy = copy_of(call, result)
        assert copy is not None
        assert (copy.first, copy.last) == (first, first + len(lines) - 1)
        assert copy.lines == tuple(lines)


def test_what_the_client_says_behind_the_lines_is_not_of_the_file() -> None:
    """A reminder of older clients."""
    said = "\n\n<system-reminder>\n     9→no line\n</system-reminder>"
    [(call, result)] = reads(read(numbered("x = 1\ny = 2") + said))
    copy = copy_of(call, result)
    assert copy is not None
    assert copy.lines == ("x = 1", "y = 2")


@pytest.mark.parametrize(
    "shown", ["", "File unchanged since last read.", "<system-reminder>empty</system-reminder>"]
)
def test_stubs_and_warnings_are_no_reads(shown: str) -> None:
    """They bring no lines."""
    assert list(reads(read(shown))) == []


@pytest.mark.parametrize(
    "shown", ["     1→a\n     3→c", "     1→a\nand more", "     2→a\n     2→b"]
)
def test_lines_that_do_not_run_on_are_no_copy(shown: str) -> None:
    """Nobody knows what they are."""
    [(call, result)] = reads(read(shown))
    assert copy_of(call, result) is None


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("git -C app stash pop", True),
        ("git status && git diff", False),
        ("npx prettier --write src", True),
        ("eslint . --fix", True),
        ("cat > a.py <<'EOF'", True),
        ("echo x >> a.py", True),
        ("perl -pi -e s/a/b/ a.py", True),
        ("mv b.py a.py", True),
        ("Set-Content a.py x", True),
        ("pytest -q 2>&1 | tail -3", False),
        ("grep -n total a.py 2>/dev/null", False),
        ("node -e 'xs.map(x => x)' > /dev/null", False),
        ("ls -la", False),
    ],
)
def test_commands_that_may_rewrite_a_file(command: str, changes: bool) -> None:
    """By their words alone."""
    view = thread().bash(command, "").goes_on(1).view()
    assert may_change(view.calls[0], "a.py") is changes


def test_other_calls_that_may_change_a_file() -> None:
    """An edit of it, a subagent, a server's tool that names it; and not those of another."""
    story = thread().edit("a.py", "x", "y").edit("b.py", "x", "y").call("Agent", {}, "done")
    story.call("mcp__fs__put", {"path": "/src/a.py"}, "").call("mcp__fs__put", {"path": "b"}, "")
    story.call("Grep", {"path": "a.py"}, "")
    calls = story.goes_on(1).view().calls
    assert [may_change(call, "/src/a.py") for call in calls[2:]] == [True, True, False, False]
    assert [may_change(call, "a.py") for call in calls[:2]] == [True, False]


def test_names_of_files() -> None:
    """Of any system; prose is told by its ending."""
    assert file_name("C:\\src\\a.py") == file_name("/src/a.py/") == "a.py"
    assert is_prose("docs/README.md")
    assert is_prose("Makefile")
    assert not is_prose("src/a.py")


def test_ranges_are_asked_for() -> None:
    """An argument that is null asks for nothing."""
    story = thread().call("Read", {"file_path": "a", "offset": None}, "x")
    story.call("Read", {"file_path": "a", "limit": 3}, "x")
    assert [is_ranged(call) for call in story.view().calls] == [False, True]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("async def send_letter(to):", ["send_letter"]),
        ("func (e *Engine) Render(x int) string {", ["Render"]),
        ("export const readAll = () => 1", ["readAll"]),
        ("type Options struct {", ["Options"]),
        ('  "scripts": {', ["scripts"]),
        ("retries = 3", ["retries"]),
        ("if total == 3:", []),
        ("import (", []),
        ("# nothing here", []),
    ],
)
def test_names_that_a_line_defines(line: str, names: list[str]) -> None:
    """By the keyword before them, or by their place."""
    assert list(defined_in(line)) == names


def test_coined_words() -> None:
    """Made for programs; a capital at the head of a sentence makes none."""
    assert all(map(is_coined, ("read_all", "readAll", "utf8", "HTML")))
    assert not any(map(is_coined, ("total", "Total", "Straße")))


@pytest.mark.parametrize(
    ("path", "tokens", "requests", "arguments", "is_found"),
    [
        ("lib/a.py", 500, 10, {}, True),
        ("lib/a.py", 499, 10, {}, False),
        ("lib/a.py", 500, 9, {}, False),
        ("docs/a.md", 500, 10, {}, False),
        ("lib/a.py", 500, 10, {"offset": 3}, False),
    ],
)
def test_code_that_was_carried_is_large_whole_and_long_there(
    path: str, tokens: int, requests: int, arguments: dict[str, int], is_found: bool
) -> None:
    story = thread().call(
        "Read", {"file_path": path, **arguments}, numbered("x = 1"), target=path, tokens=tokens
    )
    view = story.goes_on(requests).view()
    found = list(carried_code(view, set(), least_tokens=500, least_requests=10))

    assert [copy.path for copy in found] == ([path] if is_found else [])
    claimed = {copy.piece.number for copy in found}
    assert list(carried_code(view, claimed, least_tokens=500, least_requests=10)) == []
