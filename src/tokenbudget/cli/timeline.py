"""`tokens timeline`: what filled the window over the life of a session."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.windows import replay_of
from tokenbudget.cli.choice import session_meant
from tokenbudget.cli.context import add_session
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.cli.terminal import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser("timeline", "What filled the window over the life of a session, turn by turn.")
    add_session(made)
    made.add_argument("--all", action="store_true", help="every request, not the largest steps")
    options = made.parse_args(arguments)
    told = terminal()
    with open_workbench(
        settings(), told, zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        facts = session_meant(bench, options)
        window, replay = replay_of(bench, facts.session, options.agent, told)
        zone = bench.zone
        receipts = [] if options.agent else bench.ledger.control.receipts(facts.session)
    from tokenbudget.reports.timeline import timeline_document, timeline_lines

    moments = replay.moments
    if options.json:
        show([timeline_document(window, moments, facts, zone, receipts)])
    else:
        out = style(options.no_color)
        show(timeline_lines(window, moments, facts, out, zone, options.all, receipts))
    return 0
