"""What stands behind the gateway here, and whether it works: read only, unless it is tried."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.gateway_place import (
    NAME,
    habits_of,
    missing_libraries,
    project_file,
    project_text,
    servers_in,
    state_path,
)
from tokenbudget.app.gateway_record import path_of
from tokenbudget.app.gateway_shown import how, without_name
from tokenbudget.app.gateway_trial import tried
from tokenbudget.app.gateway_weights import kept_catalogue
from tokenbudget.config.layers import project_dir
from tokenbudget.config.settings import process_environment
from tokenbudget.gateway.mcp.server_config import configs_from, fingerprint, not_set
from tokenbudget.gateway.mcp.taken import (
    FOLDER,
    LOCAL,
    PROJECT,
    USER,
    is_gateway,
    read_record,
    taken_for,
)
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.client_servers import own_servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.app.gateway_place import Habits
    from tokenbudget.config.gateway import GatewaySettings
    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.taken import Record, TakenServer
    from tokenbudget.gateway.mcp.values import Catalogue
    from tokenbudget.model.protocols import Clock


class BehindRow(NamedTuple):
    """One server behind the gateway."""

    name: str
    origin: str
    """`project`, `local` or `user`: where it stood, or still stands."""
    mode: str
    how: str
    tools: int | None
    listed_at_ms: int | None
    """When its tools were listed last; None: never."""
    is_current: bool
    """Whether they were listed from a server that was started in this very way."""
    trouble: str
    """Why it does not work as it should; ''."""
    note: str = ""


class GatewayStatus(NamedTuple):
    """How the gateway stands here."""

    project: str
    entries: tuple[str, ...]
    """Where the client finds the gateway: `local`, `shared`, `user`."""
    rows: tuple[BehindRow, ...]
    rules: GatewaySettings
    missing: tuple[str, ...]
    """Libraries of the extra that are not installed."""
    strength: tuple[str, ...]
    """What holds the sandbox on this machine."""
    troubles: tuple[str, ...]
    is_checked: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.troubles and not any(row.trouble for row in self.rows)


def status_of(
    settings: Settings, clock: Clock, *, is_checked: bool = False, is_brief: bool = False
) -> GatewayStatus:
    """How it stands; `is_checked` starts every server once, `is_brief` leaves the sandbox out.

    Raises:
        BadConfig: `[gateway]` cannot be meant.
    """
    look = _Look(settings)
    rows = look.rows()
    if is_checked:
        found = tried(settings, clock, look.configs(rows))
        rows = [_with_trial(row, found.get(row.name)) for row in rows]
    missing = missing_libraries()
    return GatewayStatus(
        project=look.project,
        entries=tuple(look.entries),
        rows=tuple(rows),
        rules=look.wished,
        missing=missing,
        strength=() if is_brief or "pydantic_monty" in missing else _strength(settings, clock),
        troubles=tuple(look.troubles(rows, missing)),
        is_checked=is_checked,
    )


class _Look:
    """What is there, read once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.wished = settings.gateway_settings()
        found = project_dir(settings.working_dir, settings.home_dir)
        self.project = os.path.realpath(found) if found else ""
        self.habits: Habits = habits_of(settings, self.project)
        self.records: list[Record] = []
        for project in dict.fromkeys(("", self.project)):
            record = read_record(path_of(settings.data_dir, project))
            if record is not None:
                self.records.append(record)
        self.shared, self.fault = self._shared()
        self.entries = list(self._entries())
        served = taken_for(settings.data_dir, self.project)
        servers = served.document["mcpServers"] if served else {}
        self.definitions: Mapping[str, object] = servers if isinstance(servers, dict) else {}
        self.asked = dict(served.modes) if served else {}

    def _shared(self) -> tuple[dict[str, object], str]:
        try:
            text = project_text(self.project) if self.project else None
            found = servers_in(text or "", project_file(self.project))
        except TokenBudgetError as wrong:
            return {}, str(wrong)
        return {one.name: one.definition for one in found}, ""

    def _entries(self) -> Sequence[str]:
        state, home = state_path(self.settings), os.path.realpath(self.settings.home_dir)
        found = []
        if self.project and is_gateway(own_servers(state, LOCAL, self.project).get(NAME)):
            found.append("local")
        if any(is_gateway(one) for one in self.shared.values()):
            found.append("shared")
        if is_gateway(own_servers(state, USER, home).get(NAME)):
            found.append("user")
        return found

    def rows(self) -> list[BehindRow]:
        """Every server of the records."""
        return [
            self._row(record, one, self._config(one))
            for record in self.records
            for one in record.servers
        ]

    def configs(self, rows: Sequence[BehindRow]) -> list[ServerConfig]:
        """How those are started that can be."""
        names = {row.name for row in rows}
        return [
            one
            for one in configs_from({"mcpServers": dict(self.definitions)})
            if one.name in names and not one.trouble
        ]

    def _config(self, one: TakenServer) -> ServerConfig | None:
        definition = self.definitions.get(one.name)
        if definition is None:
            return None
        return configs_from({"mcpServers": {one.name: definition}})[0]

    def _row(self, record: Record, one: TakenServer, config: ServerConfig | None) -> BehindRow:
        kept = kept_catalogue(self.settings.data_dir, one.name)
        environment = process_environment()
        is_current = bool(kept and config and kept.fingerprint == fingerprint(config, environment))
        open_names = not_set(config, environment) if config and not config.trouble else ()
        note = f"not set here: {', '.join(open_names[:4])}" if open_names else ""
        return BehindRow(
            name=one.name,
            origin=one.origin,
            mode=self.asked.get(one.name) or self.wished.modes.get(one.name, "code"),
            how=how(self.definitions.get(one.name)),
            tools=len(kept.catalogue.tools) if kept else None,
            listed_at_ms=kept.at_ms if kept else None,
            is_current=is_current,
            trouble=self._trouble(record, one, config),
            note=one_line(note),
        )

    def _trouble(self, record: Record, one: TakenServer, config: ServerConfig | None) -> str:
        if config is None:
            return "" if self.fault else "not in .mcp.json any more"
        if config.trouble:
            return without_name(one.name, config.trouble)
        if one.origin != PROJECT:
            folder = record.project or os.path.realpath(self.settings.home_dir)
            there = own_servers(state_path(self.settings), one.origin, folder)
            return "the client has it too; run install again" if one.name in there else ""
        if one.text:
            return "stands in .mcp.json too; run install again" if one.name in self.shared else ""
        is_off = one.name in self.habits.switched_off
        return "" if is_off else "the client starts it too, switched on again; run install again"

    def troubles(self, rows: Sequence[BehindRow], missing: Sequence[str]) -> list[str]:
        """What is wrong with the whole."""
        found = [self.fault] if self.fault else []
        origins = {row.origin for row in rows}
        is_reached = bool(self.entries) if origins - {USER} else "user" in self.entries
        if rows and not is_reached:
            found.append("the client does not know the gateway; run tokens gateway install again")
        if self.entries and not rows:
            found.append("the client starts the gateway, and nothing is behind it")
        if "pydantic_monty" in missing:
            found.append("code cannot run: the extra is missing; pip install 'tokenbudget[mcp]'")
        if "mcp" in missing and any("://" in row.how for row in rows):
            found.append("HTTP servers need the extra: pip install 'tokenbudget[mcp]'")
        return found


def _strength(settings: Settings, clock: Clock) -> tuple[str, ...]:
    from tokenbudget.gateway.mcp.sandbox import Sandbox

    folder = os.path.join(settings.data_dir, FOLDER)
    return tuple(Sandbox(folder, clock).strength())


def _with_trial(row: BehindRow, found: Catalogue | str | None) -> BehindRow:
    if found is None:
        return row
    if isinstance(found, str):
        return row._replace(trouble=row.trouble or without_name(row.name, one_line(found)))
    note = "; ".join(filter(None, ("starts", row.note)))
    return row._replace(tools=len(found.tools), is_current=True, note=note)
