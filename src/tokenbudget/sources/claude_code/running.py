"""Which sessions an agent works with now, as the agent itself says: `<config>/sessions/<pid>.json`.

Claude Code 2.1.329 writes one such file per interactive process, with the session's id, the start
time of the process and the machine and process namespace that its number belongs to. It removes
the file when it ends, and cannot when it is killed; it does not hold its transcript open meanwhile.
"""

from __future__ import annotations

import json
import os
import re
from typing import NamedTuple

from tokenbudget.config.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FOLDER = "sessions"
_NAME = re.compile(r"\d{1,10}\.json")
MOST_BYTES = 1 << 20


class RunningSession(NamedTuple):
    """A session that an agent has as its current one."""

    session: str
    pid: int
    is_certain: bool
    """False: the process belongs to another machine or container, and cannot be looked at."""
    path: str
    """The file that says so."""


def running_sessions(
    claude_dirs: Iterable[str],
    has_ended: Callable[[int, str], bool],
    domain: str,
) -> list[RunningSession]:
    """Every session that some running agent works with.

    Args:
        claude_dirs: The agent's config folders.
        has_ended: Whether the process of this number and start time ('' unknown) is gone.
        domain: The processes that `has_ended` can tell of: machine and namespace, '' unknown.
    """
    return [
        RunningSession(session, pid, is_certain=is_ours, path=path)
        for path, told in _told(claude_dirs)
        for pid in [_number(told)]
        for is_ours in [_text(told, "pidDomain") in ("", domain)]
        if not (is_ours and has_ended(pid, _text(told, "procStart")))
        for session in [_text(told, "sessionId")]
        if session
    ]


def _told(claude_dirs: Iterable[str]) -> Iterator[tuple[str, dict[str, object]]]:
    for claude_dir in claude_dirs:
        folder = os.path.join(claude_dir, FOLDER)
        try:
            names = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
        except OSError:
            continue
        for name in names:
            path = os.path.join(folder, name)
            found = _read(path)
            if found is not None:
                yield path, found


def _read(path: str) -> dict[str, object] | None:
    try:
        data = read_regular(path, MOST_BYTES)
        found = None if data is None else json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None  # half written: the agent that writes it has a fresh transcript as well
    return found if isinstance(found, dict) else None


def _number(told: dict[str, object]) -> int:
    found = told.get("pid")
    return found if isinstance(found, int) else 0


def _text(told: dict[str, object], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""
