"""What the hooks of each session have left behind: for `tokens doctor`."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.gateway.hooks.session_state import FOLDER, MOST_BYTES, state_of
from tokenbudget.gateway.hooks.small_files import content_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDING = ".json"


class SeenSession(NamedTuple):
    """One session whose hooks have fired."""

    session: str
    version: str
    """Of the client, as its transcript says; '' is unknown."""
    model: str
    events: Mapping[str, tuple[int, int]]
    """By event: how often, and when last (ms)."""
    faults: int
    """Of our own parts, while they decided."""
    last_fault: str
    compactions: int
    last_ms: int
    trimmed: int = 0
    """Results that were shortened at the door."""
    saved_tokens: int = 0


def seen(home: str, since_ms: int) -> tuple[SeenSession, ...]:
    """The sessions whose hooks fired since then, the latest first; damaged files are passed by."""
    try:
        names = os.listdir(home + FOLDER)
    except OSError:
        return ()
    found = []
    for name in names:
        if name.endswith(_ENDING) and not name.startswith("."):
            session = _session_of(f"{home}{FOLDER}/{name}", name.removesuffix(_ENDING))
            if session.events and session.last_ms >= since_ms:
                found.append(session)
    return tuple(sorted(found, key=lambda one: -one.last_ms))


def _session_of(path: str, session: str) -> SeenSession:
    state = state_of(session, content_of(path, MOST_BYTES))
    return SeenSession(
        session=session,
        version=state.tail.version,
        model=state.tail.model,
        events={name: (times, last_ms) for name, (times, last_ms) in state.events.items()},
        faults=state.faults,
        last_fault=state.last_fault,
        compactions=state.compacted,
        last_ms=state.last_ms,
        trimmed=state.trimmed[0],
        saved_tokens=state.trimmed[1],
    )
