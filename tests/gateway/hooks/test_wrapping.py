"""Tests and builds in our few words of shell: what they print, how they end, when it is done."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.hooks.hook_desk import SESSION, HookDesk

from tokenbudget.archive.spill import Spill
from tokenbudget.gateway.hooks import wrapped_output
from tokenbudget.gateway.hooks.huge_commands import is_huge
from tokenbudget.gateway.hooks.payload import event_of
from tokenbudget.gateway.hooks.plain_commands import PLAIN
from tokenbudget.gateway.hooks.wrapping import around, is_of_a_kind
from tokenbudget.system.clock import SystemClock

SHELLS = [one for one in ("bash", "sh", "dash", "zsh") if shutil.which(one)]
FAILING = (
    "import sys\n"
    "for n in range(300): print(f'tests/test_cart.py::test_part_{n} PASSED [ {n // 3:2}%]')\n"
    "print('E   AssertionError: 3 != 4')\nprint('to stderr', file=sys.stderr)\nsys.exit({code})\n"
)


# ── which commands ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command",
    [
        "pytest", "pytest -q tests/test_cart.py", "python -m pytest -x", "uv run pytest -q",
        "npm test", "npm run test:unit", "npm run build", "cd /srv/shop && npm test",
        "npx tsc -p .",
        "pytest -k 'total and not tax' -q", 'go test ./... -run "TestTotal"', "cargo test 2>&1",
        "CI=1 npm test", "make", "make test", "./gradlew build", "node_modules/.bin/jest",
        "mypy src",
    ],
)  # fmt: skip
def test_tests_and_builds_are_of_a_kind(command: str) -> None:
    assert is_of_a_kind(command)


@pytest.mark.parametrize(
    "command",
    [
        "", "ls", "npm start", "npm run dev", "npm run serve", "make run", "make deploy",
        "git push",
        "pytest | tail", "pytest; rm -rf x", "pytest && git push", "pytest &", "pytest > out",
        "pytest $(cat x)", "pytest `x`", "pytest -k \"$X\"", "pytest -k 'a", "pytest\nexit 3",
        "pytest -k 'a\u00a0b'", "pytest -k 'a\u200bb'", "pytest -k 'a\rb'", "pytest\t-q",
        "cd $X && pytest", "vitest --watch", "tsc -w", "npm run test -- --watch", "exit 3",
        "{ pytest", "pytest 'a' \"b\"", "sudo pytest", "x" * 2_000, "cd /a && cd /b && pytest",
    ],
)  # fmt: skip
def test_other_commands_are_not(command: str) -> None:
    assert not is_of_a_kind(command)


@given(st.text(alphabet="pytest -k'\"\\$`;&|><\n(){}!*?~#", max_size=30))
def test_no_word_that_means_more_than_itself_gets_through(text: str) -> None:
    command = f"pytest {text}"
    if is_of_a_kind(command):
        say = 'pytest() { for one; do printf "%s\\0" "$one"; done; }; '
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                ["bash", "-c", say + command], capture_output=True, check=True, cwd=folder, env={}
            )
            assert os.listdir(folder) == []
        words = shlex.split(command.rstrip().removesuffix(" 2>&1"))
        assert done.stdout.decode().split("\0")[:-1] == words[1:]


@pytest.mark.parametrize(
    "command",
    [
        "ls -R", "ls -laR /usr", "ls --recursive . 2>&1", "/bin/ls -R /etc", "du -a .", "du",
        "tree", "tree -a src", "cd /srv && tree", "npm ls --all", "npm audit --json", "pip check",
        "pnpm list -r", "npm outdated",
    ],
)  # fmt: skip
def test_what_looks_through_whole_trees_is_known_to_be_huge(command: str) -> None:
    assert is_huge(command)
    assert not is_of_a_kind(command)


@pytest.mark.parametrize(
    "command",
    ["find / -name x", "grep -rn import src", "rg total", "diff -r a b", "fgrep -r x ."],
)
def test_whose_exit_code_a_client_understands_is_left_its_own_words(command: str) -> None:
    """`grep` that finds nothing would be a failure in ours."""
    assert not is_huge(command)


@pytest.mark.parametrize(
    "command",
    [
        "", "ls", "ls -la", "ls --reverse", "npm install", "npm ci", "npm run ls", "npm audit fix",
        "npm audit --fix", "cat x", "git log", "git push", "journalctl -f", "tail -f x",
        "tree -o out", "tree -oout", "tree --output out", "tree -R -H .", "tree '-o' out",
        "tree ''-o out", "ls -R '/a b'", "ls -R | head", "ls -R; rm x", "ls -R && rm x", "ls -R &",
        "ls -R > out", "ls -R 2>/dev/null", "ls -R $HOME", "ls -R ~", "ls -R *", "ls -R `pwd`",
        "ls -R $(pwd)", "ls -R 'a", "ls -R\nrm x", "ls -R <<E\nE", "LC_ALL=C ls -R", "X=1 tree",
        "sudo ls -R /", "cd $X && tree", "cd /a && cd /b && tree", "tree || true", "{ tree",
        "ls -R \u00a0b", "xargs ls -R", "tree " + "x" * 2_000,
    ],
)  # fmt: skip
def test_what_is_not_surely_a_look_is_not(command: str) -> None:
    assert not is_huge(command)


@given(st.text(alphabet="lsR-o treecd'\"\\$`;&|><\n(){}!*?~#", max_size=30))
def test_a_look_holds_no_sign_that_means_more_than_itself(text: str) -> None:
    for program in ("ls -R", "tree", "cd a && ls -R"):
        command = f"{program} {text}"
        if is_huge(command):
            rest = command.strip().removesuffix(" 2>&1").removeprefix("cd a && ")
            assert PLAIN.issuperset(rest)


# ── how they end ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    path = tmp_path / "pytest"
    path.write_text("#!/usr/bin/env python3\n" + FAILING.replace("{code}", "7"))
    path.chmod(0o755)
    return path


def run(shell: str, command: str, home: Path, level: str = "compressed") -> Any:
    home.mkdir(exist_ok=True)
    file = home / "out"
    file.touch()
    words = around(command, str(file), str(home), level, "50")
    return subprocess.run(
        [shell, "-c", f"{words}\ncode=$?; pwd; exit $code"],
        capture_output=True, text=True, cwd=home.parent, timeout=60, check=False,
        env={"PATH": os.defpath, "HOME": str(home)},
    )  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_a_failure_is_shown_shortened_with_its_own_exit_code(
    shell: str, failing: Path, tmp_path: Path
) -> None:
    done = run(shell, str(failing), tmp_path / "home")
    assert done.returncode == 7
    assert done.stderr == ""
    lines = done.stdout.split("\n")
    assert "E   AssertionError: 3 != 4" in lines
    assert "to stderr" in lines
    assert len(lines) < 100
    assert not (tmp_path / "home/out").exists()
    [handle] = [line.rpartition("tokens recall ")[2][:-1] for line in lines if "recall" in line]
    content = Spill(tmp_path / "home/spill", SystemClock()).content(handle).decode()
    assert content.count("PASSED") == 300


@pytest.mark.parametrize("shell", SHELLS)
def test_what_succeeds_is_shown_whole(shell: str, failing: Path, tmp_path: Path) -> None:
    failing.write_text(failing.read_text().replace("exit(7)", "exit(0)"))
    done = run(shell, str(failing), tmp_path / "home")
    assert done.returncode == 0
    assert done.stdout.count("PASSED") == 300
    assert "to stderr" in done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_folder_is_changed_as_without_us(shell: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    done = run(shell, f"cd {tmp_path}/deep && true", tmp_path / "home")
    assert done.stdout.strip() == f"{tmp_path}/deep"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_persons_own_options_and_names_do_no_harm(
    shell: str, failing: Path, tmp_path: Path
) -> None:
    """A client runs commands with the options, aliases and functions of the person's shell."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "out").touch()
    ours = around(str(failing), str(home / "out"), str(home), "verbose", "100000")
    own = "set -C\ncat() { echo other; }\nrm() { echo other; }\nalias cat='echo other'\n"
    done = subprocess.run(
        [shell, "-c", f"{own}{ours}"], capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(home)},
    )  # fmt: skip
    assert (done.returncode, done.stdout.count("PASSED"), done.stderr) == (7, 300, "")
    assert "other" not in done.stdout
    assert not (home / "out").exists()


