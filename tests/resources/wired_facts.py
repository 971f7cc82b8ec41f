"""Facts about a wiring, as they would be gathered: plain values for the tests of the judgement."""

from typing import Any

from tokenbudget.resources.client_versions import ClientVersion
from tokenbudget.resources.effect import Drawn, Facts, HookEvidence, OwnFile
from tokenbudget.resources.settings_said import USER, OwnPaths, Said
from tokenbudget.resources.wiring import Seen, WiredHook

NOW_MS = 1_800_000_000_000
HOME = "/home/me/tb"
USER_PATH = "/home/me/.claude/settings.json"
PATHS = OwnPaths("/usr/bin/python3", "/opt/tb/gateway", HOME)
EVENTS = ("SessionStart", "PreToolUse", "Stop")


def client(version: str = "2.1.329", is_installed: bool = True) -> ClientVersion:
    """A release in use."""
    return ClientVersion(version, 1, NOW_MS, is_installed)


def ours(*events: str, target: str = "our command") -> tuple[WiredHook, ...]:
    """Hooks of ours."""
    return tuple(WiredHook(event, "", target, True) for event in events or EVENTS)


def file(scope: str = USER, path: str = USER_PATH, **fields: Any) -> Said:
    """A settings file; `seen` is what of ours stands there."""
    seen = fields.get("seen", Seen())
    events = tuple(dict.fromkeys(hook.event for hook in seen.hooks))
    return Said(scope, path)._replace(**{"events": events, **fields})


def wired_file(**fields: Any) -> Said:
    """The user's settings with hooks and status line of ours."""
    plain = {
        "seen": Seen(statusline="our line", hooks=ours()),
        "own": (("statusline", PATHS), ("hooks", PATHS)),
        "has_statusline": True,
        "mentions": ("statusline", "hooks"),
        "changed_at_ms": NOW_MS - 86_400_000,
    }
    return file(**{**plain, **fields})


def evidence(count: int = 12, version: str = "2.1.329", ago_ms: int = 60_000) -> HookEvidence:
    """So many events of one session."""
    return HookEvidence(1, {"PreToolUse": (count, NOW_MS - ago_ms)}, {version: count})


def facts(*files: Said, **fields: Any) -> Facts:
    """Facts at `NOW_MS`, with one known client."""
    plain: dict[str, Any] = {
        "clients": (client(),),
        "names": {USER_PATH: "~/.claude/settings.json"},
    }
    return Facts(NOW_MS, HOME, files)._replace(**{**plain, **fields})


def all_is_well(**fields: Any) -> Facts:
    """Everything wired, and everything seen."""
    own = [OwnFile("commands", USER, "/home/me/.claude/commands/tokens.md", "/tokens")]
    plain = {
        "hooks": evidence(),
        "drawn": Drawn(NOW_MS - 5_000, "2.1.329"),
        "own_files": tuple(own),
    }
    return facts(wired_file(), **{**plain, **fields})
