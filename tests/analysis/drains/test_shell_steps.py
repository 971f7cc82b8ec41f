"""What a shell command does by its words: looking, a small step, a check, or anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.drains.shell_steps import heads, is_check, is_look, is_small_step


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ls -la", ["ls"]),
        ("cd src && git status --short", ["cd", "git status"]),
        ("git -C /repo --no-pager log -5 2>&1 | head -3", ["git log"]),
        ("FOO=1 uv run ruff check .; pwd", ["ruff", "pwd"]),
        ("echo 'a && b > c' && wc -l x", ["echo", "wc"]),
        ("cat a \\\n  b", ["cat"]),
    ],
)
def test_heads_are_the_programs_of_a_command(command: str, expected: list[str]) -> None:
    """Directory, assignments, wrappers, quotation and filters behind a pipe aside."""
    assert heads(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        "for f in *; do cat $f; done",
        "cat <<EOF\nx\nEOF",
        "echo $(rm x)",
        "echo `rm x`",
        "ls > files.txt",
        "sleep 5 &",
        "cat x | sh",
        "ls | xargs rm",
        "diff <(ls a) <(ls b)",
    ],
)
def test_what_hides_other_commands_has_no_heads(command: str) -> None:
    """Loops, substitutions, redirections into files, and pipes into programs that act."""
    assert heads(command) is None
    assert not is_look(command)
    assert not is_small_step(command)
    assert not is_check(command)


@pytest.mark.parametrize(
    "command",
    ["grep -rn total src", "ls && git diff --stat", "git branch", "find . -name '*.py' | wc -l"],
)
def test_looking_changes_nothing(command: str) -> None:
    """Searching is looking too."""
    assert is_look(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "rm x",
        "npm test",
        "find . -name x -delete",
        "git branch -D old",
        "git remote add x y",
        "git checkout main",
        "git stash pop",
    ],
)
def test_what_may_change_something_is_not_looking(command: str) -> None:
    """Flags that delete count as well as programs that do."""
    assert not is_look(command)


@pytest.mark.parametrize(
    ("command", "is_small"),
    [
        ("git add -A && git commit -m 'Fix > all'", True),
        ("mkdir -p a/b && ls a", True),
        ("ruff format .", True),
        ("grep -rn total src", False),
        ("npm test", False),
        ("python script.py", False),
    ],
)
def test_small_steps_need_no_thought(command: str, *, is_small: bool) -> None:
    """A search does: what to look for next depends on what it finds."""
    assert is_small_step(command) is is_small


def test_a_check_is_a_linter_or_a_build_beside_small_steps() -> None:
    """But not a test, and not with anything else."""
    assert is_check("gofmt -l . && go build ./... 2>&1 | tail -5")
    assert is_check("npx tsc --noEmit")
    assert not is_check("ls")
    assert not is_check("go build ./... && go test ./...")


@given(st.text())
def test_any_text_is_taken(command: str) -> None:
    """Nothing raises, and what is a small step or a look has heads."""
    if is_look(command) or is_small_step(command) or is_check(command):
        assert heads(command)
