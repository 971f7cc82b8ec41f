"""The daemon put together: its environment, its worker's jobs, its beginning anew."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.children import bury, children
from tests.gateway.daemons import asked, environment_of, free_port, status, until

import tokenbudget
from tokenbudget.app import serving
from tokenbudget.app.controlling import holder
from tokenbudget.app.spilling import spill_of
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.gateway.daemon.chores import REFRESH, SETTINGS, SWEEP, ControlTold, Job
from tokenbudget.gateway.daemon.places import default_port
from tokenbudget.gateway.daemon.secret import known_secret
from tokenbudget.gateway.daemon.stopping import stop_daemon
from tokenbudget.ledger.store import Ledger
from tokenbudget.system.clock import SystemClock

SESSION = "5d0c1f5e-0000-4000-8000-00000000abcd"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one session in it; the environment says so, too."""
    monkeypatch.setattr("os.environ", environment_of(tmp_path))
    transcript = tmp_path / f"claude/projects/-srv-shop/{SESSION}.jsonl"
    transcript.parent.mkdir(parents=True)
    usage = {"input_tokens": 8, "output_tokens": 410, "cache_read_input_tokens": 114_000}
    message = {"id": "msg_1", "role": "assistant", "model": "claude-opus-5-5", "usage": usage}
    line = {"type": "assistant", "sessionId": SESSION, "requestId": "req_1", "uuid": "u1"}
    line |= {"timestamp": "2026-11-20T11:00:00.000Z", "version": "2.1.329"}
    transcript.write_text(json.dumps({**line, "message": message}) + "\n")
    return tmp_path


def settings_of(home: Path) -> Settings:
    return settings_from(environment_of(home))._replace(backfill="off", workers=0)


def test_the_port_is_the_users_own_unless_the_settings_say_another(home: Path) -> None:
    assert serving.port_of(settings_of(home)) == default_port(os.getuid())
    (home / "config.toml").write_text("[serve]\nport = 27555\n")
    assert serving.port_of(settings_of(home)) == 27_555


def test_a_refresh_makes_the_snapshot_and_no_status_line_starts_another(home: Path) -> None:
    serving.do(Job(REFRESH, SESSION, ""), lambda _: settings_of(home))
    snapshot = json.loads((home / f"statusline/{SESSION}.json").read_text())
    assert snapshot["total_tokens"] == 114_418
    assert (home / "statusline/refresh.lock").read_text().strip() == "0"


def test_a_refresh_of_a_session_that_is_not_there_does_nothing(home: Path) -> None:
    serving.do(Job(REFRESH, "another", ""), lambda _: settings_of(home))
    assert not (home / "statusline/another.json").exists()


def test_a_sweep_reads_what_is_new_and_looks_at_the_alerts(home: Path) -> None:
    serving.do(Job(SWEEP), lambda _: settings_of(home))
    with sqlite3.connect(home / "ledger.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM response").fetchone() == (1,)
    ledger.close()
    assert (home / "alerts-looked").exists()
    assert (home / "hooks/settings.json").exists()


def test_a_sweep_removes_originals_that_are_kept_no_longer(home: Path) -> None:
    (home / "config.toml").write_text("[spill]\nkeep_days = 1\n")
    spill = spill_of(str(home), SystemClock())
    old, new = spill.keep(b"old"), spill.keep(b"new")
    os.utime(home / f"spill/{old}.zst", (0, 0))
    serving.do(Job(SWEEP), lambda _: settings_of(home))
    assert [one.handle for one in spill.listing()] == [new]


def test_settings_are_compiled_for_the_hooks_and_a_bad_one_leaves_the_old(home: Path) -> None:
    compiled = home / "hooks/settings.json"
    (home / "config.toml").write_text("[serve]\nautostart = false\n")
    serving.do(Job(SETTINGS), lambda _: settings_of(home))
    assert json.loads(compiled.read_text())["is_starting_daemon"] is False
    before = compiled.read_bytes()
    (home / "config.toml").write_text('[hooks]\nstop_at = "never"\n')
    serving.do(Job(SETTINGS), lambda _: settings_of(home))
    assert compiled.read_bytes() == before


def test_the_settings_of_a_job_are_those_of_its_project(home: Path) -> None:
    asked: list[str] = []

    def settings_in(folder: str) -> Settings:
        asked.append(folder)
        return settings_of(home)

    serving.do(Job(REFRESH, SESSION, "/srv/shop"), settings_in)
    assert asked == ["/srv/shop"]


# ── the controller in the worker ──────────────────────────────────────────────────────────────────


