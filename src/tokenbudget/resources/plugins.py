"""The plugins that the client loads, and what they bring into every request.

Measured with Claude Code 2.0.76, 2.1.270 and 2.1.329: `enabledPlugins: {"name@marketplace": false}`
in the project's local settings wins over the person's and takes a plugin's skills, commands, agents
and MCP servers out at the next start. `skillOverrides` does nothing to a skill of a plugin.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.resources.definitions import (
    SKILL_NAME,
    agents_below,
    commands_below,
    skills_below,
)
from tokenbudget.resources.looking import is_inside, names_in, real, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.definitions import Definition
    from tokenbudget.resources.kind import Place

MOST_PLUGINS = 200
_MOST_BYTES = 4_000_000
_UNSEEN = {"hooks": "hooks", "lspServers": "language servers", "outputStyles": "output styles"}
"""What a plugin may bring whose use no transcript tells, by its key in the manifest."""


class Plugin(NamedTuple):
    """One plugin that settings name."""

    key: str
    """`name@marketplace`, as `enabledPlugins` knows it."""
    name: str
    folder: str
    """Where it lies; '' where that cannot be found."""
    is_on: bool
    definitions: tuple[Definition, ...]
    """Its skills, commands and agents, named as the client does: `name:skill`."""
    servers: tuple[str, ...]
    """Its MCP servers, as their tools spell them."""
    unseen: tuple[str, ...]
    """What else it brings, whose use cannot be seen."""


def plugins_in(place: Place, said: Said, description_characters: int) -> list[Plugin]:
    """The plugins that settings name, on or off."""
    places = _Places(place, said)
    return [
        _plugin(key, places.folder_of(key), is_on, description_characters)
        for key, is_on in sorted(said.plugins.items())[:MOST_PLUGINS]
    ]


class _Places:
    """Where the client has its plugins: its own copies, or a marketplace that is a folder."""

    def __init__(self, place: Place, said: Said) -> None:
        self._project = place.project
        self._installed: dict[str, Any] = {}
        self._marketplaces: dict[str, str] = {}
        for top in reversed(place.claude_dirs):
            folder = os.path.join(top, "plugins")
            known = _document(os.path.join(folder, "known_marketplaces.json"), top)
            for name, one in known.items():
                self._marketplaces[name] = _text(_table(one).get("installLocation"))
            document = _document(os.path.join(folder, "installed_plugins.json"), top)
            self._installed |= _table(document.get("plugins"))
        self._marketplaces |= said.marketplaces

    def folder_of(self, key: str) -> str:
        """The folder of a plugin, by its real path; '' where there is none."""
        for path in (*self._copies(key), self._in_marketplace(key)):
            if path and os.path.isdir(path):
                return real(path)
        return ""

    def _copies(self, key: str) -> Iterator[str]:
        """The project's own first; older clients wrote one and not a list."""
        told = self._installed.get(key)
        copies = [_table(one) for one in (told if isinstance(told, list) else [told])]
        copies.sort(key=lambda one: one.get("projectPath") != self._project)
        for one in copies:
            if one.get("projectPath") in (None, self._project):
                yield _text(one.get("installPath"))

    def _in_marketplace(self, key: str) -> str:
        name, _, marketplace = key.rpartition("@")
        top = self._marketplaces.get(marketplace, "")
        if not top:
            return ""
        listing = _document(os.path.join(top, ".claude-plugin", "marketplace.json"), top)
        plugins = listing.get("plugins")
        for one in plugins if isinstance(plugins, list) else ():
            source = _table(one).get("source")
            if _table(one).get("name") == name and isinstance(source, str):
                return _inside(top, source)
        return ""


def _plugin(key: str, folder: str, is_on: bool, characters: int) -> Plugin:
    name = key.rpartition("@")[0] or key
    if not folder:
        return Plugin(key, name, "", is_on, (), (), ())
    manifest = _document(os.path.join(folder, ".claude-plugin", "plugin.json"), folder)
    tops = (folder,)
    found: list[Definition] = []
    for top in _folders(folder, manifest, "commands"):
        found += commands_below(top, tops, True, characters)
    for top in _folders(folder, manifest, "skills"):
        found += _skills(top, tops, characters)
    for top in _folders(folder, manifest, "agents"):
        found += agents_below(top, tops, True)
    return Plugin(
        key,
        name,
        folder,
        is_on,
        tuple(_of_plugin(one, name) for one in found),
        tuple(f"plugin_{name}_{server}" for server in _servers(folder, manifest)),
        tuple(_unseen(folder, manifest)),
    )


def _skills(top: str, tops: Sequence[str], characters: int) -> Iterator[Definition]:
    """Of a folder of skills; or the skill that the folder itself is."""
    if SKILL_NAME in names_in(top):
        own = os.path.basename(top)
        for one in skills_below(os.path.dirname(top), tops, True, characters):
            if one.name == own:
                yield one
        return
    yield from skills_below(top, tops, True, characters)


def _of_plugin(one: Definition, plugin: str) -> Definition:
    name = f"{plugin}:{one.name}"
    line = one.line.replace(f"- {one.name}", f"- {name}", 1)
    return one._replace(name=name, line=line, other_names=())


def _folders(folder: str, manifest: Mapping[str, Any], key: str) -> list[str]:
    """The usual folder, and those that the manifest names besides."""
    told = manifest.get(key)
    named = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    more = [_inside(folder, one) for one in named if isinstance(one, str)]
    return list(dict.fromkeys([os.path.join(folder, key), *filter(None, more)]))


def _servers(folder: str, manifest: Mapping[str, Any]) -> list[str]:
    told = manifest.get("mcpServers")
    path = told if isinstance(told, str) else ".mcp.json"
    document = _document(_inside(folder, path), folder)
    servers = {**_table(document.get("mcpServers", document)), **_table(told)}
    return sorted(name for name, one in servers.items() if isinstance(one, dict))


def _unseen(folder: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    files: Mapping[str, Callable[[], bool]] = {
        "hooks": lambda: os.path.exists(os.path.join(folder, "hooks", "hooks.json")),
        "lspServers": lambda: os.path.exists(os.path.join(folder, ".lsp.json")),
        "outputStyles": lambda: bool(names_in(os.path.join(folder, "output-styles"))),
    }
    for key, word in _UNSEEN.items():
        if manifest.get(key) or files[key]():
            yield word


def _inside(top: str, way: str) -> str:
    """A way from a folder, if it does not lead out of it; else ''."""
    found = real(os.path.join(top, way))
    return found if found and is_inside(found, (real(top),)) else ""


def _document(path: str, top: str) -> dict[str, Any]:
    """A JSON object; empty where there is none that can be read."""
    text = text_at(path, (top,), _MOST_BYTES) if path else None
    try:
        return _table(json.loads((text or "").removeprefix("\ufeff") or "{}"))
    except (ValueError, RecursionError):
        return {}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
