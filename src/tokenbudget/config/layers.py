"""Find and read the files that speak of `tokenManagement`: the agent's own settings, and ours.

The agent's files are its own: what else stands in them is none of our business, and one that
cannot be understood is passed over.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.config.files import read_regular
from tokenbudget.config.management import (
    BUILT_IN,
    ENVIRONMENT,
    LOCAL,
    OURS,
    PROJECT,
    USER,
    Layer,
    variable_of,
)
from tokenbudget.config.values import MANAGEMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.config.settings import Settings

SETTINGS_NAME = "settings.json"
LOCAL_NAME = "settings.local.json"
AGENT_FOLDER = ".claude"
_MOST_STEPS = 64
"""Folders that are looked at on the way up: deeper than any repository."""


class Place(NamedTuple):
    """A settings file of the agent, whether it is there or not."""

    kind: str
    path: str


def places_of(settings: Settings) -> list[Place]:
    """The agent's settings files, lowest first; of several user folders the first named wins."""
    folders = reversed(settings.claude_dirs)
    found = [Place(USER, os.path.join(folder, SETTINGS_NAME)) for folder in folders]
    project = project_dir(settings.working_dir, settings.home_dir)
    if project:
        folder = os.path.join(project, AGENT_FOLDER)
        own = [
            Place(PROJECT, os.path.join(folder, SETTINGS_NAME)),
            Place(LOCAL, os.path.join(folder, LOCAL_NAME)),
        ]
        known = {place.path for place in found}
        found += [place for place in own if place.path not in known]
    return found


def project_dir(working_dir: str, home: str) -> str:
    """The folder whose `.claude` holds the project's settings; '' outside of any project.

    From the working directory upwards it is the first that has such a file, up to the root of the
    repository, which it is where none has. Outside of a repository only the working directory
    counts: folders above it may be anybody's. The home folder and what lies above it are no
    project.
    """
    if not working_dir:
        return ""
    chain = _chain(working_dir, os.path.abspath(home))
    roots = [folder for folder in chain if os.path.lexists(os.path.join(folder, ".git"))]
    if not roots:
        return chain[0] if chain else ""
    within = chain[: chain.index(roots[0]) + 1]
    for folder in within:
        names = (SETTINGS_NAME, LOCAL_NAME)
        if any(os.path.lexists(os.path.join(folder, AGENT_FOLDER, name)) for name in names):
            return folder
    return roots[0]


def _chain(working_dir: str, home: str) -> list[str]:
    """The working directory and the folders above it, short of home and of the root of all."""
    found: list[str] = []
    folder = os.path.abspath(working_dir)
    above_home = home.rstrip("/") + "/"
    while len(found) < _MOST_STEPS:
        parent = os.path.dirname(folder)
        if parent == folder or above_home.startswith(folder.rstrip("/") + "/"):
            break
        found.append(folder)
        folder = parent
    return found


def layers_of(settings: Settings) -> list[Layer]:
    """Every layer, lowest first, as it stands in the files now."""
    own = Layer(
        OURS,
        settings.config_path,
        settings.token_management or None,
        is_there=bool(settings.from_file),
    )
    given = {
        key: settings.variables[variable_of(key)]
        for key in BUILT_IN
        if variable_of(key) in settings.variables
    }
    environment = Layer(ENVIRONMENT, "", given or None)
    return [own, *(read_layer(place) for place in places_of(settings)), environment]


def read_layer(place: Place) -> Layer:
    """What a settings file of the agent says; one that cannot be understood has a fault."""
    try:
        data = read_regular(place.path)
    except OSError as exc:
        return Layer(place.kind, place.path, fault=f"cannot be read: {exc.strerror or exc}")
    if data is None:
        return Layer(place.kind, place.path, is_there=False)
    if not data.strip():
        return Layer(place.kind, place.path)
    try:
        return Layer(place.kind, place.path, table_of(data))
    except ValueError as exc:
        return Layer(place.kind, place.path, fault=f"is no JSON: {exc}")


def table_of(data: bytes) -> object:
    """What stands under `tokenManagement` in these bytes; None for nothing.

    Raises:
        ValueError: they are no JSON object.
    """
    import json

    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (RecursionError, MemoryError) as exc:
        raise ValueError("it is nested too deeply") from exc
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found.get(MANAGEMENT)