def live_session(home: Path) -> None:
    """The session has just been answered."""
    (transcript,) = home.glob("claude/projects/*/*.jsonl")
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).strftime("%FT%T.000Z")
    text = transcript.read_text().replace("2026-11-20T11:00:00.000Z", now)
    transcript.write_text(text.replace("msg_1", "msg_2"))


def test_the_worker_says_when_its_controller_looks_again(home: Path) -> None:
    loop = serving.Loop(lambda folder: settings_of(home))
    assert ControlTold.of(loop.turned()) == ControlTold(None, is_waiting=False)
    loop.close()
    live_session(home)
    loop = serving.Loop(lambda folder: settings_of(home))
    assert ControlTold.of(loop.turned()) == ControlTold(5.0, is_waiting=False)
    assert holder(str(home)) == f"tokens serve (process {os.getpid()})"
    loop.close()
    assert holder(str(home)) == ""


@pytest.mark.slow
def test_a_daemon_has_a_controller_that_another_one_takes_over_when_it_is_killed(
    home: Path,
) -> None:
    live_session(home)
    (home / "config.toml").write_text(f"[serve]\nport = {free_port()}\n")
    try:
        serving.started(settings_of(home), False, SystemClock())
        until(lambda: holder(str(home)).startswith("tokens serve"))
        until(lambda: has_looked(home))
        SystemClock().sleep(0.5)  # it rests for five seconds then
        first = holder(str(home))
        os.kill(int(first.removesuffix(")").split()[-1]), signal.SIGKILL)
        call_with_hook(home)
        until(lambda: holder(str(home)) not in ("", first), seconds=90)  # a fault is followed by 30
    finally:
        stop_daemon(str(home), SystemClock())
    until(lambda: holder(str(home)) == "")


def has_looked(home: Path) -> bool:
    with Ledger(str(home / "ledger.db")) as ledger:
        return ledger.control.states() == [SESSION]


def call_with_hook(home: Path) -> None:
    """A hook that has the worker do something."""
    payload = {"session_id": SESSION, "hook_event_name": "Stop", "cwd": str(home)}
    asked(home, json.dumps(payload).encode())


def test_files_that_settings_stand_in_are_watched(home: Path) -> None:
    marks = [serving.settings_mark(settings_of(home))]
    (home / "config.toml").write_text("")
    marks.append(serving.settings_mark(settings_of(home)))
    (home / "claude/settings.json").write_text("{}")
    marks.append(serving.settings_mark(settings_of(home)))
    assert len({str(mark) for mark in marks}) == 3
    assert serving.settings_mark(settings_of(home)) == marks[-1]


def test_one_is_started_with_its_secret_and_goes_on(home: Path) -> None:
    port, before = free_port(), children()
    (home / "config.toml").write_text(f"[serve]\nport = {port}\n")
    try:
        begun = serving.started(settings_of(home), True, SystemClock())
        assert (begun.is_running, begun.port, begun.trouble) == (True, port, "")
        assert known_secret(str(home))
        again = serving.started(settings_of(home), True, SystemClock())
        assert again.pid == begun.pid
    finally:
        assert stop_daemon(str(home), SystemClock()) == begun.pid
        until(lambda: all_have_ended(home, before))


def all_have_ended(home: Path, before: set[int]) -> bool:
    """On a busy machine the second one comes to itself when the first has ended, and goes on."""
    stop_daemon(str(home), SystemClock())
    bury(children() - before)
    return children() <= before


def test_a_persistent_one_begins_anew_when_the_program_was_changed(home: Path) -> None:
    """In the same process, so that whoever watches over it sees no end."""
    copy = home / "copy"
    shutil.copytree(
        os.path.dirname(tokenbudget.__file__),
        copy / "tokenbudget",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    environment = {**environment_of(home), "PYTHONPATH": str(copy)}
    command = [sys.executable, "-P", "-m", "tokenbudget", "serve", "--persistent"]
    command += ["--port", str(free_port()), "--settled"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: status(home).port > 0)
            version = copy / "tokenbudget/__init__.py"
            version.write_text(version.read_text().replace('"0.1.0"', '"7.7.7"'))
            until(lambda: status(home).version == "7.7.7")
            assert status(home).pid == process.pid
        finally:
            process.terminate()
    assert not status(home).is_running


def test_processes_that_a_job_started_leave_nothing_behind() -> None:
    quick = subprocess.Popen(["true"])
    slow = subprocess.Popen(["sleep", "60"])

    def is_gone() -> bool:
        serving.reap_senders()
        return not _is_known(quick.pid)

    until(is_gone)
    assert _is_known(slow.pid)
    slow.kill()
    slow.wait()
    quick.wait()
    serving.reap_senders()


def _is_known(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
