"""What one of the agent's settings files says about being wired: ours, others', what forbids it.

Pure: a text in, facts out. Nothing of a file is believed to have the type that it should have, and
what may be a secret (a header, an address with a password) is never kept.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import NamedTuple

from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.resources.settings_shape import refused_by_old_in, refused_in
from tokenbudget.resources.wiring import BOM, HOOKS, PLUGIN, STATUSLINE, Seen, seen_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from tokenbudget.resources.wiring import Marks

MANAGED, USER, PROJECT, LOCAL = "managed", "user", "project", "local"
SCOPES = (USER, PROJECT, LOCAL, MANAGED)
"""Lowest first: what a later one says holds against an earlier one."""

_COMMAND_PARTS = 6
"""`python -IS -c START FOLDER HOME`; our hook and our status line are both made so."""
_MARKS = (
    (STATUSLINE, "import statusline"),
    (HOOKS, "import hook_client"),
    (HOOKS, "/v1/hook"),
)
"""Parts, and what stands in every command and address of theirs."""
_SHELL_TOOLS = frozenset(("Bash", "Bash(*)", "Bash(:*)"))


class OwnPaths(NamedTuple):
    """What a command of ours needs to be there."""

    python: str
    folder: str
    home: str


class ForeignHook(NamedTuple):
    """A hook of another tool."""

    event: str
    matcher: str
    target: str
    timeout_seconds: float | None


class Said(NamedTuple):
    """One settings file."""

    scope: str
    path: str
    fault: str = ""
    """Why its words do not count, such as "is no JSON"; '' where they do."""
    seen: Seen = Seen()
    ambiguity: str = ""
    """Which name stands there twice, for which we do not change it; '' for none."""
    events: tuple[str, ...] = ()
    """Every name that stands in `hooks`."""
    hook_types: frozenset[str] = frozenset()
    """Of all hooks there, whosever they are."""
    own: tuple[tuple[str, OwnPaths], ...] = ()
    """(part, paths) of each command of ours, each once."""
    ports: tuple[int, ...] = ()
    """Where our hooks over HTTP ask."""
    foreign: tuple[ForeignHook, ...] = ()
    has_statusline: bool = False
    refused: tuple[str, ...] = ()
    """Ways to values of a type that no client takes: with one, it passes over the whole file."""
    refused_by_old: tuple[str, ...] = ()
    """Ways to hooks for which an old client does so, and a newer one only passes over the hook."""
    disables_all: bool | None = None
    """`disableAllHooks`; None where it says nothing."""
    is_managed_only: bool = False
    """`allowManagedHooksOnly`."""
    locked: frozenset[str] = frozenset()
    """`strictPluginOnlyCustomization`: surfaces that only plugins may fill."""
    forbids_shell: bool = False
    """`disableSkillShellExecution`: commands of ours print a placeholder instead."""
    denies_shell: bool = False
    """`permissions.deny` holds all of Bash."""
    http_urls: tuple[str, ...] | None = None
    """`allowedHttpHookUrls`; None where every address is allowed."""
    base_url: str = ""
    """Scheme and host of `env.ANTHROPIC_BASE_URL`; nothing else of it is kept."""
    plugins: tuple[str, ...] = ()
    """Names of enabled plugins, ours too."""
    secret_digests: frozenset[str] = frozenset()
    """Of what our hooks over HTTP show the daemon; the secret itself is not kept."""
    plugin_folder: str = ""
    """Where our plugin is said to come from."""
    mentions: tuple[str, ...] = ()
    """Parts of ours that stand in its text, readable or not."""
    mode: int = 0
    changed_at_ms: int = 0

    @property
    def counts(self) -> bool:
        """Whether the client takes it at all."""
        return not self.fault and not self.refused

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts of ours that it wires."""
        there = {
            STATUSLINE: bool(self.seen.statusline),
            HOOKS: bool(self.seen.ours),
            PLUGIN: self.seen.is_plugin_enabled,
        }
        return tuple(part for part, is_there in there.items() if is_there)


def said_in(text: str, scope: str, path: str, marks: Marks) -> Said:
    """What a settings file of this text says; `fault` tells where nothing of it counts."""
    plain = text.removeprefix(BOM)
    if not plain.strip():
        return Said(scope, path)
    blank = Said(scope, path, mentions=tuple(_mentions(text, marks)))
    try:
        seen = seen_in(text, marks)
    except NotEditable as twice:
        return _ambiguous(plain, blank, marks, str(twice))
    except (ValueError, RecursionError) as wrong:
        return blank._replace(fault=f"is no JSON object ({str(wrong)[:100]})")
    said = _strictly(plain, blank._replace(seen=seen))
    document = _document(plain)
    return said if said.fault or document is None else _facts(document, said, marks)


def _ambiguous(plain: str, blank: Said, marks: Marks, twice: str) -> Said:
    """Of two members of one name the client takes the last; which to edit is not ours to say."""
    document = _document(plain)
    if document is None:
        return _strictly(plain, blank)
    seen = seen_in(json.dumps(document), marks)
    return _facts(document, blank._replace(seen=seen, ambiguity=twice), marks)


