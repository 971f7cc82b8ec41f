"""Recorded catalogues as servers behind `tokens gateway`: what the benchmarks of it share."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mcp_window import Client, Json, Window, sandboxed, text_of

HERE = Path(__file__).parent
TOOLS_WAIT_SECONDS = 60.0

SEARCHES = [
    "list open merge requests of a project",
    "search jira issues",
    "create a page in notion",
]
WANTED = [
    ("gitlab-zereight", "list_merge_requests"),
    ("atlassian", "jira_search"),
    ("notion", "API-post-page"),
]
"""The tool that each search is for, after its server."""
PAGE: Json = {
    "parent": {"page_id": "x"},
    "properties": {"title": [{"text": {"content": "33"}}]},
}
RULES = '[gateway]\nallow = ["notion.API-post-page"]\n'
"""The page's tool calls itself destructive, so writing it has to be allowed once."""


class Goal(NamedTuple):
    """A figure beside what it should be."""

    what: str
    found: float
    most: float

    @property
    def is_met(self) -> bool:
        """Whether it is low enough."""
        return self.found <= self.most

    def __str__(self) -> str:
        word = "met   " if self.is_met else "MISSED"
        return f"{word} {self.what}: {self.found:,.1f} (at most {self.most:,.1f})"


class Setup(NamedTuple):
    """Servers, the file that names them, and a home for the gateway before them."""

    folder: Path
    config: Path
    environment: Mapping[str, str]
    servers: Mapping[str, Sequence[str]]
    catalogues: Mapping[str, Json]
    """What the servers are known to list, where they serve a recorded catalogue."""
    tokens: str

    def gateway(self) -> Client:
        """Started, not greeted."""
        command = [self.tokens, "gateway", "--config", str(self.config)]
        return Client(command, self.environment, self.folder / "gateway.log", self.folder)

    def server(self, name: str) -> Client:
        """One of them, without the gateway."""
        log = self.folder / f"{name}.log"
        return Client(self.servers[name], self.environment, log, self.folder)


def setup_of(
    folder: Path, servers: Mapping[str, Sequence[str]], tokens: str, rules: str = ""
) -> Setup:
    """A home with rules, and a file that names the servers."""
    environment = sandboxed(folder / "home")
    home = Path(environment["TOKENS_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(rules)
    document = {name: {"command": argv[0], "args": argv[1:]} for name, argv in servers.items()}
    config = folder / "servers.json"
    config.write_text(json.dumps({"mcpServers": document}))
    return Setup(folder, config, environment, servers, {}, tokens)


def setup_in(folder: Path, catalogues: Mapping[str, Path], tokens: str, rules: str) -> Setup:
    """The same before servers that serve recorded catalogues."""
    server = str(HERE.resolve() / "catalogue_server.py")
    servers = {
        name: [sys.executable, "-IS", server, str(path.resolve())]
        for name, path in catalogues.items()
    }
    held = {name: json.loads(path.read_text("utf-8")) for name, path in catalogues.items()}
    return setup_of(folder, servers, tokens, rules)._replace(catalogues=held)


def known_tools(setup: Setup) -> int:
    """How many tools all servers have together."""
    return sum(len(one["tools"]) for one in setup.catalogues.values())


def warmed(setup: Setup, searches: Sequence[str], wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Have the gateway ask every server once, so that catalogues are on disk; the wanted aliases.

    `wanted` are pairs of server and tool.
    """
    with setup.gateway() as client:
        told: list[str] = []
        until = time.monotonic() + TOOLS_WAIT_SECONDS
        while time.monotonic() < until:
            told = [text_of(client.call("find_tools", {"task": text})) for text in searches]
            found = [aliases_in(told, tool, server) for server, tool in wanted]
            if all(found):
                return [one[0] for one in found]
            time.sleep(0.2)
    raise SystemExit(f"not found in {TOOLS_WAIT_SECONDS:.0f} s: {wanted} in {told}")


def searched(
    window: Window, client: Client, searches: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> list[str]:
    """Search as an agent would: all steps at once, then what was not shown, alone.

    Raises:
        SystemExit: a tool is not shown either way.
    """
    told = [window.call("searches", client, "find_tools", {"task": list(searches)})]
    for text, (server, tool) in zip(searches, wanted, strict=True):
        if not aliases_in(told, tool, server):
            told.append(window.call("searches", client, "find_tools", {"task": text}))
    found = [aliases_in(told, tool, server) for server, tool in wanted]
    if not all(found):
        raise SystemExit("find_tools did not show every tool:\n" + "\n".join(told))
    return [one[0] for one in found]


def aliases_in(told: Sequence[str], tool: str, server: str) -> list[str]:
    """The names under which a search showed a tool: its own and its server's, with any marks."""
    heads = [line.split("(", 1)[0].strip() for text in told for line in text.splitlines()]
    return [one for one in heads if _plain(one) == _plain(server + tool)]


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
