"""What the ledger says about a project's use of what it is sent, as plain values."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.resources.client_features import features_in_common
from tokenbudget.resources.client_versions import versions_in_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.ledger.uses import FileRow, UseRow
    from tokenbudget.resources.client_features import ClientFeatures

DAY_MS = 86_400_000
WEEK_DAYS = 7
PERIOD_DAYS = 30
"""How far back a use counts: as long as the client keeps its transcripts by default."""
FEWEST_SESSIONS = 5
"""With fewer, that nothing was used says nothing: a working week has about as many."""


class Use(NamedTuple):
    """How often something was used, in how many sessions, and when last."""

    calls: int = 0
    sessions: int = 0
    last_ms: int | None = None


class FileUse(NamedTuple):
    """What tools did with a path."""

    path: str
    calls: int
    result_bytes: int


class Evidence(NamedTuple):
    """A project's sessions of a period; names of servers are as the client's tools spell them."""

    since_ms: int
    until_ms: int
    session_starts_ms: tuple[int, ...] = ()
    requests: int = 0
    first_ms: int | None = None
    counted_sessions: int = 0
    """Of which it can be seen what MCP servers they were offered."""
    offered: Mapping[str, int] = {}
    """Counted sessions by server."""
    servers: Mapping[str, Use] = {}
    skills: Mapping[str, Use] = {}
    agents: Mapping[str, Use] = {}
    reads: tuple[FileUse, ...] = ()
    edits: tuple[FileUse, ...] = ()
    resource_reads: int = 0
    """Looks at the resources of some MCP server; of which one is not told."""
    client_version: str = ""
    """The newest release of the client that any session of the period tells of; '' for none."""

    @property
    def features(self) -> ClientFeatures:
        """What that release takes; with none known, what the newest tested one does."""
        return features_in_common([self.client_version] if self.client_version else [])

    @property
    def sessions(self) -> int:
        """Sessions of the project with a request in the period."""
        return len(self.session_starts_ms)

    @property
    def days(self) -> int:
        """Length of the period."""
        return round((self.until_ms - self.since_ms) / DAY_MS)

    def sessions_since(self, at_ms: int) -> int:
        """Those that began at that moment or later."""
        return sum(start >= at_ms for start in self.session_starts_ms)

    @property
    def weeks(self) -> float:
        """How many weeks of the period have requests to show; never less than one."""
        first_ms = self.until_ms if self.first_ms is None else self.first_ms
        return max(1.0, (self.until_ms - first_ms) / (WEEK_DAYS * DAY_MS))

    @property
    def requests_per_week(self) -> float:
        """Requests of main threads."""
        return self.requests / self.weeks

    def read_below(self, folder: str) -> FileUse:
        """Calls and bytes of reading tools below a folder; shell commands are not among them."""
        inside = [use for use in self.reads if is_below(use.path, folder)]
        return FileUse(
            folder, sum(use.calls for use in inside), sum(use.result_bytes for use in inside)
        )

    def edited_below(self, folder: str) -> int:
        """Edits by the agent's tools below a folder."""
        return sum(use.calls for use in self.edits if is_below(use.path, folder))


def evidence_of(
    ledger: Ledger, project: str | Sequence[str], now_ms: int, days: int = PERIOD_DAYS
) -> Evidence:
    """What the ledger says about a project's last days; `project` by one spelling or several."""
    since_ms = now_ms - days * DAY_MS
    spellings = (project,) if isinstance(project, str) else project
    uses = ledger.project_uses(spellings, since_ms, now_ms + 1)
    return Evidence(
        since_ms=since_ms,
        until_ms=now_ms,
        session_starts_ms=uses.session_starts_ms,
        requests=uses.requests,
        first_ms=uses.first_ms,
        counted_sessions=uses.counted_sessions,
        offered=_offered(uses.offered),
        servers=_uses(uses.servers, server_key),
        skills=_uses(uses.skills, str),
        agents=_uses(uses.agents, str),
        reads=_files(uses.reads),
        edits=_files(uses.edits),
        resource_reads=uses.resource_reads,
        client_version=next(
            (one.version for one in versions_in_use(ledger.sessions(), None, now_ms)), ""
        ),
    )


def server_key(name: str) -> str:
    """A server's name as it stands in the names of its tools, up to where it would end there.

    The client turns other signs into `_` and joins with `__`, which a name may hold itself: then
    only its beginning can be told, and servers with the same one are used together.
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", name).partition("__")[0]


def is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _uses(rows: Iterable[UseRow], key_of: Callable[[str], str]) -> dict[str, Use]:
    """By name; rows of one name are added, the sessions of the largest count."""
    found: dict[str, Use] = {}
    for row in rows:
        key = key_of(row.name)
        was = found.get(key, Use())
        found[key] = Use(
            was.calls + row.calls,
            max(was.sessions, row.sessions),
            max(was.last_ms or 0, row.last_ms) or None,
        )
    return found


def _offered(rows: Iterable[UseRow]) -> dict[str, int]:
    """By server; of several spellings the one that was seen most (instructions keep the name)."""
    found: dict[str, int] = {}
    for row in rows:
        key = server_key(row.name)
        found[key] = max(found.get(key, 0), row.sessions)
    return found


def _files(rows: Iterable[FileRow]) -> tuple[FileUse, ...]:
    return tuple(FileUse(row.path, row.calls, row.result_bytes) for row in rows)
