"""How long a result waits at the door: through the daemon, and in the hook's own process.

    .venv/bin/python tools/bench_trim.py [--rounds N]

Everything is in a temporary home. The output is a log of so many lines; each call is another one,
so that nothing is known already. Beside them: a hook that has nothing to shorten, alone and while
5 MB wait at the door.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tokenbudget.gateway.hook_files import hook_command

LINES = (1, 20, 400, 3_000, 9_000, 100_000)
WARM_SECONDS = 30


def payload(lines: int, tag: str) -> bytes:
    """The event after a command with so many lines of output."""
    shown = "\n".join(
        f"2026-11-20 10:00:{n % 60:02} INFO worker {n % 7} took {n}{tag}" for n in range(lines)
    )
    told = {
        "session_id": "s", "hook_event_name": "PostToolUse", "tool_name": "Bash",
        "tool_use_id": "t", "prompt_id": "p", "cwd": "/", "tool_input": {"command": f"make {tag}"},
        "tool_response": {"stdout": shown, "stderr": "", "interrupted": False, "isImage": False},
    }  # fmt: skip
    return json.dumps(told).encode()


class Door:
    """The hook's command of one home."""

    def __init__(self, home: Path) -> None:
        self.command = shlex.split(hook_command(sys.executable, str(home)))
        self.environment = {"PATH": os.defpath, "HOME": str(home), "TOKENS_HOME": str(home)}

    def asked(self, event: bytes) -> tuple[float, int]:
        """Milliseconds, and the bytes of the reply."""
        begin = time.perf_counter()
        done = subprocess.run(
            self.command, input=event, capture_output=True, env=self.environment, check=True
        )
        return 1000 * (time.perf_counter() - begin), len(done.stdout)

    def table(self, name: str, rounds: int) -> None:
        """A row for each length of output."""
        for lines in LINES:
            found = [self.asked(payload(lines, f"{name}{n}")) for n in range(rounds)]
            size, reply = len(payload(lines, name)), found[-1][1]
            print(row(f"{name}, {size:,} bytes", [took for took, _ in found], reply))


def row(name: str, took: list[float], reply: int = 0) -> str:
    """Name, median, 99th per cent, bytes of the last reply."""
    took = sorted(took)
    late = took[min(len(took) - 1, int(0.99 * len(took)))]
    return f"| {name} | {took[len(took) // 2]:.0f} | {late:.0f} | {reply:,} |"


def furnished(home: Path, is_starting_daemon: bool) -> Door:
    """A home whose results are shortened as hard as can be."""
    (home / "hooks").mkdir(parents=True)
    told = {"format": "tokenbudget/hook-settings/1", "mode": "compressed"}
    settings = {**told, "is_starting_daemon": is_starting_daemon}
    (home / "hooks/settings.json").write_text(json.dumps(settings))
    (home / "config.toml").write_text('[tokenManagement]\ncompressionMode = "compressed"\n')
    return Door(home)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print("| | p50 ms | p99 ms | reply, bytes |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        furnished(Path(folder) / "a", is_starting_daemon=False).table("in process", rounds)
        home = Path(folder) / "b"
        door = furnished(home, is_starting_daemon=False)
        serve = [sys.executable, "-P", "-m", "tokenbudget", "serve", "--settled"]
        with subprocess.Popen(serve, env=door.environment, stdout=subprocess.DEVNULL) as daemon:
            try:
                end = time.monotonic() + WARM_SECONDS
                while not door.asked(payload(20, str(end)))[1] and time.monotonic() < end:
                    time.sleep(0.2)
                door.table("daemon", rounds)
                small, large = payload(1, ""), payload(100_000, "large")
                print(row("nothing to shorten", [door.asked(small)[0] for _ in range(40)]))
                other = threading.Thread(target=lambda: door.asked(large))
                other.start()
                print(row("the same beside 5 MB", [door.asked(small)[0] for _ in range(40)]))
                other.join()
            finally:
                daemon.terminate()


if __name__ == "__main__":
    main()
