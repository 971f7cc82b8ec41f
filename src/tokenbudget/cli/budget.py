"""`tokens budget`: the window of a session against its plan."""

from __future__ import annotations

from tokenbudget.analysis.window_budget import window_budget
from tokenbudget.app import open_workbench
from tokenbudget.app.statusline import limit_reports, take_reports
from tokenbudget.app.windows import limits_of, shares_of, window_of
from tokenbudget.budget.health import CRITICAL, EMERGENCY
from tokenbudget.cli.choice import session_meant
from tokenbudget.cli.context import add_session
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.cli.terminal import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_SO = 1
"""Exit code of `--check` where the window is critical or worse."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser("budget", "The window of a session against its plan: use, health, forecast.")
    add_session(made)
    made.add_argument(
        "--check", action="store_true", help="exit with 1 where it is critical or worse"
    )
    options = made.parse_args(arguments)
    told = terminal()
    with open_workbench(
        settings(), told, zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        limits, shares = limits_of(bench.settings), shares_of(bench.settings)
        facts = session_meant(bench, options)
        take_reports(bench)
        window = window_of(bench, facts.session, options.agent, told)
        reports = limit_reports(bench)
        budget = window_budget(window, shares, limits, bench.clock.now_ms(), reports)
        zone = bench.zone
    from tokenbudget.reports.budget import budget_document, budget_lines

    if options.json:
        show([budget_document(window, budget, facts, zone)])
    else:
        show(budget_lines(window, budget, facts, style(options.no_color), zone))
    return NOT_SO if options.check and budget.level in (CRITICAL, EMERGENCY) else 0
