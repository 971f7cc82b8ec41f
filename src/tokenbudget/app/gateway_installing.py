"""What `tokens gateway install` would do: looked at, and nothing changed.

By default the project's `.mcp.json` stays as it is, for it is the team's: its servers are switched
off for this person (`disabledMcpjsonServers` in settings.local.json), and the gateway, which reads
them from there, is added as a server of this person alone. `--shared` rewrites `.mcp.json` instead.
"""

from __future__ import annotations

import os

from tokenbudget.app.compacting_place import project_meant
from tokenbudget.app.gateway_errand import GatewayErrand
from tokenbudget.app.gateway_notes import notes_of
from tokenbudget.app.gateway_place import (
    NAME,
    client_of,
    habits_of,
    local_settings,
    missing_libraries,
    own_entry,
    project_file,
    project_text,
    shared_entry,
    state_path,
    written_servers,
)
from tokenbudget.app.gateway_plan import GatewayPlan, ServerRow
from tokenbudget.app.gateway_shown import how, without_name
from tokenbudget.app.gateway_weights import ServerWeight, kept_catalogue, weight_of
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.values import meant
from tokenbudget.gateway.mcp.server_config import ConfigRefused, configs_from
from tokenbudget.gateway.mcp.taken import (
    LOCAL,
    PROJECT,
    USER,
    Record,
    TakenServer,
    is_gateway,
    read_record,
    record_path,
    user_path,
)
from tokenbudget.model.actions import (
    ClientServer,
    EditSettings,
    SettingEdit,
)
from tokenbudget.model.errors import BadRequest, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.client_servers import own_servers
from tokenbudget.resources.mcp_deferral import deferral_of
from tokenbudget.resources.settings import edited
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_place import Habits, Written
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import Step
    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.resources.client_servers import ClientProgram


def plan_of(settings: Settings, errand: GatewayErrand, counter: TokenCounter) -> GatewayPlan:
    """Look at what is there, and say what would become of it.

    Raises:
        BadRequest: a server that was named is not there, or a mode is for none.
        SourceUnreadable: `.mcp.json` is damaged.
        Refused: it cannot be done safely.
    """
    look = _Look(settings, errand)
    rows = [look.row(one, counter) for one in look.written]
    took = [one for one, row in zip(look.written, rows, strict=True) if row.change == "take"]
    _refuse_without_sandbox(rows)
    record = look.record_with(took)
    wired = look.wired(took) if record.servers else ((), ())
    return GatewayPlan(
        errand=errand,
        project=look.project,
        rows=(*look.away(counter), *rows),
        record=record,
        record_path=look.record_path,
        steps=wired[0],
        definitions=wired[1],
        client_version=look.client.version if look.client else "",
        deferral=look.deferral,
        notes=tuple(notes_of(errand, look.habits, look.client, look.project, took)),
        is_record_due=record != look.before and bool(record.servers),
    )


def _refuse_without_sandbox(rows: Sequence[ServerRow]) -> None:
    """Behind a gateway that runs no code, servers of this mode would be out of reach."""
    is_code = any(row.change == "take" and row.mode == "code" for row in rows)
    if is_code and "pydantic_monty" in missing_libraries():
        raise Refused(
            "the gateway could run no code, so no tool would be reached; first"
            " pip install 'tokenbudget[mcp]'"
        )


