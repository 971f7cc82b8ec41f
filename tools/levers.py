"""The levers that may make requests smaller, as changes to a cluttered project."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the helpers of the end-to-end tests

from tests.e2e.claude_client import Sandbox
from tests.e2e.cluttered_project import (
    AGENTS,
    SERVERS,
    SKILLS,
    STALE_RULES,
    Clutter,
)

LOCAL, SHARED = "settings.local.json", "settings.json"
WINDOW, SMALLEST, LARGEST = "CLAUDE_CODE_AUTO_COMPACT_WINDOW", "100000", "1000000"
Change = Callable[[Clutter], None]
Kind = Literal["clutter", "history", "reserve", "trimming", "terseness", "gateway"]
GATEWAY_SECONDS = 120


def nothing(clutter: Clutter) -> None:
    """No change at all."""


class Lever(NamedTuple):
    """Something that may make requests smaller."""

    name: str
    pull: Change
    before: Change = nothing
    """What is there before it is pulled, besides the clutter."""
    kind: Kind = "clutter"
    """The experiment that shows what it does: see `lever_laboratory`."""
    row: tuple[str, str] | None = None
    """Lever and means, as the shipped table names them; None: it does not ship."""


def setting(file: str = LOCAL, **members: object) -> Change:
    """These members put into a settings file of the project, beside what it holds."""

    def pull(clutter: Clutter) -> None:
        path = clutter.project / ".claude" / file
        held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(_joined(held, members), indent=2), encoding="utf-8")

    return pull


def _joined(held: Any, more: Any) -> Any:
    """Objects member by member, lists one after the other; anything else is replaced."""
    if isinstance(held, dict) and isinstance(more, dict):
        return {**held, **{key: _joined(held.get(key), more[key]) for key in more}}
    return [*held, *more] if isinstance(held, list) and isinstance(more, list) else more


def denying(*rules: str) -> Change:
    """These rules in `permissions.deny`."""
    return setting(permissions={"deny": list(rules)})


def excluding(spell: Callable[[Clutter], str]) -> Change:
    """`claudeMdExcludes` with one pattern, which may need to know the project's path."""
    return lambda clutter: setting(claudeMdExcludes=[spell(clutter)])(clutter)


def removing(*names: str) -> Change:
    """These files or folders of the project taken away."""

    def pull(clutter: Clutter) -> None:
        for name in names:
            path = clutter.project / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return pull


def adding(name: str) -> Change:
    """A copy of the testing rules under this name."""

    def pull(clutter: Clutter) -> None:
        rules = clutter.project / ".claude" / "rules"
        target = rules / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((rules / "testing.md").read_text() * 4, encoding="utf-8")

    return pull


def ignoring(pattern: str) -> Change:
    """A `.claudeignore` with one pattern."""

    def pull(clutter: Clutter) -> None:
        (clutter.project / ".claudeignore").write_text(f"{pattern}\n", encoding="utf-8")

    return pull


def behind_gateway(clutter: Clutter) -> None:
    """Every server of the project put behind ours, which offers three tools for all of them."""
    sandbox = Sandbox(clutter.config.parent)
    own = {"TOKENS_HOME": str(sandbox.root / "tokens")}
    subprocess.run(
        [sys.executable, "-m", "tokenbudget", "gateway", "install", "--yes"],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=GATEWAY_SECONDS,
        cwd=clutter.project,
        env={**sandbox.environment(), **own},
    )


def without_doubles(clutter: Clutter) -> None:
    """CLAUDE.md with each section once."""
    path = clutter.project / "CLAUDE.md"
    head, *sections = path.read_text(encoding="utf-8").split("\n## ")
    unique = dict.fromkeys(section.rstrip() for section in sections)
    path.write_text("\n## ".join([head, *unique]) + "\n", encoding="utf-8")


