"""Steps of the gateway carried out through the journal, by one command at a time."""

from __future__ import annotations

import contextlib
import os

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.gateway_place import client_of
from tokenbudget.app.gateway_record import RecordChanges
from tokenbudget.app.journal import carry_out
from tokenbudget.gateway.mcp.taken import FOLDER
from tokenbudget.model.actions import NEVER_SENT, Proposal
from tokenbudget.model.errors import ProjectUnusable, Refused
from tokenbudget.resources.client_servers import ClientServers
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.locks import FileLock
from tokenbudget.system.private_folder import make_private
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, Step, Weight
    from tokenbudget.model.protocols import Clock

LOCK_NAME = "install.lock"
LOCK_SECONDS = 10.0


def carried_out(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    project: str,
    cause: str,
    steps: Sequence[Step],
    freed: Weight = NEVER_SENT,
) -> ActionRecord:
    """Do the steps and write down how each went.

    Raises:
        LedgerUnusable: the journal cannot be written; no further step was begun.
        Refused: another command is changing files.
    """
    kept = Kept(settings.data_dir)
    workshop = Workshop(
        Trash(settings.data_dir, clock),
        kept,
        [project],
        clock,
        client=ClientServers(client_of(settings), kept).hands(),
        record=RecordChanges(settings.data_dir).hands(),
        cause=cause,
    )
    proposal = Proposal(
        id="gateway/servers",
        resource="mcp-servers",
        title="take MCP servers behind the gateway",
        reason="asked for",
        freed=freed,
        freed_bytes=0,
        effect="next start",
        is_chosen=True,
        steps=tuple(steps),
    )
    with acting_bench(settings, clock, ledger) as bench:
        return carry_out(bench, workshop, cause, project, [proposal])


def faults_of(record: ActionRecord) -> Iterator[str]:
    """Why steps were not done."""
    for one in record.steps:
        if one.outcome.state not in ("done", "unchanged"):
            yield one.outcome.message or f"step {one.number} is {one.outcome.state}"


def messages_of(record: ActionRecord) -> Iterator[str]:
    """What steps that were done have to say."""
    for one in record.steps:
        if one.outcome.state == "done" and one.outcome.message:
            yield one.outcome.message


@contextlib.contextmanager
def only_gateway(settings: Settings, clock: Clock) -> Iterator[None]:
    """Nobody else changes what is behind the gateway meanwhile.

    Raises:
        Refused: another command has been at it for too long.
        ProjectUnusable: the data folder cannot be written.
    """
    folder = os.path.join(settings.data_dir, FOLDER)
    lock = FileLock(os.path.join(folder, LOCK_NAME))
    started = clock.monotonic_seconds()
    try:
        make_private(folder)
        while not lock.try_acquire():
            if clock.monotonic_seconds() - started > LOCK_SECONDS:
                raise Refused("another tokens gateway command is at it; wait until it is done")
            clock.sleep(0.05)
    except OSError as wrong:
        raise ProjectUnusable(f"cannot use {quoted(lock.path)}: {wrong.strerror}") from wrong
    with lock:
        yield


def project_here(settings: Settings) -> str:
    """The project that is meant, by its real path. Raises as `project_meant`."""
    from tokenbudget.app.compacting_place import project_meant

    return os.path.realpath(project_meant(settings, None))
