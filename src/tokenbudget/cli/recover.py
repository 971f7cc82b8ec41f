"""`tokens recover`: have archived sessions back, byte for byte."""

from __future__ import annotations

from tokenbudget.app.recovering import opened_ledger, places_meant, planned_return
from tokenbudget.cli.options import HELP_WIDTH, parser, refuse_dry_yes, settings, show
from tokenbudget.model.errors import BadRequest, TokenBudgetError
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.recovering import Return
    from tokenbudget.app.recovering_run import Returned
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger

EPILOG = """\
what it does:
  The files come back where they were, with the bytes and modes that they had. Their
  time is now, so that the agent does not delete them at once; --keep-times gives the
  old one. A file that is there with other content is never written over: exit code 4
  says which. Of a damaged archive --despite-damage gives back the sessions that are
  whole, by the hash of each file. The archive keeps its copy. tokens undo takes the
  files away again.

examples:
  tokens recover 3f2a                the session whose id begins so
  tokens recover last                the archived one that was used last
  tokens recover 3f2a --to /tmp/old  somewhere else
  tokens recover --all --project .   every archived session of this project
"""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    found = settings()
    ledger = opened_ledger(found)
    try:
        wanted, refused = _wanted(options, found, ledger)
        if options.dry_run or not wanted:
            return _answer(options, found, wanted, refused, [])
        if options.all and not _is_agreed(options, found, wanted):
            if options.json:
                return _answer(options, found, wanted, refused, [])
            show(["Nothing was changed."])
            return 0
        return _carry_out(options, found, ledger, wanted, refused)
    finally:
        if ledger is not None:
            ledger.close()


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser("recover", "Have archived sessions back, byte for byte.", reads_sessions=False)
    made.epilog = EPILOG
    made.formatter_class = _formatter
    made.add_argument("session", nargs="?", metavar="SESSION", help="id, or its beginning; 'last'")
    made.add_argument("--all", action="store_true", help="every archived session")
    made.add_argument("--to", metavar="DIR", help="a folder for them, instead of where they were")
    made.add_argument("--project", metavar="PROJECT", help="only this project: a path, a name or .")
    made.add_argument("--archive", metavar="FILE", help="from this one, where there are several")
    made.add_argument("--keep-times", action="store_true", help="with their old times")
    made.add_argument(
        "--despite-damage", action="store_true", help="what is whole of a damaged archive"
    )
    made.add_argument("--dry-run", action="store_true", help="say what would be done")
    made.add_argument("--yes", action="store_true", help="with --all: do not ask")
    options = made.parse_args(arguments)
    if options.session and options.all:
        raise BadRequest("a SESSION is one and --all is every one; leave one of them out")
    if not options.session and not options.all:
        raise BadRequest("name one session, or say --all; tokens archive list shows them")
    refuse_dry_yes(options)
    return options


def _formatter(prog: str) -> argparse.HelpFormatter:
    import argparse

    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=HELP_WIDTH)


def _wanted(
    options: Namespace, found: Settings, ledger: Ledger | None
) -> tuple[list[Return], list[tuple[str, str, int]]]:
    """What can be given back, and what cannot (session, why, exit code)."""
    project = None
    if options.project is not None:
        from tokenbudget.cli.archive_projects import one_project

        project = one_project(found, ledger, options.project)
    archive = None if options.archive is None else options.archive.rpartition("/")[2]
    places = places_meant(found, ledger, options.session or "", archive, project)
    wanted, refused = [], []
    for place in places:
        try:
            planned = planned_return(found, place, options.to, ledger)
        except TokenBudgetError as wrong:
            if not options.all:
                raise
            refused.append((place.session, str(wrong), wrong.exit_code))
            continue
        if planned.waiting or not options.all:
            wanted.append(planned)
    return wanted, refused


def _is_agreed(options: Namespace, found: Settings, wanted: Sequence[Return]) -> bool:
    from tokenbudget.cli.asking import is_wanted
    from tokenbudget.model.figures import counted
    from tokenbudget.reports.archive_recovered import plan_lines

    if not options.json:
        show(plan_lines(wanted, found.home_dir))
    return is_wanted(f"\nRecover {counted(len(wanted), 'session')}?", options.yes)


def _carry_out(
    options: Namespace,
    found: Settings,
    ledger: Ledger | None,
    wanted: Sequence[Return],
    refused: Sequence[tuple[str, str, int]],
) -> int:
    from tokenbudget.app.recovering_run import advice_on, give_back_journalled
    from tokenbudget.cli.terminal import warn

    cause = " ".join(["tokens recover", "--all" if options.all else options.session])
    despite_damage, clock = options.despite_damage, SystemClock()
    done = give_back_journalled(
        found,
        ledger,
        clock,
        cause,
        wanted,
        keep_times=options.keep_times,
        despite_damage=despite_damage,
        tell=warn,
    )
    code = _answer(options, found, wanted, refused, done)
    for advice in advice_on(found, clock, done, despite_damage=despite_damage):
        warn(advice)
    return code


def _answer(
    options: Namespace,
    found: Settings,
    wanted: Sequence[Return],
    refused: Sequence[tuple[str, str, int]],
    done: Sequence[Returned],
) -> int:
    from tokenbudget.reports.archive_recovered import plan_lines, recover_document, recovered_lines

    code = max([*(one.exit_code for one in done), *(code for _, _, code in refused)], default=0)
    if options.json:
        show([recover_document(wanted, done, refused, is_dry_run=options.dry_run)])
        return code
    if not done:
        show(plan_lines(wanted, found.home_dir) if wanted else ["Every one of them is in place."])
        if options.dry_run:
            show(["", "Nothing was changed (--dry-run)."])
    else:
        show(recovered_lines(done, found.home_dir))
    _complain(done, refused)
    return code


def _complain(done: Sequence[Returned], refused: Sequence[tuple[str, str, int]]) -> None:
    from tokenbudget.cli.terminal import warn

    for one in done:
        if one.fault:
            warn(one.fault)
    for _, why, _ in refused:
        warn(why)
