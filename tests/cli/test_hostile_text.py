"""Nothing in a transcript, a name or an argument may reach the terminal as a command."""

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Done, Home, response, write_lines

HOSTILE = {
    "window-title": "\x1b]0;owned\x07title",
    "link": "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "clear": "\x1b[2J\x1b[H",
    "device-control": '\x1bP$q"p\x1b\\',
    "c1": "\x9b31mred\x9d0;owned\x9c\x90dcs\x9c",
    "bidi": "safe\u202egnp.exe\u2066x\u2069\u200f",
    "zero-width": "a\u200bb\u200dc\ufeffd\u2060e\U000e0041f",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\x85six\x0bseven\x0ceight",
    "tab": "a\tb\x08\x08c",
    "markup": "[link=http://evil.example/]x[/link] [bold]b[/] {0} %s",
    "surrogate": "half\ud83d pair",
    "nul": "a\0b\x7fc",
}
COMMANDS = {
    "overview": [],
    "days": ["usage"],
    "models": ["usage", "--by", "model"],
    "projects": ["usage", "--by", "project"],
    "sessions-used": ["usage", "--by", "session"],
    "everything": ["usage", "--by", "model,project,session,agent"],
    "compare": ["usage", "--compare"],
    "sessions": ["sessions"],
    "one-session": ["sessions", "last"],
    "doctor": ["doctor"],
    "config": ["config"],
}
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def harmful(text: str) -> set[str]:
    """The characters of a text that a line may not hold."""
    found = {char for char in text if unicodedata.category(char) in INVISIBLE}
    return {f"U+{ord(char):04X}" for char in found - {"\n"}}


def as_argument(text: str) -> str:
    """A text as the shell would hand it over."""
    return os.fsdecode(text.replace("\0", "").encode("utf-8", "surrogatepass"))


def hostile_session(bad: str) -> list[dict[str, Any]]:
    """A session in which every text that the client can write is the hostile one."""
    common = {"sessionId": f"id-{bad}", "cwd": f"/srv/{bad}", "gitBranch": bad, "version": bad}
    call = {"type": "tool_use", "id": "tool_1", "name": f"mcp__{bad}__run", "input": {"path": bad}}
    return [
        {
            "type": "user",
            "uuid": "u1",
            "timestamp": "2026-11-20T08:00:00Z",
            "message": {"role": "user", "content": f"Do {bad}"},
            **common,
        },
        response(1, model=f"model-{bad}", content=[call], stop_reason=None, **common),
        response(2, at=f"9{bad}", model=bad, requestId=bad, **common),
        {
            "type": "system",
            "subtype": "compact_boundary",
            "uuid": "c1",
            "timestamp": "2026-11-20T09:30:00Z",
            "compactMetadata": {"trigger": bad, "preTokens": 1000},
            **common,
        },
        {"type": "custom-title", "customTitle": f"Title {bad}", "sessionId": f"id-{bad}"},
    ]


@pytest.fixture(params=HOSTILE)
def bad(request: pytest.FixtureRequest) -> str:
    """One hostile text."""
    return HOSTILE[str(request.param)]


@pytest.fixture
def attacked(home: Home, bad: str) -> Home:
    """A home whose only session is hostile, its file name as far as a file system takes it."""
    slug = bad.replace("/", "_").replace("\0", "") if bad.isprintable() else "-w"
    path = home.write_session("s1", *hostile_session(bad), slug=slug)
    with path.open("ab") as handle:
        handle.write(b"[]\nno json \x1b[2J\n")
    return home


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_lets_it_through(attacked: Home, command: str) -> None:
    for width in ("80", "160"):
        done = attacked.run(*COMMANDS[command], COLUMNS=width)

        assert done.code == 0
        assert harmful(done.out + done.err) == set()


@pytest.mark.parametrize("by", ["model", "project", "session"])
def test_a_row_stays_one_line(attacked: Home, by: str) -> None:
    table = attacked.ask("usage", "--by", by)
    lines = attacked.run("usage", "--by", by).lines

    rules = [i for i, line in enumerate(lines) if line.startswith("──")]
    assert rules[1] - rules[0] - 1 == len(table["rows"])


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_ascii(attacked: Home, command: str) -> None:
    done = attacked.run(*COMMANDS[command], "--json")

    assert done.out.isascii()
    assert harmful(done.out) == set()
    assert json.loads(done.out)["format"].startswith("tokenbudget/")


def test_json_keeps_the_text_as_it_was(home: Home) -> None:
    home.write_session("s1", *hostile_session(HOSTILE["clear"]))

    rows = home.ask("sessions")["rows"]
    assert rows[0]["title"] == f"Title {HOSTILE['clear']}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["{bad}"],
        ["--{bad}"],
        ["usage", "--by", "{bad}"],
        ["usage", "--since", "{bad}"],
        ["usage", "--tz", "x{bad}"],
        ["usage", "--model", "no-{bad}"],
        ["usage", "--session", "no-{bad}"],
        ["usage", "--check", "{bad}"],
        ["usage", "--from", "/nowhere/{bad}"],
        ["usage", "--output", "/nowhere/{bad}"],
        ["usage", "--{bad}"],
        ["sessions", "no-{bad}"],
        ["sessions", "--limit", "{bad}"],
        ["completion", "{bad}"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_an_error_is_one_clean_line(home: Home, bad: str, arguments: list[str]) -> None:
    home.write_session("s1", response(1))

    done = home.run(*(argument.replace("{bad}", as_argument(bad)) for argument in arguments))

    assert done.code in (2, 3)
    assert done.err.startswith("tokens: ")
    assert done.err.count("\n") == 1
    assert harmful(done.err) == set()


@pytest.mark.parametrize("kind", ["workers", "TOKENS_WORKERS", "unknown"])
def test_a_bad_setting_is_one_clean_line(home: Home, bad: str, kind: str) -> None:
    variables = {kind: bad.replace("\0", "")} if kind.isupper() else {}
    if not variables:
        home.config.parent.mkdir()
        key = "workers" if kind == "workers" else json.dumps(bad.encode("ascii", "ignore").decode())
        value = json.dumps(bad.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        home.config.write_text(f"{key} = {value}\n")

    done = home.run("config", **variables)

    assert done.code == 2
    assert done.err.count("\n") == 1
    assert harmful(done.err) == set()


def test_names_of_files_are_cleaned(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "\x1b]0;owned\x07\u202e\n"
    write_lines(folder / "s\x1b[2J\n.jsonl", [response(1, sessionId=None)])
    (folder / "bad\x1b[2J.jsonl").write_bytes(b"no json\n")

    for command in (["usage", "--by", "session"], ["sessions"], ["doctor"]):
        done = home.run(*command, "--from", str(folder))
        assert (done.code, harmful(done.out + done.err)) == (0, set())


def test_names_that_are_no_text_are_shown(home: Home, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    write_lines(folder / "s1.jsonl", [response(1)])
    (folder / "bad.jsonl").write_bytes(b"no json\n")

    doctor = home.spawn("doctor", "--from", str(folder))
    missing = home.spawn("doctor", "--from", str(folder / "missing"))

    assert (doctor.code, harmful(doctor.out)) == (0, set())
    assert missing.code == 3
    assert missing.err.count("\n") == 1


@pytest.mark.parametrize("command", ["overview", "sessions", "doctor", "config"])
def test_names_of_folders_are_cleaned(tmp_path: Path, bad: str, command: str) -> None:
    folder = tmp_path / as_argument(bad).replace("/", "_")
    folder.mkdir()
    for home in (Home(folder), Home(folder / "used")):
        if home.path.name == "used":
            home.write_session("s1", response(1))
        done = home.run(command, CLAUDE_CONFIG_DIR=f"{home.claude},{folder}/more")

        assert (done.code, harmful(done.out + done.err)) == (0, set())


def test_the_bytes_of_a_real_process_are_clean(home: Home) -> None:
    for number, bad in enumerate(HOSTILE.values()):
        home.write_session(f"s{number}", *hostile_session(bad), slug=f"-w{number}")

    done: Done = home.spawn("sessions")

    assert done.code == 0
    assert harmful(done.out + done.err) == set()
