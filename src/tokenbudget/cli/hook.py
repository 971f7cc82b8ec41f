"""`tokens hook`: answer one hook; what a plugin's wrapper calls.

Installed hooks call `gateway.hook_client` themselves, which starts faster.
"""

from __future__ import annotations

import contextlib
import sys

from tokenbudget.config.settings import places_from, process_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """\
usage: tokens hook [--print-command]

Answers one hook of the agent: its JSON on standard input, one JSON object or nothing on standard
output. Whatever happens it ends with exit code 0 and says nothing else.

  --print-command   print the command that does the same and starts faster\
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out; a hook is never told that something is wrong."""
    home = places_from(process_environment()).data_dir
    if list(arguments) in (["--help"], ["-h"]):
        print(HELP)
        return 0
    if list(arguments) == ["--print-command"]:
        from tokenbudget.gateway.hook_files import hook_command

        print(hook_command(sys.executable, home))
        return 0
    from tokenbudget.gateway import hook_client
    from tokenbudget.gateway.hook_files import hook_command
    from tokenbudget.gateway.hook_record import record_hook_command

    with contextlib.suppress(OSError, ValueError):
        record_hook_command(home, hook_command(sys.executable, home))  # the next one starts faster
    sys.argv = ["hook", home, *arguments]
    hook_client.main()
    return 0
