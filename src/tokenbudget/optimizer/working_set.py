"""Which files a compaction would bring back, and how much of the rest would be read again.

After it has compacted, the client attaches again what was changed last: a handful of files, each
only if it is small enough; of a larger one it leaves the name. What does not come back and is
worked on again has to be read again: a request more, and the whole file at the price of a write.

How likely that is was counted over recorded sessions (docs/savings.md), at 613 requests that found
a window of 200,000 tokens half full. Of the files that had been edited and would not have come
back, 42 % were needed for an edit within 40 requests where the last edit was 2 requests old at
most, 31 % from 3 to 10, 28 % up to 20, 11 % up to 40, 3 % up to 80. Of those that had only been
read, however many, at least one was, with about the same chances by the age of the latest reading:
who looks around goes on to work on one of the files.
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
AGAIN_CHANCE = 0.4
"""That a file which was used just now is worked on again within 40 requests."""
AGAIN_HALF_REQUESTS = 20.0
"""After so many requests without it the chance is half of that."""


class FileInUse(NamedTuple):
    """A file that the session has in its window."""

    path: str
    tokens: float
    """Of the file as the client tells them by its bytes; infinity where nobody knows."""
    touched: int
    """When it was last changed, as far as is known: a count of requests, or a time."""
    window_tokens: float = 0.0
    """What it takes in the window: so much would be read again."""
    read_requests_ago: int = 0
    """When the session last read or changed it."""
    edited_requests_ago: int | None = None
    """When it last edited or wrote it; None: never."""


class Missed(NamedTuple):
    """A file that would not come back, and the chance that the work goes on with it."""

    chance: float
    path: str
    expected_tokens: float
    """What reading it again is expected to bring back: what it takes, as likely as it is needed."""


def brought_back(files: Iterable[FileInUse], limits: Limits = CLIENT) -> tuple[FileInUse, ...]:
    """Those that come back whole, the last changed first."""
    latest = sorted(files, key=lambda one: (-one.touched, one.path))[: limits.files]
    return tuple(one for one in latest if one.tokens <= limits.tokens_each)


def missed(files: Sequence[FileInUse], limits: Limits = CLIENT) -> tuple[Missed, ...]:
    """What would have to be read again, the likeliest first.

    Each file that was edited, and of those that were only read the latest, for all of them. One
    more file never makes it less.
    """
    safe = {one.path for one in brought_back(files, limits)}
    lost = [one for one in files if one.path not in safe]
    edited = [_missed(one, one.edited_requests_ago) for one in lost
              if one.edited_requests_ago is not None]  # fmt: skip
    read = [_missed(one, one.read_requests_ago) for one in lost if one.edited_requests_ago is None]
    return tuple(sorted([*edited, *_one_for_all(read)], key=_order))


def _one_for_all(read: Sequence[Missed]) -> list[Missed]:
    """The latest, with what the dearest of them is expected to bring back.

    A small file that was looked at last makes a large one before it no cheaper to miss.
    """
    if not read:
        return []
    dearest = max(one.expected_tokens for one in read)
    return [min(read, key=_order)._replace(expected_tokens=dearest)]


def _missed(one: FileInUse, requests_ago: int) -> Missed:
    chance = AGAIN_CHANCE * 0.5 ** (max(0, requests_ago) / AGAIN_HALF_REQUESTS)
    return Missed(chance, one.path, chance * one.window_tokens)


def _order(one: Missed) -> tuple[float, float, str]:
    return (-one.chance, -one.expected_tokens, one.path)
