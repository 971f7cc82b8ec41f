"""The record of what is behind the gateway: written, put back, and without what was taken back."""

from __future__ import annotations

import os

from tokenbudget.gateway.mcp.taken import read_record, record_path, record_text, user_path
from tokenbudget.model.actions import ClientServer, EditSettings
from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.gateway.mcp.taken import Record
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


def forget(data_dir: str, action: ActionRecord) -> None:
    """After an installation was taken back: its servers are the client's again.

    Where the record cannot be written it stays, and the gateway serves what the client has too.
    """
    if action.cause != INSTALL:
        return
    path = path_of(data_dir, action.project)
    record = read_record(path)
    if record is None:
        return
    gone = {name for one in action.steps for name in _taken_by(one.step)}
    left = tuple(one for one in record.servers if one.name not in gone)
    try:
        put_back(path, record._replace(servers=left))
    except OSError:
        return


def _taken_by(step: Step) -> Iterator[str]:
    """The servers that a step took away from the client."""
    if isinstance(step, ClientServer) and step.change == "remove":
        yield step.server
    for edit in step.edits if isinstance(step, EditSettings) else ():
        if edit.is_gone:
            yield edit.keys[-1]
        elif edit.keys == ("disabledMcpjsonServers",) and isinstance(edit.value, str):
            yield edit.value
