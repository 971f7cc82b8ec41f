"""Carry out what `tokens gateway install` planned, and take it back: through the journal.

All of it or nothing: servers that are switched off while no gateway stands for them would be lost,
so where a step fails those before it are taken back at once.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.gateway_installing import plan_of
from tokenbudget.app.gateway_leftovers import has_entry, not_back, steps_left
from tokenbudget.app.gateway_place import client_of
from tokenbudget.app.gateway_record import INSTALL, UNINSTALL, path_of, put_back, write_record
from tokenbudget.app.installing_journal import settle
from tokenbudget.app.journal import carry_out
from tokenbudget.app.undoing import LEFT, undo, workshop_for
from tokenbudget.gateway.mcp.taken import FOLDER, USER, Record, read_record
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

    from tokenbudget.app.gateway_plan import GatewayPlan
    from tokenbudget.app.undoing import StepUndone
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, Step, Weight
    from tokenbudget.model.protocols import Clock, TokenCounter

LOCK_NAME = "install.lock"
LOCK_SECONDS = 10.0


class GatewayDone(NamedTuple):
    """What came of it."""

    record: ActionRecord | None
    """None where no file of the agent had to be changed."""
    faults: tuple[str, ...]
    """With any, everything is as it was before."""
    notes: tuple[str, ...] = ()


class GivenBack(NamedTuple):
    """What came of taking the gateway out of a project, or of a person's own servers."""

    project: str
    names: tuple[str, ...]
    """The servers that are the client's again."""
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def installed(
    settings: Settings, ledger: Ledger, clock: Clock, plan: GatewayPlan, counter: TokenCounter
) -> GatewayDone:
    """Do what the plan says.

    Raises:
        LedgerUnusable: the journal cannot be written.
        Refused: it is not any more as it was shown, or another command is changing files.
        ProjectUnusable: the data folder cannot be written; nothing was changed.
    """
    with _alone(settings, clock):
        fresh = plan_of(settings, plan.errand, counter)
        if (fresh.record, fresh.steps) != (plan.record, plan.steps):
            raise Refused("the servers were changed since they were shown; look at the plan again")
        return _installed(settings, ledger, clock, plan)


def _installed(settings: Settings, ledger: Ledger, clock: Clock, plan: GatewayPlan) -> GatewayDone:
    before, live = read_record(plan.record_path), len(_live(ledger, plan.project))
    kept = Kept(settings.data_dir)
    for definition in plan.definitions:
        kept.put(definition)
    write_record(plan.record_path, plan.record)  # first: what is taken away is then safe
    if not plan.steps:
        return GatewayDone(None, ())
    try:
        steps = (INSTALL, plan.steps, plan.freed)
        record = _carried_out(settings, ledger, clock, plan.project, *steps)
    except BaseException:
        if len(_live(ledger, plan.project)) == live:  # nothing was done yet
            put_back(plan.record_path, before)
        raise
    faults = tuple(_faults(record))
    if not faults:
        return GatewayDone(record, (), tuple(_messages(record)))
    workshop = workshop_for(settings, record, clock)
    undone = undo(ledger, workshop, record, settings.data_dir, clock)
    stays = tuple(one.outcome.message for one in undone.left)
    if not stays:
        put_back(plan.record_path, before)
    return GatewayDone(record, (*faults, *stays))


def given_back(settings: Settings, ledger: Ledger, clock: Clock, scope: str) -> GivenBack | None:
    """Give every server of a scope back to the client; None where there is nothing of ours.

    First what the journal has, which gives the very bytes of before where nobody has written
    since; then what is still behind the gateway, from the record.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing more was changed.
        Refused: another command is changing files.
    """
    with _alone(settings, clock):
        return _given_back(settings, ledger, clock, "" if scope == USER else _project(settings))


def _given_back(settings: Settings, ledger: Ledger, clock: Clock, project: str) -> GivenBack | None:
    path = path_of(settings.data_dir, project)
    record = read_record(path) or Record(project, ())
    live = _live(ledger, project)
    if not record.servers and not live and not has_entry(settings, project):
        return None
    notes: list[str] = []
    stays: list[tuple[ActionRecord, StepUndone]] = []
    for action in live:
        workshop = workshop_for(settings, action, clock)
        undone = undo(ledger, workshop, action, settings.data_dir, clock)
        notes += [one.outcome.message for one in undone.steps if one.outcome.message]
        stays += [(undone.action, one) for one in undone.left]
    steps = tuple(steps_left(settings, record, project, is_journalled=bool(live)))
    faults: list[str] = []
    if steps:
        done = _carried_out(settings, ledger, clock, project, UNINSTALL, steps)
        faults += _faults(done)
        notes += _messages(done)
    faults += not_back(settings, record)
    if not faults:
        put_back(path, None)
        for action, one in stays:  # somebody else's edit stands there, and stays
            settle(ledger, action, one)
    names = tuple(one.name for one in record.servers)
    told = dict.fromkeys(note for note in notes if note not in faults)
    return GivenBack(project, names, tuple(dict.fromkeys(faults)), tuple(told))


# ── the journal ──────────────────────────────────────────────────────────────────────────────────


def _carried_out(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    project: str,
    cause: str,
    steps: Sequence[Step],
    freed: Weight = NEVER_SENT,
) -> ActionRecord:
    kept = Kept(settings.data_dir)
    workshop = Workshop(
        Trash(settings.data_dir, clock),
        kept,
        [project],
        clock,
        client=ClientServers(client_of(settings), kept).hands(),
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


def _live(ledger: Ledger, project: str) -> list[ActionRecord]:
    """Installations in place here, the latest first."""
    return [
        action
        for action in ledger.journal.actions(-1)
        if action.cause == INSTALL
        and action.project == project
        and action.undoes is None
        and action.undone_at_ms is None
        and any(one.outcome.state in LEFT for one in action.steps)
    ]


def _faults(record: ActionRecord) -> Iterator[str]:
    for one in record.steps:
        if one.outcome.state not in ("done", "unchanged"):
            yield one.outcome.message or f"step {one.number} is {one.outcome.state}"


def _messages(record: ActionRecord) -> Iterator[str]:
    for one in record.steps:
        if one.outcome.state == "done" and one.outcome.message:
            yield one.outcome.message


@contextlib.contextmanager
def _alone(settings: Settings, clock: Clock) -> Iterator[None]:
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


# ── what is there ────────────────────────────────────────────────────────────────────────────────


def behind(settings: Settings, scope: str) -> tuple[str, ...] | None:
    """The servers behind the gateway in a scope; None where nothing of ours is there."""
    project = "" if scope == USER else _project(settings)
    record = read_record(path_of(settings.data_dir, project))
    if record is None and not has_entry(settings, project):
        return None
    return tuple(one.name for one in record.servers) if record else ()


def _project(settings: Settings) -> str:
    from tokenbudget.app.compacting_place import project_meant

    return os.path.realpath(project_meant(settings, None))
