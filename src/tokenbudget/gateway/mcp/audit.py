"""Who called what through the gateway, one JSON object a line; never a value of an argument.

    <home>/gateway/audit.jsonl       0600, the newest
    <home>/gateway/audit.1.jsonl     what it was before it was full, and so on to `KEPT`

Of arguments the names are kept and how long each value is. A name that the tool's schema does not
know may itself be a secret, and is kept as `?`. Writing never fails a call; what could not be
written is counted and told by the next line that can be.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from time import gmtime, strftime

from tokenbudget.model.plain_text import one_line
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.gateway.mcp.values import Tool
    from tokenbudget.model.protocols import Clock

NAME = "audit.jsonl"
MOST_BYTES = 5_000_000
KEPT = 3
MOST_WORD_CHARS = 200
MOST_KEYS = 40
UNKNOWN_KEY = "?"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Audit:
    """Writes rows; from any thread."""

    def __init__(self, folder: str, clock: Clock, session: str = "") -> None:
        """`session` is the agent's, where it is known."""
        self._folder = folder
        self._clock = clock
        self._session = session
        self._turn = threading.Lock()
        self._lost = 0

    def note(self, event: str, **facts: object) -> None:
        """One row; facts that are None are left out."""
        row = {"at": _iso(self._clock.now_ms()), "event": event, "session": self._session}
        row |= {name: _fit(fact) for name, fact in facts.items() if fact is not None}  # type: ignore[misc]
        with self._turn:
            if self._lost:
                row["lost"] = self._lost  # type: ignore[assignment]
            try:
                self._append(f"{json.dumps(row, separators=(',', ':'))}\n".encode())
            except (OSError, ValueError):
                self._lost += 1
            else:
                self._lost = 0

    def _append(self, line: bytes) -> None:
        path = os.path.join(self._folder, NAME)
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except FileNotFoundError:
            make_private(self._folder)
            descriptor = os.open(path, _FLAGS, 0o600)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(f"{path} is no file")
            if found.st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        if found.st_size + len(line) > MOST_BYTES:
            self._rotate(path, found)

    def _rotate(self, path: str, written: os.stat_result) -> None:
        """Begin a new file, unless another gateway has just done so."""
        now = os.stat(path, follow_symlinks=False)
        if (now.st_ino, now.st_dev) != (written.st_ino, written.st_dev):
            return
        for number in range(KEPT, 1, -1):
            older = _numbered(path, number - 1)
            if os.path.lexists(older):
                os.replace(older, _numbered(path, number))
        os.replace(path, _numbered(path, 1))


def audit_files(folder: str) -> list[str]:
    """All audit files that may be there, the oldest first."""
    path = os.path.join(folder, NAME)
    return [*(_numbered(path, number) for number in range(KEPT, 0, -1)), path]


def argument_sizes(tool: Tool, arguments: Mapping[str, object]) -> dict[str, int]:
    """How long each argument is, in characters of its JSON, by the names that the schema knows."""
    properties = tool.input_schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    sizes: dict[str, int] = {}
    for key, value in list(arguments.items())[:MOST_KEYS]:
        name = key if key in known else UNKNOWN_KEY
        sizes[name] = sizes.get(name, 0) + _chars(value)
    return sizes


def _chars(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        return -1


def _numbered(path: str, number: int) -> str:
    return f"{path.removesuffix('.jsonl')}.{number}.jsonl"


def _iso(now_ms: int) -> str:
    """ISO 8601 in UTC; without `datetime`, which would hold up the first answer."""
    seconds, ms = divmod(now_ms, 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{ms:03}+00:00"


def _fit(fact: object) -> object:
    """A fact as it may stand in the file: words on one line and not too long."""
    if isinstance(fact, str):
        return one_line(fact)[:MOST_WORD_CHARS]
    if isinstance(fact, dict):
        return {str(_fit(str(name))): _fit(value) for name, value in list(fact.items())[:200]}
    return fact
