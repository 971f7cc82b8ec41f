"""How often each tool was called, on disk: finding ranks by it.

Several gateways may run at once. Each keeps what it has seen since it last wrote, and adds that to
what the file says then; a use that is lost in a crash costs nothing.
"""

from __future__ import annotations

import json
import os

from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "tokenbudget/gateway-uses/1"
MOST_ALIASES = 2_000
"""Beyond them those that were used least are forgotten."""
MOST_BYTES = 1_000_000
MOST_COUNT = 1_000_000_000


def read_uses(path: str) -> dict[str, int]:
    """The uses that a file tells; none where it is damaged or not there."""
    try:
        with open(path, "rb") as file:
            kept = json.loads(file.read(MOST_BYTES))
        found = kept["uses"] if kept["format"] == FORMAT else {}
        return {
            alias: min(count, MOST_COUNT)
            for alias, count in found.items()
            if isinstance(count, int) and not isinstance(count, bool) and count > 0
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


class Uses:
    """The uses of one gateway: what the file said, and what came since."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.counts: dict[str, int] = read_uses(path)
        """All that is known, by alias; what `Finder` ranks by."""
        self._new: dict[str, int] = {}

    def note(self, alias: str) -> None:
        """One more call."""
        self.counts[alias] = self.counts.get(alias, 0) + 1
        self._new[alias] = self._new.get(alias, 0) + 1

    def save(self) -> bool:
        """Add what is new to the file; whether that could be done, or nothing is new."""
        if not self._new:
            return True
        new, self._new = self._new, {}
        whole = added(read_uses(self._path), new)
        data = json.dumps({"format": FORMAT, "uses": whole}, separators=(",", ":"))
        try:
            make_private(os.path.dirname(self._path))
            write_atomic(self._path, data.encode())
        except OSError:
            self._new = added(new, self._new)
            return False
        return True


def added(known: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    """The sum of both, without those that were used least where they are too many."""
    whole = dict(known)
    for alias, count in new.items():
        whole[alias] = whole.get(alias, 0) + count
    if len(whole) > MOST_ALIASES:
        best = sorted(whole, key=lambda alias: (-(alias in new), -whole[alias], alias))
        whole = {alias: whole[alias] for alias in best[:MOST_ALIASES]}
    return whole