def test_where_ours_cannot_run_the_output_is_shown_as_it_is(failing: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "spill").write_text("in the way")
    done = run("sh", str(failing), home)
    assert (done.returncode, done.stdout.count("PASSED")) == (7, 300)


@pytest.mark.parametrize("content", [b"\xff\xfe bad \x00 bytes\n" * 200, b"short\n", b""])
def test_what_is_no_text_or_short_is_shown_as_it_is(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(content)
    home = tmp_path / "home"
    home.mkdir()
    (home / "out").touch()
    words = around(f"cat {tmp_path}/given x", str(home / "out"), str(home), "compressed", "50")
    done = subprocess.run(["sh", "-c", words], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith(content)


def test_what_no_memory_should_hold_is_shortened_as_it_passes(tmp_path: Path) -> None:
    line = "/usr/lib/python3/dist-packages/pkg/module.py\n"
    count = wrapped_output.MOST_BYTES // len(line) + 9
    find = tmp_path / "find"
    find.write_text(f"#!/bin/sh\nyes '{line.strip()}' | head -n {count}\necho end; exit 1\n")
    find.chmod(0o755)
    done = run("sh", f"{find} /", tmp_path / "home", "balanced")
    assert done.returncode == 1
    *_, end, way_back, _ = done.stdout.rstrip().split("\n")
    assert len(done.stdout) < 9_000
    assert end == "end"
    handle = way_back.partition(f"all {count + 2:,} lines: tokens recall ")[2].rstrip("]")
    content = Spill(tmp_path / "home/spill", SystemClock()).content(handle).decode()
    assert content == line * count + "end\n"


def test_what_is_longer_still_is_shown_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"a line\n" * 900)
    monkeypatch.setattr(wrapped_output, "MOST_STREAMED_BYTES", 900)
    with pytest.raises(ValueError, match="too long"):
        wrapped_output.streamed(str(tmp_path), str(path), "find /", "balanced")
    assert not (tmp_path / "spill").exists()


# ── when ──────────────────────────────────────────────────────────────────────────────────────────


class Permitted:
    """A session whose settings say what may run."""

    def __init__(self, desk: HookDesk, folder: Path) -> None:
        self.desk = desk
        self.config = folder / "claude"
        self.project = folder / "shop"
        place = self.config / "projects" / re.sub("[^a-zA-Z0-9]", "-", str(self.project))
        for made in (place, self.project / ".git", self.project / ".claude"):
            made.mkdir(parents=True)
        desk.transcript = place / "s.jsonl"
        desk.prompts()

    def says(self, name: str = "user", **told: object) -> None:
        place = {"user": self.config / "settings.json"}.get(
            name, self.project / f".claude/{name}.json"
        )
        place.write_text(json.dumps(told))

    def asks(
        self, command: str, mode: str = "default", cwd: Path | None = None, **more: object
    ) -> dict[str, Any]:
        """The command that takes this one's place, with what is said of it; {} for none."""
        self.desk.calls += 1
        said = self.desk.answers(
            "PreToolUse", tool_name="Bash", tool_use_id=f"toolu_{self.desk.calls}",
            tool_input={"command": command, "timeout": 9, **more}, permission_mode=mode,
            cwd=str(cwd or self.project),
        )  # fmt: skip
        found = json.loads(said.reply) if said.reply else {}
        return dict(found.get("hookSpecificOutput", {}))


@pytest.fixture
def permitted(desk: HookDesk, tmp_path: Path) -> Permitted:
    return Permitted(desk, tmp_path)


@pytest.mark.parametrize(
    "rule", ["Bash", "Bash(*)", "Bash(npm test:*)", "Bash(npm test)", "Bash(npm *)", "Bash(npm:*)"]
)
def test_what_the_person_allows_is_wrapped_and_allowed(permitted: Permitted, rule: str) -> None:
    permitted.says(permissions={"allow": ["Read", rule]})
    found = permitted.asks("npm test")
    assert found["permissionDecision"] == "allow"
    assert found["updatedInput"]["timeout"] == 9
    words = found["updatedInput"]["command"]
    assert words.startswith("{ npm test\n} >|")
    file = permitted.desk.home / f"run/wrapped/{SESSION}.toolu_1"
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) in words


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({}, "default"), ({}, "acceptEdits"),
        ({"permissions": {"allow": ["Bash(npm run test:*)", "Bash(git:*)"]}}, "default"),
        ({"permissions": {"allow": ["Bash"]}}, "plan"),
        ({"permissions": {"allow": ["Bash"]}}, "a mode to come"),
        ({"permissions": {"allow": ["Bash"], "deny": ["Bash(npm test)"]}}, "default"),
        ({"permissions": {"allow": ["Bash"], "ask": ["Bash(npm:*)"]}}, "default"),
        ({"permissions": {"deny": ["Bash(*test)"]}}, "bypassPermissions"),
        ({"permissions": {"deny": ["Bash"]}}, "bypassPermissions"),
        ({"permissions": {"ask": ["Bash(:*)"]}}, "bypassPermissions"),
        ({"permissions": {"allow": ["Bash(npm test:*)"]}}, "dontAsk"),
        ({"permissions": {"allow": ["Bash"]}, "sandbox": {"enabled": True}}, "default"),
        ({"permissions": {"allow": ["Bash(*test)"]}}, "default"),
        ({"permissions": {"allow": "Bash"}}, "default"),
    ],
)  # fmt: skip
def test_what_might_be_asked_about_is_left_alone(
    permitted: Permitted, settings: dict[str, Any], mode: str
) -> None:
    permitted.says(**settings)
    assert permitted.asks("npm test", mode) == {}


