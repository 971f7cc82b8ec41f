"""`tokens doctor`: what was read, what is doubtful about it, and whether the wiring works."""

from __future__ import annotations

import os

from tokenbudget.analysis.usage import Names, query_for, tabulate
from tokenbudget.app import Workbench, open_workbench, rebuild
from tokenbudget.app.statusline import reports_lost
from tokenbudget.app.wired import wiring_of
from tokenbudget.cli.choice import places
from tokenbudget.cli.options import parser, settings, show, style, whole_number
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.metering.price_table import AS_OF, SOURCE
from tokenbudget.model.errors import BadRequest, TokenBudgetError
from tokenbudget.model.figures import wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.doctor import Report, doctor_document, doctor_lines
from tokenbudget.reports.wiring import wiring_document, wiring_lines
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.gateway_doctor import GatewayHealth
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.figures import Style
    from tokenbudget.resources.effect import GatewayWired, Wiring

DEFAULT_PROBLEMS = 10


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    if options.wiring:
        return _wiring(options)
    if options.check and options.calibration:
        raise BadRequest("--check is about the wiring; leave --calibration out")
    if options.calibration:
        return _calibration(options)
    if options.rebuild and options.from_paths:
        raise BadRequest("--rebuild is about the ledger; leave --from out")
    if options.rebuild:
        bench = rebuild(settings(), terminal(), options.tz)
    else:
        bench = open_workbench(settings(), terminal(), Want.DETAIL, options.tz, options.from_paths)
    with bench:
        report = _report(bench, options.problems, places(bench, options))
        kept, found = None if options.from_paths else bench.ledger, bench.settings
        gateway, fault = _gateway(found)
        wired = _wired(gateway, fault)
        wiring = wiring_of(bench.settings, bench.clock.now_ms(), kept, wired)
        lent = [] if kept is None or options.json else _lent(bench)
    if options.json:
        show([doctor_document(report, wiring, gateway, fault)])
    else:
        look = style(options.no_color)
        more = [*_gateway_lines(gateway, fault, look), *_lent_lines(found, lent, look)]
        show([*doctor_lines(report, look), "", *wiring_lines(wiring, look), *more])
    return int(options.check and not _is_effective(wiring, gateway))


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "doctor",
        "What was read, skipped, malformed, unpriced and of low confidence; and what is wired into"
        " the agent, with the evidence that it works.",
    )
    made.add_argument(
        "--rebuild",
        action="store_true",
        help="read every transcript again; rows whose transcript is gone stay",
    )
    made.add_argument(
        "--problems",
        type=whole_number,
        default=DEFAULT_PROBLEMS,
        metavar="N",
        help=f"problems shown (default {DEFAULT_PROBLEMS})",
    )
    made.add_argument(
        "--calibration",
        action="store_true",
        help="count every transcript, learn how each model counts, and show how well that is known",
    )
    made.add_argument(
        "--wiring",
        action="store_true",
        help="only what is wired into the agent, event by event; reads no transcript",
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="exit code 1 when something that is wired is not effective",
    )
    options = made.parse_args(arguments)
    errands = [name for name in ("calibration", "rebuild", "wiring") if getattr(options, name)]
    if len(errands) > 1:
        named = " and ".join(f"--{name}" for name in errands)
        raise BadRequest(f"{named} are different errands; leave one of them out")
    return options


def _wiring(options: Namespace) -> int:
    if options.from_paths:
        raise BadRequest("--wiring is about this machine; leave --from out")
    found = settings()
    gateway, fault = _gateway(found)
    wiring = wiring_of(found, SystemClock().now_ms(), gateway=_wired(gateway, fault))
    look = style(options.no_color)
    if options.json:
        show([wiring_document(wiring, gateway, fault)])
    else:
        more = _gateway_lines(gateway, fault, look)
        show([*wiring_lines(wiring, look, is_whole=True), *more])
    return int(options.check and not _is_effective(wiring, gateway))


def _gateway(found: Settings) -> tuple[GatewayHealth | None, str]:
    """How the MCP gateway stands, and why that cannot be told; None where it never was."""
    from tokenbudget.gateway.mcp.taken import FOLDER

    if not os.path.isdir(os.path.join(found.data_dir, FOLDER)):
        return None, ""
    from tokenbudget.app.gateway_doctor import gateway_health

    try:
        return gateway_health(found, SystemClock()), ""
    except TokenBudgetError as wrong:
        return None, str(wrong)


def _wired(health: GatewayHealth | None, fault: str) -> GatewayWired | None:
    """What the answer says of it."""
    from tokenbudget.resources.effect import GatewayWired

    if fault:
        return GatewayWired(is_here=False, servers=0, elsewhere=0, is_sound=False)
    return None if health is None else health.wired


def _is_effective(wiring: Wiring, gateway: GatewayHealth | None) -> bool:
    return wiring.is_effective and (gateway is None or gateway.can_start)


def _gateway_lines(health: GatewayHealth | None, fault: str, look: Style) -> list[str]:
    if fault:
        return ["", *wrapped(f"Gateway: {one_line(fault)}", look.width, "  ")]
    if health is None:
        return []
    from tokenbudget.reports.gateway_health import health_lines

    lines = health_lines(health, look)
    return ["", *lines] if lines else []


def _lent(bench: Workbench) -> list[str]:
    from tokenbudget.app.controlling_leaving import projects_lent

    return projects_lent(bench.settings, bench.ledger, bench.clock)


def _lent_lines(found: Settings, projects: Sequence[str], look: Style) -> list[str]:
    """Where a window is lent, and who gives it back; nothing where none is."""
    if not projects:
        return []
    from tokenbudget.app.controlling_lock import holder

    watcher = holder(found.data_dir)
    back = f"{watcher} gives it back" if watcher else "tokens control or tokens serve gives it back"
    told = f"Controller: a window is lent, so that a session is compacted; {back}"
    lines = [line for one in projects for line in wrapped(f"- {one_line(one)}", look.width, "  ")]
    return ["", *wrapped(told, look.width, "  "), *lines]


def _calibration(options: Namespace) -> int:
    from tokenbudget.app.windows import calibration_of_everything
    from tokenbudget.reports.calibration import calibration_document, calibration_lines

    told = terminal()
    with open_workbench(
        settings(), told, zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        fits = calibration_of_everything(bench, told)
    is_json = options.json
    show(
        [calibration_document(fits)]
        if is_json
        else calibration_lines(fits, style(options.no_color))
    )
    return 0


def _report(bench: Workbench, problems: int, folders: Sequence[str]) -> Report:
    names = Names(bench.ledger.names("model"), bench.ledger.names("project"))
    rows = bench.ledger.usage(query_for(["model"], bench.zone))
    return Report(
        ledger=bench.ledger.path,
        folders=folders,
        absent=[folder for folder in folders if not os.path.exists(folder)],
        home=bench.settings.home_dir,
        unreadable=[] if bench.outcome is None else bench.outcome.unreadable,
        files=bench.ledger.file_report(),
        problems=bench.ledger.problems(problems),
        table=tabulate(rows, ["model"], names, bench.book, bench.zone),
        low_confidence=bench.ledger.low_confidence(),
        prices=f"{SOURCE}, compiled {AS_OF}",
        lost_reports=reports_lost(bench.settings).lines,
    )
