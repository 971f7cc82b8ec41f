"""Whether a command would run without a question, as far as the settings of the agent tell.

Whoever rewrites a command has to say that it may run; that is said only of what runs anyway. In
doubt it does not: a rule that forbids or asks about this program, an organisation's settings, a
sandbox, a file that cannot be understood. Rules that forbid or ask hold for a rewritten command as
well (seen: 2.1.270, 2.1.329).
"""

import posix

from tokenbudget.gateway.hooks.project_mode import folders_within
from tokenbudget.gateway.hooks.small_files import content_of
from tokenbudget.gateway.statusline_values import Table, parsed, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.hooks.payload import HookEvent

MOST_BYTES = 1 << 20
MANAGED = (
    "/etc/claude-code",
    "/Library/Application Support/ClaudeCode",
)
UNASKED_MODE = "bypassPermissions"
RULED_MODES = ("default", "acceptEdits")
_ANY = ("Bash", "Bash(*)", "Bash(:*)")


def runs_unasked(event: "HookEvent", command: str) -> bool:
    """Whether this very command would run without anybody being asked."""
    mode = event.told.get("permission_mode")
    if mode != UNASKED_MODE and mode not in RULED_MODES:
        return False
    if any(map(_is_there, MANAGED)):
        return False
    allowed: list[str] = []
    for data in _texts(event):
        told = parsed(data)
        if not told or table(told, "sandbox").get("enabled") is True:
            return False
        rules = table(told, "permissions")
        against = [*_rules(rules, "deny"), *_rules(rules, "ask")]
        if any(_may_concern(rule, command) for rule in against):
            return False
        allowed += _rules(rules, "allow")
    return mode == UNASKED_MODE or any(_covers(rule, command) for rule in allowed)


def _covers(rule: str, command: str) -> bool:
    """Whether a rule allows a command of plain words; one that joins two is covered by `Bash`."""
    if rule in _ANY:
        return True
    inner = rule[5:-1] if rule.startswith("Bash(") and rule.endswith(")") else ""
    if not inner or " && " in command:
        return False
    for ending in (":*", " *"):
        if inner.endswith(ending):
            begin = inner.removesuffix(ending)
            return "*" not in begin and (command == begin or command.startswith(begin + " "))
    return inner == command and "*" not in inner


def _may_concern(rule: str, command: str) -> bool:
    """Whether a rule about the shell may be about this command, read widely."""
    if not rule.startswith("Bash"):
        return False
    inner = rule[5:-1] if rule.startswith("Bash(") and rule.endswith(")") else ""
    program = inner.replace(":", " ").replace("*", " ").split(" ")[0]
    return not program or inner.startswith("*") or program in command


def _texts(event: "HookEvent") -> "list[bytes]":
    """The settings files that are there: the person's, and those of the project."""
    folder = event.transcript.rpartition("/projects/")[0]
    names = [f"{folder}/settings.json"] if folder else []
    for here in folders_within(event.cwd):
        names += [f"{here}/.claude/settings.json", f"{here}/.claude/settings.local.json"]
    return [content_of(name, MOST_BYTES) for name in names if _is_there(name)]


def _rules(rules: Table, name: str) -> "list[str]":
    given = rules.get(name)
    return [str(one) for one in given] if isinstance(given, list) else []


def _is_there(path: str) -> bool:
    try:
        posix.lstat(path)
    except (OSError, ValueError):
        return False
    return True
