"""`tokens serve` as real processes: one per home, killed at any moment, stopped by no other."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.daemons import (
    answers,
    asked,
    bound_by_modes,
    daemon,
    ended,
    environment_of,
    free_port,
    hook,
    pretended,
    spawned,
    start_nothing,
    status,
    until,
)

from tokenbudget.gateway.daemon import stopping
from tokenbudget.system.clock import SystemClock

SESSION = "5d0c1f5e-0000-4000-8000-00000000abcd"
START = json.dumps(
    {"session_id": SESSION, "hook_event_name": "SessionStart", "source": "startup", "cwd": "/"}
).encode()
STOP = json.dumps({"session_id": SESSION, "hook_event_name": "Stop", "cwd": "/"}).encode()


def tokens(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "tokenbudget", *arguments],
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
        preexec_fn=bound_by_modes,
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    start_nothing(tmp_path)
    (tmp_path / "config.toml").write_text("[serve]\nautostart = false\n")
    yield tmp_path
    assert not status(tmp_path).is_running  # no test leaves one behind


def events_of(home: Path) -> dict[str, int]:
    """How often each event was seen in the session, by the state that hooks keep."""
    state = json.loads((home / f"hooks/sessions/{SESSION}.json").read_text())
    return {name: count for name, (count, _) in state["events"].items()}


# ── one per home ──────────────────────────────────────────────────────────────────────────────────


def test_a_daemon_answers_is_told_of_and_is_stopped(home: Path) -> None:
    with daemon(home) as process:
        assert hook(home, START).stderr == b""
        told = json.loads(tokens(home, "serve", "--status", "--json").stdout)
        assert told["format"] == "tokenbudget/serve/1"
        assert (told["is_running"], told["pid"], told["trouble"]) == (True, process.pid, "")
        shown = tokens(home, "serve", "--status")
        assert shown.returncode == 0
        assert shown.stdout.startswith(f"the daemon runs: process {process.pid}, version ")
        stopped = tokens(home, "serve", "--stop")
        assert stopped.stdout == f"ended the daemon, process {process.pid}\n"
        assert process.wait(10) == 0
    shown = tokens(home, "serve", "--status")
    assert shown.returncode == 1
    assert shown.stdout.startswith("no daemon runs for ")
    assert tokens(home, "serve", "--stop").stdout == "no daemon runs\n"


def test_of_many_that_start_at_once_exactly_one_stays(home: Path) -> None:
    several = [spawned(home) for _ in range(5)]
    try:
        until(lambda: sum(one.poll() is None for one in several) == 1)
        until(lambda: answers(home))
        [stays] = [one for one in several if one.poll() is None]
        assert status(home).pid == stays.pid
        for one in several:
            if one is not stays:
                said = one.communicate()[0]
                assert one.returncode == 0
                assert said.startswith("a daemon of this home runs already")
        assert asked(home, b"") == b"00000000\n"
    finally:
        for one in several:
            ended(one)


def test_killed_at_any_moment_hooks_go_on_and_the_next_one_begins(home: Path) -> None:
    """No event is lost; one whose answer was lost is decided once more."""
    count = 0
    for at in range(4):
        with daemon(home) as process:
            asking = threading.Thread(target=hook, args=(home, STOP))
            asking.start()
            if at % 2:
                asking.join()
            process.kill()
            process.wait()
            asking.join()
            assert hook(home, STOP).returncode == 0
            count += 2
        assert (home / "run/daemon.sock").exists()  # left behind, and replaced
    with daemon(home):
        assert hook(home, STOP).returncode == 0
    seen = events_of(home)["Stop"]
    assert count + 1 <= seen <= count + 5


def test_a_daemon_that_hangs_is_stopped_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "PATIENCE_SECONDS", 0.2)
    with daemon(home) as process:
        process.send_signal(signal.SIGSTOP)
        assert "does not answer" in status(home).trouble
        done = hook(home, STOP)
        assert (done.returncode, done.stderr) == (0, b"")
        assert stopping.stop_daemon(str(home), SystemClock()) == process.pid
        assert process.wait(10) == -signal.SIGKILL


def test_stop_ends_nothing_but_the_daemon_of_this_home(home: Path, tmp_path: Path) -> None:
    """A process id that an old lock names may be anybody's by now."""
    other = tmp_path / "other"
    start_nothing(other)
    with daemon(other) as stays, subprocess.Popen(["sleep", "60"]) as bystander:
        (home / "run").mkdir(mode=0o700)
        (home / "run/daemon.lock").write_text(str(bystander.pid).ljust(20))
        with pretended(home, lambda connection: None):
            assert tokens(home, "serve", "--stop").stdout == "no daemon runs\n"
        (home / "run/daemon.sock").unlink()
        assert (bystander.poll(), stays.poll()) == (None, None)
        bystander.kill()


