"""A command's label says what ran, and never with what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.analysis.command_labels import LONGEST_LABEL, UNNAMED, command_label


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("npm test", "npm test"),
        ("npm run build -- --watch", "npm run build"),
        ("git diff HEAD~3 -- src/app.py", "git diff"),
        ("git -C /srv/shop -c user.name=x log --oneline", "git log"),
        ("git stash pop", "git stash pop"),
        ("python -m pytest -q tests/", "python -m pytest"),
        ("python3.11 tools/check.py --all", "python3.11"),
        ("python -c 'print(1)'", "python -c"),
        ("uv run pytest -x", "uv run pytest"),
        ("cargo build --release", "cargo build"),
        ("docker compose -f a.yml up -d", "docker compose up"),
        ("npx -y eslint .", "npx eslint"),
        ("gh pr view 12 --json title", "gh pr view"),
        ("make -C build test", "make test"),
        ("kubectl -n shop get pods", "kubectl get pods"),
        ("ls -la /etc", "ls"),
        ("./node_modules/.bin/tsc --noEmit", "tsc"),
        ("/usr/bin/env bash -lc 'x'", "bash"),
        (r"C:\\tools\\run.exe --all", "run.exe"),
        ("rg 'TODO' | head -20", "rg"),
    ],
)
def test_a_command_is_called_by_what_it_runs(command: str, label: str) -> None:
    assert command_label(command) == label


@pytest.mark.parametrize(
    "command",
    [
        "cd /srv/shop && npm test",
        "cd /srv/shop; npm test",
        "NODE_ENV=test CI=1 npm test",
        "sudo -u deploy npm test",
        "timeout 60s npm test",
        "timeout -k 5 60 npm test",
        "env -i A=b npm test",
        "time npm test 2>&1 | tail -40",
        "2>/dev/null npm test",
        "> out.log npm test",
        "set -euo pipefail\nsource .env\nnpm test",
        "export TOKEN=abc && npm test",
        "for i in 1 2 3; do npm test; done",
        "if true; then npm test; fi",
        "while ! npm test; do sleep 5; done",
        "(npm test)",
        "{ npm test; }",
        "[ -d x ] && npm test",
        "2>&1 npm test",
        "((i+1)); npm test",
        "nohup npm test &",
        "# first the tests\nnpm test",
        "npm \\\n  test",
    ],
)
def test_what_stands_around_it_does_not_matter(command: str) -> None:
    assert command_label(command) == "npm test"


@pytest.mark.parametrize(
    "secret",
    ["hunter2-token-0123456789abcdef", "--password=hunter2", "/home/dev/hunter2", "'hunter2'"],
)
@pytest.mark.parametrize(
    "program", ["curl", "git", "npm run", "python -m", "docker", "ssh", "gh pr"]
)
def test_no_argument_path_or_secret_is_told(program: str, secret: str) -> None:
    assert "hunter2" not in command_label(f"{program} {secret} {secret}")
    assert "hunter2" not in command_label(f"API_KEY=hunter2 {program} -H 'x: hunter2'")


@pytest.mark.parametrize(
    "command",
    ["", " ", "\x00", "$CMD x", "'quoted program' x", "&& || ;", "cd /srv", "A=1", "=", "→"],
)
def test_what_names_nothing_is_a_shell(command: str) -> None:
    assert command_label(command) == UNNAMED


def test_a_heredoc_is_no_command() -> None:
    assert command_label("cat > a.py <<'EOF'\nrm -rf /\nEOF") == "cat"
    assert command_label("python3 - <<'EOF'\nimport os\nEOF") == "python3"


def test_a_label_is_short() -> None:
    assert len(command_label("a" * 500)) <= LONGEST_LABEL
    assert len(command_label("gh pr " + "verb-" * 4 + " x")) <= LONGEST_LABEL


pieces = st.sampled_from(
    [
        *("cd /x", "&&", ";", "|", "npm", "run", "git", "-C", "timeout", "60", "sudo", "'", '"'),
        *("\\", "$(", ")", "`", "<<EOF", "\n", "A=b", "python", "-m", "\x1b[31m", "\u202e", "é"),
        *("for i in", "do", "2>&1"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(pieces | st.text(max_size=5), max_size=12).map(" ".join))
def test_any_text_has_a_plain_label(command: str) -> None:
    label = command_label(command)

    assert 0 < len(label) <= LONGEST_LABEL
    assert label.isascii()
    assert label.isprintable()
    assert len(label.split(" ")) <= 3


def test_a_huge_command_is_named_at_once() -> None:
    assert command_label("npm test " + "'" * 5_000_000) == "npm test"
