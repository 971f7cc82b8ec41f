"""The status line as the agent runs it: a process of its own, JSON on stdin."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tokenbudget.gateway import statusline

SCRIPT = statusline.__file__
NOW_MS = 1_800_000_000_000
SESSION = "5d0c1f5e-0000-4000-8000-00000000abcd"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

SNAPSHOT: dict[str, object] = {
    "burn_tokens_per_minute": 1612.3,
    "minutes_left_p10": 38,
    "minutes_left_p50": 51.4,
    "minutes_left_p90": 70,
    "threshold": "critical",
    "alerts": 1,
    "is_fresh": True,
}


def told(**changes: object) -> dict[str, object]:
    """What an agent in the middle of its work says; None leaves a part out."""
    parts: dict[str, object] = {
        "session_id": SESSION,
        "cwd": "/srv/webshop",
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": "/srv/webshop"},
        "version": "2.1.400",
        "cost": {"total_cost_usd": 1.8612, "total_duration_ms": 900_000},
        "context_window": {
            "total_input_tokens": 116_400,
            "total_output_tokens": 410,
            "context_window_size": 200_000,
            "current_usage": {"input_tokens": 8, "cache_read_input_tokens": 114_000},
            "used_percentage": 58,
        },
        "prompt_cache": {
            "warm": True,
            "ttl": "5m",
            "expires_at": NOW_MS // 1000 + 130,
            "hit_ratio": 0.961,
            "miss_causes": {"secret cause": 1},
        },
        "rate_limits": {
            "five_hour": {"used_percentage": 38, "resets_at": NOW_MS // 1000 + 7200},
            "seven_day": {"used_percentage": 61, "resets_at": NOW_MS // 1000 + 250_000},
        },
    }
    parts.update(changes)
    return {name: part for name, part in parts.items() if part is not None}


def lasting(**changes: object) -> dict[str, object]:
    """The same, with moments that are ahead of the real clock as well."""
    parts = told(**changes)
    text = json.dumps(parts).replace(str(NOW_MS // 1000)[:4], "4000")
    parts = json.loads(text)
    assert isinstance(parts, dict)
    return parts


def run(
    stdin: bytes | Mapping[str, object],
    home: Path | str,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """The script with this on stdin; the environment holds only what is given."""
    data = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
    return subprocess.run(
        command(home, *options),
        input=data,
        capture_output=True,
        env=dict(environment or {}),
        timeout=20,
        check=False,
    )


def command(home: Path | str, *options: str) -> list[str]:
    """The command line; a refresh, where one is due, is `true`."""
    refresh = [] if "--refresh-with" in options else ["--refresh-with", "/bin/true"]
    return [sys.executable, "-IS", SCRIPT, str(home), *refresh, *options]


def line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that a faultless run prints, without colours."""
    assert done.returncode == 0
    assert done.stderr == b""
    text = done.stdout.decode()
    assert text.endswith("\n")
    assert text.count("\n") == 1
    return COLOUR.sub("", text[:-1])


def run_at_once(count: int, stdin: Mapping[str, object], home: Path, *options: str) -> None:
    """Many of them, started without waiting for any; all of them end well."""
    path = home / "stdin.json"
    path.write_text(json.dumps(stdin))
    running = []
    for _ in range(count):
        with path.open() as data:
            running.append(
                subprocess.Popen(command(home, *options), stdin=data, stdout=subprocess.DEVNULL)
            )
    assert [process.wait(20) for process in running] == [0] * count


def drawn(
    width: int,
    *options: str,
    snapshot: dict[str, object] | None = None,
    **changes: object,
) -> str:
    """The line at a fixed moment, in plain text."""
    chosen = statusline.Options(["", "--width", str(width), "--plain", *options], {})
    known = SNAPSHOT if snapshot is None else {"is_fresh": True, **snapshot}
    return statusline.line_of(told(**changes), known, chosen, NOW_MS)
