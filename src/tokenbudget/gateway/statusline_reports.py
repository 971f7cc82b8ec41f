"""What the status line gives back: the spool of what the agent said, taken without losing a line.

Its writing side is `statusline_spool`, and the formats are in docs/statusline.md.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.budget.limits import LimitSample
from tokenbudget.gateway import statusline, statusline_spool
from tokenbudget.gateway.statusline_files import names_in
from tokenbudget.gateway.statusline_values import is_fit_session, number, parsed
from tokenbudget.system.atomic import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SPOOL_FORMAT = statusline_spool.FORMAT

_TAKEN = "statusline.taken-"
_LOST = "/statusline.lost.json"
_LOST_FORMAT = "tokenbudget/statusline-lost/1"
_RECORD_START = b'{"format":"'


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
    for name in sorted(name for name in names_in(folder) if name.startswith(_TAKEN)):
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


def _move_aside(path: str, folder: str) -> None:
    try:
        # Unique in the folder: a file that was moved here before may still be there.
        found = os.stat(path)
        os.rename(path, os.path.join(folder, f"{_TAKEN}{found.st_mtime_ns:020}-{found.st_ino}"))
    except FileNotFoundError:
        pass


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
