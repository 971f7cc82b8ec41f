"""The record of what is behind the gateway: written, put back, and without what was taken back."""

from __future__ import annotations

import os

from tokenbudget.gateway.mcp.taken import (
    Record,
    read_record,
    record_in,
    record_path,
    record_text,
    user_path,
)
from tokenbudget.model.actions import ClientServer, EditSettings, GatewayRecord, Outcome
from tokenbudget.resources.steps import RecordHands
from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.kept import Kept
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, Step

INSTALL, UNINSTALL = "tokens gateway install", "tokens gateway uninstall"
"""Causes of actions."""


def path_of(data_dir: str, project: str) -> str:
    """The record of a project; of the person's own servers for ''."""
    return record_path(data_dir, project) if project else user_path(data_dir)


def write_record(path: str, record: Record) -> None:
    """Write it, for its owner's eyes alone. Raises OSError."""
    make_private(os.path.dirname(path))
    write_atomic(path, record_text(record).encode())


def put_back(path: str, before: Record | None) -> None:
    """Have the record as it was. Raises OSError."""
    if before is not None and before.servers:
        write_record(path, before)
    elif os.path.lexists(path):
        os.unlink(path)


def forget(data_dir: str, action: ActionRecord, ledger: Ledger) -> None:
    """After an installation was taken back: its servers are the client's again.

    What was given back of it since is so for good: taken back as well, it would take those servers
    from the client while no gateway stands for them. Where the record cannot be written it stays,
    and the gateway serves what the client has too.
    """
    if action.cause != INSTALL:
        return
    for later in ledger.journal.actions(-1, action.project):
        if later.id > action.id and later.project == action.project and gives(later):
            ledger.journal.note_undone(later.id)
    path = path_of(data_dir, action.project)
    record = read_record(path)
    if record is None:
        return
    gone = {name for one in action.steps for name in names_taken(one.step)}
    left = tuple(one for one in record.servers if one.name not in gone)
    try:
        put_back(path, record._replace(servers=left))
    except OSError:
        return


def gives(action: ActionRecord) -> GatewayRecord | None:
    """What an action gave back of what is behind the gateway, and stands; None: it did not."""
    if action.undoes is not None or action.undone_at_ms is not None:
        return None
    return next((one.step for one in action.steps if isinstance(one.step, GatewayRecord)), None)


class RecordChanges:
    """Does and undoes `GatewayRecord` steps: no other server of the record is touched."""

    def __init__(self, data_dir: str) -> None:
        self._data_dir = data_dir
        self._kept = Kept(data_dir)

    def hands(self) -> RecordHands:
        """For a `Workshop`."""
        return RecordHands(self._apply, self._verify, self._look, self._foresee, self._revert)

    def _apply(self, step: GatewayRecord) -> Outcome:
        now = self._now(step)
        left = tuple(one for one in now.servers if one.name not in step.servers)
        put_back(self._path(step), now._replace(servers=left))
        return Outcome("done", "")

    def _verify(self, step: GatewayRecord, outcome: Outcome) -> str:
        there = {one.name for one in self._now(step).servers} & set(step.servers)
        return "the gateway's record still has what was given back" if there else ""

    def _look(self, step: GatewayRecord, outcome: Outcome) -> Outcome:
        return outcome._replace(state="unchanged" if self._verify(step, outcome) else "done")

    def _foresee(self, step: GatewayRecord, outcome: Outcome) -> Outcome:
        return Outcome("undone", "")

    def _revert(self, step: GatewayRecord, outcome: Outcome) -> Outcome:
        """Behind the gateway again; one that was taken anew since is as it was taken then."""
        now, before = self._now(step), record_in(self._kept.get(step.kept).decode())
        known = before.servers if before else ()
        there = {one.name for one in now.servers}
        back = [one for one in known if one.name in step.servers and one.name not in there]
        order = {one.name: at for at, one in enumerate(known)}
        servers = sorted((*now.servers, *back), key=lambda one: order.get(one.name, len(order)))
        write_record(self._path(step), now._replace(servers=tuple(servers)))
        return Outcome("undone", "")

    def _path(self, step: GatewayRecord) -> str:
        return path_of(self._data_dir, step.folder)

    def _now(self, step: GatewayRecord) -> Record:
        return read_record(self._path(step)) or Record(step.folder, ())


def names_taken(step: Step) -> Iterator[str]:
    """The servers that a step took away from the client."""
    if isinstance(step, ClientServer) and step.change == "remove":
        yield step.server
    for edit in step.edits if isinstance(step, EditSettings) else ():
        if edit.is_gone:
            yield edit.keys[-1]
        elif edit.keys == ("disabledMcpjsonServers",) and isinstance(edit.value, str):
            yield edit.value
