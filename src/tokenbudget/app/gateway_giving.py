"""Give single servers back to the client, while the others stay behind the gateway.

What a file would be had we taken only the others is worked out from what it was before us, so that
every byte of it is as it was; where somebody has edited since, their edit is in it. The journal's
step says it by hashes alone, and `tokens undo` takes it back.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.app.gateway_journal import may_have_written, text_before_us
from tokenbudget.app.gateway_leftovers import with_servers, without_entry, without_members
from tokenbudget.app.gateway_place import (
    NAME,
    local_settings,
    project_file,
    servers_in,
    shared_entry,
    state_path,
)
from tokenbudget.app.gateway_record import path_of
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.config.values import meant
from tokenbudget.gateway.mcp.taken import (
    LOCAL,
    PROJECT,
    USER,
    Record,
    is_gateway,
    read_record,
    record_text,
)
from tokenbudget.model.actions import ClientServer, GatewayRecord, RestoreText, SettingEdit
from tokenbudget.model.errors import BadRequest, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.client_servers import own_servers
from tokenbudget.resources.settings import BOM, edited
from tokenbudget.system.kept import Kept
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import ActionRecord, Step

OFF, APPROVED = "disabledMcpjsonServers", "enabledMcpjsonServers"
MOST_NAMED = 20


class Giving(NamedTuple):
    """What is given back of a project, or of a person's own servers (`project` is '')."""

    project: str
    names: tuple[str, ...]
    left: tuple[str, ...]
    """The servers that stay behind the gateway; with none it goes, too."""


def giving_of(settings: Settings, project: str, scope: str, names: Sequence[str]) -> Giving:
    """What giving these servers back comes to; without a scope they are looked for in both.

    Raises:
        BadRequest: one of them is not behind the gateway there.
    """
    places = {PROJECT: project, USER: ""}
    behind = {one: _behind(settings, places[one]) for one in places}
    wanted = scope or PROJECT
    if not scope and set(names) <= set(behind[USER]) - set(behind[PROJECT]):
        wanted = USER
    there = behind[wanted]
    for name in names:
        if name not in there:
            raise BadRequest(_unknown(name, there, wanted, behind))
    left = tuple(name for name in there if name not in names)
    return Giving(places[wanted], tuple(name for name in there if name in names), left)


def _behind(settings: Settings, project: str) -> tuple[str, ...]:
    record = read_record(path_of(settings.data_dir, project))
    return tuple(one.name for one in record.servers) if record else ()


def _unknown(
    name: str, there: Sequence[str], scope: str, behind: dict[str, tuple[str, ...]]
) -> str:
    shown = [one_line(one)[:40] for one in there[:MOST_NAMED]]
    more = f" and {len(there) - len(shown)} more" if len(there) > len(shown) else ""
    known = f"there are {', '.join(shown)}{more}" if shown else "there is none"
    other = USER if scope == PROJECT else PROJECT
    hint = f"; it is with --scope {other}" if name in behind[other] else meant(name, there)
    return f"no server {quoted(name)} is behind the gateway here{hint}; {known}"


def giving_steps(
    settings: Settings, ledger_actions: Sequence[ActionRecord], giving: Giving
) -> list[Step]:
    """The steps: the client has the servers first, then the record loses them.

    Raises:
        Refused, SourceUnreadable: a file cannot be changed safely.
        ProjectUnusable: what is taken out of a file cannot be kept.
    """
    work = _Work(settings, ledger_actions, giving)
    steps: list[Step] = [*work.client_steps("add")]
    if giving.project:
        steps += [*work.shared_step(), *work.settings_step()]
    return [*steps, *work.client_steps("remove"), work.record_step()]


