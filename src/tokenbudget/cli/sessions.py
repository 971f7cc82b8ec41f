"""`tokens sessions`: the list, or one session whole."""

from __future__ import annotations

from tokenbudget.analysis.sessions import session_list, session_whole
from tokenbudget.app import Workbench, open_workbench, opening_words
from tokenbudget.cli.choice import facts_named, places, projects_named
from tokenbudget.cli.options import parser, settings, show, style, whole_number
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.queries import UsageQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


DEFAULT_LIMIT = 20


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    want = Want.DETAIL if options.session else Want.USAGE
    with open_workbench(settings(), terminal(), want, options.tz, options.from_paths) as bench:
        lines = _one(bench, options) if options.session else _list(bench, options)
    show(lines)
    return 0


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("sessions", "List the sessions, the last used first, or show one whole.")
    made.add_argument("session", nargs="?", metavar="SESSION", help="id, or its beginning; 'last'")
    made.add_argument("--project", action="append", metavar="NAME", help="only this project")
    made.add_argument("--since", metavar="WHEN", help="used since: 2026-11-01, today, 7d")
    made.add_argument(
        "--limit", type=whole_number, metavar="N", help=f"rows shown (default {DEFAULT_LIMIT})"
    )
    made.add_argument("--all", action="store_true", help="every session")
    return made.parse_args(arguments)


def _list(bench: Workbench, options: Namespace) -> list[str]:
    since = options.since
    query = UsageQuery(
        since_ms=None if since is None else bench.zone.moment_ms(since, is_end=False),
        project_ids=projects_named(bench.ledger.names("project"), options.project),
    )
    found = session_list(bench.ledger, bench.book, query)
    if options.json:
        from tokenbudget.reports.sessions import sessions_document

        return [sessions_document(found, options.limit)]
    home = bench.settings.home_dir
    if not found:
        from tokenbudget.reports.usage import nothing_lines

        is_limited = since is not None or options.project is not None
        return nothing_lines(places(bench, options), is_limited, home)
    from tokenbudget.reports.sessions import sessions_lines

    limit = None if options.all else options.limit or DEFAULT_LIMIT
    return sessions_lines(found, limit, style(options.no_color), bench.zone)


def _one(bench: Workbench, options: Namespace) -> list[str]:
    facts = facts_named(bench, options.session)
    whole = session_whole(bench.ledger, bench.book, bench.zone, facts)
    if options.json:
        from tokenbudget.reports.sessions import session_document

        return [session_document(whole, bench.zone)]
    from tokenbudget.reports.sessions import session_lines

    return session_lines(
        whole,
        opening_words(bench, facts.session),
        style(options.no_color),
        bench.zone,
        bench.settings.home_dir,
    )
