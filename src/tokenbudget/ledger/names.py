"""Names that repeat a thousandfold are stored once and referred to by number."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

_MCP_PREFIX = "mcp__"


class NameTable:
    """Ids of models, sessions, projects and tools, remembered per process.

    Ids never change once committed, so that the memory stays true whatever others write; after a
    rollback it must be forgotten.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Drop the memory: a rollback may have taken back some of the rows."""
        self._ids.clear()

    def model(self, name: str) -> int:
        """The id of a model."""
        return self._ids.get(("model", name)) or self._add(
            "model", name, "INSERT OR IGNORE INTO model (name) VALUES (?)"
        )

    def session(self, name: str) -> int:
        """The id of a session."""
        return self._ids.get(("session", name)) or self._add(
            "session",
            name,
            "INSERT OR IGNORE INTO session (name, git_branch, version, title, cwd, first_at,"
            " last_at) VALUES (?, '', '', '', '', '', '')",
        )

    def project(self, path: str) -> int:
        """The id of a project."""
        return self._ids.get(("project", path)) or self._add(
            "project", path, "INSERT OR IGNORE INTO project (path) VALUES (?)", "path"
        )

    def tool(self, name: str) -> int:
        """The id of a tool; `mcp__server__tool` names its server."""
        known = self._ids.get(("tool", name))
        if known:
            return known
        found = self._add("tool", name, "INSERT OR IGNORE INTO tool (name) VALUES (?)")
        if name.startswith(_MCP_PREFIX):
            server = name.removeprefix(_MCP_PREFIX).partition("__")[0]
            self._connection.execute("UPDATE tool SET mcp_server = ? WHERE id = ?", (server, found))
        return found

    def _add(self, table: str, name: str, insert: str, column: str = "name") -> int:
        self._connection.execute(insert, (name,))
        row = self._connection.execute(
            f"SELECT id FROM {table} WHERE {column} = ?", (name,)
        ).fetchone()
        self._ids[(table, name)] = row[0]
        return int(row[0])
