"""MCP servers: names, instructions and loaded schemas of each are in every request.

`disabledMcpjsonServers` in the project's local settings switches off a server of `.mcp.json`, and
wins over settings that enable it. The end-to-end tests see the requests of Claude Code 2.0.76,
2.1.270 and 2.1.329, with two models each: it takes effect at the next start only, and has none on
servers that the person added. Those stand in `.claude.json`, which belongs to the client alone: of
them only the names are read, and the client's own command is told.

Nothing else is offered. A rule that denies `mcp__server` does nothing in 2.0.76 and leaves the
server's instructions where it works; `enabledMcpjsonServers`, `enableAllProjectMcpServers: false`
and `"disabled": true` of an entry switch nothing off.
"""

from __future__ import annotations

import json
import os
import re
from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Item, Proposal, SettingEdit
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.evidence import DAY_MS, FEWEST_SESSIONS, Use, server_key
from tokenbudget.resources.kind import Kind, counted, shown, typable
from tokenbudget.resources.looking import facts_of, text_at
from tokenbudget.resources.mentions import Mentions
from tokenbudget.resources.unused import FRESH_DAYS, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.actions import Weight
    from tokenbudget.resources.agent_settings import Said

OWN = "tokenbudget"
"""Our own gateway, which stands for other servers."""
PROJECT_FILE, STATE_FILE = ".mcp.json", ".claude.json"
MOST_SERVERS = 200
_MOST_PROJECT_BYTES, MOST_STATE_BYTES = 1_000_000, 64_000_000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
"""A name that can be typed into a command as it is."""

Scope: TypeAlias = Literal["project", "user", "local", "seen"]


class Server(NamedTuple):
    """A server and where it is set up; `seen` in a window only."""

    name: str
    scope: Scope
    path: str
    size_bytes: int
    is_off: bool


