"""A project of a person with two MCP servers, and a stand-in for the agent's client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Home
from tests.stand_in_client import stand_in_client

SHARED = """\
{
    "mcpServers": {
        "github": {"command": "npx", "args": ["-y", "gh", "--token=abc"],
                   "env": {"T": "${GITHUB_TOKEN}"}, "x-note": [1,  2]},
        "docs":  { "type": "http", "url": "https://u:p@docs.example/mcp?key=1",
            "headers": {"Authorization": "Bearer ${DOCS:-none}"} }
    },
    "other": {"kept": true}
}
"""


class Desk:
    """A project of a person, with the stand-in on the PATH."""

    def __init__(self, home: Home, project: Path) -> None:
        self.home, self.project = home, project
        self.shared = project / ".mcp.json"
        self.local = project / ".claude" / "settings.local.json"
        self.state = home.claude / ".claude.json"
        self.bin = home.path / "bin"
        self.data = home.config.parent
        home.claude.mkdir(parents=True)
        home.variables["PATH"] = f"{self.bin}:/usr/bin:/bin"

    def own(self, scope: str = "local") -> dict[str, Any]:
        document = json.loads(self.state.read_text()) if self.state.exists() else {}
        if scope == "local":
            document = document.get("projects", {}).get(str(self.project), {})
        found: dict[str, Any] = document.get("mcpServers", {})
        return found

    def everything(self) -> dict[str, Any]:
        """All that is the person's, but for the journal and what the stand-in wrote down."""
        files = {
            str(path.relative_to(self.project)): (path.read_bytes(), path.stat().st_mode)
            for path in sorted(self.project.rglob("*"))
            if path.is_file()
        }
        return {"files": files, "local": self.own(), "user": self.own("user")}


def desk_of(home: Home, tmp_path: Path) -> Desk:
    """Its project, its home, and the stand-in on the PATH; the caller goes there."""
    project = tmp_path / "shop"
    (project / ".git").mkdir(parents=True)
    (project / ".mcp.json").write_text(SHARED)
    made = Desk(home, project)
    stand_in_client(made.bin)
    return made
