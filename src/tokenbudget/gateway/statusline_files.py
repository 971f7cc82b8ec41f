"""What the status line is given: a snapshot of each session, and the command that it is wired by.

`statusline` and its parts import nothing else of ours; what both sides must agree on stands there
and is imported from there. What it gives back is `statusline_reports`. docs/statusline.md describes
the formats.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from typing import NamedTuple

from tokenbudget.gateway import statusline
from tokenbudget.gateway.statusline_line import SHARES
from tokenbudget.gateway.statusline_spool import LOCK
from tokenbudget.gateway.statusline_values import is_fit_session, number, parsed
from tokenbudget.system.atomic import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

FORMAT = statusline.FORMAT

WARM, COLD, UNKNOWN = "warm", "cold", "unknown"
"""Values of `Snapshot.cache`."""

_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import statusline; del sys.path[0];"
    " statusline.main()"
)


_MARK = "import statusline;"
THEN = "--then"


class Snapshot(NamedTuple):
    """What the status line shows of a session beside what the agent tells it; `None` is unknown."""

    session: str
    made_at_ms: int
    transcript_bytes: int
    """Size and time of the transcript that it was made from, taken *before* reading it."""
    transcript_mtime_ms: int
    model: str = ""
    window_tokens: int | None = None
    total_tokens: int | None = None
    reserve_tokens: int | None = None
    """Kept free by the client, which compacts by itself before they are used."""
    burn_tokens_per_minute: float | None = None
    minutes_left_p10: float | None = None
    minutes_left_p50: float | None = None
    minutes_left_p90: float | None = None
    threshold: str = ""
    """What is reached then: the next one ahead, such as `critical`."""
    threshold_shares: tuple[float, float, float] = SHARES
    level: str = ""
    """Of `budget.health.LEVELS`; '' is unknown."""
    cost_usd: Decimal | None = None
    alerts: int = 0
    cache: str = UNKNOWN
    cache_hit_share: float | None = None
    cache_cold_at_ms: int | None = None


# ── snapshots ─────────────────────────────────────────────────────────────────────────────────────


def snapshot_path(home: str, session: str) -> str | None:
    """Where a session's snapshot is; `None` for an id that may not name a file."""
    if not is_fit_session(session):
        return None
    return f"{home}{statusline.FOLDER}/{session}.json"


def write_snapshot(home: str, snapshot: Snapshot) -> str | None:
    """Replace the session's snapshot; returns its path, `None` for an id that is unfit.

    Raises:
        OSError: it cannot be written; the one before still stands.
    """
    path = snapshot_path(home, snapshot.session)
    if path is None:
        return None
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fields = snapshot._asdict()
    if snapshot.cost_usd is not None:
        fields["cost_usd"] = f"{snapshot.cost_usd:f}"
    write_atomic(path, json.dumps({"format": FORMAT, **fields}).encode() + b"\n")
    return path


def remove_old_snapshots(home: str, before_ms: int) -> int:
    """Remove those last written before this moment; returns how many."""
    folder = home + statusline.FOLDER
    removed = 0
    for name in names_in(folder):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):  # somebody else removes them as well
            if name.endswith(".json") and os.stat(path).st_mtime_ns < before_ms * 1_000_000:
                os.unlink(path)
                removed += 1
    return removed


def alerts_before(home: str, session: str) -> int:
    """How many alerts the session's snapshot tells of now."""
    path = snapshot_path(home, session)
    told = {} if path is None else parsed(statusline.read_file(path, statusline.SNAPSHOT_BYTES))
    return int(number(told, "alerts") or 0)


@contextlib.contextmanager
def refresh_going_on(home: str) -> Iterator[None]:
    """While this lasts, and for 5 seconds more, no status line starts a refresh of its own."""
    _say_refreshing(home, os.getpid())
    try:
        yield
    finally:
        _say_refreshing(home, 0)


def _say_refreshing(home: str, pid: int) -> None:
    """As `statusline_spool.refresh` has it; where that cannot be said, two may run at once."""
    with contextlib.suppress(OSError):
        os.makedirs(home + statusline.FOLDER, mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(home + LOCK, flags, 0o600)
        os.pwrite(descriptor, str(pid).encode().ljust(20), 0)
        os.close(descriptor)


def names_in(folder: str) -> list[str]:
    """What is in a folder; nothing where there is none."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


# ── wiring ────────────────────────────────────────────────────────────────────────────────────────


def statusline_command(python: str, home: str, then: str = "") -> str:
    """The command for the agent's settings, quoted for its shell.

    `python -IS statusline.py HOME` would do the same, 5 ms later: a script that is run by its path
    is compiled every time, an imported one is kept compiled. `then` is the command of another tool
    whose line comes after ours.
    """
    folder = os.path.dirname(os.path.abspath(statusline.__file__))
    more = [THEN, then] if then else []
    return shlex.join([python, "-IS", "-c", _START, folder, os.path.abspath(home), *more])


def is_our_statusline(command: str) -> bool:
    """Whether a command is one that `statusline_command` makes, of any version and any place."""
    return bool(_our_parts(command))


def chained_command(command: str) -> str:
    """The other tool's command that a status line of ours runs after its own; '' for none."""
    parts = _our_parts(command)
    return parts[parts.index(THEN) + 1] if THEN in parts[:-1] else ""


def _our_parts(command: str) -> list[str]:
    """The words of a command of ours; none of any other."""
    if _MARK not in command:
        return []
    try:
        parts = shlex.split(command)
    except ValueError:
        return []
    return parts if len(parts) > 5 and parts[1:3] == ["-IS", "-c"] and _MARK in parts[3] else []
