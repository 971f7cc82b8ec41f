"""`tokens refresh-statusline SESSION`: started by the status line where its figures are old."""

from __future__ import annotations

from tokenbudget.app import Terminal
from tokenbudget.app.alert_steps import AlertsAfter
from tokenbudget.app.spilling import prune_spill_when_due
from tokenbudget.app.statusline import refresh
from tokenbudget.cli.options import settings, show
from tokenbudget.model.errors import BadRequest
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.process import be_polite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """\
usage: tokens refresh-statusline SESSION

Brings the figures of one session up to date that the status line shows. The status line starts
this by itself; it prints nothing.\
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out, silently: nobody looks at what it says."""
    if list(arguments) in (["--help"], ["-h"]):
        show(HELP.splitlines())
        return 0
    if len(arguments) != 1:
        raise BadRequest("refresh-statusline takes the id of one session")
    [session] = arguments
    if session.startswith("-"):
        raise BadRequest(
            f"'{session}' is no session: an id does not begin with '-';"
            " tokens sessions lists those that there are"
        )
    be_polite()
    silent = Terminal(warn=lambda text: None, progress=lambda done, total: None)
    after = AlertsAfter(session)
    found = settings(is_silent=True)
    refresh(found, silent, session, after)
    after.wake()
    prune_spill_when_due(found, SystemClock())
    return 0
