"""What a lever did, as a row: measured once, kept in `build/`, so that a long run can go on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from levers import Lever

HARDLY = 10
"""Bytes that are no saving."""
SAME_TIME = 0.9
"""Of what a lever frees at the next start: as soon as it frees so much, it has taken effect."""
NEVER, HARDLY_EVER = "never", "hardly"
NEXT_REQUEST, NEXT_COMPACTION, NEXT_START = "next request", "next compaction", "next start"


class Row(NamedTuple):
    """A lever under one release and model, with the tool search on (`true`), off or not there.

    Bytes of a request's JSON against one where nothing was pulled; below 0 is freed.
    """

    lever: str
    release: str
    model: str
    search: str
    day: str
    before_bytes: int
    """The first request without it."""
    start_bytes: int
    """The first request of a session that begins afterwards."""
    start_tokens: int
    next_bytes: int
    """The next request of a session that runs."""
    compacted_bytes: int
    """Its first one after a compaction."""
    changed: str
    """Which parts of the next request are of another size: `system`, `tools`."""
    rewrites: str
    """From where on it is another than the session's last one: `tools`, `system`, `messages`."""
    effect: str


def effect_of(start: int, now: int, compacted: int) -> str:
    """When a lever works: as soon as it frees nine tenths of what it frees at the next start."""
    if start > -HARDLY:
        return NEVER if start > -1 else HARDLY_EVER
    for freed, words in ((now, NEXT_REQUEST), (compacted, NEXT_COMPACTION)):
        if freed <= start * SAME_TIME:
            return words
    return NEXT_START


def arrival_of(start: int, now: int, compacted: int) -> str:
    """When words that a lever adds are there, however many of them."""
    times = ((now, NEXT_REQUEST), (compacted, NEXT_COMPACTION), (start, NEXT_START))
    return next((words for added, words in times if added >= HARDLY), NEVER)


class Kept:
    """The rows that were measured before, a file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def row(self, lever: Lever, release: str, model: str, search: str) -> Row | None:
        """The row, if it was measured."""
        path = self._path(lever.name, release, model, search)
        if not path.exists():
            return None
        return Row(**json.loads(path.read_text(encoding="utf-8")))

    def keep(self, row: Row) -> None:
        """Write it down."""
        path = self._path(row.lever, row.release, row.model, row.search)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row._asdict(), indent=1), encoding="utf-8")

    def other(self, name: str) -> object:
        """Something else that was measured and kept as JSON; None where it was not."""
        path = self._folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def keep_other(self, name: str, found: object) -> None:
        """Write that down."""
        path = self._folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found), encoding="utf-8")

    def _path(self, lever: str, release: str, model: str, search: str) -> Path:
        name = re.sub(r"\W+", "-", lever).strip("-").lower()
        return self._folder / release / f"{model}-{search or 'none'}" / f"{name}.json"
