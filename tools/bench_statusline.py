"""Measure the status line, as wired, beside a bare interpreter and two peers; print the table.

`python tools/bench_statusline.py [--rounds 200] [--python PATH] [--home FOLDER] [--npm FOLDER]
[--output FILE]`. All are given the same JSON on stdin, one process after the other in turn, so that
whatever else the machine does meets them all. Every process has an empty home of its own kind;
`--home` gives ours any other, such as one with a ledger of a million requests
(`tools/make_large_ledger.py`): the line never opens it, which the last lines of the output show.
`--npm` is a folder to install the peers into, or one that has them; without it, or without npm,
they are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenbudget.app import LEDGER_NAME
from tokenbudget.gateway import statusline
from tokenbudget.gateway.statusline_files import Snapshot, statusline_command, write_snapshot

BARE = 'python -IS -c ""'
OURS = "tokens statusline, as wired"
STALE = "... starting a refresh"
BY_PATH = "... by its path, not kept compiled"
CHAINED = "... with another's line, `:`, behind it"
PACKAGES = ("ccstatusline@2.2.30", "@ccusage/ccusage-{machine}@20.0.24")
SESSION = "bench-session"


def stdin_of(transcript: Path) -> bytes:
    """What an agent in the middle of its work says."""
    now = int(time.time())
    usage = {"input_tokens": 8, "output_tokens": 410, "cache_creation_input_tokens": 2392}
    told = {
        "session_id": SESSION,
        "transcript_path": str(transcript),
        "cwd": str(transcript.parent),
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": str(transcript.parent), "project_dir": str(transcript.parent)},
        "version": "2.1.329",
        "output_style": {"name": "default"},
        "cost": {"total_cost_usd": 1.86, "total_duration_ms": 617_394},
        "context_window": {
            "total_input_tokens": 116_400,
            "total_output_tokens": 410,
            "context_window_size": 200_000,
            "current_usage": {**usage, "cache_read_input_tokens": 114_000},
            "used_percentage": 58,
            "remaining_percentage": 42,
        },
        "exceeds_200k_tokens": False,
        "prompt_cache": {"warm": True, "ttl": "5m", "expires_at": now + 3600, "hit_ratio": 0.96},
        "rate_limits": {
            "five_hour": {"used_percentage": 38, "resets_at": now + 7200},
            "seven_day": {"used_percentage": 61, "resets_at": now + 250_000},
        },
    }
    return json.dumps(told).encode()


def transcript_in(folder: Path) -> Path:
    """A short session, where a peer looks for it."""
    path = folder / f".claude/projects/-work/{SESSION}.jsonl"
    path.parent.mkdir(parents=True)
    usage = {"input_tokens": 8, "output_tokens": 410, "cache_read_input_tokens": 114_000}
    message = {"id": "msg_1", "role": "assistant", "model": "claude-opus-5-5", "usage": usage}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    record = {"type": "assistant", "sessionId": SESSION, "requestId": "req_1", "timestamp": stamp}
    path.write_text(json.dumps({**record, "message": message}) + "\n")
    return path


def snapshot_for(home: Path, transcript: Path) -> None:
    """A snapshot that is as new as the transcript, so that no refresh is due."""
    found = transcript.stat()
    made_at_ms = time.time_ns() // 1_000_000
    snapshot = Snapshot(SESSION, made_at_ms, found.st_size, found.st_mtime_ns // 1_000_000)
    snapshot = snapshot._replace(burn_tokens_per_minute=1600.0, minutes_left_p50=51.0, alerts=1)
    write_snapshot(str(home), snapshot)


def peers_in(folder: Path) -> dict[str, list[str]]:
    """The commands of the peers, installed if need be; those that can be had."""
    system = f"{platform.system().lower()}-{platform.machine()}"
    machine = system.replace("x86_64", "x64").replace("aarch64", "arm64")
    if not (folder / "node_modules").is_dir() and shutil.which("npm"):
        packages = [package.format(machine=machine) for package in PACKAGES]
        install = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder)]
        subprocess.run([*install, *packages], check=False)
    node = shutil.which("node") or "node"
    script = folder / "node_modules/ccstatusline/dist/ccstatusline.js"
    binary = folder / f"node_modules/@ccusage/ccusage-{machine}/bin/ccusage"
    if binary.is_file():
        binary.chmod(0o755)  # its package's own install script would
    commands = {
        "ccstatusline 2.2.30": (script, [node, str(script)]),
        "ccusage 20.0.24 statusline": (binary, [str(binary), "statusline", "--offline"]),
    }
    return {name: command for name, (file, command) in commands.items() if file.is_file()}


def measured(
    commands: Mapping[str, Sequence[str]], stdin: bytes, home: Path, lock: Path, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of every run, in turn; one turn before the first is not counted.

    Without its `lock` the next line that finds its snapshot behind starts a refresh.
    """
    environment = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "COLUMNS": "100"}
    took: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            lock.unlink(missing_ok=True)
            began = time.perf_counter()
            done = subprocess.run(
                command, input=stdin, capture_output=True, env=environment, check=False
            )
            spent = 1000 * (time.perf_counter() - began)
            if turn:
                took[name].append(spent)
            elif name != BARE:
                print(f"{name:38} {done.stdout.decode().strip()}", file=sys.stderr)
    return took


