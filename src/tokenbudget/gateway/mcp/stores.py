"""Which variables of a session are kept between runs, and which are let go when they are too much.

The sandbox keeps the values; here are only their names and ages. Pure.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_NAME_CHARS = 80
_SMALL_SHARE = 100
"""What is less than this part of all is only let go when nothing larger is left."""


class Stores:
    """The names that hold values, the one that was not touched for longest first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._names: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        """Names that were let go and not assigned since."""

    @property
    def names(self) -> tuple[str, ...]:
        """Oldest first."""
        return tuple(self._names)

    def seen(self, present: Iterable[str], used: Iterable[str]) -> None:
        """After a run: the names that hold values now, and those that it assigned or used."""
        held = {name for name in present if len(name) <= MOST_NAME_CHARS}
        for name in used:
            if name in self._names:
                del self._names[name]
                self._names[name] = None
        fresh = [name for name in held if name not in self._names]
        self._names = {name: None for name in (*self._names, *sorted(fresh)) if name in held}
        self._gone = {name: None for name in self._gone if name not in held}

    def too_much(self, total_bytes: int, sizes: Mapping[str, int]) -> tuple[str, ...]:
        """The names to let go so that the rest is within the limit; `last` comes last.

        `total_bytes` is what all is together; `sizes` need only be in proportion.
        """
        measured = sum(sizes.values()) or 1
        known = [name for name in sorted(self._names, key="last".__eq__) if name in sizes]
        large = [name for name in known if sizes[name] * _SMALL_SHARE >= measured]
        small = [name for name in known if name not in large]
        let_go: list[str] = []
        left = float(total_bytes)
        for name in (*large, *small):
            if left <= self.most_bytes:
                break
            let_go.append(name)
            left -= total_bytes * sizes[name] / measured
        return tuple(let_go)

    def let_go(self, names: Iterable[str]) -> None:
        """These hold nothing any more."""
        for name in names:
            self._names.pop(name, None)
            self._gone[name] = None

    def missing(self, used: Iterable[str]) -> tuple[str, ...]:
        """Of some names those that were let go: the code that uses them must be told."""
        return tuple(sorted(name for name in set(used) if name in self._gone))

    def clear(self) -> None:
        """All is lost."""
        self._names.clear()
        self._gone.clear()
