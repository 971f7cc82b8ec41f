"""A project as months of work with an agent leave it: what is used, and much that is not.

Everything is deterministic, so that two of them in folders of one length send the same bytes.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.scripted_answers import JsonObject

from tokenbudget.system.clock import SystemClock

SERVER = Path(__file__).with_name("many_tools_mcp_server.py")
SERVERS = ("tracker", "wiki", "deploys")
TOOLS_PER_SERVER = 30
SKILLS = (
    "audit-log-review", "changelog-drafting", "chart-making", "contract-testing", "cron-editing",
    "database-seeding", "diagram-drawing", "email-templates", "feature-flags", "icon-export",
    "incident-report", "invoice-layout", "load-testing", "locale-sync", "pdf-filling",
    "release-notes", "schema-diff", "seo-check", "slide-deck", "warehouse-query",
)  # fmt: skip
AGENTS = (
    "accessibility-reviewer", "api-historian", "bundle-analyst", "copy-editor", "cost-estimator",
    "migration-planner", "naming-critic", "test-librarian",
)  # fmt: skip
STALE_RULES = ("api.backup.md", "api.old.md", "testing copy.md", "testing-2026-03-01.bak.md")
BACKUPS = ("notes.txt.bak", "src/app.py.orig", "src/app.py~", "CLAUDE.md.bak", "src/.app.py.swp")
REPORTS = (
    "token-report-2026-06-01.json",
    "token-report-2026-07-01.json",
    "token-export-2026-06-01.csv",
)
SECTIONS = (
    "Layout",
    "Building",
    "Testing",
    "Style",
    "Reviewing",
    "Releasing",
    "Database",
    "Errors",
)
DUPLICATED = ("Testing", "Style", "Database")
DAY_SECONDS = 86_400
AGE_DAYS = 90
"""Nobody has touched the project's files for so long."""


@dataclasses.dataclass(frozen=True, slots=True)
class Clutter:
    """A cluttered project and the agent's folder that knows it."""

    project: Path
    config: Path

    @property
    def slug(self) -> str:
        """The name of its folder among the transcripts."""
        return "".join(c if c.isalnum() else "-" for c in str(self.project))

    def memory_files(self) -> Iterator[Path]:
        """What the client reads into every request."""
        yield self.project / "CLAUDE.md"
        yield self.project / ".claude" / "CLAUDE.md"
        yield from sorted((self.project / ".claude" / "rules").glob("*.md"))


def clutter_up(project: Path, config: Path, now_seconds: float | None = None) -> Clutter:
    """Fill a project's folder; all of it is old as of `now_seconds` (else, as of now)."""
    clutter = Clutter(project, config)
    for name, text in _files():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    now_seconds = SystemClock().now_ms() / 1000 if now_seconds is None else now_seconds
    _age(project, now_seconds - AGE_DAYS * DAY_SECONDS)
    # Without it the client deletes the old sessions before anything can be shown with them.
    (config / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 3650}, indent=2))
    return clutter


def add_old_sessions(clutter: Clutter, count: int, now_seconds: int, age_days: int = 45) -> None:
    """Transcripts of sessions that nobody touched for so long."""
    folder = clutter.config / "projects" / clutter.slug
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        at = now_seconds - (age_days + number) * DAY_SECONDS
        session = f"0{number:07d}-aaaa-4bbb-8ccc-{number:012d}"
        lines = [json.dumps(line) for line in _old_session(clutter, session, at)]
        path = folder / f"{session}.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)
        os.utime(path, (at, at))


def _age(project: Path, at_seconds: float) -> None:
    for path in sorted(project.rglob("*"), reverse=True):
        os.utime(path, (at_seconds, at_seconds))


def _files() -> Iterator[tuple[str, str]]:
    memory = _memory()
    yield "CLAUDE.md", memory
    yield ".claude/CLAUDE.md", memory
    yield "README.md", "# Shop\n\nA shop.\n"
    yield "src/app.py", "def main() -> None:\n    print('open')\n"
    yield "notes.txt", "Buy milk.\n" * 10
    for name in ("api", "testing"):
        yield f".claude/rules/{name}.md", _section(name.capitalize(), 12)
    for name in STALE_RULES:
        yield f".claude/rules/{name}", _section(name.split(".")[0].capitalize(), 40)
    for name in SKILLS:
        yield f".claude/skills/{name}/SKILL.md", _skill(name)
    for name in AGENTS:
        yield f".claude/agents/{name}.md", _agent(name)
    yield ".mcp.json", json.dumps({"mcpServers": _servers()}, indent=2) + "\n"
    for name in BACKUPS:
        yield name, f"an older {name}\n" * 400
    for name in REPORTS:
        yield f".claude/context/{name}", json.dumps({"rows": list(range(2000))})


def _memory() -> str:
    parts = ["# Shop\n\nWhat to know before you change anything here.\n"]
    parts += [_section(name, 14) for name in SECTIONS]
    parts += [_section(name, 14) for name in DUPLICATED]
    return "\n".join(parts)


def _section(name: str, rules: int) -> str:
    lines = [f"## {name}", ""]
    lines += [
        f"- {name} rule {n}: whoever works on part {n} of {name.lower()} asks which module owns it,"
        f" writes the test first, and keeps line {n * 7} of the checklist in mind."
        for n in range(1, rules + 1)
    ]
    return "\n".join(lines) + "\n"


def _skill(name: str) -> str:
    words = name.replace("-", " ")
    said = (
        f"Helps with {words}: use it when somebody asks for {words}, mentions its files, or wants"
        f" an older result of {words} compared with a newer one. It knows the house style of"
        f" {words}, its checks, and where the templates are kept."
    )
    return f"---\nname: {name}\ndescription: {said}\n---\n\n{_section(words, 8)}"


def _agent(name: str) -> str:
    words = name.replace("-", " ")
    said = (
        f"Acts as {words}. Use it proactively after every change that a {words} would want to see,"
        " and before each release. It reads the files that changed, weighs them by its own list,"
        " and reports what matters in order."
    )
    return f"---\nname: {name}\ndescription: {said}\ntools: Read, Grep\n---\n\nYou are {words}.\n"


def _servers() -> Mapping[str, JsonObject]:
    return {
        name: {"command": sys.executable, "args": [str(SERVER), name, str(TOOLS_PER_SERVER)]}
        for name in SERVERS
    }


def _old_session(clutter: Clutter, session: str, at_seconds: int) -> Iterator[JsonObject]:
    known: JsonObject = {"sessionId": session, "cwd": str(clutter.project), "version": "2.1.300"}
    known |= {"isSidechain": False, "userType": "external"}
    for turn in range(6):
        at = _stamp(at_seconds + turn * 30)
        prompt = {"role": "user", "content": f"Look at part {turn} of the shop."}
        yield {
            **known,
            "type": "user",
            "uuid": f"{session}-u{turn}",
            "timestamp": at,
            "message": prompt,
        }
        words = f"Part {turn} of {session} is in order. " * 40
        message = {
            "id": f"msg_old_{session}_{turn}",
            "role": "assistant",
            "type": "message",
            "model": "claude-opus-5-5",
            "stop_reason": "end_turn",
            "content": [{"type": "text", "text": words}],
            "usage": {
                "input_tokens": 12,
                "cache_creation_input_tokens": 900,
                "cache_read_input_tokens": 20_000 + turn,
                "output_tokens": 400,
            },
        }
        line = {"type": "assistant", "uuid": f"{session}-a{turn}", "timestamp": at}
        yield {**known, **line, "requestId": f"req_{session}_{turn}", "message": message}


def _stamp(at_seconds: int) -> str:
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
