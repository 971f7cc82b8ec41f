"""What a person should know before servers go behind the gateway."""

from __future__ import annotations

from tokenbudget.app.gateway_place import NAME, project_file
from tokenbudget.gateway.mcp.taken import PROJECT
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.git_index import tracked_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_errand import GatewayErrand
    from tokenbudget.app.gateway_place import Habits, Written
    from tokenbudget.resources.client_servers import ClientProgram


def notes_of(
    errand: GatewayErrand,
    habits: Habits,
    client: ClientProgram | None,
    project: str,
    took: Sequence[Written],
) -> list[str]:
    """What the person should know before saying yes."""
    if not took:
        return []
    if errand.scope == PROJECT:
        return _team_notes(errand, habits, project, took)
    found: list[str] = []
    if client and not client.takes_stdin:
        found.append(
            f"claude {one_line(client.version) or 'of this version'} takes a definition on"
            " its command line alone: when they are given back, other users of this machine"
            " can see them for a second, with whatever secrets stand in them"
        )
    return found


def _team_notes(
    errand: GatewayErrand, habits: Habits, project: str, took: Sequence[Written]
) -> list[str]:
    unapproved = [
        one.name
        for one in took
        if not (habits.approves_all or one.name in habits.approved or one.name == NAME)
    ]
    found = []
    if unapproved:
        them, start = ("it", "it starts") if len(unapproved) == 1 else ("them", "they start")
        found.append(
            f"{_list(unapproved)}: no settings file says that you approved {them} in Claude Code;"
            f" behind the gateway {start} without that question"
        )
    if errand.is_shared:
        is_theirs = tracked_in(project).has(project_file(project))
        whose = "is in git" if is_theirs else "is shared"
        found.append(
            f".mcp.json {whose}: whoever has not installed tokens loses these servers; leave"
            " --shared out, and it stays as it is"
        )
        found.append(
            f"Claude Code asks each person once whether to start {NAME}; for you it is answered"
            " (enabledMcpjsonServers in .claude/settings.local.json)"
        )
    return found


def _list(names: Sequence[str]) -> str:
    return ", ".join(one_line(name)[:40] for name in names)
