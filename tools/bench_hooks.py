"""Measure a hook as wired beside a bare interpreter, and over HTTP; print the table.

`python tools/bench_hooks.py [--rounds 200] [--python PATH] [--corpus FOLDER] [--output FILE]`.
Every round runs each way once, one after the other, so that whatever else the machine does meets
them all. The agent's own part is not in these figures (`tools/bench_hooks_client.py` has it).

With `--corpus`, a folder of Claude Code with many sessions, the same is measured while the daemon
reads all of it for the first time: in its worker process, as it does, and in a thread of its own,
as it does not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tokenbudget.gateway.daemon.secret import known_secret
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.hook_files import HOOK_ROUTE, HOST, hook_command

BARE = 'python -IS -c ""'
WITH_DAEMON = "hook, a daemon answers"
ALONE = "hook, decides by itself"
HTTP = "HTTP, same connection"
HTTP_NEW = "HTTP, new connection"
SESSION = "bench-session"
CALLS = 1_500
PAUSE_SECONDS = 0.005
LINES = 400
"""Of the transcript: a session in the middle of its work."""

IN_A_THREAD = """
import sys, threading
from tokenbudget.app import serving, open_workbench
from tokenbudget.app.live import SILENT
from tokenbudget.cli.options import settings
from tokenbudget.collector.ingest import Want
from tokenbudget.system.clock import SystemClock
found = settings(is_silent=True)._replace(backfill="off", workers=0)
daemon = serving.daemon_of(found, SystemClock(), int(sys.argv[1]), 900)
assert daemon.open()
def read():
    open_workbench(found, SILENT, Want.DETAIL).ledger.close()
    daemon.stop("read")
threading.Thread(target=read, daemon=True).start()
daemon.run()
"""
"""The daemon with the reading in a thread of its own: what it would be without a worker."""


def payloads_for(transcript: Path) -> list[bytes]:
    """What an agent says in the middle of its work: three events in turn."""
    base = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": "/tmp"}
    tool = {"tool_name": "Bash", "tool_input": {"command": "make test"}, "tool_use_id": "toolu_1"}
    result = {"stdout": "ok 1 - a test that passes\n" * 80, "stderr": "", "interrupted": False}
    return [
        json.dumps({**base, "hook_event_name": name, **more}).encode()
        for name, more in (
            ("UserPromptSubmit", {"prompt": "go on"}),
            ("PreToolUse", tool),
            ("PostToolUse", {**tool, "tool_response": result}),
        )
    ]


def transcript_in(folder: Path) -> Path:
    """A session with some hundred requests."""
    path = folder / f"projects/-tmp/{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    with path.open("w") as out:
        for at in range(LINES):
            usage = {"input_tokens": 8, "output_tokens": 300, "cache_read_input_tokens": 200 * at}
            message: dict[str, object] = {"id": f"msg_{at}", "role": "assistant", "usage": usage}
            message |= {"model": "claude-opus-5-5"}
            message["content"] = [{"type": "text", "text": "words " * 100}]
            line: dict[str, object] = {"type": "assistant", "sessionId": SESSION}
            line |= {"requestId": f"req_{at}", "uuid": f"u{at}", "timestamp": stamp}
            out.write(json.dumps({**line, "version": "2.1.329", "message": message}) + "\n")
    return path


# ── homes and daemons ─────────────────────────────────────────────────────────────────────────────


def environment_of(home: Path, claude: Path) -> dict[str, str]:
    """All that a process here is told."""
    told = {"HOME": str(home), "TOKENS_HOME": str(home / "tokens"), "TOKENS_WORKERS": "0"}
    return {**told, "CLAUDE_CONFIG_DIR": str(claude), "PATH": os.environ.get("PATH", "")}


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], home: Path, claude: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon, until the end of the block; waits until it answers."""
    data = str(home / "tokens")
    with subprocess.Popen(
        command, env=environment_of(home, claude), stdout=subprocess.DEVNULL
    ) as process:
        try:
            end = time.monotonic() + 20
            while not status_of(data).is_running or status_of(data).trouble:
                if time.monotonic() > end or process.poll() is not None:
                    raise SystemExit(f"no daemon: {status_of(data)}")
                time.sleep(0.02)
            yield process
        finally:
            process.terminate()


def start_nothing(home: Path) -> None:
    """Have hooks of this home start no daemon."""
    (home / "tokens/hooks").mkdir(parents=True, exist_ok=True)
    (home / "tokens/config.toml").write_text("[serve]\nautostart = false\n")
    (home / "tokens/hooks/settings.json").write_text('{"is_starting_daemon": false}')


# ── one call of each kind ─────────────────────────────────────────────────────────────────────────


def spent_by(command: Sequence[str], environment: Mapping[str, str]) -> Callable[[bytes], float]:
    """Milliseconds of one run of a command with this on its stdin."""

    def once(payload: bytes) -> float:
        began = time.perf_counter()
        done = subprocess.run(
            command, input=payload, capture_output=True, env=environment, check=False
        )
        spent = 1000 * (time.perf_counter() - began)
        if done.returncode or done.stderr or done.stdout[:1] not in (b"", b"{"):
            raise SystemExit(f"{command}: {done}")
        return spent

    return once


