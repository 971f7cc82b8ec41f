"""Carry out what giving single servers back comes to, all of it or nothing."""

from __future__ import annotations

from tokenbudget.app.gateway_carrying import (
    carried_out,
    faults_of,
    messages_of,
    only_gateway,
    project_here,
)
from tokenbudget.app.gateway_giving import giving_of, giving_steps
from tokenbudget.app.gateway_installing_done import GivenBack
from tokenbudget.app.gateway_journal import live_actions
from tokenbudget.app.gateway_record import UNINSTALL
from tokenbudget.app.undoing import undo, workshop_for
from tokenbudget.model.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_giving import Giving
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import Clock


def leaving(settings: Settings, scope: str, names: Sequence[str]) -> Giving:
    """What giving these servers back comes to; '' looks for them here, then among the person's own.

    Raises:
        BadRequest: one of them is not behind the gateway there.
    """
    return giving_of(settings, project_here(settings), scope, names)


def given_back_alone(
    settings: Settings, ledger: Ledger, clock: Clock, giving: Giving, scope: str
) -> GivenBack:
    """Give single servers back to the client; with the last one the gateway goes, too.

    All of it or nothing: where a step fails those before it are taken back at once.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing more was changed.
        Refused: it is not any more as it was shown, or another command is changing files.
        BadRequest: one of them is not behind the gateway any more.
    """
    project = giving.project
    with only_gateway(settings, clock):
        if giving_of(settings, project_here(settings), scope, giving.names) != giving:
            raise Refused("the servers were changed since they were shown; look at them again")
        steps = giving_steps(settings, live_actions(ledger, project), giving)
        done = carried_out(settings, ledger, clock, project, UNINSTALL, steps)
        faults = tuple(faults_of(done))
        if faults:
            workshop = workshop_for(settings, done, clock)
            undone = undo(ledger, workshop, done, settings.data_dir, clock)
            stays = tuple(one.outcome.message for one in undone.left)
            return GivenBack(project, giving.names, (*faults, *stays), ())
    notes = tuple(dict.fromkeys(messages_of(done)))
    return GivenBack(project, giving.names, (), notes, giving.left, done.id)
