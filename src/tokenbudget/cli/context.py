"""`tokens context`: what fills the window of a session."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.statusline import take_reports
from tokenbudget.app.windows import window_of
from tokenbudget.cli.choice import session_meant
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.cli.terminal import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.cli.options import Parser


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    told = terminal()
    with open_workbench(
        settings(), told, zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        facts = session_meant(bench, options)
        take_reports(bench)
        window = window_of(bench, facts.session, options.agent, told)
        zone, home = bench.zone, bench.settings.home_dir
    from tokenbudget.reports.context import context_document, context_lines

    if options.json:
        show([context_document(window, facts, zone)])
    else:
        out = style(options.no_color)
        show(context_lines(window, facts, out, zone, home, options.all))
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("context", "What fills the window of a session now, component by component.")
    add_session(made)
    made.add_argument("--all", action="store_true", help="every item, not the largest alone")
    return made.parse_args(arguments)


def add_session(made: Parser) -> None:
    """The argument that names a session, and the option that names a subagent in it."""
    made.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="id, or its beginning; 'last' (else: the last one of this directory)",
    )
    made.add_argument(
        "--agent", default="", metavar="ID", help="the window of this subagent of the session"
    )
