"""A hook ends well, silently and in time, whatever is or is not there to answer it."""

from __future__ import annotations

import ast
import json
import os
import random
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.gateway.daemons import (
    FOLDER,
    QUICK,
    SESSION,
    hook,
    pretended,
    read_all,
    start_nothing,
    until,
)

from tokenbudget.gateway import hook_client
from tokenbudget.gateway.hook_files import (
    hook_command,
    http_hook,
    is_our_hook_command,
    is_our_http_hook,
)
from tokenbudget.gateway.hooks import in_process

PAYLOAD = json.dumps({"session_id": SESSION, "hook_event_name": "Stop", "cwd": "/"}).encode()
REPLY = b'{"systemMessage":"from the daemon"}'
FRAME = b"%08d\n%s" % (len(REPLY), REPLY)
HERE = f"""
from types import SimpleNamespace
import sys
sys.path.append({os.path.dirname(os.path.dirname(FOLDER))!r})
from tokenbudget.gateway.hooks import in_process
in_process.answer = lambda payload, home, now_ms, shorten: SimpleNamespace(
    reply=b'{{"here":%d}}' % len(payload), session="", wants_refresh=False)
"""
"""Stands in for the decision, so that it can be told who made it."""
ALONE = f"{QUICK} exec({HERE!r});"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    start_nothing(tmp_path)
    return tmp_path


def decided_here(done: subprocess.CompletedProcess[bytes], payload: bytes = PAYLOAD) -> bool:
    return (done.returncode, done.stderr) == (0, b"") and done.stdout == b'{"here":%d}' % len(
        payload
    )


# ── a daemon answers ──────────────────────────────────────────────────────────────────────────────


def test_the_daemon_gets_the_payload_as_it_is_and_its_reply_is_printed(home: Path) -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        heard.append(read_all(connection))
        connection.sendall(FRAME)

    payload = PAYLOAD + b" " * 300_000  # more than a pipe or a socket takes at once
    with pretended(home, behave):
        done = hook(home, payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, REPLY, b"")
    assert heard == [payload]


def test_a_reply_in_single_bytes_is_put_together(home: Path) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        for sign in FRAME:
            connection.sendall(bytes([sign]))

    with pretended(home, behave):
        assert hook(home, PAYLOAD).stdout == REPLY


def test_words_for_a_summary_are_printed_as_they_are(home: Path) -> None:
    said = b'Keep exactly: the paths of the files in use "src/caf\xc3\xa9.py".'

    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(b"%08d\n%s" % (len(said), said))

    with pretended(home, behave):
        assert hook(home, PAYLOAD).stdout == said


def test_an_empty_reply_prints_nothing_and_is_no_reason_to_decide_here(home: Path) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(b"00000000\n")

    with pretended(home, behave):
        done = hook(home, PAYLOAD, code=ALONE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"000",
        b"00000000",
        b"00000035\n{",
        FRAME[:-1],
        b"99999999\n" + REPLY,
        b"-0000001\n" + REPLY,
        b"+0000001\n{",
        "\u0660\u0660\u0660\u0660".encode() + b"\n{}",
        b"00000009\nTraceback",
        b"00000002\n[]",
        b"00000002\n\xff\xfe",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        random.Random(8).randbytes(64),
    ],
)
def test_an_answer_that_is_none_is_not_printed_and_the_hook_decides_by_itself(
    home: Path, reply: bytes
) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(reply)

    with pretended(home, behave) as visits:
        assert decided_here(hook(home, PAYLOAD, code=ALONE))
    assert visits


