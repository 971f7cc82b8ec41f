"""Carry out what `tokens gateway install` planned, and take it back: through the journal.

All of it or nothing: servers that are switched off while no gateway stands for them would be lost,
so where a step fails those before it are taken back at once.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app.gateway_carrying import (
    carried_out,
    faults_of,
    messages_of,
    only_gateway,
    project_here,
)
from tokenbudget.app.gateway_giving import is_untouched
from tokenbudget.app.gateway_installing import plan_of
from tokenbudget.app.gateway_journal import live_actions, taken_by
from tokenbudget.app.gateway_leftovers import has_entry, not_back, steps_left
from tokenbudget.app.gateway_record import (
    INSTALL,
    UNINSTALL,
    gives,
    path_of,
    put_back,
    write_record,
)
from tokenbudget.app.installing_journal import settle
from tokenbudget.app.undoing import StepUndone, undo, workshop_for
from tokenbudget.gateway.mcp.taken import USER, Record, read_record
from tokenbudget.model.errors import Refused
from tokenbudget.system.kept import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app.gateway_plan import GatewayPlan
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.protocols import Clock, TokenCounter


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
    left: tuple[str, ...] = ()
    """The servers that stay behind the gateway."""
    action: int | None = None
    """Its ID for `tokens undo`; None where the whole was taken back, or nothing was changed."""


def installed(
    settings: Settings, ledger: Ledger, clock: Clock, plan: GatewayPlan, counter: TokenCounter
) -> GatewayDone:
    """Do what the plan says.

    Raises:
        LedgerUnusable: the journal cannot be written.
        Refused: it is not any more as it was shown, or another command is changing files.
        ProjectUnusable: the data folder cannot be written; nothing was changed.
    """
    with only_gateway(settings, clock):
        fresh = plan_of(settings, plan.errand, counter)
        if (fresh.record, fresh.steps) != (plan.record, plan.steps):
            raise Refused("the servers were changed since they were shown; look at the plan again")
        return _installed(settings, ledger, clock, plan)


def _installed(settings: Settings, ledger: Ledger, clock: Clock, plan: GatewayPlan) -> GatewayDone:
    before, live = read_record(plan.record_path), len(live_actions(ledger, plan.project))
    kept = Kept(settings.data_dir)
    for definition in plan.definitions:
        kept.put(definition)
    write_record(plan.record_path, plan.record)  # first: what is taken away is then safe
    if not plan.steps:
        return GatewayDone(None, ())
    try:
        steps = (INSTALL, plan.steps, plan.freed)
        record = carried_out(settings, ledger, clock, plan.project, *steps)
    except BaseException:
        if len(live_actions(ledger, plan.project)) == live:  # nothing was done yet
            put_back(plan.record_path, before)
        raise
    faults = tuple(faults_of(record))
    if not faults:
        return GatewayDone(record, (), tuple(messages_of(record)))
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
    with only_gateway(settings, clock):
        return _given_back(settings, ledger, clock, "" if scope == USER else project_here(settings))


def _given_back(settings: Settings, ledger: Ledger, clock: Clock, project: str) -> GivenBack | None:
    path = path_of(settings.data_dir, project)
    record = read_record(path) or Record(project, ())
    live = live_actions(ledger, project)
    if not record.servers and not live and not has_entry(settings, project):
        return None
    notes: list[str] = []
    stays: list[tuple[ActionRecord, StepUndone]] = []
    for number, action in enumerate(live):
        if gives(action) is not None:
            _close_giving(settings, ledger, clock, action, taken_by(live[number:]))
            continue
        workshop = workshop_for(settings, action, clock)
        undone = undo(ledger, workshop, action, settings.data_dir, clock)
        notes += [one.outcome.message for one in undone.steps if one.outcome.message]
        stays += [(undone.action, one) for one in undone.left]
    is_known = bool(live) and all(one.outcome.state != "failed" for _, one in stays)
    steps = tuple(steps_left(settings, record, project, is_journalled=is_known))
    faults: list[str] = []
    if steps:
        done = carried_out(settings, ledger, clock, project, UNINSTALL, steps)
        faults += faults_of(done)
        notes += messages_of(done)
    faults += not_back(settings, record)
    if not faults:
        put_back(path, None)
        for action, one in stays:  # somebody else's edit stands there, and stays
            settle(ledger, action, one)
    names = tuple(one.name for one in record.servers)
    told = dict.fromkeys(note for note in notes if note not in faults)
    return GivenBack(project, names, tuple(dict.fromkeys(faults)), tuple(told))


def _close_giving(
    settings: Settings, ledger: Ledger, clock: Clock, action: ActionRecord, taken: set[str]
) -> None:
    """A server that was given back alone is so for good; its files as before, for what is older.

    Only where nobody has written since, and older actions, which took it (`taken`), give it back
    themselves: what else there is they tell apart.
    """
    given = gives(action)
    if given is not None and taken.issuperset(given.servers):
        workshop = workshop_for(settings, action, clock)
        undo(
            *(ledger, workshop, action, settings.data_dir, clock),
            only=lambda one: is_untouched(settings, action.project, one.step),
        )
    for one in action.steps:
        settle(ledger, action, StepUndone(one, one.outcome))


# ── what is there ────────────────────────────────────────────────────────────────────────────────


def behind(settings: Settings, scope: str) -> tuple[str, ...] | None:
    """The servers behind the gateway in a scope; None where nothing of ours is there."""
    project = "" if scope == USER else project_here(settings)
    record = read_record(path_of(settings.data_dir, project))
    if record is None and not has_entry(settings, project):
        return None
    return tuple(one.name for one in record.servers) if record else ()
