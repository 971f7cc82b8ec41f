"""The actions of `tokens slash` that change something: a plan, until `--yes` is typed."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.cli.options import file_style, settings
from tokenbudget.cli.slash_told import Told
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.app import Workbench
    from tokenbudget.ledger.inspection import SessionRow

_QUIET_LINES = 2
"""Of a plan without any session: that there is none, and why; not each that stays."""


def archive(rest: list[str]) -> Told:
    """What would be archived; with `--yes` what was."""
    from tokenbudget.cli import archive as verb

    options = verb.options_of(rest)
    is_other = options.action or options.timer or options.install_timer or options.remove_timer
    if is_other:
        verb.run(rest)
        return Told([])
    from tokenbudget.cli.archive_doing import carried_out, planned, view_of
    from tokenbudget.reports.archive import plan_lines
    from tokenbudget.reports.slash import archive_brief

    with open_workbench(settings(), terminal(), Want.DETAIL) as bench:
        plan = planned(options, bench)
        view = view_of(plan, None)
        if not view.rows:
            return Told(plan_lines(view, file_style(), bench.zone)[:_QUIET_LINES])
        if options.yes:
            carried_out(options, plan, bench)
            return Told([])
    return Told(archive_brief(view), f"Do it: {_typed('archive', rest)}")


def compact(rest: list[str]) -> Told:
    """What would be cleaned up; with `--yes` what was."""
    from tokenbudget.app.compacting_done import cleanup_of
    from tokenbudget.app.compacting_place import project_meant
    from tokenbudget.app.statusline import take_reports
    from tokenbudget.cli import compact as verb
    from tokenbudget.reports.compact import receipt_lines
    from tokenbudget.reports.slash import compact_brief

    options = verb.options_of(rest)
    if options.measure:
        verb.run(rest)
        return Told([])
    found, told = settings(), terminal()
    project = project_meant(found, options.project)
    with open_workbench(found, told, Want.DETAIL) as bench:
        take_reports(bench)
        facts = _session(bench, project, options)
        with cleanup_of(bench, project, facts, told, has_archive=not options.no_archive) as cleanup:
            plan = cleanup.plan(verb.wish_of(options))
            if options.yes and plan.meant:
                return Told(receipt_lines(verb.carried_out(cleanup, plan), file_style()))
    lines = compact_brief(plan)
    if not plan.meant:
        return Told(lines)
    return Told([*lines, "Nothing was changed."], f"Do it: {_typed('compact', rest)}")


def _session(bench: Workbench, project: str, options: Namespace) -> SessionRow | None:
    """The session that was named, else the one that asks, else the last one in the project."""
    from tokenbudget.app.compacting_place import session_shown
    from tokenbudget.config.agent_session import agent_session

    own = "" if options.session else agent_session()
    if own and not any(row.session == own for row in bench.ledger.sessions_beginning(own, 2)):
        own = ""
    return session_shown(bench, project, options.session or own)


def mode(rest: list[str]) -> Told:
    """How tersely the agent is asked to write."""
    from tokenbudget.cli import mode as verb

    verb.run(rest)
    return Told([])


def _typed(action: str, rest: list[str]) -> str:
    """The same again, as one would type it, with the one word that makes it be done."""
    import shlex

    kept = [word for word in rest if word != "--dry-run"]
    return f"/tokens {action} {shlex.join(kept)}".rstrip() + " --yes"
