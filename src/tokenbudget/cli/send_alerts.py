"""`tokens send-alerts`: started where an alert is to be sent, or to be looked at a second time."""

from __future__ import annotations

import signal

from tokenbudget.app.alert_sender import LONGEST_MS, send_until_done
from tokenbudget.cli.options import settings, show
from tokenbudget.model.errors import BadRequest
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.process import be_polite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SECONDS = LONGEST_MS // 1000 + 300
"""The kernel ends it then, whatever a receiver or a library has it wait for; what it had not yet
noted as sent is sent again."""

HELP = """\
usage: tokens send-alerts

Sends what alerts have to tell, and looks again at what has only just crossed a threshold. The
status line and the monitor start this by themselves; it prints nothing and ends by itself.\
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out, silently: nobody looks at what it says."""
    if list(arguments) in (["--help"], ["-h"]):
        show(HELP.splitlines())
        return 0
    if arguments:
        raise BadRequest("send-alerts takes no arguments")
    be_polite()
    signal.alarm(LONGEST_SECONDS)
    send_until_done(lambda: settings(is_silent=True), SystemClock())
    return 0