class _Work:
    """What is there, and what it is to be."""

    def __init__(self, settings: Settings, actions: Sequence[ActionRecord], giving: Giving) -> None:
        self._settings, self._actions, self._giving = settings, actions, giving
        self._kept = Kept(settings.data_dir)
        project = giving.project
        self._record = read_record(path_of(settings.data_dir, project)) or Record(project, ())
        self._given = [one for one in self._record.servers if one.name in giving.names]
        self._left = [one for one in self._record.servers if one.name in giving.left]
        self._scope = LOCAL if project else USER
        self._folder = project or os.path.realpath(settings.home_dir)
        self._own = own_servers(state_path(settings), self._scope, self._folder)

    def client_steps(self, change: str) -> Iterator[Step]:
        """The person's own servers come back; with the last one our entry goes."""
        if change == "add":
            for one in self._given:
                if one.origin != PROJECT and one.name not in self._own:
                    yield self._client_step(one.name, one.text, change)
            return
        entry = self._own.get(NAME)
        if not self._left and is_gateway(entry):
            yield self._client_step(NAME, json.dumps(entry), change)

    def _client_step(self, name: str, definition: str, change: str) -> Step:
        sha256 = self._kept.put(definition.encode())
        return ClientServer(self._folder, self._scope, name, sha256, change)

    def record_step(self) -> Step:
        """The record loses them."""
        sha256 = self._kept.put(record_text(self._record).encode())
        names = tuple(one.name for one in self._given)
        change = "some" if self._left else "all"
        return GatewayRecord(self._giving.project, sha256, names, change)

    # ── files of the project ───────────────────────────────────────────────────────────────────

    def shared_step(self) -> Iterator[Step]:
        """`.mcp.json`: of servers that still stand there nothing is to be done."""
        path = project_file(self._giving.project)
        is_ours = any(one.origin == PROJECT and one.text for one in self._record.servers)
        if not is_ours:
            return
        now = self._read(path)
        there = {one.name: one.definition for one in servers_in(now or "", path)}
        edits = [
            SettingEdit(("mcpServers", one.name), None, False, is_gone=True)
            for one in self._left
            if one.origin == PROJECT and one.text and one.name not in there
        ]
        if self._left and is_gateway(there.get(NAME)):
            edits.append(SettingEdit(("mcpServers", NAME), shared_entry(), is_member=False))  # type: ignore[arg-type]
        after, folders, _ = self._with_only(path, now, edits)
        after = with_servers(after or "", self._given, path)
        if not self._left:
            after = without_entry(after, path)
        yield from self._file_step(path, now, after, folders)

    def settings_step(self) -> Iterator[Step]:
        """`settings.local.json`: those given back are no longer switched off by us."""
        path = local_settings(self._giving.project)
        now = self._read(path)
        if any(one.origin == PROJECT and not one.text for one in self._given):
            _refuse_damage(now, path)  # mended later, it would still switch them off
        off = _members(now, OFF)
        names = [o.name for o in self._left if o.origin == PROJECT and not o.text and o.name in off]
        edits = [SettingEdit((OFF,), name, is_member=True) for name in names]
        if any(one.origin == PROJECT and one.text for one in self._left):
            is_approved = NAME in _members(now, APPROVED)
            edits += [SettingEdit((APPROVED,), NAME, is_member=True)] if is_approved else []
        after, folders, is_known = self._with_only(path, now, edits)
        if after and not is_known and may_have_written(self._actions, path):
            ours = {one.name for one in self._given if one.origin == PROJECT and not one.text}
            after = without_members(after, OFF, ours, path)
            after = after if self._left else without_members(after, APPROVED, {NAME}, path)
        yield from self._file_step(path, now, after, folders)

    def _with_only(
        self, path: str, now: str | None, edits: Sequence[SettingEdit]
    ) -> tuple[str | None, int, bool]:
        """A file as it would be had we made these edits alone; as it is where nobody can tell.

        With it the folders that were made for the file, and whether it could be told.
        """
        known = text_before_us(self._actions, path, now, self._kept)
        if known is None:
            return now, 0, False
        before, folders = known
        try:
            return (edited(before or "", edits) if edits else before), folders, True
        except (ValueError, NotEditable) as wrong:
            raise Refused(f"{quoted(path)} cannot be changed safely: {wrong}") from wrong

    def _file_step(
        self, path: str, now: str | None, after: str | None, folders: int
    ) -> Iterator[Step]:
        if after != now:
            old, new = (None if t is None else self._kept.put(t.encode()) for t in (now, after))
            yield RestoreText(path, old, new, folders if after is None else 0)

    def _read(self, path: str) -> str | None:
        found = Rooted([self._giving.project]).read(path)
        try:
            return None if found is None else found.content.decode()
        except UnicodeDecodeError as wrong:
            raise Refused(f"{quoted(path)} is no UTF-8 text; change it by hand") from wrong


def is_untouched(settings: Settings, project: str, step: Step) -> bool:
    """Whether a file is to the byte as a step that gave servers back left it."""
    if not isinstance(step, RestoreText) or step.new is None:
        return False
    found = Rooted([project]).read(step.path)
    return found is not None and found.content == Kept(settings.data_dir).get(step.new)


def _refuse_damage(text: str | None, path: str) -> None:
    plain = (text or "").removeprefix(BOM)
    try:
        if not is_blank(plain) and scanned(plain).kind != "{":
            raise ValueError("it is no object")
    except ValueError as wrong:
        raise Refused(f"{quoted(path)} cannot be changed safely: {wrong}") from wrong


def _members(text: str | None, key: str) -> list[object]:
    """A list at the top of a settings file; empty where there is none, or it cannot be read."""
    plain = (text or "").removeprefix(BOM)
    try:
        item = None if is_blank(plain) else last(scanned(plain), key)
    except ValueError:
        return []
    value = item.node.value if item is not None else None
    return [*value] if isinstance(value, list) else []
