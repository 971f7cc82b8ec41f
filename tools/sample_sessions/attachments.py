"""The texts that the client puts into a context by itself, with their rendered form."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sample_sessions.projects import Project
from sample_sessions.transcript import Json, Seat

DEFERRED_TOOLS: Final = ("NotebookEdit", "SendMessage", "TaskStop", "WebFetch", "WebSearch")
AGENT_TYPES: Final = {
    "Explore": "Looks through a code base and answers with what it found.",
    "general-purpose": "Takes on a task of several steps by itself.",
    "test-writer": "Writes tests for a change that it is shown.",
}
SKILL_TEXTS: Final = {
    "code-review": "Read a change as a reviewer would; report what is wrong, worst first.",
    "release-notes": "Turn merged changes into notes that a customer understands.",
    "sql-tuning": "Find out why a query is slow and what would make it fast.",
    "incident-report": "Write down an incident: time line, cause, what prevents the next one.",
    "store-listing": "Prepare the texts and pictures of an app store entry.",
    "crash-triage": "Group crash reports by cause and name the most common one.",
}


def opening_attachments(project: Project, seat: Seat, model: str, now: datetime) -> list[Json]:
    """What a session starts with, and what is written again after a compaction."""
    return [
        rendered(seat, kind, content, text)
        for kind, content, text in (
            environment(seat),
            ("model", {"identity": {"modelId": model}}, f"You are running as {model}."),
            deferred_tools(project),
            agents(),
            server_instructions(project),
            skills(project),
            instructions(project, seat),
            repository_state(seat),
            ("date", {"date": f"{now:%Y-%m-%d}"}, f"Today's date is {now:%Y-%m-%d}."),
        )
    ]


def rendered(seat: Seat, kind: str, content: Json, text: str) -> Json:
    """An attachment; newer clients keep the exact injected text beside it."""
    line: Json = {"attachment": {"type": kind, **content}}
    if seat.client.renders_attachments:
        line["rendered"] = [{"content": f"<system-reminder>\n{text}\n</system-reminder>"}]
        line["renderedRole"] = "system"
    return line


def environment(seat: Seat) -> tuple[str, Json, str]:
    """The working directory and the system."""
    snapshot = {
        "workingDirectory": seat.cwd,
        "isWorktree": "/worktrees/" in seat.cwd,
        "isGitRepo": True,
        "platform": "linux",
        "shell": "bash",
    }
    text = f"# Environment\n - Working directory: {seat.cwd}\n - Platform: linux"
    return "environment", {"snapshot": snapshot}, text


def deferred_tools(project: Project) -> tuple[str, Json, str]:
    """Names of tools whose schemas are loaded on demand."""
    mcp = (f"mcp__{tool.server}__{tool.name}" for tool in project.mcp_tools)
    names = [*DEFERRED_TOOLS, *mcp]
    text = "These tools can be loaded when needed:\n" + "\n".join(names)
    return "deferred_tools_delta", {"addedNames": names, "removedNames": []}, text


def agents() -> tuple[str, Json, str]:
    """The subagents that can be started."""
    lines = [f"- {name}: {purpose}" for name, purpose in AGENT_TYPES.items()]
    content = {"addedTypes": list(AGENT_TYPES), "addedLines": lines}
    return "agent_listing_delta", content, "Available agents:\n" + "\n".join(lines)


def server_instructions(project: Project) -> tuple[str, Json, str]:
    """What the MCP servers say about themselves."""
    names = sorted({tool.server for tool in project.mcp_tools})
    blocks = [f"## {name}\nAsk {name} before you guess; its answers are current." for name in names]
    content = {"addedNames": names, "addedBlocks": blocks, "removedNames": []}
    return "mcp_instructions_delta", content, "# MCP servers\n" + "\n".join(blocks)


def skills(project: Project) -> tuple[str, Json, str]:
    """One line per skill."""
    listing = "\n".join(f"- {name}: {SKILL_TEXTS[name]}" for name in project.skills)
    return "skill_listing", {"content": listing}, f"Skills:\n{listing}"


def instructions(project: Project, seat: Seat) -> tuple[str, Json, str]:
    """The project's memory file."""
    path = f"{seat.cwd}/CLAUDE.md"
    files = [{"path": path, "type": "Project", "content": project.memory}]
    return "instructions", {"files": files}, f"Contents of {path}:\n\n{project.memory}"


def repository_state(seat: Seat) -> tuple[str, Json, str]:
    """The branch when the session began."""
    status = f"Current branch: {seat.branch}\nStatus:\n(clean)"
    return "session_context", {"context": {"gitStatus": status}}, f"# gitStatus\n{status}"
