"""The person's own MCP servers, which stand in a file that the agent's client alone may write.

They are read there; adding and removing is the client's own `claude mcp add-json` and `remove`.
(`list` and `get` start servers and print secrets: they are never called.) What the client prints is
shown to nobody, for it repeats headers and variables.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import NamedTuple

from tokenbudget.config.files import read_regular
from tokenbudget.model.actions import ClientServer, Outcome
from tokenbudget.model.errors import ProjectUnusable, Refused, TokenBudgetError
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.client_features import version_parts
from tokenbudget.resources.steps import ClientHands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.system.kept import Kept

TIMEOUT_SECONDS = 60.0
"""The oldest client took 5 s under node on two busy cores."""
MOST_STATE_BYTES = 64_000_000
TAKES_STDIN_FROM = (2, 1, 329)
"""From then on a definition can be told on standard input, which no other user can read."""


class ClientProgram(NamedTuple):
    """The client, and where it keeps its state."""

    path: str
    version: str
    environment: Mapping[str, str]
    """All that it is started with."""
    state_path: str
    """`.claude.json`, read only."""

    @property
    def takes_stdin(self) -> bool:
        """Whether a definition stays out of the list of processes."""
        return (version_parts(self.version) or ()) >= TAKES_STDIN_FROM


def own_servers(state_path: str, scope: str, folder: str) -> Mapping[str, object]:
    """The person's own servers of a scope, by name; empty where the file cannot be read."""
    try:
        document = json.loads(read_regular(state_path, MOST_STATE_BYTES) or b"null")
    except (OSError, ValueError, RecursionError):
        return {}
    if isinstance(document, dict) and scope == "local":
        projects = document.get("projects")
        document = projects.get(folder) if isinstance(projects, dict) else None
    servers = document.get("mcpServers") if isinstance(document, dict) else None
    return servers if isinstance(servers, dict) else {}


def dropped_words(wanted: object, there: object) -> str:
    """What a client has left out of a definition, in words; '' where it took all."""
    if not isinstance(wanted, dict) or not isinstance(there, dict):
        return ""
    lost = ", ".join(one_line(key)[:40] for key in wanted if key not in there)
    return f"the client took it without {lost}, which it does not know" if lost else ""


class ClientServers:
    """Does and undoes `ClientServer` steps."""

    def __init__(self, client: ClientProgram | None, kept: Kept) -> None:
        self._client = client
        self._kept = kept

    def hands(self) -> ClientHands:
        """For a `Workshop`."""
        return ClientHands(self.apply, self.verify, self.look, self.foresee, self.revert)

    def apply(self, step: ClientServer) -> Outcome:
        """Do it, unless it is so already."""
        one = _checked(step)
        there, wanted = self._there(one), self._wanted(one)
        if one.change == "remove":
            if there is None:
                return Outcome("unchanged", "the client has no such server any more")
            if not _is_same(there, wanted):
                raise Refused(f"the server {_named(one)} was changed since it was looked at")
            return Outcome("done", "", {"said": self._remove(one)})
        if there is not None:
            if _is_same(there, wanted):
                return Outcome("unchanged", "the client has it already")
            raise Refused(f"the client has another server named {_named(one)}")
        return Outcome("done", self._add(one, wanted))

    def verify(self, step: ClientServer, outcome: Outcome) -> str:
        """Whether the client's file says so now."""
        one = _checked(step)
        if (self._there(one) is not None) == (one.change == "add"):
            return ""
        return f"the client's own servers do not show it: {_named(one)}"

    def look(self, step: ClientServer, outcome: Outcome) -> Outcome:
        """Whether a step that was begun was done."""
        is_done = not self.verify(step, outcome)
        return outcome._replace(state="done" if is_done else "unchanged")

    def foresee(self, step: ClientServer, outcome: Outcome) -> Outcome:
        """What `revert` would come to."""
        return self._back(_checked(step), is_dry_run=True)

    def revert(self, step: ClientServer, outcome: Outcome) -> Outcome:
        """Take it back, unless somebody has changed it since."""
        return self._back(_checked(step), is_dry_run=False)

    def _back(self, one: ClientServer, *, is_dry_run: bool) -> Outcome:
        there, wanted = self._there(one), self._wanted(one)
        if there is not None and not _is_same(there, wanted):
            return Outcome("conflict", f"the server {_named(one)} was changed since; it stays")
        if is_dry_run or (there is None) == (one.change == "add"):  # it is back already
            return Outcome("undone", "")
        return Outcome("undone", self._add(one, wanted) if there is None else self._remove(one))

    # ── the client ─────────────────────────────────────────────────────────────────────────────

    def _there(self, one: ClientServer) -> object | None:
        return own_servers(self._program().state_path, one.scope, one.folder).get(one.server)

    def _wanted(self, one: ClientServer) -> object:
        return json.loads(self._kept.get(one.kept))

    def _add(self, one: ClientServer, wanted: object) -> str:
        """Have it added; what the client left out of it."""
        text = json.dumps(wanted)
        takes_stdin = self._program().takes_stdin
        self._run(one, "add-json", "-" if takes_stdin else text, text if takes_stdin else "")
        return dropped_words(wanted, self._there(one))

    def _remove(self, one: ClientServer) -> str:
        self._run(one, "remove")
        return ""

    def _program(self) -> ClientProgram:
        if self._client is None:
            raise ProjectUnusable("there is no claude on the PATH, which alone may change its file")
        return self._client

    def _run(self, one: ClientServer, verb: str, definition: str = "", told: str = "") -> None:
        client = self._program()
        words = [one.server, "-s", one.scope, *([definition] if definition else [])]
        try:
            done = subprocess.run(
                [client.path, "mcp", verb, *words],
                input=told.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=one.folder,
                env=dict(client.environment),
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            raise ProjectUnusable(f"claude mcp {verb} took longer than a minute") from slow
        if done.returncode:
            raise ProjectUnusable(
                f"claude mcp {verb} {_named(one)} -s {one.scope} ended with {done.returncode}"
            )


def _checked(step: ClientServer) -> ClientServer:
    """The step, if no part of it can be taken for an option. Raises TokenBudgetError."""
    if step.server.startswith("-") or step.scope not in ("local", "user"):
        raise TokenBudgetError(f"{one_line(step.server)[:60]} is no server of a person's own")
    if not os.path.isabs(step.folder):
        raise TokenBudgetError("the client is started in no plain folder")
    return step


def _named(one: ClientServer) -> str:
    return one_line(one.server)[:60]


def _is_same(there: object, wanted: object) -> bool:
    """Whether they start the same: a client leaves out what it does not know, and adds a type."""
    if not isinstance(there, dict) or not isinstance(wanted, dict):
        return there == wanted
    return all(wanted.get(key, "stdio" if key == "type" else None) == there[key] for key in there)
