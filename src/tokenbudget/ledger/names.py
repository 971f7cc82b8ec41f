"""Names that repeat a thousandfold are stored once and referred to by number."""

from __future__ import annotations

from tokenbudget.model.events import SessionFact

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

_MCP_PREFIX = "mcp__"

# The latest word wins for branch and version; the earliest line's directory is where it began.
_SESSION = """
INSERT INTO session (name, cwd, git_branch, version, first_at, last_at, title)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET
    git_branch = iif(excluded.git_branch = '' OR last_at > excluded.last_at,
                     git_branch, excluded.git_branch),
    version = iif(excluded.version = '' OR last_at > excluded.last_at, version, excluded.version),
    title = iif(excluded.title = '', title, excluded.title),
    cwd = iif(excluded.cwd <> '' AND (cwd = '' OR first_at > excluded.first_at),
              excluded.cwd, cwd),
    first_at = iif(excluded.first_at <> '' AND (first_at = '' OR excluded.first_at < first_at),
                   excluded.first_at, first_at),
    last_at = max(last_at, excluded.last_at)
RETURNING id
"""


class NameTable:
    """Ids of models, sessions, projects and tools, remembered per process.

    Ids never change once committed, so that the memory stays true whatever others write; after a
    rollback it must be forgotten.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._models: dict[str, int] = {}
        self._sessions: dict[str, int] = {}
        self._projects: dict[str, int] = {}
        self._tools: dict[str, int] = {}

    def forget(self) -> None:
        """Drop the memory: a rollback may have taken back some of the rows."""
        for ids in (self._models, self._sessions, self._projects, self._tools):
            ids.clear()

    def model(self, name: str) -> int:
        """The id of a model."""
        return self._models.get(name) or self._add(self._models, "model", "name", name)

    def session(self, name: str) -> int:
        """The id of a session."""
        known = self._sessions.get(name)
        return known or self.note_session(SessionFact(name, "", "", "", "", "", ""))

    def note_session(self, fact: SessionFact) -> int:
        """Take a stretch's facts of a session in; returns the session's id."""
        row = self._connection.execute(_SESSION, fact).fetchone()
        self._sessions[fact.session] = row[0]
        return int(row[0])

    def project(self, path: str) -> int:
        """The id of a project."""
        return self._projects.get(path) or self._add(self._projects, "project", "path", path)

    def tool(self, name: str) -> int:
        """The id of a tool; `mcp__server__tool` names its server."""
        known = self._tools.get(name)
        if known:
            return known
        found = self._add(self._tools, "tool", "name", name)
        if name.startswith(_MCP_PREFIX):
            server = name.removeprefix(_MCP_PREFIX).partition("__")[0]
            self._connection.execute("UPDATE tool SET mcp_server = ? WHERE id = ?", (server, found))
        return found

    def _add(self, known: dict[str, int], table: str, column: str, name: str) -> int:
        self._connection.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (name,))
        row = self._connection.execute(
            f"SELECT id FROM {table} WHERE {column} = ?", (name,)
        ).fetchone()
        known[name] = row[0]
        return int(row[0])