def _mentions(text: str, marks: Marks) -> Iterable[str]:
    named = [(part, mark) for part, mark in (*_MARKS, (PLUGIN, marks.plugin)) if mark]
    return dict.fromkeys(part for part, mark in named if mark in text)


def _strictly(plain: str, said: Said) -> Said:
    """What is JSON to us and not to the client: we pass over comments, and the client does not."""
    if not said.fault and _document(plain) is None:
        return said._replace(fault="holds comments or a comma too many, which is no JSON")
    return said


def _document(plain: str) -> dict[str, Any] | None:
    try:
        found = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _facts(document: dict[str, Any], said: Said, marks: Marks) -> Said:
    hooks = _table(document.get("hooks"))
    permissions = _table(document.get("permissions"))
    seen = said.seen
    disables = document.get("disableAllHooks")
    return said._replace(
        events=tuple(hooks),
        hook_types=frozenset(_text(hook.get("type")) for _, _, hook in _each_hook(hooks)),
        own=tuple(dict.fromkeys(_own(seen))),
        ports=tuple(dict.fromkeys(_ports(seen))),
        foreign=tuple(_foreign(hooks, marks)),
        has_statusline=bool(_text(_table(document.get("statusLine")).get("command"))),
        refused=refused_in(document),
        refused_by_old=refused_by_old_in(document),
        disables_all=disables if isinstance(disables, bool) else None,
        is_managed_only=document.get("allowManagedHooksOnly") is True,
        locked=_locked(document.get("strictPluginOnlyCustomization")),
        forbids_shell=document.get("disableSkillShellExecution") is True,
        denies_shell=not _SHELL_TOOLS.isdisjoint(_words(permissions.get("deny"))),
        http_urls=_urls(document.get("allowedHttpHookUrls")),
        base_url=host_of(_text(_table(document.get("env")).get("ANTHROPIC_BASE_URL"))),
        plugins=tuple(n for n, on in _table(document.get("enabledPlugins")).items() if on),
        secret_digests=frozenset(
            digest_of(_header(hook))
            for _, _, hook in _each_hook(hooks)
            if marks.is_hook(hook) and _header(hook)
        ),
        plugin_folder=_plugin_folder(document, marks),
    )


def own_paths(command: str) -> OwnPaths | None:
    """What a command of ours runs, and for which home; None where it cannot be told."""
    try:
        parts = shlex.split(command)
    except ValueError:
        return None
    if len(parts) < _COMMAND_PARTS or parts[2] != "-c":
        return None
    return OwnPaths(parts[0], parts[4], parts[5])


def host_of(address: str) -> str:
    """Scheme and host of an address: what else stands in it may be a secret. '' for none."""
    if not address:
        return ""
    scheme, mark, rest = address.partition("://")
    host = (rest if mark else scheme).split("/")[0].split("?")[0].split("#")[0]
    return f"{scheme}://{host.rpartition('@')[2]}" if mark else host.rpartition("@")[2]


def digest_of(secret: str) -> str:
    """What a secret is compared by."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _own(seen: Seen) -> Iterable[tuple[str, OwnPaths]]:
    found = own_paths(seen.statusline) if seen.statusline else None
    if found:
        yield STATUSLINE, found
    for hook in seen.ours:
        paths = own_paths(hook.target)
        if paths:
            yield HOOKS, paths


def _ports(seen: Seen) -> Iterable[int]:
    for hook in seen.ours:
        if hook.target.startswith("http://"):
            port = host_of(hook.target).rpartition(":")[2]
            if port.isdecimal() and len(port) < 6:
                yield int(port)


def _foreign(hooks: Mapping[str, Any], marks: Marks) -> Iterable[ForeignHook]:
    for event, matcher, hook in _each_hook(hooks):
        if marks.is_hook(hook):
            continue
        target = _text(hook.get("command")) or _text(hook.get("url")) or _text(hook.get("type"))
        yield ForeignHook(event, matcher, target, _seconds(hook.get("timeout")))


def _each_hook(hooks: Mapping[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    for event, groups in hooks.items():
        for group in map(_table, groups if isinstance(groups, list) else ()):
            inner = group.get("hooks")
            for hook in inner if isinstance(inner, list) else ():
                if isinstance(hook, dict):
                    yield event, _text(group.get("matcher")), hook


def _header(hook: Mapping[str, Any]) -> str:
    return _text(_table(hook.get("headers")).get("Authorization"))


def _plugin_folder(document: dict[str, Any], marks: Marks) -> str:
    """The folder that `extraKnownMarketplaces` names for our plugin."""
    marketplaces = _table(document.get("extraKnownMarketplaces"))
    source = _table(_table(marketplaces.get(marks.marketplace)).get("source"))
    return _text(source.get("path"))


def _locked(value: object) -> frozenset[str]:
    if value is True:
        return frozenset(("skills", "agents", "hooks", "mcp"))
    return frozenset(_words(value))


def _urls(value: object) -> tuple[str, ...] | None:
    return tuple(_words(value)) if isinstance(value, list) else None


def _seconds(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < 1e9 else None  # type: ignore[operator, arg-type]


def _words(value: object) -> Sequence[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
