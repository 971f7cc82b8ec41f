"""What the controller lent is given back before tokens is taken out of the agent.

Nobody may come afterwards to do it. So both steps are done here: the setting is emptied, a running
client is given the time to take that up, and then nothing of it is left (`resources.history`).
"""

from __future__ import annotations

import os

from tokenbudget.analysis.periods import Zone
from tokenbudget.app import Workbench
from tokenbudget.app.control_held import restore_steps
from tokenbudget.app.controlling_acts import Acts
from tokenbudget.app.controlling_closing import unclear
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model.control import HISTORY
from tokenbudget.resources.history import GIVE_BACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import Clock

TAKEN_UP_SECONDS = 3.0
"""A running client sees a changed settings file within two seconds."""


def projects_lent(settings: Settings, ledger: Ledger, clock: Clock) -> list[str]:
    """The projects in whose settings something stands that was lent, or may.

    Raises:
        LedgerUnusable, LedgerDamaged: nobody can tell.
    """
    bench = bench_of(settings, ledger, clock)
    return [
        project
        for project in ledger.control.pulled_in(HISTORY, 0)
        if os.path.isdir(project) and (restore_steps(bench, project) or unclear(project))
    ]


def all_given_back(
    settings: Settings, ledger: Ledger, clock: Clock, projects: Iterable[str]
) -> list[str]:
    """Have it given back in these projects; a sentence for each where it could not be.

    Raises:
        LedgerUnusable, LedgerDamaged: the journal cannot be read or written.
    """
    bench = bench_of(settings, ledger, clock)
    acts, faults, emptied = Acts(bench, restore_steps), [], []
    waits = False
    for project in projects:
        waits = waits or any(one.id == GIVE_BACK for one in restore_steps(bench, project))
        is_given, fault = acts.give_back_history(project)
        emptied += [project] if is_given else []
        faults += [] if is_given else [fault]
    if waits:
        clock.sleep(TAKEN_UP_SECONDS)
    return [one for one in (*faults, *map(acts.clear_up_history, emptied)) if one]


def bench_of(settings: Settings, ledger: Ledger, clock: Clock) -> Workbench:
    """A bench of which only settings, ledger and clock are asked for: neither prices nor times."""
    return Workbench(settings, ledger, PriceBook.bundled(), Zone(None, clock.now_ms()), clock)