def test_rules_of_the_project_count_as_well(permitted: Permitted) -> None:
    permitted.says("settings.local", permissions={"allow": ["Bash(npm test:*)"]})
    assert permitted.asks("npm test")
    assert permitted.asks("cd /srv && npm test") == {}  # the rule is for one that stands alone
    permitted.says("settings", permissions={"ask": ["Bash"]})
    assert permitted.asks("npm test") == {}


def test_what_allows_in_a_folder_that_the_session_was_not_begun_in_is_not_believed(
    permitted: Permitted,
) -> None:
    """The client has never loaded it, and an agent may have written it."""
    inner = permitted.project / "vendor/other"
    (inner / ".claude").mkdir(parents=True)
    allowing = json.dumps({"permissions": {"allow": ["Bash"]}})
    (inner / ".claude/settings.json").write_text(allowing)
    assert permitted.asks("npm test", cwd=inner) == {}
    permitted.says("settings", permissions={"allow": ["Bash(npm test:*)"]})
    assert permitted.asks("npm test", cwd=inner)
    (inner / ".claude/settings.json").write_text('{"permissions": {"deny": ["Bash(npm:*)"]}}')
    assert permitted.asks("npm test", cwd=inner) == {}


@pytest.mark.parametrize(
    ("rule", "is_wrapped"),
    [
        ("Edit", False), ("Write(//{home}/**)", False), ("Edit(//**)", False),
        ("Read(~/**)", False), ("Read(~/.ssh/**)", True), ("Read(./.env)", True),
        ("Edit(//etc/**)", True),
        ("Edit(//*.log)", False), ("*", False),
    ],
)  # fmt: skip
def test_where_a_rule_may_forbid_the_file_of_the_output_nothing_is_wrapped(
    permitted: Permitted, rule: str, is_wrapped: bool
) -> None:
    rule = rule.replace("{home}", str(permitted.desk.home)[1:])
    permitted.says(permissions={"allow": ["Bash"], "deny": [rule]})
    assert bool(permitted.asks("npm test")) is is_wrapped
    assert bool(permitted.asks("npm test", "bypassPermissions")) is is_wrapped