def p90(values: Sequence[float]) -> float:
    """The ninetieth percent."""
    return statistics.quantiles(values, n=10, method="inclusive")[-1]


def rows_of(took: Mapping[str, list[float]]) -> list[str]:
    """The table, in Markdown."""
    bare_median, bare_p90 = statistics.median(took[BARE]), p90(took[BARE])
    rows = ["| | median, ms | p90, ms | median / bare | p90 / bare |", "|---|---|---|---|---|"]
    for name, values in took.items():
        median, high = statistics.median(values), p90(values)
        ratios = f"{median / bare_median:.2f} | {high / bare_p90:.2f}"
        rows.append(f"| `{name}` | {median:.1f} | {high:.1f} | {ratios} |")
    return rows


def opened_in(home: Path, command: Sequence[str], stdin: bytes) -> str:
    """Which files of our home one run opens, by strace where there is one."""
    if not shutil.which("strace"):
        return "strace is not here, so what the line opens is not shown"
    with tempfile.NamedTemporaryFile("r") as log:
        trace = ["strace", "-f", "-e", "trace=openat,open", "-o", log.name, *command]
        subprocess.run(trace, input=stdin, capture_output=True, check=False)
        paths = [part.split('"')[1] for part in log if f'"{home}/' in part]
    return "opened of its home: " + ", ".join(path.removeprefix(f"{home}/") for path in paths)


def requests_in(home: Path) -> int:
    """How many requests the ledger of our home holds; 0 where there is none."""
    ledger = home / LEDGER_NAME
    if not ledger.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM response").fetchone()[0])


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--npm", type=Path)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    chosen = options()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        transcript = transcript_in(place)
        home, stale_home = chosen.home or place / "tokens", place / "stale"
        snapshot_for(home, transcript)
        quiet = ["--refresh-with", "/bin/true"]
        commands: dict[str, Sequence[str]] = {
            BARE: [chosen.python, "-IS", "-c", ""],
            OURS: shlex.split(statusline_command(chosen.python, str(home))),
            STALE: [*shlex.split(statusline_command(chosen.python, str(stale_home))), *quiet],
            BY_PATH: [chosen.python, "-IS", statusline.__file__, str(home)],
            CHAINED: shlex.split(statusline_command(chosen.python, str(home), ":")),
            **(peers_in(chosen.npm) if chosen.npm else {}),
        }
        stdin = stdin_of(transcript)
        took = measured(
            commands, stdin, place, stale_home / "statusline/refresh.lock", chosen.rounds
        )
        size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
        lines = [
            *rows_of(took),
            "",
            f"{chosen.rounds} runs of each in turn; {platform.python_implementation()}"
            f" {platform.python_version()}; {os.cpu_count()} processors.",
            f"Its home held {size:,} bytes and a ledger of {requests_in(home):,} requests;"
            f" {opened_in(home, commands[OURS], stdin)}.",
        ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if chosen.output:
        chosen.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
