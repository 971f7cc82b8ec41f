"""A project with MCP servers, a real client, and `tokens gateway` between them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release, mcp_server, program
from tests.e2e.offline_api import OfflineApi
from tests.e2e.scripted_answers import JsonObject

TIMEOUT_SECONDS = 90
DEFERRED: Mapping[str, str] = {"ENABLE_TOOL_SEARCH": "true"}
INLINE: Mapping[str, str] = {"ENABLE_TOOL_SEARCH": "false"}
MANY_TOOLS = Path(__file__).with_name("many_tools_mcp_server.py")
REAL = ("filesystem", "memory", "everything")


class Bed:
    """One release and model in a sandbox."""

    def __init__(self, release: Release, sandbox: Sandbox, api: OfflineApi, model: str) -> None:
        self.release, self.sandbox, self.model, self.api = release, sandbox, model, api
        self.client = ClaudeClient(release, sandbox, api)
        program_file = sandbox.home / ".local/bin/claude"
        program_file.parent.mkdir(parents=True)
        node = f'"{program("node")}" ' if release.needs_node else ""
        program_file.write_text(f'#!/bin/sh\nexec {node}"{release.path}" "$@"\n')
        program_file.chmod(0o755)

    @property
    def shared(self) -> Path:
        """The project's `.mcp.json`."""
        return self.sandbox.project / ".mcp.json"

    @property
    def local(self) -> Path:
        """The person's settings in the project."""
        return self.sandbox.project / ".claude/settings.local.json"

    def write_local(self, **settings: object) -> None:
        self.local.parent.mkdir(exist_ok=True)
        self.local.write_text(json.dumps(settings), encoding="utf-8")

    def write_own(self, **servers: JsonObject) -> None:
        """The person's own servers, before the client runs for the first time."""
        text = json.dumps({"mcpServers": servers})
        (self.sandbox.config / ".claude.json").write_text(text, encoding="utf-8")

    def own_servers(self, scope: str) -> JsonObject:
        """The person's own servers, as the client keeps them."""
        document = json.loads((self.sandbox.config / ".claude.json").read_text("utf-8"))
        if scope == "local":
            document = document.get("projects", {}).get(str(self.sandbox.project), {})
        found: JsonObject = document.get("mcpServers", {})
        return found

    def tell_client(self, *words: str) -> None:
        """Have the client change its own servers."""
        node = [program("node") or "node"] if self.release.needs_node else []
        self._run([*node, str(self.release.path), "mcp", *words], self.sandbox.environment())

    def tokens(self, *words: str) -> JsonObject:
        """What `tokens gateway` answers as JSON."""
        own = {"TOKENS_HOME": str(self.sandbox.root / "tokens")}
        command = [sys.executable, "-m", "tokenbudget", *words, "--json"]
        answer: JsonObject = json.loads(self._run(command, {**self.sandbox.environment(), **own}))
        return answer

    def _run(self, command: list[str], environment: Mapping[str, str]) -> str:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=self.sandbox.project,
            env=environment,
        )
        assert done.returncode == 0, f"{command[-3:]}: {done.returncode} {done.stderr}"
        return done.stdout

    def requests(self, prompt: str, variables: Mapping[str, str]) -> list[Exchange]:
        """The requests of one session."""
        known = len(self.api.exchanges())
        self.client.run(prompt, f"--model={self.model}", variables=variables)
        return [one for one in self.api.exchanges()[known:] if one.kind is RequestKind.MAIN]

    def first(self, variables: Mapping[str, str] = DEFERRED) -> Exchange:
        """The first request of a session that begins now."""
        return self.requests("Hello.", variables)[0]


def weight(exchange: Exchange) -> int:
    """Bytes of what the model reads."""
    parts = ("system", "tools", "messages")
    return len(json.dumps({name: exchange.body.get(name, []) for name in parts}).encode())


def names_of(exchange: Exchange, server: str) -> int:
    """How often tools of a server are named."""
    return json.dumps(exchange.body).count(f"mcp__{server}__")


def real_servers(folder: Path) -> JsonObject:
    """`mcpServers` of servers from npm, over one folder."""
    arguments = {"filesystem": [str(folder)], "memory": [], "everything": []}
    return {
        name: {"command": program("node"), "args": [str(mcp_server(name)), *arguments[name]]}
        for name in REAL
    }


def many_tools(name: str, tools: int) -> JsonObject:
    """A server with so many tools, and nothing behind them."""
    return {"command": sys.executable, "args": [str(MANY_TOOLS), name, str(tools)]}
