"""The other side of the status line's files: write its snapshots, take its spool, wire it.

`statusline` and its parts import nothing else of ours; what both sides must agree on stands there
and is imported from there. docs/statusline.md describes the formats.
"""

from __future__ import annotations

import json
import os
import shlex
from typing import NamedTuple

from tokenbudget.budget.limits import LimitSample
from tokenbudget.gateway import statusline, statusline_spool
from tokenbudget.gateway.statusline_line import SHARES
from tokenbudget.gateway.statusline_values import is_fit_session, number, parsed
from tokenbudget.system.atomic import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

FORMAT = statusline.FORMAT
SPOOL_FORMAT = statusline_spool.FORMAT

WARM, COLD, UNKNOWN = "warm", "cold", "unknown"
"""Values of `Snapshot.cache`."""

_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import statusline; del sys.path[0];"
    " statusline.main()"
)
_TAKEN = "statusline.taken-"
_LOST = "/statusline.lost.json"
_LOST_FORMAT = "tokenbudget/statusline-lost/1"
_RECORD_START = b'{"format":"'


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


class SpoolEntry(NamedTuple):
    """What the agent said at one moment; each part as it was told, numbers and booleans only."""

    at_ms: int
    session: str
    transcript_path: str
    """'' is unknown."""
    model: str
    version: str
    context_window: Mapping[str, object]
    cost: Mapping[str, object]
    prompt_cache: Mapping[str, object]
    rate_limits: Mapping[str, Mapping[str, object]]


class TakenSpool(NamedTuple):
    """A spool that was moved aside, and is there until `drop_spool`."""

    entries: list[SpoolEntry]
    """Oldest first."""
    damaged_lines: int
    dropped_lines: int
    """Lines that the spool lost before, for want of room."""
    files: list[tuple[str, int]]
    """Paths, and how much of each was read."""


class LostReports(NamedTuple):
    """What was never taken in, because the spool had no room for it and nobody came to take it."""

    lines: int
    """At most: an interruption may have counted some twice."""
    last_at_ms: int
    """When that was noticed last."""


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
    for name in _names(folder):
        path = os.path.join(folder, name)
        if name.endswith(".json") and os.stat(path).st_mtime_ns < before_ms * 1_000_000:
            os.unlink(path)
            removed += 1
    return removed


# ── the spool ─────────────────────────────────────────────────────────────────────────────────────


def take_spool(home: str) -> TakenSpool:
    """Move the spool aside and read it, with whatever an interrupted caller had moved before.

    The lines are there until `drop_spool`, to be called once they are stored for good: whoever is
    interrupted in between is given them again. So what they are stored under must make a second
    time harmless, such as the session and `at_ms`. Only one process may take at a time.

    Raises:
        OSError: the folder cannot be written or read.
    """
    folder = os.path.dirname(home + statusline_spool.SPOOL)
    for path in (home + statusline_spool.FULL, home + statusline_spool.SPOOL):
        _move_aside(path, folder)
    taken = TakenSpool([], 0, 0, [])
    for name in sorted(name for name in _names(folder) if name.startswith(_TAKEN)):
        path = os.path.join(folder, name)
        with open(path, "rb") as handle:
            data = handle.read()
        entries, damaged, dropped = _entries(data)
        taken.entries.extend(entries)
        taken = taken._replace(
            damaged_lines=taken.damaged_lines + damaged,
            dropped_lines=taken.dropped_lines + dropped,
        )
        taken.files.append((path, len(data)))
    taken.entries.sort(key=lambda entry: entry.at_ms)
    return taken


def drop_spool(taken: TakenSpool) -> None:
    """Remove what was taken; a file that has grown since, by a slow writer, stays for next time.

    Raises:
        OSError: a file cannot be removed; it will be taken again.
    """
    for path, size in taken.files:
        try:
            if os.stat(path).st_size == size:
                os.unlink(path)
        except FileNotFoundError:
            continue


def count_lost(home: str, lines: int, at_ms: int) -> None:
    """Add to what is known to be lost.

    Raises:
        OSError: it cannot be written.
    """
    record = {
        "format": _LOST_FORMAT,
        "lines": lines + lost_reports(home).lines,
        "last_at_ms": at_ms,
    }
    write_atomic(home + _LOST, json.dumps(record).encode() + b"\n")


