"""How the gateway stands, in each project and for the person, for `tokens doctor`: read only.

The program that the client would start is run once, with `--help`: that tells whether it can be
started here at all, starts no server, and leaves no trace. See `gateway_program`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.gateway_place import NAME, servers_in, state_path
from tokenbudget.app.gateway_program import START_SECONDS, Trial
from tokenbudget.app.gateway_record import path_of
from tokenbudget.app.gateway_status import status_of
from tokenbudget.gateway.mcp.taken import (
    FOLDER,
    LOCAL,
    PROJECT,
    PROJECT_FILE,
    PROJECTS,
    USER,
    is_gateway,
    read_record,
)
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.resources.client_servers import own_servers
from tokenbudget.resources.effect import GatewayWired
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.app.gateway_status import BehindRow, GatewayStatus
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

MOST_PROJECTS = 100


class GatewayPlace(NamedTuple):
    """The gateway in one project, or for the person everywhere."""

    scope: str
    """`project` or `user`."""
    project: str
    """'' for the person's own servers."""
    is_here: bool
    """Whether it serves the folder in which the doctor was asked."""
    entries: tuple[str, ...]
    """Where the client finds it: `local`, `shared`, `user`."""
    rows: tuple[BehindRow, ...]
    program: str
    """What the client starts; '' where it does not know the gateway."""
    is_program_there: bool
    does_start: bool | None
    """Whether it ran; None: it was not tried, or said nothing in time."""
    is_configuration_there: bool
    """Whether every server behind it can be read: from the record, or from `.mcp.json`."""
    troubles: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        troubles = [*self.troubles, *(row.trouble for row in self.rows if row.trouble)]
        return not troubles and self.does_start is not False


class GatewayHealth(NamedTuple):
    """All of it."""

    here: GatewayStatus
    """As `tokens gateway status` tells it, of this project and the person."""
    places: tuple[GatewayPlace, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong anywhere."""
        return all(place.is_sound for place in self.places)

    @property
    def can_start(self) -> bool:
        """Whether what the client starts here is there, and runs."""
        known = [place for place in self.places if place.is_here and place.entries]
        return all(place.is_program_there and place.does_start is not False for place in known)

    @property
    def wired(self) -> GatewayWired | None:
        """What the doctor's answer says of it; None: it is nowhere."""
        if not self.places:
            return None
        here = [place for place in self.places if place.is_here]
        servers = sum(len(place.rows) for place in here)
        is_sound = all(place.is_sound for place in here)
        return GatewayWired(bool(here), servers, len(self.places) - len(here), is_sound)


def gateway_health(settings: Settings, clock: Clock) -> GatewayHealth | None:
    """How it stands everywhere; None where it was never installed.

    Raises:
        BadConfig: `[gateway]` cannot be meant.
    """
    if not os.path.isdir(os.path.join(settings.data_dir, FOLDER)):
        return None
    here = status_of(settings, clock, is_brief=True)
    trial = Trial(settings, clock)
    places = [_place(settings, here, USER, "", trial, is_here=True)]
    projects = list(_projects(settings))
    for project in dict.fromkeys([*([here.project] if here.project else []), *projects]):
        is_here = project == here.project
        status = here if is_here else _status_in(settings, clock, project)
        places.append(_place(settings, status, PROJECT, project, trial, is_here=is_here))
    return GatewayHealth(here, tuple(one for one in places if one.rows or one.entries))


def _status_in(settings: Settings, clock: Clock, project: str) -> GatewayStatus:
    return status_of(settings._replace(working_dir=project), clock, is_brief=True)


def _projects(settings: Settings) -> Iterator[str]:
    """The projects that have a record."""
    folder = os.path.join(settings.data_dir, FOLDER, PROJECTS)
    try:
        names = sorted(os.listdir(folder))[:MOST_PROJECTS]
    except OSError:
        return
    for name in names:
        record = read_record(os.path.join(folder, name))
        if record is not None and record.project and record.servers:
            yield record.project


def _place(
    settings: Settings,
    status: GatewayStatus,
    scope: str,
    project: str,
    trial: Trial,
    *,
    is_here: bool,
) -> GatewayPlace:
    is_users = scope == USER
    mine = {"user"} if is_users else {"local", "shared"}
    record = read_record(path_of(settings.data_dir, project))
    names = {one.name for one in record.servers} if record else set()
    rows = tuple(
        row for row in status.rows if (row.origin == USER) == is_users and row.name in names
    )
    entries = tuple(one for one in status.entries if one in mine)
    definition = _entry(settings, project, entries)
    program = trial.program_of(definition)
    is_others = "local" not in entries and "shared" in entries
    does_start = trial.does_start(definition, program, project if is_others else "")
    troubles = [] if is_users and status.project else list(status.troubles)
    troubles += _faults(project, entries, rows, program, does_start)
    troubles += _silence(trial.is_silent(definition, program))
    return GatewayPlace(
        *(scope, project, is_here, entries, rows),
        program=str(definition.get("command", "")) if definition else "",
        is_program_there=bool(program),
        does_start=does_start,
        is_configuration_there=len(rows) == len(names) and all(row.how for row in rows),
        troubles=tuple(dict.fromkeys(troubles)),
    )


def _faults(
    project: str,
    entries: Sequence[str],
    rows: Sequence[BehindRow],
    program: str,
    does_start: bool | None,
) -> Iterator[str]:
    if project and not os.path.isdir(project):
        yield "the project is not there any more"
    if rows and not entries and not project:
        yield "the client does not know the gateway; run tokens gateway install --scope user again"
    if entries and not program:
        yield (
            "the program that the client starts is not on the PATH or not there any more; put it"
            " there, or run tokens gateway install again"
        )
    if does_start is False:
        yield "the program that the client starts fails; run tokens gateway install again"


def _silence(is_silent: bool) -> Iterator[str]:
    if is_silent:
        yield f"the program that the client starts did not answer within {START_SECONDS:g} seconds"


def _entry(settings: Settings, project: str, entries: Sequence[str]) -> Mapping[str, object] | None:
    """How the client starts the gateway here; None where it does not know it."""
    state, home = state_path(settings), os.path.realpath(settings.home_dir)
    found: object = None
    if "local" in entries:
        found = own_servers(state, LOCAL, project).get(NAME)
    elif "shared" in entries:
        found = _shared_entry(project)
    elif "user" in entries:
        found = own_servers(state, USER, home).get(NAME)
    return found if isinstance(found, dict) else None


def _shared_entry(project: str) -> object:
    path = os.path.join(project, PROJECT_FILE)
    try:
        file = Rooted([project]).read(path)
        servers = servers_in(file.content.decode() if file else "", path)
    except (TokenBudgetError, ValueError):
        return None
    return next((one.definition for one in servers if is_gateway(one.definition)), None)
