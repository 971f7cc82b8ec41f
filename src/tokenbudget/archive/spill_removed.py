"""What is still known of originals that were removed: handle, hash and day, one to a line.

So that asking for one is answered clearly, and its number never leads to another content.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.regular_file import chunks, opened_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "removed"
HASH_DIGITS = 16
MOST_LINES = 20_000
"""The file then has less than a megabyte; older ones are forgotten."""
_MOST_BYTES = 4_000_000


class Gone(NamedTuple):
    """An original that is not kept any more."""

    hash: str
    """The first digits of its sha256."""
    removed_at_ms: int


def read_removed(folder: int) -> bytes:
    """The list as it stands; empty where there is none. Raises Refused for a link in its place."""
    try:
        with opened_file(folder, NAME, NAME, may_have_links=True) as descriptor:
            return b"\n" + b"".join(chunks(descriptor, _MOST_BYTES))
    except SourceUnreadable:
        return b""


def gone(removed: bytes, handle: str) -> Gone | None:
    """What the list says of a handle, the latest first; None where it does not name it."""
    start = removed.rfind(f"\n{handle} ".encode())
    if start < 0:
        return None
    words = removed[start:].split(maxsplit=3)[1:3]
    try:
        return Gone(words[0].decode("ascii"), int(words[1]))
    except (IndexError, ValueError):
        return None


def note_removed(folder: int, entries: Sequence[tuple[str, str]], now_ms: int) -> None:
    """Add handles and their hashes to the list. Raises OSError; the old list still stands then."""
    old = read_removed(folder).split(b"\n")
    new = [f"{handle} {hash_[:HASH_DIGITS]} {now_ms}".encode() for handle, hash_ in entries]
    lines = [line for line in old if line] + new
    write_atomic_at(folder, NAME, b"\n".join(lines[-MOST_LINES:]) + b"\n")
    os.fsync(folder)