def test_where_an_organisation_sends_settings_nothing_is_wrapped(permitted: Permitted) -> None:
    permitted.says(permissions={"allow": ["Bash"]})
    assert permitted.asks("npm test")
    (permitted.config / "remote-settings.json").write_text("{}")
    assert permitted.asks("npm test") == {}


def test_without_a_place_for_the_persons_settings_nothing_is_wrapped(permitted: Permitted) -> None:
    permitted.desk.transcript = permitted.project / "s.jsonl"
    assert permitted.asks("npm test", "bypassPermissions") == {}


def test_an_old_client_whose_hooks_pass_rules_that_deny_is_left_alone(
    tmp_path: Path,
) -> None:
    old = Permitted(HookDesk(tmp_path, version="2.0.76"), tmp_path)
    assert old.asks("npm test", "bypassPermissions") == {}


def test_a_command_that_imitates_our_words_is_left_alone(permitted: Permitted) -> None:
    words = "{ npm test\n} >|/dev/null 2>&1; echo more; (exit $tokens_code)"
    assert permitted.asks(words, "bypassPermissions") == {}


def test_where_a_disk_is_full_nothing_is_wrapped(
    permitted: Permitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command would fail for want of room that it does not need."""
    assert permitted.asks("npm test", "bypassPermissions")
    facts = os.statvfs(permitted.project)
    full = os.statvfs_result((*facts[:3], 0, 0, *facts[5:]))
    monkeypatch.setattr("posix.statvfs", lambda path: full)
    assert permitted.asks("npm test", "bypassPermissions") == {}


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({"model": "opus"}, "bypassPermissions"),
        ({"permissions": {"allow": ["Bash"]}}, "default"),
        ({"permissions": {"allow": ["Bash(*)"], "deny": ["Bash(rm:*)", "WebFetch"]}}, "default"),
    ],
)  # fmt: skip
def test_a_long_listing_is_wrapped_and_nothing_is_allowed_by_us(
    permitted: Permitted, settings: dict[str, Any], mode: str
) -> None:
    permitted.says(**settings)
    found = permitted.asks("ls -R /etc", mode)
    assert "permissionDecision" not in found
    assert found["updatedInput"]["command"].startswith("{ ls -R /etc\n} >|")


@pytest.mark.parametrize(
    "rules",
    [
        {}, {"allow": ["Bash(ls:*)"]}, {"allow": ["Bash(ls -R /)"]},
        {"allow": ["Bash"], "deny": ["Read(./.env)"]}, {"allow": ["Bash"], "ask": ["Read"]},
        {"allow": ["Bash"], "deny": ["Grep"]}, {"allow": ["Bash"], "deny": ["Bash(ls:*)"]},
        {"allow": ["Bash"], "ask": ["Bash"]}, {"allow": ["Bash"], "deny": ["LS(//etc)"]},
    ],
)  # fmt: skip
def test_a_long_listing_that_a_rule_about_files_may_be_about_is_left_alone(
    permitted: Permitted, rules: dict[str, list[str]]
) -> None:
    """A client may ask about a path although a rule allows the program."""
    permitted.says(permissions=rules)
    assert permitted.asks("ls -R /") == {}


def test_where_it_may_not_be_wrapped_the_guard_still_stands(
    permitted: Permitted, tmp_path: Path
) -> None:
    (tmp_path / "big.txt").write_text("a line\n" * 4_000)
    said = permitted.asks(f"cat {tmp_path}/big.txt")
    assert said["permissionDecision"] == "deny"


def test_rules_against_other_programs_do_no_harm(permitted: Permitted) -> None:
    permitted.says(permissions={"allow": ["Bash(npm:*)"], "deny": ["Bash(rm:*)", "Read(.env)"]})
    assert permitted.asks("npm test")


def test_without_questions_everything_of_a_kind_is_wrapped(permitted: Permitted) -> None:
    assert permitted.asks("cd /srv && npm test", "bypassPermissions")
    assert permitted.asks("npm start", "bypassPermissions") == {}
    assert permitted.asks("npm test", "bypassPermissions", run_in_background=True) == {}
    for wish in ({"is_wrapping": False}, {"is_trimming": False}, {"trim_deny": ["Bash"]}):
        permitted.desk.wishes(**wish)
        assert permitted.asks("npm test", "bypassPermissions") == {}


def test_settings_that_cannot_be_read_allow_nothing(permitted: Permitted) -> None:
    permitted.says(permissions={"allow": ["Bash"]})
    (permitted.project / ".claude/settings.json").write_text("{broken")
    assert permitted.asks("npm test") == {}


def test_afterwards_the_call_is_known_by_what_the_agent_wrote(permitted: Permitted) -> None:
    words = permitted.asks("npm test", "bypassPermissions")["updatedInput"]["command"]
    payload = permitted.desk.payload("PostToolUse", tool_name="Bash", tool_input={"command": words})
    assert event_of(payload).command == "npm test"
    assert event_of(payload).input == {"command": "npm test"}


def test_where_it_goes_on_in_the_background_its_output_is_named(permitted: Permitted) -> None:
    words = permitted.asks("npm test", "bypassPermissions")["updatedInput"]["command"]
    said = permitted.desk.says(
        "PostToolUse", tool_name="Bash", tool_use_id=f"toolu_{permitted.desk.calls}",
        tool_input={"command": words},
        tool_response={"stdout": "", "stderr": "", "backgroundTaskId": "b1"},
    )  # fmt: skip
    file = permitted.desk.home / f"run/wrapped/{SESSION}.toolu_{permitted.desk.calls}"
    assert said == f"Until it ends its output is in {file}"


def test_what_was_ended_from_outside_can_be_had_back(permitted: Permitted) -> None:
    words = permitted.asks("npm test", "bypassPermissions")["updatedInput"]["command"]
    file = permitted.desk.home / f"run/wrapped/{SESSION}.toolu_{permitted.desk.calls}"
    file.write_text("one test passed\n" * 40)
    said = permitted.desk.answers(
        "PostToolUseFailure", tool_name="Bash", tool_use_id=f"toolu_{permitted.desk.calls}",
        tool_input={"command": words}, error="Command timed out", is_interrupt=False,
    )  # fmt: skip
    told = json.loads(said.reply)["hookSpecificOutput"]["additionalContext"]
    assert told.startswith("Its output until then, 40 lines: tokens recall ")
    handle = told.rpartition(" ")[2]
    content = Spill(permitted.desk.home / "spill", SystemClock()).content(handle)
    assert content == b"one test passed\n" * 40
    assert not file.exists()


def ended(permitted: Permitted, content: bytes) -> tuple[str, Path]:
    """What is said of a command that was ended when it had put this out, and its file."""
    words = permitted.asks("npm test", "bypassPermissions")["updatedInput"]["command"]
    file = permitted.desk.home / f"run/wrapped/{SESSION}.toolu_{permitted.desk.calls}"
    file.write_bytes(content)
    said = permitted.desk.answers(
        "PostToolUseFailure", tool_name="Bash", tool_use_id=f"toolu_{permitted.desk.calls}",
        tool_input={"command": words}, error="ended", is_interrupt=False,
    )  # fmt: skip
    return json.loads(said.reply)["hookSpecificOutput"]["additionalContext"], file


def test_what_cannot_be_kept_stays_in_its_file(permitted: Permitted) -> None:
    permitted.desk.home.mkdir(exist_ok=True)
    (permitted.desk.home / "spill").write_text("in the way")
    said, file = ended(permitted, b"one test passed\n" * 40)
    assert said == f"Its output until then, for a day: {file}"
    assert file.read_bytes() == b"one test passed\n" * 40


def test_what_is_too_long_to_be_kept_stays_in_its_file(permitted: Permitted) -> None:
    content = b"one test passed\n" * (wrapped_output.MOST_BYTES // 16 + 1)
    said, file = ended(permitted, content)
    assert said == f"Its output until then, for a day: {file}"
    assert file.stat().st_size == len(content)
