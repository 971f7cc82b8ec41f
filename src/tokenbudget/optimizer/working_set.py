"""Which files a compaction would bring back, and whose loss the work would feel.

After it has compacted, the client attaches again what was changed last: a handful of files, each
only if it is small enough; of a larger one it leaves the name. A file that was edited a moment
ago and would not come back is about to be missed: its next edit has to quote words that nobody has
any more. While there is such a file, a compaction waits, unless the window is nearly full.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Limits(NamedTuple):
    """What the client attaches again: measured on releases 2.1.270 and 2.1.329."""

    files: int = 5
    """Those that were changed last on the disk; one that is too large takes a place too."""
    tokens_each: int = 4_875
    """Of a larger one only the name comes back: 19,500 bytes did, 20,000 did not, at 4 to the
    token."""


CLIENT = Limits()
RECENT_REQUESTS = 5
"""A file that was edited so recently is still being worked on."""


class FileInUse(NamedTuple):
    """A file that the session has in its window."""

    path: str
    tokens: float
    """Of the file as it stands there; infinity where nobody knows."""
    touched: int
    """When it was last changed, as far as is known: a count of requests, or a time."""
    edited: int | None
    """When the session last edited or wrote it, by the same measure; None: never."""


def brought_back(files: Iterable[FileInUse], limits: Limits = CLIENT) -> tuple[FileInUse, ...]:
    """Those that come back whole, the last changed first."""
    latest = sorted(files, key=lambda one: (-one.touched, one.path))[: limits.files]
    return tuple(one for one in latest if one.tokens <= limits.tokens_each)


def at_risk(
    files: Sequence[FileInUse], edited_since: int, limits: Limits = CLIENT
) -> tuple[FileInUse, ...]:
    """Those that were edited at `edited_since` or later and would not come back, by path."""
    safe = {one.path for one in brought_back(files, limits)}
    return tuple(
        sorted(
            one
            for one in files
            if one.edited is not None and one.edited >= edited_since and one.path not in safe
        )
    )