def test_a_daemon_that_hangs_costs_its_patience_once(home: Path) -> None:
    """The next hooks do not wait for it: for ten seconds they decide by themselves."""
    release = threading.Event()

    def behave(_: socket.socket) -> None:
        release.wait(5)

    with pretended(home, behave) as visits:
        assert decided_here(hook(home, PAYLOAD, code=ALONE))
        assert decided_here(hook(home, PAYLOAD, code=ALONE))
        release.set()
    assert len(visits) == 1
    old = (home / "run/silent.stamp").stat().st_mtime - 11
    os.utime(home / "run/silent.stamp", (old, old))

    def answer(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(FRAME)

    (home / "run/daemon.sock").unlink()
    with pretended(home, answer):
        assert hook(home, PAYLOAD).stdout == REPLY


def test_a_daemon_that_closes_at_once_does_no_harm(home: Path) -> None:
    payload = PAYLOAD + b" " * 3_000_000  # still being sent when it closes
    with pretended(home, lambda connection: None):
        assert decided_here(hook(home, payload, code=ALONE), payload)


def test_a_socket_in_a_folder_that_others_may_write_to_is_not_asked(home: Path) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(FRAME)

    with pretended(home, behave) as visits:
        (home / "run").chmod(0o770)
        assert decided_here(hook(home, PAYLOAD, code=ALONE))
    assert not visits


def test_a_folder_that_is_a_link_is_not_asked(home: Path, tmp_path: Path) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(FRAME)

    other = tmp_path / "other"
    with pretended(other, behave) as visits:
        (home / "run").symlink_to(other / "run")
        assert decided_here(hook(home, PAYLOAD, code=ALONE))
    assert not visits


def test_a_home_with_a_long_path_is_served(tmp_path: Path) -> None:
    home = tmp_path
    while len(str(home)) < 200:
        home = home / "quite-a-long-name-of-a-folder"
    start_nothing(home)

    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(FRAME)

    with pretended(home, behave):
        assert hook(home, PAYLOAD).stdout == REPLY


# ── no daemon ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "way", ["nothing", "no home", "a file", "a stale socket", "a file as home"]
)
def test_without_a_daemon_the_hook_decides_by_itself(home: Path, way: str) -> None:
    at = home
    if way == "no home":
        at = home / "missing"
    elif way == "a file":
        (home / "run").mkdir(mode=0o700)
        (home / "run/daemon.sock").write_text("no socket")
    elif way == "a stale socket":
        with pretended(home, lambda connection: None):
            pass
    elif way == "a file as home":
        at = home / "file"
        at.write_text("")
    assert decided_here(hook(at, PAYLOAD, code=ALONE))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[" * 100_000,
        b'{"session_id": "../../etc", "hook_event_name": "Stop"}',
        b'{"session_id": 7, "hook_event_name": ["Stop"]}',
        b'{"session_id": "a", "hook_event_name": "NeverHeardOf"}',
        PAYLOAD[:-5],
        b"\xff\xfe\x00" * 1000,
        b'{"session_id": "a", "hook_event_name": "Stop", "x": NaN, "x": "\\ud800"}',
    ],
)
def test_hostile_payloads_are_answered_with_an_object_or_nothing(
    home: Path, payload: bytes
) -> None:
    done = hook(home, payload)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"" or isinstance(json.loads(done.stdout), dict)