def commented(clutter: Clutter) -> None:
    """A section of CLAUDE.md as an HTML comment."""
    path = clutter.project / "CLAUDE.md"
    head, last = path.read_text(encoding="utf-8").rsplit("\n## ", 1)
    path.write_text(f"{head}\n<!--\n## {last}\n-->\n", encoding="utf-8")


ONE_SKILL, ONE_AGENT = SKILLS[0], AGENTS[0]
TERSE = setting(tokenManagement={"compressionMode": "compressed"})
LEVERS = (
    Lever("disabledMcpjsonServers: one of 3", setting(disabledMcpjsonServers=["tracker"])),
    Lever(
        "disabledMcpjsonServers: all 3",
        setting(disabledMcpjsonServers=list(SERVERS)),
        row=("mcp-servers", "disabledMcpjsonServers"),
    ),
    Lever(
        "disabledMcpjsonServers: all 3, in .claude/settings.json",
        setting(SHARED, disabledMcpjsonServers=list(SERVERS)),
    ),
    Lever(
        "disabledMcpjsonServers: all 3, while settings.json has enableAllProjectMcpServers",
        setting(disabledMcpjsonServers=list(SERVERS)),
        setting(SHARED, enableAllProjectMcpServers=True),
    ),
    Lever(
        "disabledMcpjsonServers: all 3, while settings.json has them in enabledMcpjsonServers",
        setting(disabledMcpjsonServers=list(SERVERS)),
        setting(SHARED, enabledMcpjsonServers=list(SERVERS)),
    ),
    Lever(
        "permissions.deny mcp__SERVER: all 3",
        denying(*(f"mcp__{name}" for name in SERVERS)),
        row=("mcp-servers", "permissions.deny"),
    ),
    Lever(".mcp.json taken away", removing(".mcp.json")),
    Lever("skillOverrides off: one of 20", setting(skillOverrides={ONE_SKILL: "off"})),
    Lever("skillOverrides off: all 20", setting(skillOverrides=dict.fromkeys(SKILLS, "off"))),
    Lever(
        "skillOverrides off: all 20, in .claude/settings.json",
        setting(SHARED, skillOverrides=dict.fromkeys(SKILLS, "off")),
    ),
    Lever(
        "skillOverrides user-invocable-only: all 20",
        setting(skillOverrides=dict.fromkeys(SKILLS, "user-invocable-only")),
        row=("skills", "skillOverrides"),
    ),
    Lever(
        "skillOverrides name-only: all 20",
        setting(skillOverrides=dict.fromkeys(SKILLS, "name-only")),
    ),
    Lever("the folder of one skill taken away", removing(f".claude/skills/{ONE_SKILL}")),
    Lever("permissions.deny Agent(NAME): one of 8", denying(f"Agent({ONE_AGENT})")),
    Lever(
        "permissions.deny Agent(NAME): all 8",
        denying(*(f"Agent({n})" for n in AGENTS)),
    ),
    Lever("permissions.deny Task(NAME): all 8", denying(*(f"Task({n})" for n in AGENTS))),
    Lever("the file of one agent taken away", removing(f".claude/agents/{ONE_AGENT}.md")),
    Lever(
        "claudeMdExcludes: /abs/path/.claude/CLAUDE.md",
        excluding(lambda clutter: f"{clutter.project}/.claude/CLAUDE.md"),
        row=("memory-files", "claudeMdExcludes"),
    ),
    Lever("claudeMdExcludes: **/.claude/CLAUDE.md", excluding(lambda _: "**/.claude/CLAUDE.md")),
    Lever("claudeMdExcludes: .claude/CLAUDE.md", excluding(lambda _: ".claude/CLAUDE.md")),
    Lever("claudeMdExcludes: ./.claude/CLAUDE.md", excluding(lambda _: "./.claude/CLAUDE.md")),
    Lever(
        "claudeMdExcludes: /abs/path/.claude/rules/api.old.md",
        excluding(lambda clutter: f"{clutter.project}/.claude/rules/api.old.md"),
    ),
    Lever("claudeMdExcludes: **/rules/*.old.md", excluding(lambda _: "**/rules/*.old.md")),
    Lever(".claude/CLAUDE.md (a copy) taken away", removing(".claude/CLAUDE.md")),
    Lever(
        "CLAUDE.md: 3 sections that stand there twice, once",
        without_doubles,
        row=("memory-files", "edit"),
    ),
    Lever("CLAUDE.md: one section as an HTML comment", commented),
    Lever(
        "4 backups *.md in .claude/rules taken away",
        removing(*(f".claude/rules/{name}" for name in STALE_RULES)),
        row=("scratch", "trash"),
    ),
    Lever(
        ".claude/rules/testing.md.bak taken away",
        removing(".claude/rules/testing.md.bak"),
        adding("testing.md.bak"),
    ),
    Lever(
        ".claude/rules/testing.md~ taken away",
        removing(".claude/rules/testing.md~"),
        adding("testing.md~"),
    ),
    Lever(
        ".claude/rules/old/testing.md taken away",
        removing(".claude/rules/old/testing.md"),
        adding("old/testing.md"),
    ),
    Lever("permissions.deny Read(./src/**)", denying("Read(./src/**)")),
    Lever(".claudeignore with src/", ignoring("src/")),
    Lever("includeGitInstructions: false", setting(includeGitInstructions=False)),
    Lever("skillListingMaxDescChars: 50", setting(skillListingMaxDescChars=50)),
    Lever(
        "tokens gateway install: all 3 behind it",
        behind_gateway,
        kind="gateway",
        row=("mcp-servers", "gateway"),
    ),
    Lever(
        f"env.{WINDOW}: {SMALLEST}",
        setting(env={WINDOW: SMALLEST}),
        kind="history",
        row=("history", f"env.{WINDOW}"),
    ),
    Lever(
        f"autoCompactWindow: {SMALLEST}",
        setting(autoCompactWindow=int(SMALLEST)),
        kind="history",
        row=("history", "autoCompactWindow"),
    ),
    Lever(
        f"env.{WINDOW}: {LARGEST}, where it was {SMALLEST}",
        setting(env={WINDOW: LARGEST}),
        setting(env={WINDOW: SMALLEST}),
        kind="reserve",
        row=("reserve", f"env.{WINDOW}"),
    ),
    Lever(
        f"autoCompactWindow: {LARGEST}, where it was {SMALLEST}",
        setting(autoCompactWindow=int(LARGEST)),
        setting(autoCompactWindow=int(SMALLEST)),
        kind="reserve",
        row=("reserve", "autoCompactWindow"),
    ),
    Lever(
        "tokenManagement.compressionMode: compressed, for results",
        TERSE,
        kind="trimming",
        row=("trimming", "PostToolUse"),
    ),
    Lever(
        "tokenManagement.compressionMode: compressed, for answers",
        TERSE,
        kind="terseness",
        row=("terseness", "SessionStart"),
    ),
)
PULLED = tuple(lever for lever in LEVERS if lever.row)
"""What the controller may pull."""

READ_LEVERS: tuple[tuple[str, Change], ...] = (
    ("nothing", lambda clutter: None),
    ("permissions.deny Read(./src/**)", denying("Read(./src/**)")),
    ("permissions.deny Read(src/**)", denying("Read(src/**)")),
    ("permissions.deny Read(/src/**)", denying("Read(/src/**)")),
    ("permissions.deny Read(./src/app.py)", denying("Read(./src/app.py)")),
    ("permissions.deny Read(**/*.py)", denying("Read(**/*.py)")),
    (
        "permissions.deny Read(//abs/path/src/**)",
        lambda clutter: denying(f"Read(/{clutter.project}/src/**)")(clutter),
    ),
    (
        "permissions.deny Read(/abs/path/src/**)",
        lambda clutter: denying(f"Read({clutter.project}/src/**)")(clutter),
    ),
    (".claudeignore with src/", ignoring("src/")),
)
