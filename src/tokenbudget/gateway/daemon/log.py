"""The daemon's diary: a short line per event of its own, in two files that cannot grow.

Nothing of a hook's payload stands there, and no secret: numbers, our own words, names of faults.
"""

from __future__ import annotations

import contextlib
import os
import threading
from datetime import UTC, datetime

from tokenbudget.gateway.daemon.places import LOG, OLD_LOG, place
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.protocols import Clock

MOST_BYTES = 1 << 16
LONGEST_LINE = 240


class Log:
    """Appends lines; a disk that is full costs lines and nothing else."""

    def __init__(self, home: str, clock: Clock) -> None:
        self._path = place(home, LOG)
        self._old = place(home, OLD_LOG)
        self._clock = clock
        self._writing = threading.Lock()

    def __call__(self, event: str) -> None:
        """Write it down with the time."""
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        line = f"{moment:%Y-%m-%dT%H:%M:%SZ} {one_line(event)[:LONGEST_LINE]}\n".encode()
        with contextlib.suppress(OSError), self._writing:
            if not self._add(line):
                os.replace(self._path, self._old)
                self._add(line)

    def _add(self, line: bytes) -> bool:
        """Append it; False where there is no room for it."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags | os.O_NONBLOCK, 0o600)
        try:
            has_room = os.fstat(descriptor).st_size + len(line) <= MOST_BYTES
            return has_room and bool(os.write(descriptor, line))
        finally:
            os.close(descriptor)
