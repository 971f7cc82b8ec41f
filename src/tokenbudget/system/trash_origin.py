"""What the trash knows of a file in it: written before the file moves, believed if whole."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.regular_file import opened_file, quoted

FORMAT = "tokenbudget/trash/1"
ORIGIN = "origin.json"
MOST_ORIGIN_BYTES = 100_000


class Discarded(NamedTuple):
    """One file in the trash, as it was when it was moved there."""

    id: str
    path: str
    reason: str
    moved_at_ms: int
    size_bytes: int
    mode: int
    mtime_ns: int
    sha256: str


def write_origin(entry: int, found: Discarded) -> None:
    """Write it into an open entry; a reader sees the old or the new one. Raises OSError."""
    write_atomic_at(entry, ORIGIN, json.dumps({"format": FORMAT, **found._asdict()}).encode())


def read_origin(entry: int, identity: str) -> Discarded:
    """What an open entry says of itself.

    Raises:
        SourceUnreadable: it is missing, or says nothing that we wrote.
        Refused: it is a link or no regular file.
    """
    import msgspec

    with opened_file(entry, ORIGIN, f"{identity}/{ORIGIN}", may_have_links=True) as origin:
        data = os.pread(origin, MOST_ORIGIN_BYTES + 1, 0)
    try:
        loaded = json.loads(data)
        if loaded.pop("format") != FORMAT or loaded["id"] != identity:
            raise ValueError("not an origin of ours")
        found = msgspec.convert([loaded[field] for field in Discarded._fields], Discarded)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise SourceUnreadable(f"the trash entry {quoted(identity)} is damaged") from wrong
    if not os.path.isabs(found.path) or "\0" in found.path:
        raise SourceUnreadable(f"the trash entry {quoted(identity)} is damaged")
    return found