def test_a_payload_that_is_too_long_is_read_to_its_end_and_answered_with_nothing(
    home: Path,
) -> None:
    code = f"{ALONE} hook_client.PAYLOAD_BYTES = 100_000;"
    done = hook(home, b" " * 500_000 + PAYLOAD, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    exact = PAYLOAD + b" " * (100_000 - len(PAYLOAD))
    assert decided_here(hook(home, exact, code=code), exact)


def test_stdin_without_an_end_ends_the_hook_in_time(home: Path) -> None:
    command = shlex.split(hook_command(sys.executable, str(home)))
    command[3] = command[3].replace("hook_client.main()", QUICK + "hook_client.main()")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(PAYLOAD)
        process.stdin.flush()
        assert process.wait(timeout=10) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")


SWALLOWS = """
from tokenbudget.gateway.installed_libraries import reach_libraries
reach_libraries()
from tokenbudget.gateway.hooks import in_process, trimming
import tokenbudget.metering.tokenizer
in_process.SHORTEN_SECONDS = 0.1
class Stubborn:
    def __init__(self, *_): pass
    def trimmed(self, question):
        open(question.home + "/asked", "w").close()
        for _ in range(9):
            try:
                while True: sum(range(99))
            except Exception: pass
trimming.Trimmer = Stubborn
"""


def test_a_codec_that_takes_every_fault_for_its_own_is_ended_too(home: Path) -> None:
    """What ends it is none that a codec could swallow; then the result goes on as it is."""
    told = json.loads(PAYLOAD)
    told |= {"hook_event_name": "PostToolUse", "tool_name": "Bash", "prompt_id": "p"}
    told |= {"tool_input": {"command": "make"}}
    told |= {"tool_response": {"stdout": "one line\n" * 9_000, "stderr": ""}}
    path = f"import sys; sys.path.append({os.path.dirname(os.path.dirname(FOLDER))!r});"
    code = f"{QUICK} {path} exec({SWALLOWS!r});"
    done = hook(home, json.dumps(told).encode(), code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (home / "asked").exists()
    state = json.loads((home / f"hooks/sessions/{SESSION}.json").read_text())
    assert (state["events"]["PostToolUse"][0], state["faults"]) == (1, 0)


@pytest.mark.parametrize("fault", ["raise ValueError", "raise SystemExit(3)", "while True: pass"])
def test_a_decision_that_fails_or_hangs_is_none(home: Path, fault: str) -> None:
    bad = f"def bad(*_):\n {fault}\nin_process.answer = bad"
    code = f"{ALONE} hook_client.IN_PROCESS_SECONDS = 0.3; exec({bad!r});"
    done = hook(home, PAYLOAD, code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_streams_do_no_harm(home: Path, closed: int) -> None:
    command = shlex.split(hook_command(sys.executable, str(home)))
    command[3] = command[3].replace("hook_client.main()", QUICK + "hook_client.main()")
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}>&-', "sh", *command],
        input=PAYLOAD,
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (0, b"")


# ── what it starts ────────────────────────────────────────────────────────────────────────────────


def starter(tmp_path: Path) -> tuple[Path, Path]:
    """A program that notes that it was started, and where it notes it."""
    noted = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$TOKENS_HOME $*" >> {noted}\n')
    program.chmod(0o755)
    return program, noted


def test_a_hook_without_a_daemon_starts_one_and_the_next_ones_do_not(tmp_path: Path) -> None:
    program, noted = starter(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    for _ in range(3):
        assert hook(home, PAYLOAD, "--serve-with", str(program)).returncode == 0
    until(noted.exists)
    assert noted.read_text() == f"{home} \n"
    assert (home / "run").stat().st_mode & 0o777 == 0o700
    stamp = home / "run/start.stamp"
    old = stamp.stat().st_mtime - 61
    os.utime(stamp, (old, old))
    hook(home, PAYLOAD, "--serve-with", str(program))
    until(lambda: noted.read_text().count("\n") == 2)


def test_what_is_started_finds_a_package_that_the_user_installed_and_none_of_the_agents() -> None:
    flags = "import sys; f = sys.flags; print(f.safe_path, f.ignore_environment, f.no_user_site)"
    told = subprocess.check_output([sys.executable, in_process.SERVE[0], "-c", flags])
    assert told.split() == [b"True", b"1", b"0"]


def test_twenty_hooks_at_once_start_one(tmp_path: Path) -> None:
    program, noted = starter(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    threads = [
        threading.Thread(target=hook, args=(home, PAYLOAD, "--serve-with", str(program)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(noted.exists)
    assert noted.read_text().count("\n") == 1


def test_no_daemon_is_started_where_the_settings_forbid_it_or_one_is_there(
    tmp_path: Path,
) -> None:
    program, noted = starter(tmp_path)
    home = tmp_path / "home"
    start_nothing(home)
    hook(home, PAYLOAD, "--serve-with", str(program))
    (home / "hooks/settings.json").unlink()
    with pretended(home, lambda connection: None):  # one that answers nothing
        hook(home, PAYLOAD, "--serve-with", str(program))
    assert not (home / "run/start.stamp").exists()
    assert not noted.exists()


def test_a_refresh_that_is_wanted_is_started_as_the_status_line_does(tmp_path: Path) -> None:
    program, noted = starter(tmp_path)
    home = tmp_path / "home"
    start_nothing(home)
    for _ in range(2):
        hook(home, PAYLOAD, "--refresh-with", str(program))  # a Stop
    until(noted.exists)
    assert noted.read_text() == f"{home} {SESSION}\n"


# ── what it is made of ────────────────────────────────────────────────────────────────────────────


def modules_of(home: Path, more: str = "") -> set[str]:
    """What a hook has imported when it leaves, beyond a bare interpreter."""
    bare = subprocess.run(
        [sys.executable, "-IS", "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    show = "import posix; names = lambda: ' '.join(sys.modules).encode();"
    show += " hook_client.leave = lambda *_: posix.write(2, names()) and posix._exit(0);"
    done = hook(home, PAYLOAD, code=more + show)
    assert done.returncode == 0
    return set(done.stderr.decode().split()) - set(bare.stdout.split())


def test_with_a_daemon_nothing_but_c_modules_is_imported(home: Path) -> None:
    def behave(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(FRAME)

    with pretended(home, behave):
        assert modules_of(home) == {"hook_client", "_socket"}


def test_the_decision_by_itself_imports_no_heavy_module(home: Path) -> None:
    heavy = {"argparse", "asyncio", "dataclasses", "enum", "msgspec", "re", "socket", "sqlite3"}
    heavy |= {"subprocess", "threading", "tomllib", "typing", "tempfile", "inspect", "datetime"}
    found = modules_of(home)
    assert "tokenbudget.gateway.hooks.handler" in found
    assert not found & heavy


def test_the_client_names_no_other_file_of_ours_but_the_second_path() -> None:
    tree = ast.parse(Path(hook_client.__file__).read_text(encoding="utf-8"))
    top = {
        name.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert top == {"_signal", "_socket", "posix", "sys", "time"}


def test_where_the_package_is_gone_or_half_of_it_nothing_is_said(tmp_path: Path) -> None:
    """It may have been removed without `tokens uninstall`, or be on the way to a new version."""
    half = tmp_path / "half"
    half.mkdir()
    (half / "hook_client.py").write_text("import posix\ndef main(")
    for folder in (str(tmp_path / "gone"), str(half)):
        command = shlex.split(hook_command(sys.executable, str(tmp_path)))
        assert command[4] == FOLDER
        command[4] = folder
        done = subprocess.run(command, input=PAYLOAD, capture_output=True, check=False, timeout=20)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_shell_gives_the_command_on_as_it_is(home: Path) -> None:
    command = hook_command(sys.executable, str(home))
    done = subprocess.run(
        ["/bin/sh", "-c", command], input=PAYLOAD, capture_output=True, check=False, timeout=20
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (home / "hooks/sessions" / f"{SESSION}.json").exists()


# ── how it is wired ───────────────────────────────────────────────────────────────────────────────


def test_our_command_is_known_whatever_its_python_and_place(tmp_path: Path) -> None:
    command = hook_command("/opt/my python/bin/python3", str(tmp_path / "it's a home"))
    assert is_our_hook_command(command)
    assert shlex.split(command)[0] == "/opt/my python/bin/python3"
    assert shlex.split(command)[-1] == str(tmp_path / "it's a home")


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        7,
        "echo hook_client",
        "python -c 'import hook_client'",
        "python -IS -c 'import hook_client'",
        "'unbalanced import hook_client",
        "grep -IS -c 'import hook_client",
        "python -IS -c 'import statusline' /folder /home",
    ],
)
def test_another_command_is_not_ours(text: object) -> None:
    assert not is_our_hook_command(text)


def test_our_http_hook_is_known_whatever_its_port() -> None:
    made = http_hook(27_123, "ab" * 32)
    assert is_our_http_hook(made)
    assert made["headers"] == {"Authorization": "Bearer " + "ab" * 32}
    for other in (
        {**made, "url": "http://127.0.0.1:27123/v1/hooks"},
        {**made, "url": "http://127.0.0.1.evil.example:80/v1/hook"},
        {**made, "url": "http://example.com:27123/v1/hook"},
        {**made, "type": "command"},
        {"type": "http"},
    ):
        assert not is_our_http_hook(other)