def lost_reports(home: str) -> LostReports:
    """What was lost in this home so far; nothing where nothing is known of a loss."""
    record = parsed(statusline.read_file(home + _LOST, 4096))
    if record.get("format") != _LOST_FORMAT:
        return LostReports(0, 0)
    lines, last_at_ms = number(record, "lines"), number(record, "last_at_ms")
    return LostReports(int(lines or 0), int(last_at_ms or 0))


def alerts_before(home: str, session: str) -> int:
    """How many alerts the session's snapshot tells of now."""
    path = snapshot_path(home, session)
    told = {} if path is None else parsed(statusline.read_file(path, statusline.SNAPSHOT_BYTES))
    return int(number(told, "alerts") or 0)


def _move_aside(path: str, folder: str) -> None:
    try:
        # Unique in the folder: a file that was moved here before may still be there.
        found = os.stat(path)
        os.rename(path, os.path.join(folder, f"{_TAKEN}{found.st_mtime_ns:020}-{found.st_ino}"))
    except FileNotFoundError:
        pass


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _entries(data: bytes) -> tuple[list[SpoolEntry], int, int]:
    """The entries, and how many lines are damaged or were dropped before."""
    entries = []
    damaged = dropped = 0
    for line in data.split(b"\n"):
        if not line:
            continue
        told = _told(line)
        entry = None if told is None else _entry(told)
        count = None if told is None else _dropped(told)
        if entry:
            entries.append(entry)
        dropped += count or 0
        damaged += (entry is None and count is None) or line.rfind(_RECORD_START) > 0
    return entries, damaged, dropped


def _told(line: bytes) -> dict[str, object] | None:
    """One record; behind one that a full disk cut short, the whole one that follows it."""
    try:
        told = json.loads(line[max(0, line.rfind(_RECORD_START)) :])
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("format") == SPOOL_FORMAT else None


def _dropped(told: dict[str, object]) -> int | None:
    count = number(told, "dropped_lines")
    return None if count is None else int(count)


def _entry(told: dict[str, object]) -> SpoolEntry | None:
    at_ms, session = told.get("at_ms"), told.get("session_id")
    if type(at_ms) is not int or not is_fit_session(session):
        return None
    return SpoolEntry(
        at_ms,
        str(session),
        _text(told.get("transcript_path")),
        _text(told.get("model")),
        _text(told.get("version")),
        _table(told.get("context_window")),
        _table(told.get("cost")),
        _table(told.get("prompt_cache")),
        {name: _table(value) for name, value in _table(told.get("rate_limits")).items()},
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


# ── what it says ──────────────────────────────────────────────────────────────────────────────────


def rate_limit_samples(entries: Iterable[SpoolEntry]) -> dict[str, Sequence[LimitSample]]:
    """The reports of each limit, `five_hour` and `seven_day` above all, oldest first.

    A report without a share or a reset is left out: nothing is guessed.
    """
    samples: dict[str, set[LimitSample]] = {}
    for entry in entries:
        for name, told in entry.rate_limits.items():
            percent = number(dict(told), "used_percentage")
            resets_at = number(dict(told), "resets_at")
            if percent is not None and resets_at:
                sample = LimitSample(entry.at_ms, percent / 100, int(resets_at * 1000))
                samples.setdefault(name, set()).add(sample)
    return {name: sorted(found) for name, found in samples.items()}


def window_size_of(entry: SpoolEntry) -> int | None:
    """The window's size in tokens, as the agent has it for this session now."""
    size = number(dict(entry.context_window), "context_window_size")
    return int(size) if size else None


# ── wiring ────────────────────────────────────────────────────────────────────────────────────────


def statusline_command(python: str, home: str) -> str:
    """The command for the agent's settings, quoted for its shell.

    `python -IS statusline.py HOME` would do the same, 5 ms later: a script that is run by its path
    is compiled every time, an imported one is kept compiled.
    """
    folder = os.path.dirname(os.path.abspath(statusline.__file__))
    return shlex.join([python, "-IS", "-c", _START, folder, os.path.abspath(home)])
