"""`tokens optimize`: where tokens go down the drain, what that costs, and the fix of each."""

from __future__ import annotations

import os

from tokenbudget.app import open_workbench
from tokenbudget.cli.choice import session_named
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.terminal import terminal, warn
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest, Refused, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.app import Workbench
    from tokenbudget.app.studies import Studied

NOT_SO = 1
USAGE = "tokens optimize [ID] [options]"
STDOUT = "-"
LONG_AGO = "2000-01-01"


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    if options.list_drains:
        return _list_drains(options)
    limit = _limit(options.check)
    with open_workbench(
        settings(), terminal(), Want.DETAIL, zone_name=options.tz, from_paths=options.from_paths
    ) as bench:
        known, found = meant(bench, options)
        if options.apply:
            from tokenbudget.cli.optimize_applying import run_apply

            return run_apply(bench, known, found, options)
        found = shown(bench, found, options)
        if options.id:
            return _one(bench, found, options)
        _list(bench, found, options)
    return NOT_SO if limit is not None and _is_over(found, limit) else 0


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser(
        "optimize",
        "Where tokens go down the drain: findings with price per week, evidence and fix, the"
        " dearest first. Writes OPTIMIZATION-RECOMMENDATIONS.md into the project, and keeps your"
        " ticks and notes in it.",
    )
    made.usage = USAGE
    made.add_argument("id", nargs="?", metavar="ID", help="show this finding whole (or its number)")
    made.add_argument("--project", metavar="PROJECT", help="a path or a name (else the one here)")
    made.add_argument("--session", metavar="ID", help="of this session alone ('last': the last)")
    made.add_argument("--all-projects", action="store_true", help="every project together")
    made.add_argument(
        "--since",
        metavar="WHEN",
        help="from this local day on: 2026-11-01, 7d (default: the last 30 days with use)",
    )
    made.add_argument("--until", metavar="WHEN", help="up to this local day, included")
    made.add_argument("--drain", metavar="NAME", help="only this kind, such as re-read")
    made.add_argument("--all", action="store_true", help="every finding, the small ones as well")
    made.add_argument("--list-drains", action="store_true", help="what is looked for, by what rule")
    made.add_argument(
        "--apply", metavar="ID", nargs="+", action="extend", default=[], help="do these fixes"
    )
    made.add_argument("--dry-run", action="store_true", help="with --apply: only show the change")
    made.add_argument("--yes", action="store_true", help="with --apply: do it without asking")
    made.add_argument(
        "--check",
        metavar="LIMIT",
        help="exit 1 if the findings come to more in a week: 5usd (or $5), 200000 tokens (or 200K)",
    )
    made.add_argument(
        "--output", metavar="PATH", help="write the recommendations there ('-': standard output)"
    )
    made.add_argument(
        "--redact", action="store_true", help="pseudonyms for paths and names; no file by itself"
    )
    made.add_argument("--no-file", action="store_true", help="write no file")
    options = made.parse_args(arguments)
    _refuse_what_does_not_go_together(options)
    return options


def _refuse_what_does_not_go_together(options: Namespace) -> None:
    if options.id and options.apply:
        raise BadRequest("name the findings after --apply, all of them")
    refuse_dry_yes(options)
    if (options.dry_run or options.yes) and not options.apply:
        raise BadRequest("--dry-run and --yes belong to --apply ID")
    if options.apply and options.from_paths:
        raise Refused("nothing is changed for sessions that come from elsewhere; leave --from out")
    if options.project and options.all_projects:
        raise BadRequest("--project and --all-projects do not go together; leave one of them out")
    if options.session and (options.project or options.apply):
        raise BadRequest("--session goes with neither --project nor --apply; leave it out")
    if options.output and options.no_file:
        raise BadRequest("--output and --no-file do not go together; leave one of them out")
    if options.redact and options.apply:
        raise BadRequest("what is shown under pseudonyms cannot be applied; leave --redact out")
    if options.output == STDOUT and options.json:
        raise BadRequest("--json and --output - both take standard output; leave one of them out")


def _is_standard(options: Namespace) -> bool:
    """Whether the question was the standard one: no period, kind or session chosen."""
    chosen = (options.since, options.until, options.drain, options.session, options.project)
    return not any(chosen) and not options.from_paths


def _limit(text: str | None) -> tuple[str, object] | None:
    if text is None:
        return None
    from tokenbudget.cli.usage import limit_of

    return limit_of(text)


# ── whose findings ───────────────────────────────────────────────────────────────────────────────


def meant(bench: Workbench, options: Namespace) -> tuple[Studied, Findings]:
    """What was studied, and the findings that are asked for; raises BadRequest."""
    from tokenbudget.app.studies import studied

    session = "" if options.session is None else session_named(bench, options.session)
    known = studied(bench, terminal(), session=session)
    found = _found(bench, known, options)._replace(session=session)
    named = [*options.apply, *([options.id] if options.id else [])]
    if named and found.project is not None and not options.project:
        found = _where_named(bench, known, found, named, options)
    return known, found


def shown(bench: Workbench, found: Findings, options: Namespace) -> Findings:
    """The findings as they may be shown; the dearest are kept for the first screen."""
    from tokenbudget.app.worth_doing import keep_worth

    if _is_standard(options):
        keep_worth(bench, found)
    return _redacted(bench, found) if options.redact else found


