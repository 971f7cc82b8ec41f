"""What servers write to their standard error: kept in a file of each, which cannot grow.

It never reaches the client's terminal; the last line is told when a server breaks down.
"""

from __future__ import annotations

import contextlib
import os
from zlib import crc32

from tokenbudget.model.plain_text import one_line
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LAST_BYTES = 2_000
LAST_LINE_CHARS = 200


class ServerLog:
    """The log of one server: two files of half the size, the older one thrown away in turn."""

    def __init__(self, folder: str, server: str, most_bytes: int) -> None:
        """`folder` '' keeps nothing but the last line."""
        self._path = log_path(folder, server) if folder else ""
        self._most_bytes = most_bytes // 2
        self._size_bytes = -1
        self._last = b""
        self._secrets: Sequence[str] = ()

    def write(self, data: bytes) -> None:
        """Keep it; a disk that is full costs the log and nothing else."""
        for secret in self._secrets:
            data = data.replace(secret.encode(errors="surrogatepass"), "…".encode())
        self._last = (self._last + data[-LAST_BYTES:])[-LAST_BYTES:]
        if self._path:
            with contextlib.suppress(OSError):
                self._append(data[-self._most_bytes :])

    def begin(self, secrets: Sequence[str]) -> None:
        """The server is started: what it said before is no word on this time.

        These are left out of what is kept; of its last words, which are for the agent, also where
        they came in two pieces.
        """
        self._last = b""
        self._secrets = secrets

    def last_words(self) -> str:
        """The last line that says something, for the end of a message; '' where there is none."""
        words = self._last.decode("utf-8", "replace")
        for secret in self._secrets:
            words = words.replace(secret, "…")
        lines = words.splitlines()
        said = next((said for line in reversed(lines) if (said := one_line(line).strip())), "")
        return f"; its last words: {quoted(said, LAST_LINE_CHARS)}" if said else ""

    def _append(self, data: bytes) -> None:
        if self._size_bytes < 0:
            make_private(os.path.dirname(self._path))
        elif self._size_bytes + len(data) > self._most_bytes:
            os.replace(self._path, f"{self._path}.old")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags | os.O_NONBLOCK, 0o600)
        try:
            os.write(descriptor, data)
            self._size_bytes = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)


def quoted(said: str, most_chars: int) -> str:
    """Words of a server inside a sentence of ours: one line, cut, in quotation marks."""
    line = one_line(said[: 2 * most_chars]).replace('"', "'")
    return f'"{line if len(line) <= most_chars else line[: most_chars - 1] + "…"}"'


def log_path(folder: str, server: str) -> str:
    """The file of one server; every server has one of its own, whatever its name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in server[:60])
    return os.path.join(folder, f"{plain}-{crc32(server.encode('utf-8', 'surrogatepass')):08x}.log")
