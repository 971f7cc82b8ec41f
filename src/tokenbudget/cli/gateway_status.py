"""`tokens gateway status`: what is behind the gateway here, and whether it works."""

from __future__ import annotations

from tokenbudget.app.gateway_status import status_of
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.reports.gateway_status import status_document, status_lines
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_SO = 1
"""Exit code of `--check` where something does not work."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    made = parser(
        "gateway status",
        "What stands behind the gateway here, when its tools were listed, and which rules hold.",
        reads_sessions=False,
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="start every server once and list its tools; exit code 1 when something is wrong",
    )
    options = made.parse_args(arguments)
    clock = SystemClock()
    found = status_of(settings(), clock, is_checked=options.check)
    lines = status_lines(found, clock.now_ms(), style(options.no_color))
    show([status_document(found)] if options.json else lines)
    return NOT_SO if options.check and not found.is_sound else 0