class _Look:
    """What is there, read once."""

    def __init__(self, settings: Settings, errand: GatewayErrand) -> None:
        self.settings, self.errand = settings, errand
        is_users = errand.scope == USER
        self.project = "" if is_users else os.path.realpath(project_meant(settings, None))
        self.client: ClientProgram | None = client_of(settings)
        self.habits: Habits = habits_of(settings, self.project)
        data = settings.data_dir
        self.record_path = user_path(data) if is_users else record_path(data, self.project)
        self.before = read_record(self.record_path) or Record(self.project, ())
        self.behind = {one.name: one for one in self.before.servers}
        self.written = self._found()
        version = self.client.version if self.client else ""
        self.deferral = deferral_of(version, self.habits.variables)
        self._refuse_strangers()

    def _found(self) -> list[Written]:
        found = written_servers(self.settings, self.errand.scope, self.project)
        names = [one.name for one in found]
        for name in (*self.errand.names, *self.errand.modes):
            if name not in names and name not in self.behind:
                there = ", ".join(one_line(one)[:40] for one in names[:8]) or "none"
                hint = meant(name, names)
                raise BadRequest(f"there is no server {quoted(name)} here{hint}; there are {there}")
        return [one for one in found if not (one.name == NAME and is_gateway(one.definition))]

    def _refuse_strangers(self) -> None:
        """Another server of our name, or two ways at once, would end in neither."""
        if any(one.name == NAME for one in self.written):
            raise Refused(f"another server is named {NAME} here; rename it first")
        entry = own_servers(self._state(), self._entry_scope, self._folder).get(NAME)
        if entry is not None and not is_gateway(entry):
            raise Refused(f"another server of yours is named {NAME}; rename it first")
        ways = {bool(one.text) for one in self.before.servers if one.origin == PROJECT}
        if self.errand.scope == PROJECT and ways and self.errand.is_shared not in ways:
            now, other = ("without", "") if self.errand.is_shared else ("with", " --shared")
            raise Refused(
                f"servers of .mcp.json are behind the gateway {now} --shared; keep to it (tokens"
                f" gateway install{other}), or give them back first: tokens gateway uninstall"
            )

    # ── one server ─────────────────────────────────────────────────────────────────────────────

    def row(self, one: Written, counter: TokenCounter) -> ServerRow:
        """What becomes of a server."""
        weight, mode = self._weight(one.name, counter), self.mode_of(one.name)
        behind = self.behind.get(one.name)
        if behind is not None and behind.origin == one.origin and not behind.text:
            note = self._mode_note(one.name)
            return ServerRow(one.name, "there", mode, how(one.definition), note, weight)
        why = self._why_not(one)
        change = "skip" if why else "take"
        return ServerRow(one.name, change, mode, how(one.definition), why, weight)

    def away(self, counter: TokenCounter) -> list[ServerRow]:
        """Servers of this scope that stand behind the gateway alone."""
        written = {one.name for one in self.written}
        return [
            ServerRow(
                name,
                "there",
                self.mode_of(name),
                "",
                self._mode_note(name),
                self._weight(name, counter),
            )
            for name, one in self.behind.items()
            if one.text and one.origin == self.errand.scope and name not in written
        ]

    def _weight(self, name: str, counter: TokenCounter) -> ServerWeight | None:
        kept = kept_catalogue(self.settings.data_dir, name)
        return weight_of(kept.catalogue, counter) if kept else None

    def mode_of(self, name: str) -> str:
        """How its tools are offered: as asked now, as asked before, as the settings say."""
        return self.errand.modes.get(name) or self._mode_before(name)

    def _mode_before(self, name: str) -> str:
        behind = self.behind.get(name)
        asked = behind.mode if behind else ""
        return asked or self.settings.gateway_settings().modes.get(name, "code")

    def _mode_note(self, name: str) -> str:
        """That one behind the gateway is to be offered in another way; '' where it is not."""
        before = self._mode_before(name)
        return "" if self.mode_of(name) == before else f"behind already, {before} until now"

    def _why_not(self, one: Written) -> str:
        names = self.errand.names
        if names and one.name not in names:
            return "not asked for"
        if is_gateway(one.definition):
            return "a gateway of tokens itself"
        if one.name in self.habits.switched_off and one.name not in names:
            return "switched off by you; --server takes it all the same"
        try:
            config = configs_from({"mcpServers": {one.name: one.definition}})[0]
        except ConfigRefused as wrong:
            return str(wrong)
        return without_name(one.name, config.trouble)

    # ── what is to be done ─────────────────────────────────────────────────────────────────────

    def record_with(self, took: Sequence[Written]) -> Record:
        """The record with what is taken now, and the modes that are asked for."""
        stays_there = self.errand.scope == PROJECT and not self.errand.is_shared
        new = [
            TakenServer(
                one.name,
                one.origin,
                self.errand.modes.get(one.name, ""),
                "" if stays_there else one.text,
            )
            for one in took
        ]
        names = {one.name for one in new}
        old = [
            one._replace(mode=self.errand.modes.get(one.name, one.mode))
            for one in self.before.servers
            if one.name not in names
        ]
        return Record(self.project, (*old, *new))

    def wired(self, took: Sequence[Written]) -> tuple[tuple[Step, ...], tuple[bytes, ...]]:
        """The steps, and the definitions that they name by hash."""
        if self.errand.scope == PROJECT and self.errand.is_shared:
            return self._shared_steps(took), ()
        steps: list[Step] = []
        kept: list[bytes] = []
        if self.errand.scope == PROJECT:
            off = self.habits.switched_off  # those behind may have been switched on again since
            names = [n for n, one in self.behind.items() if one.origin == PROJECT and n not in off]
            names += [one.name for one in took]
            edits = [SettingEdit(("disabledMcpjsonServers",), n, is_member=True) for n in names]
            steps += self._settings_step(edits)
        steps += self._entry_steps(kept)
        for one in took if self.errand.scope != PROJECT else ():
            steps.append(self._client_step(one.name, one.text.encode(), "remove", kept))
        if any(isinstance(step, ClientServer) for step in steps) and self.client is None:
            raise Refused(
                "there is no claude on the PATH, and only it may add the gateway to your servers;"
                " install it, or let --shared write the project's .mcp.json"
            )
        return tuple(steps), tuple(kept)

    def _shared_steps(self, took: Sequence[Written]) -> tuple[Step, ...]:
        gone = [SettingEdit(("mcpServers", one.name), None, False, is_gone=True) for one in took]
        entry = SettingEdit(("mcpServers", NAME), shared_entry(), is_member=False)  # type: ignore[arg-type]
        text, path = project_text(self.project) or "", project_file(self.project)
        edits = (*gone, entry)
        try:
            is_due = edited(text, edits) != text
        except (ValueError, NotEditable) as wrong:
            raise Refused(f"{quoted(path)} cannot be changed safely: {wrong}") from wrong
        steps: list[Step] = [EditSettings(path, edits)] if is_due else []
        if NAME not in self.habits.approved and not self.habits.approves_all:
            approval = SettingEdit(("enabledMcpjsonServers",), NAME, is_member=True)
            steps += self._settings_step([approval])
        return tuple(steps)

    def _settings_step(self, edits: Sequence[SettingEdit]) -> list[Step]:
        """An edit of the person's settings in the project, where it changes anything."""
        path = local_settings(self.project)
        found = Rooted([self.project]).read(path)
        try:
            text = found.content.decode() if found else ""
            is_due = bool(edits) and edited(text, edits) != text
        except (ValueError, NotEditable) as wrong:
            raise Refused(f"{quoted(path)} cannot be changed safely: {wrong}") from wrong
        return [EditSettings(path, tuple(edits))] if is_due else []

    def _entry_steps(self, kept: list[bytes]) -> list[Step]:
        """The gateway among the client's servers; one of another place or version is replaced."""
        import json

        wanted = own_entry(self.settings, self.client.version if self.client else "")
        there = own_servers(self._state(), self._entry_scope, self._folder).get(NAME)
        if there == wanted:
            return []
        steps: list[Step] = []
        if there is not None:
            steps.append(self._client_step(NAME, json.dumps(there).encode(), "remove", kept))
        return [*steps, self._client_step(NAME, json.dumps(wanted).encode(), "add", kept)]

    def _client_step(
        self, name: str, definition: bytes, change: str, kept: list[bytes]
    ) -> ClientServer:
        from hashlib import sha256

        kept.append(definition)
        return ClientServer(
            self._folder, self._entry_scope, name, sha256(definition).hexdigest(), change
        )

    @property
    def _entry_scope(self) -> str:
        return USER if self.errand.scope == USER else LOCAL

    @property
    def _folder(self) -> str:
        return self.project or os.path.realpath(self.settings.home_dir)

    def _state(self) -> str:
        return state_path(self.settings)
