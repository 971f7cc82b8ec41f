"""`tokens statusline`: one line for the agent's status bar."""

from __future__ import annotations

import sys

from tokenbudget.cli.options import parser, settings, show
from tokenbudget.model.errors import BadRequest, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.cli.options import Parser


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser(
        "statusline",
        "One line for the agent's status bar, from its JSON on standard input.",
        reads_sessions=False,
    )
    made.add_argument(
        "--print-command",
        action="store_true",
        help="print the command for statusLine in the agent's settings.json, which starts faster",
    )
    made.add_argument("--width", metavar="N", help="columns that there is room for")
    options = _understood(made, arguments)
    try:
        home = settings(is_silent=not options.print_command).data_dir
    except TokenBudgetError:
        if options.print_command:
            raise
        home = ""  # a setting is wrong: the line is shorter, and nothing more
    if options.print_command:
        from tokenbudget.gateway.statusline_files import statusline_command

        show([statusline_command(sys.executable, home)])
        return 0
    from tokenbudget.gateway import statusline

    flags = ["--width", options.width] if options.width else []
    sys.argv = ["statusline", home, *flags, *(["--plain"] if options.no_color else [])]
    statusline.main()
    return 0


def _understood(made: Parser, arguments: Sequence[str]) -> Namespace:
    """The options; the usual ones where an agent was told wrong ones: it wants a line, no error."""
    try:
        return made.parse_args(arguments)
    except BadRequest:
        if sys.stdin is None or sys.stdin.isatty() or "--print-command" in arguments:
            raise
        return made.parse_args([])
