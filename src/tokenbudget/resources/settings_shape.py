"""What in a settings file is of a shape that the client refuses, and what that costs.

Measured by giving such files to the releases of `client_features.LOOKED_AT`: a newer one is strict
where a hook decides about safety and passes over other hooks of a wrong shape; an old one passes
over the whole file for any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MOST_TOLD = 5
STRICT_EVENTS = ("PreToolUse", "PermissionRequest")
"""Events whose hooks decide about safety: one of a wrong shape costs the whole file, in every
release that was looked at (claude-code #75081)."""
_TYPES: Mapping[str, type] = {
    "hooks": dict,
    "permissions": dict,
    "enabledPlugins": dict,
    "disableAllHooks": bool,
    "model": str,
    "allowedHttpHookUrls": list,
    "statusLine": dict,
}
"""Settings that cost the whole file where they are of another type; seen in the same releases."""
_NEEDED: Mapping[str, str] = {
    "command": "command",
    "http": "url",
    "prompt": "prompt",
    "agent": "prompt",
    "mcp_tool": "server",
}
"""Kinds of hooks, and the field that each cannot be without."""


def refused_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Ways to values for which every client passes over the whole file."""
    return tuple(_refused(document))[:MOST_TOLD]


def refused_by_old_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Ways to hooks for which an old client does so, and a newer one passes over them alone."""
    return tuple(_refused_hooks(_table(document.get("hooks")), strict=False))[:MOST_TOLD]


def _refused(document: Mapping[str, Any]) -> Iterable[str]:
    for key, kind in _TYPES.items():
        value = document.get(key)
        if value is not None and not isinstance(value, kind):
            yield key
    line = document.get("statusLine")
    if isinstance(line, dict) and not _is_command(line):
        yield "statusLine"
    yield from _refused_hooks(_table(document.get("hooks")), strict=True)


def _refused_hooks(hooks: Mapping[str, Any], strict: bool) -> Iterable[str]:
    """Where hooks have a shape that their schema refuses."""
    for event, groups in hooks.items():
        if (event in STRICT_EVENTS) != strict:
            continue
        if not isinstance(groups, list):
            yield f"hooks.{event}"
            continue
        for number, group in enumerate(groups):
            yield from _refused_in_group(f"hooks.{event}[{number}]", group)


def _refused_in_group(way: str, group: object) -> Iterable[str]:
    if not isinstance(group, dict) or not isinstance(group.get("hooks"), list):
        yield way
        return
    if not isinstance(group.get("matcher", ""), str):
        yield f"{way}.matcher"
    for number, hook in enumerate(group["hooks"]):
        kind = _table(hook).get("type")
        needed = _NEEDED.get(kind) if isinstance(kind, str) else None
        if needed is None or not isinstance(hook.get(needed), str):
            yield f"{way}.hooks[{number}]"


def _is_command(line: Mapping[str, Any]) -> bool:
    return line.get("type") == "command" and isinstance(line.get("command"), str)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
