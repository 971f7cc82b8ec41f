"""Whether a command would run without a question, as far as the settings of the agent tell.

Whoever rewrites a command has to say that it may run; that is said only of what runs anyway. In
doubt it does not: a rule that forbids or asks about this program or about the place of our files,
an organisation's settings, a sandbox, a file that cannot be understood. Rules that forbid or ask
hold for a rewritten command as well (seen: 2.1.270, 2.1.329).

What allows is believed of two places alone: the person's own settings, and the folder that the
session was begun in. Settings in any other folder an agent may have written, or come to by a `cd`,
and the client has never loaded them.
"""

import posix

from tokenbudget.gateway.hooks.project_mode import NAMES, folders_within
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
REMOTE = "/remote-settings.json"
"""Beside the person's settings: what an organisation sends."""
UNASKED_MODE = "bypassPermissions"
RULED_MODES = ("default", "acceptEdits")
LONGEST_PLACE = 200
"""A client cuts the names of longer folders."""
_ANY = ("Bash", "Bash(*)", "Bash(:*)")
_NOT_ABOUT_FILES = ("Bash(", "WebFetch", "WebSearch", "mcp__")
_ABOUT_FILES = ("Read", "Edit", "Write", "MultiEdit", "NotebookEdit")


def runs_unasked(event: "HookEvent", command: str, home: str, is_looking: bool = False) -> bool:
    """Whether this very command would run without anybody being asked, with a file in our home.

    `is_looking`: it goes through files, which a client may ask about although a rule names the
    program; so of rules that allow only `Bash` as a whole counts, and of those that forbid or ask
    each that may be about files is in the way.
    """
    mode = event.told.get("permission_mode")
    if mode != UNASKED_MODE and mode not in RULED_MODES:
        return False
    folder, _, place = event.transcript.rpartition("/projects/")
    if not folder or any(map(_is_there, (*MANAGED, folder + REMOTE))):
        return False
    allowed: list[str] = []
    for data, is_believed in _texts(event, folder, place.partition("/")[0]):
        told = parsed(data)
        if not told or table(told, "sandbox").get("enabled") is True:
            return False
        rules = table(told, "permissions")
        against = [*_rules(rules, "deny"), *_rules(rules, "ask")]
        if any(_may_concern(rule, command) or _may_hold_files(rule, home) for rule in against):
            return False
        if is_looking and not all(rule.startswith(_NOT_ABOUT_FILES) for rule in against):
            return False
        allowed += _rules(rules, "allow") if is_believed else []
    if is_looking and mode != UNASKED_MODE:
        return any(rule in _ANY for rule in allowed)
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
    if rule.startswith("*"):
        return True
    if not rule.startswith("Bash"):
        return False
    inner = rule[5:-1] if rule.startswith("Bash(") and rule.endswith(")") else ""
    program = inner.replace(":", " ").replace("*", " ").split(" ")[0]
    return not program or inner.startswith("*") or program in command


def _may_hold_files(rule: str, home: str) -> bool:
    """Whether a rule about files may be about those that an output of ours goes to."""
    tool, _, inner = rule.partition("(")
    if tool.strip() not in _ABOUT_FILES:
        return False
    pattern = inner.rpartition(")")[0]
    if pattern and not pattern.startswith(("//", "~")):
        return False  # below the project, or beside the settings
    is_whole = pattern.startswith("//")
    fixed = pattern[1:]
    for sign in "*?[":
        fixed = fixed.partition(sign)[0]
    above = fixed.rpartition("/")[0]
    return home.startswith(above) if is_whole else above in home


def _texts(event: "HookEvent", folder: str, place: str) -> "list[tuple[bytes, bool]]":
    """The settings files that are there: the person's, and those of the project.

    With each whether its word that something may run is believed.
    """
    names = [(f"{folder}/settings.json", True)]
    for here in folders_within(event.cwd):
        is_begun_here = _name_of(here) == place
        names += [(here + name, is_begun_here) for name in NAMES]
    found = [(name, is_believed) for name, is_believed in names if _is_there(name)]
    return [(content_of(name, MOST_BYTES), is_believed) for name, is_believed in found]


def _name_of(folder: str) -> str:
    """What a client calls the folder of the transcripts of sessions begun here."""
    plain = [sign if sign.isascii() and sign.isalnum() else "-" for sign in folder]
    return "".join(plain) if len(plain) <= LONGEST_PLACE else ""


def _rules(rules: Table, name: str) -> "list[str]":
    given = rules.get(name)
    return [str(one) for one in given] if isinstance(given, list) else []


def _is_there(path: str) -> bool:
    try:
        posix.lstat(path)
    except (OSError, ValueError):
        return False
    return True