def test_who_holds_the_lock_must_be_who_listens(home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander, daemon(home) as process:
        (home / "run/daemon.lock").write_text(str(bystander.pid).ljust(20))
        refused = tokens(home, "serve", "--stop")
        assert refused.returncode == 4
        assert "cannot be told for certain" in refused.stderr
        assert (bystander.poll(), process.poll()) == (None, None)
        (home / "run/daemon.lock").write_text(str(process.pid).ljust(20))
        bystander.kill()


# ── what stands in its way ────────────────────────────────────────────────────────────────────────


def test_something_else_with_the_sockets_name_is_left_alone_and_hooks_go_on(home: Path) -> None:
    (home / "run").mkdir(mode=0o700)
    (home / "run/daemon.sock").write_text("mine")
    done = tokens(home, "serve")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "daemon.sock is no socket" in done.stderr
    assert (home / "run/daemon.sock").read_text() == "mine"
    assert (hook(home, STOP).returncode, events_of(home)) == (0, {"Stop": 1})
    assert "is no socket, so none can start" in tokens(home, "serve", "--status").stdout


@pytest.mark.parametrize("kind", ["read-only", "a file"])
def test_a_home_that_cannot_be_written_has_no_daemon_and_hooks_go_on(
    tmp_path: Path, kind: str
) -> None:
    at = tmp_path / "home"
    if kind == "a file":
        at.write_text("")
    else:
        at.mkdir(mode=0o500)
    done = tokens(at, "serve")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "hooks go on without a daemon" in done.stderr
    answered = hook(at, START)
    assert (answered.returncode, answered.stderr) == (0, b"")
    assert at.is_file() or list(at.iterdir()) == []


def test_a_home_whose_name_is_no_text_is_served(tmp_path: Path) -> None:
    at = tmp_path / "h\udcff it's"
    try:
        start_nothing(at)
    except OSError:
        pytest.skip("this file system takes no such name")
    (at / "config.toml").write_text("[serve]\nautostart = false\n")
    with daemon(at):
        assert hook(at, STOP).returncode == 0
        assert asked(at, b"") == b"00000000\n"
    assert events_of(at) == {"Stop": 1}


def test_a_home_with_a_long_path_is_served(tmp_path: Path) -> None:
    at = tmp_path
    while len(str(at)) < 200:
        at = at / "quite-a-long-name-of-a-folder"
    start_nothing(at)
    with daemon(at):
        assert hook(at, STOP).returncode == 0
        assert status(at).answered == 1 or asked(at, b"") == b"00000000\n"
    assert events_of(at) == {"Stop": 1}


def test_a_taken_port_is_told_and_the_socket_is_served(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with daemon(home, "--persistent", "--port", str(port)) as process:
            until(lambda: bool(status(home).trouble))
            assert hook(home, STOP).returncode == 0
            shown = tokens(home, "serve", "--status").stdout
            assert f"port {port} of 127.0.0.1 cannot be had" in shown
            assert "command hooks are served" in shown
            assert process.poll() is None


# ── what it knows and keeps ───────────────────────────────────────────────────────────────────────


def test_a_persistent_one_serves_http_with_a_secret_of_its_own(home: Path) -> None:
    port = free_port()
    with daemon(home, "--persistent", "--port", str(port)):
        until(lambda: status(home).port == port)
        assert (home / "run/secret").stat().st_mode & 0o777 == 0o600
        secret = (home / "run/secret").read_text().strip()
        for given, wanted in ((secret, b"200"), ("no", b"401")):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                head = f"POST /v1/hook HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                head += f"Authorization: Bearer {given}\r\nContent-Type: application/json\r\n"
                connection.sendall(f"{head}Content-Length: {len(STOP)}\r\n\r\n".encode() + STOP)
                assert connection.recv(1000).split(b" ")[1] == wanted
        assert events_of(home) == {"Stop": 1}
    assert "serves HTTP from now on" in _said_by_a_second_one(home, port)


def _said_by_a_second_one(home: Path, port: int) -> str:
    with daemon(home, "--port", str(port)):
        return tokens(home, "serve", "--persistent").stdout


def test_nothing_of_the_agents_environment_stays_with_it(home: Path) -> None:
    secrets = {"CLAUDE_CODE_MESSAGING_TOKEN": "canary", "ANTHROPIC_API_KEY": "canary"}
    environment = environment_of(home, **secrets, DISPLAY=":7", MY_HOOK_URL="https://x.example/y")
    channels = [{"name": "team", "kind": "slack", "target": "env:MY_HOOK_URL"}]
    rules = {"format": "tokenbudget/alerts/1", "rules": [], "channels": channels}
    (home / "alerts.json").write_text(json.dumps(rules))
    with daemon(home, environment=environment) as process:
        proc = Path(f"/proc/{process.pid}/environ")
        if not proc.exists():
            pytest.skip("this system does not show the environment of a process")
        told = dict(line.split("=", 1) for line in proc.read_text().split("\0") if "=" in line)
        assert "canary" not in "".join(told.values())
        assert told["DISPLAY"] == ":7"
        assert told["MY_HOOK_URL"] == "https://x.example/y"  # a person named it for alerts
        assert told["TOKENS_HOME"] == str(home)
        assert Path(f"/proc/{process.pid}/cwd").readlink() == home


def test_no_word_of_a_payload_is_kept_in_its_files(home: Path) -> None:
    canary = "canary-in-a-payload"
    payload = {"session_id": SESSION, "hook_event_name": "UserPromptSubmit", "prompt": canary}
    with daemon(home):
        hook(home, json.dumps({**payload, "cwd": f"/{canary}"}).encode())
        asked(home, canary.encode() * 100)
    for path in (home / "run").iterdir():
        if path.is_file():
            assert canary not in path.read_text()


def test_a_refresh_that_a_hook_wishes_for_is_made_by_the_worker(home: Path) -> None:
    transcript = home / f"claude/projects/-srv-shop/{SESSION}.jsonl"
    transcript.parent.mkdir(parents=True)
    usage = {"input_tokens": 8, "output_tokens": 410, "cache_read_input_tokens": 114_000}
    message = {"id": "msg_1", "role": "assistant", "model": "claude-opus-5-5", "usage": usage}
    line = {"type": "assistant", "sessionId": SESSION, "requestId": "req_1", "uuid": "u1"}
    line |= {"timestamp": "2026-11-20T11:00:00.000Z", "version": "2.1.329"}
    transcript.write_text(json.dumps({**line, "message": message}) + "\n")
    snapshot = home / f"statusline/{SESSION}.json"
    with daemon(home):
        told = {"session_id": SESSION, "hook_event_name": "Stop", "cwd": "/"}
        hook(home, json.dumps({**told, "transcript_path": str(transcript)}).encode())
        until(snapshot.exists)
    assert json.loads(snapshot.read_text())["total_tokens"] == 114_418


def test_changed_settings_reach_the_hooks(home: Path) -> None:
    compiled = home / "hooks/settings.json"
    with daemon(home):
        until(lambda: "thresholds" in compiled.read_text())
        assert json.loads(compiled.read_text())["is_telling"] is True
        (home / "config.toml").write_text("[serve]\nautostart = false\n[hooks]\ntell = false\n")
        until(lambda: json.loads(compiled.read_text())["is_telling"] is False)


# ── how it is asked for ───────────────────────────────────────────────────────────────────────────


def test_a_hook_starts_it_unless_the_settings_forbid_that(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[serve]\nidle = "60s"\n')
    try:
        hook(home, START)
        until(lambda: answers(home))
        assert status(home).idle_seconds == 60
    finally:
        tokens(home, "serve", "--stop")
    (home / "config.toml").write_text("[serve]\nautostart = false\n")
    quiet = tokens(home, "serve", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert not status(home).is_running


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--idle", "soon"), "is no time; write --idle 90s, 15m or 8h"),
        (("--port", "80"), "is no port; write --port 1024 to 65535"),
        (("--port", "-1"), "--port"),
        (("--port", "99999"), "is no port"),
        (("--json",), "--json goes with --status or --stop"),
        (("--persist",), "unrecognized"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    home: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = tokens(home, "serve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_bad_setting_is_told_and_no_daemon_begins(home: Path) -> None:
    (home / "config.toml").write_text('[serve]\nidle = "soon"\n')
    done = tokens(home, "serve")
    assert done.returncode == 2
    assert "serve.idle in" in done.stderr


# ── `tokens hook` ─────────────────────────────────────────────────────────────────────────────────


def test_the_hidden_verb_answers_as_the_wired_command_does(home: Path) -> None:
    with daemon(home):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tokenbudget", "hook"],
            input=STOP,
            env=environment_of(home),
            capture_output=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert events_of(home) == {"Stop": 1}
    printed = tokens(home, "hook", "--print-command").stdout
    assert "import hook_client" in printed
    assert printed.rstrip().endswith(str(home))


def test_the_hidden_verb_says_nothing_whatever_is_wrong(home: Path) -> None:
    (home / "config.toml").write_text("this is no TOML [")
    for data in (b"", b"{", STOP):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tokenbudget", "hook", "--nonsense"],
            input=data,
            env=environment_of(home),
            capture_output=True,
            check=False,
            timeout=30,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == b"" or isinstance(json.loads(done.stdout), dict)
