"""Which events of the agent we want to hear of, and how a hook for them is written in settings."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tokenbudget.model.actions import Json

SESSION_START = "SessionStart"
MODEL_SWITCH = ("PreModelSwitch", "PostModelSwitch")
"""One of them is enough; the first one comes while it can still be thought over."""
EVENTS = (
    SESSION_START,
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PreCompact",
    "PostCompact",
    "Stop",
    "SubagentStop",
    "SessionEnd",
    *MODEL_SWITCH,
)
MATCHERS = {"PreToolUse": "Read|Bash"}
"""Before any other tool there is nothing to say, and a hook that is not run costs nothing."""
BY_COMMAND = (SESSION_START, "PreCompact")
"""At a session's start a command starts the daemon that answers the others; of a compaction the
client takes what a command prints, and nothing from elsewhere."""
HOOK_SECONDS = 5
"""How long the agent waits for a command of ours; it ends by itself within three."""


def events_wired(known: Collection[str]) -> tuple[str, ...]:
    """Our events, of those that every client in use knows.

    An event that it does not know makes an old client ignore all hooks of the file.
    """
    found = [event for event in EVENTS if event in known]
    if all(event in found for event in MODEL_SWITCH):
        found.remove(MODEL_SWITCH[1])
    return tuple(found)


def hook_groups(
    events: Collection[str], command: str, http_hook: Mapping[str, object] | None
) -> tuple[tuple[str, Json], ...]:
    """Each event with the group that goes into its list.

    Args:
        events: As `events_wired` gives them.
        command: What is run.
        http_hook: What is asked instead, but for those that only a command answers.
    """
    by_command: dict[str, object] = {"type": "command", "command": command, "timeout": HOOK_SECONDS}
    groups = []
    for event in events:
        hook = by_command if http_hook is None or event in BY_COMMAND else dict(http_hook)
        matcher = {"matcher": MATCHERS[event]} if event in MATCHERS else {}
        groups.append((event, {**matcher, "hooks": [hook]}))
    return tuple(groups)  # type: ignore[arg-type]  # every value in it is plain JSON
