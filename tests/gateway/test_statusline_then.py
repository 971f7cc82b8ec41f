"""Another tool's status line behind ours: the same JSON, its line below, and never its faults."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.status_bar import command, lasting, line, run

from tokenbudget.gateway import statusline
from tokenbudget.gateway.statusline_files import (
    chained_command,
    is_our_statusline,
    statusline_command,
)
from tokenbudget.system.clock import SystemClock


def both(done: subprocess.CompletedProcess[bytes]) -> tuple[str, str]:
    """Our line, and what comes below it."""
    assert done.returncode == 0
    assert done.stderr == b""
    ours, _, theirs = done.stdout.decode().partition("\n")
    assert "opus-5-5" in ours
    return ours, theirs


def test_the_other_line_follows_ours_and_is_told_the_same(tmp_path: Path) -> None:
    told = lasting(cwd="/srv/é")
    _, theirs = both(run(told, tmp_path, "--then", "cat; echo; echo theirs"))

    body, last, _ = theirs.split("\n")
    assert json.loads(body) == told
    assert last == "theirs"


def test_all_of_a_megabyte_is_handed_on(tmp_path: Path) -> None:
    told = {**lasting(), "more": "x" * 900_000}
    _, theirs = both(run(told, tmp_path, "--then", "wc -c"))
    assert int(theirs) > 900_000


@pytest.mark.parametrize(
    "other",
    ["exit 3", "kill -9 $$", "no-such-tool-at-all", "'", "echo oops >&2; exit 1", "exec false"],
)
def test_whatever_the_other_does_our_line_stands(other: str, tmp_path: Path) -> None:
    assert both(run(lasting(), tmp_path, "--then", other))[1] == ""


def test_without_a_shell_our_line_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of starting it; the process that would run it is this test's own."""
    code = (
        "import posix, sys; posix.posix_spawn = None; sys.argv = sys.argv[1:];"
        f" sys.path.insert(0, {os.path.dirname(statusline.__file__)!r}); import statusline;"
        " statusline.main()"
    )
    arguments = ["statusline", str(tmp_path), "--refresh-with", "/bin/true", "--then", "echo x"]

    done = subprocess.run(
        [sys.executable, "-IS", "-c", code, *arguments],
        input=json.dumps(lasting()).encode(),
        capture_output=True,
        timeout=20,
        check=False,
        env={},
    )
    assert both(done)[1] == ""


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """By the clock of the process itself, which is made to run out at once."""
    pid_file = tmp_path / "pid"
    other = f"sh -c 'echo $$ > {shlex.quote(str(pid_file))}; exec sleep 60'"
    code = (
        f"import sys; sys.path.insert(0, {os.path.dirname(statusline.__file__)!r});"
        " import statusline; statusline.THEN_SECONDS = 0.3; sys.argv = sys.argv[1:];"
        " statusline.main()"
    )
    arguments = ["statusline", str(tmp_path), "--refresh-with", "/bin/true", "--then", other]

    done = subprocess.run(
        [sys.executable, "-IS", "-c", code, *arguments],
        input=json.dumps(lasting()).encode(),
        capture_output=True,
        timeout=20,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert both(done)[1] == ""
    assert is_gone(pid_file)


def test_who_ends_us_ends_the_other_too(tmp_path: Path) -> None:
    """The agent starts the line anew before the last one is done."""
    pid_file = tmp_path / "pid"
    other = f"sh -c 'echo $$ > {shlex.quote(str(pid_file))}; exec sleep 60'"
    process = subprocess.Popen(
        command(tmp_path, "--then", other),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert wait_for(lambda: pid_file.exists() and bool(pid_file.read_text().strip()))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert is_gone(pid_file)


def wait_for(is_so: object) -> bool:
    """Whether it becomes so within some seconds."""
    assert callable(is_so)
    for _ in range(500):
        if is_so():
            return True
        SystemClock().sleep(0.02)
    return False


def is_gone(pid_file: Path) -> bool:
    """Whether a process has ended; one whose parent is gone may have to be waited for."""
    pid = int(pid_file.read_text())

    def is_ended() -> bool:
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        return status == "Z"

    return wait_for(is_ended)


def test_options_inside_the_other_command_are_its_own(tmp_path: Path) -> None:
    plain, theirs = both(run(lasting(), tmp_path, "--then", "--width", "--width", "40"))
    assert len(plain) > 40 or theirs == ""  # `--width` is the command here, and 40 columns are ours
    options = statusline.Options(["", "--then", "--plain"], {})
    assert options.then == "--plain"
    assert not options.is_plain


def test_without_another_there_is_one_line(tmp_path: Path) -> None:
    assert "opus-5-5" in line(run(lasting(), tmp_path))


# ── the command ──────────────────────────────────────────────────────────────────────────────────

OTHERS = [
    "npx -y ccstatusline@latest",
    "sh -c 'echo \"a\"'; echo $HOME",
    "é /a b/c --then x",
    "a'b\"c\\",
    "--then",
    statusline_command("/usr/bin/python3", "/else/where"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_chained_command_gives_the_other_back(other: str) -> None:
    made = statusline_command("/a b/python", "/home/é", other)
    assert is_our_statusline(made)
    assert chained_command(made) == other
    assert chained_command(statusline_command("/a b/python", "/home/é")) == ""


@pytest.mark.parametrize("other", [*OTHERS[:5], "", "'", "echo import statusline;"])
def test_another_tool_is_not_taken_for_ours(other: str) -> None:
    assert not is_our_statusline(other)
    assert chained_command(other) == ""


def test_an_unbalanced_quote_beside_our_words_is_not_ours() -> None:
    assert not is_our_statusline(statusline_command("/p", "/h") + " '")
