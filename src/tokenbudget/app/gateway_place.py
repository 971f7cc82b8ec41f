"""What `tokens gateway install` finds: servers where they stand, the client, and our own entry."""

from __future__ import annotations

import json
import os
import sys
from typing import NamedTuple

from tokenbudget.config.edit_json import parsed
from tokenbudget.config.json_text import last, scanned
from tokenbudget.config.layers import places_of
from tokenbudget.config.settings import places_from, process_environment
from tokenbudget.gateway.mcp.taken import LOCAL, PROJECT, PROJECT_FILE, USER
from tokenbudget.model.errors import SourceUnreadable
from tokenbudget.resources.client_features import version_parts
from tokenbudget.resources.client_servers import ClientProgram, own_servers
from tokenbudget.resources.client_versions import installed_client
from tokenbudget.resources.kind import AGENT_FOLDER
from tokenbudget.resources.settings import BOM
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenbudget.config.settings import Settings

NAME = "tokenbudget"
"""The gateway's own name among the client's servers."""
SCOPES = (PROJECT, LOCAL, USER)
MOST_SERVERS = 200
STATE_NAME = ".claude.json"
WAITED_FOR = {"alwaysLoad": True}
"""Has the client wait up to 5 s for the gateway before its first request, instead of 1 to 2 s."""
KNOWS_ALWAYS_LOAD = (2, 1, 270)
"""An older one leaves it out of what it is told to add."""
_CLIENT_DIR = "CLAUDE_CONFIG_DIR"
_LIBRARIES = ("mcp", "pydantic_monty")


class Written(NamedTuple):
    """A server as it stands somewhere."""

    name: str
    origin: str
    text: str
    """Its definition, word for word."""
    definition: object


class Habits(NamedTuple):
    """What the agent's settings say that concerns servers."""

    switched_off: frozenset[str]
    approved: frozenset[str]
    approves_all: bool
    variables: Mapping[str, str]
    """`env` of the settings files, and over it the process's own of these names."""


# ── where things are ─────────────────────────────────────────────────────────────────────────────


def project_file(project: str) -> str:
    """The project's `.mcp.json`."""
    return os.path.join(project, PROJECT_FILE)


def local_settings(project: str) -> str:
    """The person's own settings in the project."""
    return os.path.join(project, AGENT_FOLDER, "settings.local.json")


