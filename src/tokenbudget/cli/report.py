"""`tokens report`: a page that one would send on, as text, JSON, HTML or PDF."""

from __future__ import annotations

from tokenbudget.analysis.report_days import usual_first
from tokenbudget.app import open_workbench
from tokenbudget.app.profiling import Limits, project_folder
from tokenbudget.app.reporting import USUAL_DAYS, Options, report_of
from tokenbudget.cli.choice import projects_named, session_named
from tokenbudget.cli.options import file_style, parser, settings, show, style
from tokenbudget.cli.output_file import STDOUT, opened_output, settle_format, told_path, write_to
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.app import Workbench

FORMATS = ("text", "json", "html", "pdf")
PAPERS = ("a4", "letter")
ALL_TIME = "all"
FILE_WIDTH = 100
"""Columns of a text report in a file: what mails and reviews show without breaking lines."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    return _deliver(*computed(options), options)


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser("report", "A report to read, to send on, or to print (docs/report.md).")
    made.add_argument(
        "format",
        nargs="?",
        choices=FORMATS,
        default=None,
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: text, which is printed too)",
    )
    made.add_argument(
        "--since",
        metavar="WHEN",
        help="from the local day of: 2026-11-01, 7d, or 'all'"
        f" (default: the last {USUAL_DAYS} days; with --from, all)",
    )
    made.add_argument("--until", metavar="WHEN", help="to the local day of, included")
    made.add_argument(
        "--project", action="append", metavar="PATH", help="only this project: path or name"
    )
    made.add_argument("--session", metavar="ID", help="only this session, all of it; 'last'")
    made.add_argument(
        "--redact", action="store_true", help="pseudonyms for paths, titles, names; no prompts"
    )
    made.add_argument(
        "--with-content", action="store_true", help="with the first prompt of each session"
    )
    made.add_argument("--paper", choices=PAPERS, default="a4", help="of the PDF (default: a4)")
    made.add_argument(
        "--output",
        metavar="PATH",
        help="write there ('-': standard output) instead of .claude/context/token-report.FORMAT",
    )
    options = made.parse_args(arguments)
    settle_format(options, "text")
    if options.redact and options.with_content:
        raise BadRequest("--redact leaves no content, which --with-content asks for; choose one")
    return options


def computed(options: Namespace) -> tuple[ReportData, str]:
    """The report, and the project that one is in; raises BadRequest, BadConfig."""
    if options.format == "pdf":
        from tokenbudget.reports.pdf.report_pdf import typst_or_refusal

        typst_or_refusal()  # before anything is read
    told = terminal()
    with open_workbench(settings(), told, Want.DETAIL, options.tz, options.from_paths) as bench:
        data = report_of(bench, _asked(bench, options), told)
        project = project_folder(
            bench.settings.working_dir, bench.settings.home_dir, bench.settings.claude_dirs
        )
    return data, project


def _asked(bench: Workbench, options: Namespace) -> Options:
    redactor = None
    if options.redact:
        from tokenbudget.app.redaction_key import redactor_of

        redactor = redactor_of(bench.settings.data_dir, warn)
    return Options(
        limits=_limits(bench, options),
        redactor=redactor,
        with_content=options.with_content,
        is_from_elsewhere=bool(options.from_paths),
    )


def _limits(bench: Workbench, options: Namespace) -> Limits:
    """The last month unless something else is asked for; sessions from elsewhere may be older."""
    zone, since = bench.zone, options.since
    since_ms: int | None = None
    if since not in (None, ALL_TIME):
        since_ms = zone.moment_ms(since, is_end=False)
    elif since is None and options.until is None and not (options.from_paths or options.session):
        since_ms = zone.midnight_ms(usual_first(zone.today(), USUAL_DAYS))
    until_ms = None if options.until is None else zone.moment_ms(options.until, is_end=True)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise BadRequest(f"--since {since} is not before --until {options.until}")
    projects = bench.ledger.names("project")
    ids = projects_named(projects, options.project)
    named = None if ids is None else [projects.get(number, "unknown") for number in ids]
    session = "" if options.session is None else session_named(bench, options.session)
    return Limits(since_ms, until_ms, session, named)


def _deliver(data: ReportData, project: str, options: Namespace) -> int:
    is_printed = options.format == "text" and options.output != STDOUT
    if is_printed:
        from tokenbudget.reports.report_text import report_lines

        show(report_lines(data, style(options.no_color)))
    try:
        path = written(data, project, options)
    except TokenBudgetError as reason:
        if not is_printed or options.output is not None:
            raise
        warn(f"{reason}; the report above was not saved")  # who reads it has it
        return 0
    if path:
        print_path(told_path(path), is_printed)
    return 0


def written(data: ReportData, project: str, options: Namespace) -> str:
    """The path that it is at now; '' is standard output, which as a terminal takes no PDF."""
    name, content = f"token-report.{options.format}", _content(data, options)
    if isinstance(content, str):
        return write_to(options.output, name, [content], project=project)
    with opened_output(options.output, name, project=project, is_binary=True) as (sink, path):
        sink.write(content)
    return path


def print_path(path: str, is_after_text: bool) -> None:
    """Say where it is."""
    show(["", f"Saved: {path}"] if is_after_text else [path])


def _content(data: ReportData, options: Namespace) -> bytes | str:
    if options.format == "json":
        from tokenbudget.reports.report_json import report_json

        return report_json(data)
    if options.format == "html":
        from tokenbudget.reports.html.report_page import report_html

        return report_html(data)
    if options.format == "pdf":
        from tokenbudget.reports.pdf.report_pdf import report_pdf

        return report_pdf(data, options.paper)
    from tokenbudget.reports.report_text import report_lines

    device = file_style()._replace(width=FILE_WIDTH)
    return "\n".join(report_lines(data, device)) + "\n"
