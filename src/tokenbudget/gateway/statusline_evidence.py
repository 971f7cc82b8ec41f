"""When the status line was drawn last, as its spool tells: read where it lies, never taken."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.gateway import statusline_spool
from tokenbudget.gateway.statusline_files import names_in
from tokenbudget.gateway.statusline_values import is_fit_session, number

TAIL_BYTES = 1 << 15
"""Eight of the longest lines."""
_LONGEST_VERSION = 32


class DrawnLine(NamedTuple):
    """One moment at which the agent asked for the line."""

    at_ms: int
    session: str
    version: str
    """Of the client; '' where it did not say."""


def last_drawn(home: str) -> DrawnLine | None:
    """The latest line of the spool, also of one that is being taken; None where there is none."""
    folder = os.path.dirname(home + statusline_spool.SPOOL)
    try:
        names = names_in(folder)
    except OSError:
        return None
    found = [_last_in(os.path.join(folder, name)) for name in names if name.startswith("statusl")]
    return max((one for one in found if one is not None), default=None)


def _last_in(path: str) -> DrawnLine | None:
    for line in reversed(_tail(path).split(b"\n")):
        entry = _entry(line)
        if entry is not None:
            return entry
    return None


def _tail(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
    except OSError:  # a pipe, a folder
        return b""
    finally:
        os.close(descriptor)


def _entry(line: bytes) -> DrawnLine | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("format") != statusline_spool.FORMAT:
        return None
    at_ms, session, version = number(told, "at_ms"), told.get("session_id"), told.get("version")
    if at_ms is None or not is_fit_session(session):
        return None
    is_told = isinstance(version, str) and len(version) <= _LONGEST_VERSION
    return DrawnLine(int(at_ms), str(session), str(version) if is_told else "")
