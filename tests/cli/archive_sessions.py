"""Sessions of known ages, with everything that can belong to one, in projects that are there."""

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.conftest import NOON, Home, response

OLD, YOUNG, ASIDE = (
    f"{letter * 8}-0000-4000-8000-00000000000{n}" for n, letter in enumerate("aec")
)


class Shelf:
    """A home with projects and sessions in them; ages are days before `home.now`."""

    def __init__(self, home: Home, root: Path) -> None:
        self.home = home
        self.root = root
        self._count = 0

    def project(self, name: str) -> Path:
        """A folder of a person's own."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def slug(self, project: Path) -> Path:
        """The agent's folder for its sessions."""
        return self.home.claude / "projects" / str(project).replace("/", "-").replace(".", "-")

    def session(
        self,
        name: str,
        days: float,
        project: Path,
        *,
        responses: int = 3,
        has_subagents: bool = False,
        **fields: Any,
    ) -> Path:
        """A transcript, and what belongs to it, last used so many days ago."""
        at = self.home.now - timedelta(days=days)
        lines = [self._line(name, at, project, **fields) for _ in range(responses)]
        path = self.slug(project) / f"{name}.jsonl"
        self.write(path, at, *lines)
        if has_subagents:
            self._subagents(name, at, project)
        return path

    def _subagents(self, name: str, at: datetime, project: Path) -> None:
        slug = self.slug(project)
        line = self._line(name, at, project, isSidechain=True, agentId="x1")
        self.write(slug / name / "subagents" / "agent-x1.jsonl", at, line)
        self.write(slug / name / "subagents" / "agent-x1.meta.json", at, {"agentType": "general"})
        self.write(slug / name / "tool-results" / "big.txt", at, {"text": "x" * 2000})
        old = self._line(name, at, project, isSidechain=True, agentId="0f")
        self.write(slug / f"agent-{self._count:08x}.jsonl", at, old)

    def write(self, path: Path, at: datetime, *lines: Mapping[str, Any]) -> None:
        """A file of JSON lines with this time and an own mode."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        path.chmod(0o640)
        os.utime(path, (at.timestamp(), at.timestamp()))

    def _line(self, name: str, at: datetime, project: Path, **fields: Any) -> dict[str, Any]:
        self._count += 1
        return response(self._count, at.isoformat(), sessionId=name, cwd=str(project), **fields)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Every file in the agent's projects folder: content and mode."""
        top = self.home.claude / "projects"
        return {
            str(path.relative_to(top)): (path.read_bytes(), path.stat().st_mode)
            for path in sorted(top.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def totals(self) -> Any:
        """What the whole usage comes to."""
        by_session = self.home.ask("usage", "--by", "session")
        return by_session["totals"], sorted(map(json.dumps, by_session["rows"]))


def make_shelf(tmp_path: Path, now: datetime = NOON) -> Shelf:
    """One old session with all that belongs to it, a young one, and an old one elsewhere."""
    shelf = Shelf(Home(tmp_path / "home", now), tmp_path / "work")
    shop, site = shelf.project("shop"), shelf.project("site")
    shelf.session(OLD, 40, shop, has_subagents=True)
    shelf.session(YOUNG, 3, shop)
    shelf.session(ASIDE, 50, site)
    return shelf


def states(shelf: Shelf, *arguments: str) -> dict[str, str]:
    """What `tokens archive` says of every session."""
    said = shelf.home.run("archive", *arguments, "--json")
    told = said.json
    return {row["session"]: row["state"] for row in told["rows"]} | {
        left["session"]: left["reason"] for left in told["left"]
    }


def archive_of(project: Path) -> Path:
    return project / ".claude" / "sessions" / "archive"
