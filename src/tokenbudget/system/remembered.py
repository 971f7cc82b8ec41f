"""Numbers by key, for as long as a process lives, in 24 bytes an entry whatever the key.

A dictionary of what a long session has ever said would take twenty times as much. A key is known by
128 bits of its BLAKE2 digest; two keys of one digest do not happen.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar, cast

Number = TypeVar("Number", bound=float)

DIGEST_BYTES = 16
FRESH_ENTRIES = 256
"""So many are kept in a dictionary before they are packed."""
LARGER = 2
"""A packed run that is not so many times as long as the one behind it is joined with it."""


class _Run(NamedTuple):
    """Entries by ascending digest."""

    digests: bytes
    values: array[int] | array[float]


class Remembered(Generic[Number]):
    """A mapping that only grows, from anything whose `repr` tells it apart to a number.

    A branch begins with all that its trunk held; what is written to either the other does not see.
    """

    def __init__(self, typecode: str) -> None:
        """Args: `typecode`: as `array` has it, such as `q` or `d`."""
        self._typecode = typecode
        self._fresh: dict[bytes, Number] = {}
        self._runs: list[_Run] = []
        """Of descending length; what stands in a later one holds. None is ever written to."""

    def branch(self) -> Remembered[Number]:
        """A mapping that begins with all this; the packed runs are shared."""
        twin = Remembered[Number](self._typecode)
        twin._fresh, twin._runs = dict(self._fresh), list(self._runs)
        return twin

    def clear(self) -> None:
        """Forget all."""
        self._fresh.clear()
        self._runs.clear()

    def add(self, key: object) -> None:
        """Remember the key, with a zero."""
        self[key] = cast("Number", 0)

    def get(self, key: object, default: Number) -> Number:
        """The number of a key; `default` where it has none."""
        found = self._at_digest(_digest(key))
        return default if found is None else found

    def __contains__(self, key: object) -> bool:
        return self._at_digest(_digest(key)) is not None

    def __getitem__(self, key: object) -> Number:
        found = self._at_digest(_digest(key))
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: object, value: Number) -> None:
        self._fresh[_digest(key)] = value
        if len(self._fresh) >= FRESH_ENTRIES:
            self._pack()

    def _at_digest(self, digest: bytes) -> Number | None:
        """The number of the key with this digest; None where it has none."""
        found = self._fresh.get(digest)
        if found is not None:
            return found
        for run in reversed(self._runs):
            place = _place(run, digest)
            if place is not None:
                return cast("Number", run.values[place])
        return None

    def _pack(self) -> None:
        entries, self._fresh = self._fresh, {}
        while self._runs and len(self._runs[-1].values) < LARGER * len(entries):
            run = self._runs.pop()
            entries = {**_entries(run), **entries}
        ordered = sorted(entries)
        values = array(self._typecode, [entries[digest] for digest in ordered])
        self._runs.append(_Run(b"".join(ordered), values))


def _digest(key: object) -> bytes:
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _place(run: _Run, digest: bytes) -> int | None:
    place = bisect_left(range(len(run.values)), digest, key=lambda at: _at(run, at))
    return place if place < len(run.values) and _at(run, place) == digest else None


def _at(run: _Run, place: int) -> bytes:
    return run.digests[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]


def _entries(run: _Run) -> dict[bytes, Number]:
    return {_at(run, at): cast("Number", value) for at, value in enumerate(run.values)}