def _found(bench: Workbench, known: Studied, options: Namespace) -> Findings:
    from tokenbudget.app.optimizing import findings_of, of_drain

    since, until = options.since, options.until
    if options.session and since is None:
        since = LONG_AGO
    project = _project(bench, known, options)
    found = findings_of(
        bench,
        known,
        terminal(),
        project=project,
        since_ms=None if since is None else bench.zone.moment_ms(since, is_end=False),
        until_ms=None if until is None else bench.zone.moment_ms(until, is_end=True),
        looks_at_projects=not (options.from_paths or options.session),
    )
    is_chosen = bool(options.all_projects or options.session or options.from_paths)
    found = found._replace(is_fallback=project is None and not is_chosen)
    return found if options.drain is None else of_drain(found, _drain(options.drain))


def _redacted(bench: Workbench, found: Findings) -> Findings:
    from tokenbudget.app.optimizing_redacted import redacted_findings
    from tokenbudget.app.redaction_key import redactor_of

    return redacted_findings(found, redactor_of(bench.settings.data_dir, warn))


def _where_named(
    bench: Workbench, known: Studied, found: Findings, named: Sequence[str], options: Namespace
) -> Findings:
    """The findings here, or of all projects where an id that was typed is none of here."""
    here = {one.id for one in found.rows}
    if all(name in here or "/" not in name for name in named):
        return found
    options.all_projects = True
    return _found(bench, known, options)


def _drain(name: str) -> str:
    from tokenbudget.analysis.drains.catalogue import drain_of

    if drain_of(name) is None:
        raise BadRequest(f"no drain is named '{name}'; tokens optimize --list-drains shows them")
    return name


def _project(bench: Workbench, known: Studied, options: Namespace) -> str | None:
    """The project that is meant: the one named, else the one here if it has sessions, else all."""
    from tokenbudget.app.optimizing_scope import project_here, project_named

    if options.all_projects or options.session:
        return None
    if options.project:
        return project_named(bench, known.files, options.project)
    if options.from_paths:
        return None
    return project_here(bench, known.files)


# ── showing ──────────────────────────────────────────────────────────────────────────────────────


def _list(bench: Workbench, found: Findings, options: Namespace) -> None:
    from tokenbudget.reports.optimize import findings_lines

    home = bench.settings.home_dir
    if options.output == STDOUT:
        from tokenbudget.reports.optimize_file import page_of
        from tokenbudget.reports.optimize_old import NOTHING_OLD

        show(page_of(found, NOTHING_OLD, _today(bench), home).removesuffix("\n").split("\n"))
        return
    lines = []
    if not options.json:
        lines = findings_lines(found, style(options.no_color), home, is_whole=options.all)
        show(lines)
    written = write_page(bench, found, options)
    if options.json:
        from tokenbudget.reports.optimize_json import findings_document

        show([findings_document(found, found.rows, bench.zone, written)])
    elif written:
        from tokenbudget.cli.output_file import told_path
        from tokenbudget.model.figures import wrapped

        said = f"Written: {told_path(written)} (your ticks and notes in it stay)"
        show(wrapped(said, style(options.no_color).width))


def write_page(bench: Workbench, found: Findings, options: Namespace) -> str | None:
    """Write the recommendations where they belong; the path, or None where they belong nowhere.

    Raises:
        ProjectUnusable, Refused, SourceUnreadable: `--output` cannot be written.
    """
    from tokenbudget.app.optimizing_file import NAME, write_recommendations

    is_named = options.output is not None
    is_part = bool(options.drain or options.redact or options.session)
    if options.no_file or (not is_named and (found.project is None or is_part)):
        return None
    if not is_named and not (found.sessions and os.path.isdir(found.project or "")):
        return None
    path = os.path.realpath(options.output) if is_named else _place(found, NAME)
    try:
        written = write_recommendations(found, path, _today(bench), bench.settings.home_dir)
    except TokenBudgetError as wrong:
        if is_named:
            raise
        warn(f"{wrong}; the recommendations are not written (--output PATH writes them elsewhere)")
        return None
    if written.beside:
        warn(f"the old file is no one of ours, or its marks are damaged; it is kept as"
             f" {written.beside}")  # fmt: skip
    return written.path


def _place(found: Findings, name: str) -> str:
    return os.path.join(os.path.realpath(found.project or "."), name)


def _today(bench: Workbench) -> str:
    return bench.zone.today().isoformat()


def _one(bench: Workbench, found: Findings, options: Namespace) -> int:
    from tokenbudget.app.optimizing_apply import finding_named

    finding = finding_named(found, options.id)
    if options.json:
        from tokenbudget.reports.optimize_json import findings_document

        show([findings_document(found, [finding], bench.zone)])
        return 0
    from tokenbudget.reports.optimize import finding_lines

    home = bench.settings.home_dir
    show(finding_lines(finding, found, style(options.no_color), bench.zone, home))
    return 0


def _list_drains(options: Namespace) -> int:
    if options.json:
        from tokenbudget.reports.optimize_json import drains_document

        show([drains_document()])
        return 0
    from tokenbudget.reports.optimize import drain_lines

    show(drain_lines(style(options.no_color)))
    return 0


def _is_over(found: Findings, limit: tuple[str, object]) -> bool:
    from decimal import Decimal

    kind, allowed = limit
    total = found.weekly_total
    used = (total.usd or Decimal(0)) if kind == "usd" else Decimal(total.tokens)
    if used <= Decimal(str(allowed)):
        return False
    told = f"${used:,.4f}" if kind == "usd" else f"{used:,f} tokens"
    most = f"${allowed}" if kind == "usd" else f"{allowed} tokens"
    warn(f"the findings come to {told} a week, over the limit of {most}")
    return True