class McpServers(Kind):
    """MCP servers that the project does not call."""

    name = "mcp-servers"
    _found: tuple[Server, ...] = ()

    def inventory(self) -> Sequence[Item]:
        """The servers of the project, of the person, and what else the last window shows."""
        self._said: Said = said_by(self.place)
        self.notes = self._said.notes
        self._mentions = Mentions(self.place, self._said, self.evidence)
        found = [*self._of_project(), *self._of_person()]
        known = {server_key(server.name) for server in found}
        found += [
            Server(name, "seen", "", 0, is_off=False)
            for name in self.weights.servers
            if name not in known
        ]
        self._found = tuple(found[:MOST_SERVERS])
        return [self._item(server) for server in self._found]

    def plan(self, items: Sequence[Item]) -> Sequence[Proposal]:
        """Switch off those that were offered and not called."""
        wanted = {(item.name, item.path) for item in items}
        found = (
            self._proposal(server)
            for server in self._found
            if (shown(server.name), server.path) in wanted
        )
        return [one for one in found if one is not None]

    # ── finding ────────────────────────────────────────────────────────────────────────────────

    def _of_project(self) -> list[Server]:
        path = os.path.join(self.place.project, PROJECT_FILE)
        text = text_at(path, (self.place.project,), _MOST_PROJECT_BYTES)
        if text is None:
            if os.path.lexists(path):
                self.notes = (*self.notes, f"{PROJECT_FILE} cannot be read")
            return []
        switched_off = self._said.disabled_servers | self._switched_off_in_client()
        disabled = {server_key(name) for name in switched_off}
        return [
            Server(name, "project", path, size, is_off=server_key(name) in disabled)
            for name, size in _servers(_object(text))
        ]

    def _switched_off_in_client(self) -> frozenset[str]:
        """Servers of `.mcp.json` that the client itself was told to leave out, by `/mcp`."""
        own = _project_table(self._client_state()[1], self.place.project)
        lists = (own.get("disabledMcpServers"), own.get("disabledMcpjsonServers"))
        return frozenset(str(name) for one in lists if isinstance(one, list) for name in one)

    def _client_state(self) -> tuple[str, dict[str, object]]:
        """The path of the client's own file, and what it says; the first that can be read."""
        for path, top in state_files(self.place.claude_dirs, self.place.home):
            text = text_at(path, (top,), MOST_STATE_BYTES)
            if text is not None:
                return path, _object(text)
        return "", {}

    def _of_person(self) -> list[Server]:
        path, document = self._client_state()
        own = _project_table(document, self.place.project)
        off = own.get("disabledMcpServers")
        names = set(map(str, off)) if isinstance(off, list) else set()
        scopes: tuple[tuple[Scope, dict[str, object]], ...] = (("user", document), ("local", own))
        return [
            Server(name, scope, path, size, is_off=name in names)
            for scope, table in scopes
            for name, size in _servers(table)
        ]

    def _item(self, server: Server) -> Item:
        use = self._use(server)
        weight = NEVER_SENT if server.is_off else self._weight(server)
        calls = use.calls if self.evidence.sessions else None
        return Item(
            self.name,
            shown(server.name),
            server.path,
            server.size_bytes,
            weight,
            use.last_ms,
            calls,
        )

    def _weight(self, server: Server) -> Weight:
        return self.weights.of_server(server.name)

    def _use(self, server: Server) -> Use:
        return self.evidence.servers.get(server_key(server.name), Use())

    # ── proposing ──────────────────────────────────────────────────────────────────────────────

    def _proposal(self, server: Server) -> Proposal | None:
        if server.is_off:
            return None
        verdict = self._unused(server)
        if verdict is None:
            return None
        verdict = verdict.beside(self._mentions.where(server.name, server_key(server.name)))
        edit = SettingEdit(("disabledMcpjsonServers",), server.name, is_member=True)
        can_be = server.scope == "project" and self._said.takes(edit)
        return Proposal(
            id=typable(self.name, server.name),
            resource=self.name,
            title=f"switch off the MCP server {shown(server.name)} in this project",
            reason=verdict.reason,
            freed=self._weight(server),
            freed_bytes=0,
            effect="next start",
            is_chosen=can_be and verdict.is_sure,
            steps=(EditSettings(self.place.local_settings, (edit,)),) if can_be else (),
            command="" if can_be else _command(server),
        )

    def _unused(self, server: Server) -> Verdict | None:
        """Not called in the period although it was offered; how often is said in both cases."""
        if self._use(server).calls or self._is_fresh(server):
            return None
        evidence = self.evidence
        offered = evidence.offered.get(server_key(server.name), 0)
        period = f"in {counted(evidence.sessions, 'session')} of the last {evidence.days} days"
        if not evidence.sessions:
            return Verdict(False, f"no session of the last {evidence.days} days says what is used")
        if evidence.resource_reads:
            return Verdict(
                False,
                f"no tool of it was called {period}, but resources of MCP servers were read, and"
                " the transcripts do not say of which",
            )
        if offered >= FEWEST_SESSIONS:
            return Verdict(True, f"not called {period}, offered in {offered:,} of them")
        return Verdict(
            False,
            f"not called {period}, but seen to be offered in {offered:,} of the"
            f" {evidence.counted_sessions:,} whose windows were counted"
            f" ({FEWEST_SESSIONS} are wanted)",
        )

    def _is_fresh(self, server: Server) -> bool:
        """Whether the project's file was changed lately: it may be this server that is new."""
        facts = facts_of(server.path) if server.scope == "project" else None
        if facts is None:
            return False
        age_ms = self.evidence.until_ms - facts.mtime_ns // 1_000_000
        return age_ms < FRESH_DAYS * DAY_MS


def state_files(claude_dirs: Sequence[str], home: str) -> list[tuple[str, str]]:
    """Where the client keeps its state: in its folder, or beside the usual one; (path, folder)."""
    found = [(os.path.join(folder, STATE_FILE), folder) for folder in claude_dirs]
    usual = os.path.join(home, ".claude")
    if home and usual in claude_dirs:
        found.append((os.path.join(home, STATE_FILE), home))
    return found


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _project_table(document: dict[str, object], project: str) -> dict[str, object]:
    """What the client's own file says of one project."""
    projects = document.get("projects")
    own = projects.get(project) if isinstance(projects, dict) else None
    return own if isinstance(own, dict) else {}


def _servers(table: dict[str, object]) -> list[tuple[str, int]]:
    """(name, bytes of its definition); what the definition says is nobody's business here."""
    found = table.get("mcpServers")
    if not isinstance(found, dict):
        return []
    return [(name, _size_of(value)) for name, value in found.items()][:MOST_SERVERS]


def _size_of(value: object) -> int:
    try:
        return len(json.dumps(value))
    except RecursionError:
        return 0


def _command(server: Server) -> str:
    """What the person would type; nothing that a name could turn into another command."""
    if not _PLAIN_NAME.fullmatch(server.name):
        return "/mcp"
    if server.name == OWN:
        return "tokens gateway uninstall"
    if server.scope in ("user", "local"):
        return f"claude mcp remove {server.name} -s {server.scope}"
    return f"/mcp disable {server.name}"
