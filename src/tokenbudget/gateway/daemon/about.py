"""What a running daemon writes down of itself, for `tokens serve --status` and `tokens doctor`."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.gateway.daemon.places import ABOUT, place
from tokenbudget.system.atomic import write_atomic

FORMAT = "tokenbudget/daemon/1"
MOST_BYTES = 1 << 14
MOST_NUMBER = 1 << 53


class About(NamedTuple):
    """A daemon, in its own words; 0 and '' are unknown."""

    pid: int = 0
    port: int = 0
    started_at_ms: int = 0
    version: str = ""
    is_persistent: bool = False
    trouble: str = ""
    answered: int = 0
    last_hook_ms: int = 0
    refreshed: int = 0
    faults: int = 0
    idle_seconds: int = 0


def without_counts(about: About) -> About:
    """What of it is worth to be written down at once."""
    return about._replace(answered=0, last_hook_ms=0, refreshed=0, faults=0)


def write_about(home: str, about: About) -> None:
    """Write it down.

    Raises:
        OSError: it cannot be written; what was there before still stands.
    """
    document = json.dumps({"format": FORMAT, **about._asdict()})
    write_atomic(place(home, ABOUT), document.encode() + b"\n")


def read_about(home: str) -> About:
    """What is written down; where that is damaged, nothing is known."""
    try:
        path = place(home, ABOUT)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return About()
    try:
        told = json.loads(os.read(descriptor, MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return About()
    finally:
        os.close(descriptor)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return About()
    kept = {name: told[name] for name in About._fields if _is_fit(name, told.get(name))}
    return About(**kept)


def _is_fit(name: str, value: object) -> bool:
    built_in = About._field_defaults[name]
    if type(value) is not type(built_in):
        return False
    return not isinstance(value, int) or 0 <= value < MOST_NUMBER
