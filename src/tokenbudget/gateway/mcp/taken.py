"""What `tokens gateway install` took behind the gateway, as the gateway reads it at its start.

    <TOKENS_HOME>/gateway/projects/<key>.json    what was taken in one project
    <TOKENS_HOME>/gateway/user.json              what was taken of the person, for every project

A server that still stands in the project's `.mcp.json` is read from there at each start: what the
team changes holds for whoever is behind the gateway, too. What install took away is kept here,
word for word. Standard library alone: the gateway starts in milliseconds.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.config.files import read_regular
from tokenbudget.system.digest import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = "tokenbudget/gateway-taken/1"
FOLDER, PROJECTS, USER_FILE = "gateway", "projects", "user.json"
PROJECT_FILE = ".mcp.json"
MOST_BYTES = 4_000_000
MOST_SERVERS = 200
_MOST_FOLDERS = 64
PROJECT, LOCAL, USER = "project", "local", "user"
"""Where a server stood: `.mcp.json`, the person's own for this project, the person's own."""
_OURS = frozenset(("tokens", "tokenbudget"))


class TakenServer(NamedTuple):
    """One server behind the gateway."""

    name: str
    origin: str
    mode: str
    """'' where the settings say it."""
    text: str
    """Its definition as it was written; '' where it still stands in `.mcp.json`."""


class Record(NamedTuple):
    """What was taken in one project, or of the person (`project` is '')."""

    project: str
    servers: tuple[TakenServer, ...]


class Taken(NamedTuple):
    """What the gateway serves in a folder."""

    project: str
    """The folder whose record it is; '' where only the person's own servers are."""
    document: Mapping[str, object]
    """`{"mcpServers": {…}}`, nothing filled in."""
    modes: Mapping[str, str]
    lost: Mapping[str, str]
    """Servers whose definition is not to be had any more: a sentence for each."""


def taken_for(data_dir: str, folder: str) -> Taken | None:
    """What was taken in this folder or the next above it, and of the person; None: nothing was."""
    own, person = _nearest(data_dir, folder), read_record(user_path(data_dir))
    if own is None and person is None:
        return None
    servers: dict[str, object] = {}
    modes: dict[str, str] = {}
    lost: dict[str, str] = {}
    for record in (person, own):  # a project's own server wins over the person's of that name
        for server, definition in _definitions(record, lost) if record else ():
            servers[server.name] = definition
            modes.pop(server.name, None)
            if server.mode:
                modes[server.name] = server.mode
    project = own.project if own else ""
    gone = {name: why for name, why in lost.items() if name not in servers}
    return Taken(project, {"mcpServers": servers}, modes, gone)


def _nearest(data_dir: str, folder: str) -> Record | None:
    place = os.path.realpath(folder) if folder else ""
    for _ in range(_MOST_FOLDERS if place else 0):
        record = read_record(record_path(data_dir, place))
        if record is not None and record.project == place:
            return record
        if place == os.path.dirname(place):
            break
        place = os.path.dirname(place)
    return None


def _definitions(record: Record, lost: dict[str, str]) -> Iterator[tuple[TakenServer, object]]:
    """Each server of a record with its definition; what is no longer to be had is told."""
    there: Mapping[str, object] | None = None
    for server in record.servers:
        if server.text:
            definition = _object(server.text)
        else:
            there = shared_servers(record.project) if there is None else there
            definition = there.get(server.name)
        if not isinstance(definition, dict):
            is_read = server.text or _document(record.project) is not None
            wrong = "does not name it any more" if is_read else "cannot be read"
            lost[server.name] = f"{PROJECT_FILE} {wrong}"
        elif not is_gateway(definition):
            yield server, definition


def shared_servers(project: str) -> Mapping[str, object]:
    """`mcpServers` of the project's `.mcp.json` as it is now; empty where it cannot be read."""
    return _document(project) or {}


def _document(project: str) -> Mapping[str, object] | None:
    """The same; None where there is no such thing in the file."""
    document = _object(_text(os.path.join(project, PROJECT_FILE)))
    servers = document.get("mcpServers") if isinstance(document, dict) else None
    return servers if isinstance(servers, dict) else None


def is_gateway(definition: object) -> bool:
    """Whether a definition starts a gateway of ours: behind a gateway it would call itself."""
    if not isinstance(definition, dict):
        return False
    args = definition.get("args")
    parts = [definition.get("command"), *(args if isinstance(args, list) else ())]
    words = [word for part in parts if isinstance(part, str) for word in part.split()]
    names = {os.path.basename(word) for word in words}
    return "gateway" in names and bool(names & _OURS)


# ── records ──────────────────────────────────────────────────────────────────────────────────────


def record_path(data_dir: str, project: str) -> str:
    """The record of a project, by its real path."""
    key = sha256(os.fsencode(project)).hexdigest()[:24]
    return os.path.join(data_dir, FOLDER, PROJECTS, f"{key}.json")


def user_path(data_dir: str) -> str:
    """The record of what was taken of the person."""
    return os.path.join(data_dir, FOLDER, USER_FILE)


def catalogues_path(data_dir: str) -> str:
    """The folder of the catalogues that the gateway keeps."""
    return os.path.join(data_dir, FOLDER, "catalogues")


def read_record(path: str) -> Record | None:
    """The record at a path; None where there is none, or it is none of ours."""
    return record_in(_text(path))


def record_in(text: str) -> Record | None:
    """The record that `record_text` wrote; None where it is none of ours."""
    found = _object(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return None
    project, given = found.get("project"), found.get("servers")
    if not isinstance(project, str) or not isinstance(given, dict):
        return None
    servers = [_server(name, fields) for name, fields in given.items()][:MOST_SERVERS]
    return Record(project, tuple(server for server in servers if server is not None))


def record_text(record: Record) -> str:
    """A record as it is written."""
    servers = {
        one.name: {"origin": one.origin, "mode": one.mode, "text": one.text}
        for one in record.servers
    }
    document = {"format": FORMAT, "project": record.project, "servers": servers}
    return json.dumps(document, indent=1) + "\n"


def _server(name: str, fields: object) -> TakenServer | None:
    if not isinstance(fields, dict):
        return None
    told = [fields.get(key, "") for key in ("origin", "mode", "text")]
    return TakenServer(name, *told) if all(isinstance(one, str) for one in told) else None


def _text(path: str) -> str:
    try:
        return (read_regular(path, MOST_BYTES) or b"").decode("utf-8-sig")
    except (OSError, ValueError):
        return ""


def _object(text: str) -> object:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
