"""`tokens backtest`: recorded sessions gone through again, strategy by strategy."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.cli.choice import session_named
from tokenbudget.cli.options import file_style, parser, settings, show, style
from tokenbudget.cli.output_file import STDOUT, told_path, write_to
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_result import Backtest

PAGE_NAME = "token-backtest.html"
FILE_WIDTH = 100
LEAST_WINDOW_TOKENS = 10_000


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    if options.list:
        show(_known(options))
        return 0
    found = computed(options)
    if options.html:
        from tokenbudget.reports.html.backtest_page import backtest_html

        path = write_to(options.output, PAGE_NAME, [backtest_html(found)])
        if path:
            show([f"Saved: {told_path(path)}"])
        return 0
    if options.output in (None, STDOUT):
        show(_lines(found, options))
    else:
        path = write_to(options.output, "", ["\n".join(_lines(found, options)) + "\n"])
        show([f"Saved: {told_path(path)}"])
    return 0


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    from tokenbudget.compression.passage import LEVELS

    made = parser(
        "backtest",
        "Goes through recorded sessions again and tells, strategy by strategy, what they would have"
        " cost, and what the agent later needed and would have missed (docs/backtest.md).",
    )
    made.add_argument("session", nargs="?", metavar="SESSION", help="one session: id or 'last'")
    made.add_argument(
        "--strategy",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one (repeat for more); --list names them",
    )
    made.add_argument("--since", metavar="WHEN", help="sessions from this local day on, or 30d")
    made.add_argument(
        "--min-requests", type=int, default=0, metavar="N", help="sessions of as many requests"
    )
    made.add_argument(
        "--window", type=int, default=0, metavar="TOKENS", help="as if windows were so large"
    )
    made.add_argument("--level", choices=LEVELS, help="how hard results are shortened")
    made.add_argument("--list", action="store_true", help="the strategies and what they rest on")
    made.add_argument("--html", action="store_true", help=f"a page: .claude/context/{PAGE_NAME}")
    made.add_argument("--output", metavar="PATH", help="write there ('-': standard output)")
    options = made.parse_args(arguments)
    if options.json and options.html:
        raise BadRequest("--json and --html are two formats; choose one")
    if options.min_requests < 0 or 0 != options.window < LEAST_WINDOW_TOKENS:
        raise BadRequest(
            f"--min-requests counts from 0, and --window from {LEAST_WINDOW_TOKENS:,} tokens"
        )
    if options.session and options.since:
        raise BadRequest("a session is gone through whole; leave --since out")
    return options


def computed(options: Namespace) -> Backtest:
    """The sessions gone through again; raises BadRequest."""
    from tokenbudget.app.backtesting import backtest
    from tokenbudget.app.backtesting_choice import Asked
    from tokenbudget.compression.policy import Wishes

    told, known = terminal(), settings()
    trim = known.trim_settings()
    with open_workbench(known, told, Want.DETAIL, options.tz, options.from_paths) as bench:
        since_ms = 0
        if options.since:
            since_ms = bench.zone.moment_ms(options.since, is_end=False)
        session = session_named(bench, options.session) if options.session else ""
        level = options.level or known.management().compression_mode
        wishes = Wishes(level, trim.min_tokens, trim.allow, trim.deny)
        asked = Asked(tuple(options.strategy), session, since_ms, wishes)
        asked = asked._replace(window_tokens=options.window, min_requests=options.min_requests)
        return backtest(bench, told, asked)


def _known(options: Namespace) -> list[str]:
    """The strategies, with what each rests on."""
    from tokenbudget.app.backtesting_choice import known_strategies
    from tokenbudget.compression.policy import Wishes
    from tokenbudget.metering.tokenizer import BytePairCounter
    from tokenbudget.reports.backtest import known_lines
    from tokenbudget.reports.backtest_json import known_document

    every = known_strategies(BytePairCounter(), Wishes())
    return [known_document(every)] if options.json else known_lines(every, style(options.no_color))


def _lines(found: Backtest, options: Namespace) -> list[str]:
    if options.json:
        from tokenbudget.reports.backtest_json import backtest_document

        return [backtest_document(found)]
    from tokenbudget.reports.backtest import backtest_lines

    if options.output in (None, STDOUT):
        return backtest_lines(found, style(options.no_color))
    return backtest_lines(found, file_style()._replace(width=FILE_WIDTH))
