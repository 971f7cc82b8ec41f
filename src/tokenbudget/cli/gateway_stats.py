"""`tokens gateway stats`: what the gateway kept out of the window."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.gateway_stats import stats_of
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.cli.terminal import terminal
from tokenbudget.reports.gateway_stats import stats_document, stats_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.metering.tokenizer import BytePairCounter

    made = parser(
        "gateway stats",
        "Tokens of schemas and results that the gateway kept out of the window, per server, against"
        " a client that sends every schema and one that defers them; and what was never used.",
        reads_sessions=False,
    )
    options = made.parse_args(arguments)
    with open_workbench(settings(), terminal()) as bench:
        found = stats_of(bench.settings, bench.ledger, BytePairCounter())
    lines = stats_lines(found, style(options.no_color))
    show([stats_document(found)] if options.json else lines)
    return 0