def client_of(settings: Settings) -> ClientProgram | None:
    """The client that a shell would start; None where there is none."""
    given = process_environment()
    path = given.get("PATH") or os.defpath
    found = installed_client(path, settings.home_dir)
    if found is None:
        return None
    environment = {
        "HOME": settings.home_dir,
        "PATH": os.pathsep.join([os.path.dirname(found.path), path]),
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    folder = _client_folder(settings)
    if folder:
        environment[_CLIENT_DIR] = folder
    return ClientProgram(found.path, found.version, environment, state_path(settings))


def state_path(settings: Settings) -> str:
    """Where the client keeps its state; it alone writes it."""
    return os.path.join(_client_folder(settings) or settings.home_dir, STATE_NAME)


def _client_folder(settings: Settings) -> str:
    """What the client is told by its variable; of several folders the first."""
    is_told = settings.origins.get("claude_dirs") == _CLIENT_DIR
    return settings.claude_dirs[0] if is_told else ""


# ── servers ──────────────────────────────────────────────────────────────────────────────────────


def written_servers(settings: Settings, scope: str, project: str) -> list[Written]:
    """The servers of a scope, as they are written.

    Raises:
        SourceUnreadable: the project's file is damaged, or says a name twice.
        Refused: it is a link, another's, or too large.
    """
    if scope == PROJECT:
        return project_servers(project)
    folder = settings.home_dir if scope == USER else project
    servers = own_servers(state_path(settings), scope, folder)
    return [
        Written(name, scope, json.dumps(definition, ensure_ascii=False), definition)
        for name, definition in servers.items()
    ]


def project_servers(project: str) -> list[Written]:
    """The servers of `.mcp.json`; none where there is no file. Raises as `written_servers`."""
    text = project_text(project)
    return [] if text is None else servers_in(text, project_file(project))


def project_text(project: str) -> str | None:
    """The text of `.mcp.json`; None where there is none. Raises as `written_servers`."""
    path = project_file(project)
    found = Rooted([project]).read(path)
    try:
        return None if found is None else found.content.decode()
    except UnicodeDecodeError as wrong:
        raise SourceUnreadable(f"{quoted(path)} is no UTF-8 text; correct that first") from wrong


def servers_in(text: str, path: str) -> list[Written]:
    """The servers of the text of an `.mcp.json`. Raises SourceUnreadable."""
    plain = text.removeprefix(BOM)
    if not plain.strip():
        return []
    try:
        parsed(plain)  # the client reads no comments and no NaN
        top = scanned(plain)
    except ValueError as wrong:
        raise SourceUnreadable(f"{quoted(path)} is damaged: {wrong}; correct that first") from wrong
    item = last(top, "mcpServers")
    if item is None:
        return []
    node = item.node
    names = [one.key for one in node.items]
    twice = next((name for name in names if names.count(name) > 1), "")
    if node.kind != "{" or twice or sum(one.key == "mcpServers" for one in top.items) > 1:
        what = f"{quoted(twice)} twice" if twice else "no single object mcpServers"
        raise SourceUnreadable(f"{quoted(path)} has {what}; correct that first")
    if len(names) > MOST_SERVERS:
        raise SourceUnreadable(f"{quoted(path)} names more than {MOST_SERVERS} servers")
    return [
        Written(one.key, PROJECT, plain[one.node.start : one.node.end], one.node.value)
        for one in node.items
    ]


# ── the agent's settings ─────────────────────────────────────────────────────────────────────────


def habits_of(settings: Settings, project: str) -> Habits:
    """What the agent's settings files, and the client's state, say of servers."""
    off: set[str] = set()
    approved: set[str] = set()
    approves_all = False
    variables: dict[str, str] = {}
    for document in _documents(settings):
        off |= set(_words(document.get("disabledMcpjsonServers")))
        approved |= set(_words(document.get("enabledMcpjsonServers")))
        approves_all |= document.get("enableAllProjectMcpServers") is True
        given = _table(document.get("env")).items()
        variables |= {name: value for name, value in given if isinstance(value, str)}
    own = _project_state(settings, project)
    for key in ("disabledMcpServers", "disabledMcpjsonServers"):
        off |= set(_words(own.get(key)))
    approved |= set(_words(own.get("enabledMcpjsonServers")))
    variables |= {k: process_environment()[k] for k in _CONCERNING if k in process_environment()}
    return Habits(frozenset(off), frozenset(approved), approves_all, variables)


_CONCERNING = ("ENABLE_TOOL_SEARCH", "ANTHROPIC_BASE_URL")


def _documents(settings: Settings) -> Iterator[dict[str, object]]:
    """Every settings file of the agent that can be read, lowest first."""
    for place in places_of(settings):
        yield _read_object(place.path)


def _project_state(settings: Settings, project: str) -> dict[str, object]:
    projects = _table(_read_object(state_path(settings), 64_000_000).get("projects"))
    return _table(projects.get(project))


def _read_object(path: str, most_bytes: int = 4_000_000) -> dict[str, object]:
    from tokenbudget.config.files import read_regular

    try:
        found = json.loads((read_regular(path, most_bytes) or b"null").decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _table(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


# ── our own entry ────────────────────────────────────────────────────────────────────────────────


def shared_entry() -> dict[str, object]:
    """The entry for a file that a team shares: whoever has the command finds it on the PATH."""
    return {"command": "tokens", "args": ["gateway"], **WAITED_FOR}


def own_entry(settings: Settings, client_version: str) -> dict[str, object]:
    """The entry for this person alone: it names everything in full, and depends on no PATH.

    The home folder is named where a gateway that the client starts would not find it by itself.
    """
    entry: dict[str, object] = {
        "type": "stdio",
        "command": sys.executable,
        "args": ["-P", "-m", "tokenbudget", "gateway"],
    }
    told = {"TOKENS_HOME": settings.data_dir, "TOKENS_CONFIG": settings.config_path}
    usual = places_from({"HOME": settings.home_dir})
    kept = {"TOKENS_HOME": usual.data_dir, "TOKENS_CONFIG": usual.config_path}
    entry["env"] = {name: value for name, value in told.items() if value != kept[name]}
    knows = (version_parts(client_version) or ()) >= KNOWS_ALWAYS_LOAD
    return {**entry, **(WAITED_FOR if knows else {})}


def missing_libraries() -> tuple[str, ...]:
    """Libraries of the extra that are not installed."""
    return tuple(name for name in _LIBRARIES if not _is_there(name))


def _is_there(library: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(library) is not None
    except (ImportError, ValueError):
        return False