def _received(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise ConnectionResetError("the daemon has ended")
    return part


class OverHttp:
    """Hooks over HTTP, on one connection or on a new one each."""

    def __init__(self, port: int, secret: str, is_kept: bool) -> None:
        self._address = (HOST, port)
        self._head = (
            f"POST {HOOK_ROUTE} HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
            f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
        )
        self._is_kept = is_kept
        self._connection: socket.socket | None = None

    def __call__(self, payload: bytes) -> float:
        """Milliseconds of one."""
        began = time.perf_counter()
        if self._connection is None:
            self._connection = socket.create_connection(self._address)
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"{self._head}Content-Length: {len(payload)}\r\n\r\n".encode()
        self._connection.sendall(head + payload)
        data = b""
        while b"\r\n\r\n" not in data:
            data += _received(self._connection)
        top, _, body = data.partition(b"\r\n\r\n")
        wanted = int(top.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < wanted:
            body += _received(self._connection)
        spent = 1000 * (time.perf_counter() - began)
        if not top.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(top.decode())
        if not self._is_kept:
            self._connection.close()
            self._connection = None
        return spent


# ── tables ────────────────────────────────────────────────────────────────────────────────────────


def measured(
    ways: Mapping[str, Callable[[bytes], float]], payloads: Sequence[bytes], rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of every call, in turn; one round before the first is not counted."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, once in ways.items():
            spent = once(payloads[turn % len(payloads)])
            if turn:
                took[name].append(spent)
    return took


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def rows_of(took: Mapping[str, list[float]]) -> list[str]:
    """The table, in Markdown."""
    rows = ["| | p50, ms | p90, ms | p99, ms | p50 / bare |", "|---|---|---|---|---|"]
    bare = statistics.median(took[BARE]) if BARE in took else None
    for name, values in took.items():
        shares = [f"{percentile(values, percent):.1f}" for percent in (50, 90, 99)]
        is_process = bare is not None and not name.startswith("HTTP")
        ratio = f"{statistics.median(values) / bare:.2f}" if is_process and bare else ""
        rows.append(f"| {name} | {' | '.join(shares)} | {ratio} |")
    return rows


def quiet_table(python: str, rounds: int, folder: Path) -> list[str]:
    """Each way, on a machine that does nothing else for us."""
    with_daemon, alone = folder / "with", folder / "alone"
    claude = folder / "claude"
    payloads = payloads_for(transcript_in(claude))
    port = free_port()
    for home in (with_daemon, alone):
        home.mkdir()
        start_nothing(home)
    serve = [python, "-P", "-m", "tokenbudget", "serve", "--persistent", "--port", str(port)]
    with running(serve, with_daemon, claude):
        data = str(with_daemon / "tokens")
        secret = known_secret(data)
        environment = environment_of(with_daemon, claude)
        ways: dict[str, Callable[[bytes], float]] = {
            BARE: spent_by([python, "-IS", "-c", ""], environment),
            WITH_DAEMON: spent_by(shlex.split(hook_command(python, data)), environment),
            ALONE: spent_by(shlex.split(hook_command(python, str(alone / "tokens"))), environment),
            HTTP: OverHttp(port, secret, is_kept=True),
            HTTP_NEW: OverHttp(port, secret, is_kept=False),
        }
        return rows_of(measured(ways, payloads, rounds))


def busy_table(python: str, folder: Path, corpus: Path, in_thread: bool) -> list[str]:
    """Over HTTP, one request every few milliseconds, while a whole corpus is read."""
    home = folder / ("thread" if in_thread else "worker")
    home.mkdir()
    start_nothing(home)
    port, data = free_port(), str(home / "tokens")
    from tokenbudget.gateway.daemon.secret import secret_of

    secret = secret_of(data)
    command = [python, "-P", "-m", "tokenbudget", "serve", "--persistent", "--port", str(port)]
    if in_thread:
        command = [python, "-P", "-c", IN_A_THREAD, str(port)]
    payloads = payloads_for(transcript_in(folder / f"claude-{home.name}"))
    with running(command, home, corpus) as process:
        kept = OverHttp(port, secret, is_kept=True)
        stop = json.dumps({"session_id": SESSION, "hook_event_name": "Stop", "cwd": "/"}).encode()
        if not in_thread:
            kept(stop)  # has the worker begin
            time.sleep(0.3)
        began = time.monotonic()
        took: dict[str, list[float]] = {HTTP: []}
        with contextlib.suppress(ConnectionError):  # everything is read, and the daemon has ended
            while len(took[HTTP]) < CALLS and process.poll() is None:
                took[HTTP].append(kept(payloads[len(took[HTTP]) % len(payloads)]))
                time.sleep(PAUSE_SECONDS)
                if len(took[HTTP]) % 50 == 0 and status_of(data).refreshed:
                    break
        spent = time.monotonic() - began
    reader = "a thread" if in_thread else "the worker"
    note = f"{len(took[HTTP])} requests in {spent:.0f} s, while {reader} read."
    return [*rows_of(took), "", note]


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rounds", type=int, default=200)
    reader.add_argument("--python", default=sys.executable)
    reader.add_argument("--corpus", type=Path)
    reader.add_argument("--output", type=Path)
    options = reader.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines = quiet_table(options.python, options.rounds, folder)
        lines += ["", f"{options.rounds} rounds; CPython {platform.python_version()};"]
        lines[-1] += f" {os.cpu_count()} processors."
        if options.corpus:
            for in_thread in (False, True):
                lines += ["", *busy_table(options.python, folder, options.corpus, in_thread)]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
