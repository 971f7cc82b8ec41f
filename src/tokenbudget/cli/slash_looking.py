"""The actions of `tokens slash` that look, or write a file of their own and change nothing else."""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.cli.options import file_style, settings
from tokenbudget.cli.slash_told import Told
from tokenbudget.cli.terminal import terminal
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.cli.export import Done


def monitor(rest: list[str]) -> Told:
    """One frame, of the session that asks."""
    from tokenbudget.cli.monitor import one_frame, options_of
    from tokenbudget.config.agent_session import agent_session
    from tokenbudget.dashboard.brief import brief_lines

    options, seconds = options_of(rest)
    own = "" if options.session or options.from_paths else agent_session()
    options.session = options.session or own
    if not options.session and not options.from_paths:  # 2.0.76 does not tell which one it is
        options.session = _last_here()
        if not options.session:
            return Told(["No session of this folder was read yet; ask again after an answer."])
    try:
        frame = one_frame(options, seconds)
    except BadRequest:
        if not own:
            raise
        return Told(["This session has no answered request yet; its window is still empty."])
    return Told(brief_lines(frame), "Next: /tokens optimize")


def _last_here() -> str:
    """The session that was used last of those begun in this folder; '' where there is none.

    Another project's would be taken for the one that asks.
    """
    with open_workbench(settings(), terminal()) as bench:
        here = bench.settings.working_dir
        found = bench.ledger.last_sessions(here) if here else []
    return found[0].session if found else ""


def alert(rest: list[str]) -> Told:
    """Without a word the list; with one what the verb does."""
    from tokenbudget.cli import alert as verb

    verb.run(rest or ["list"])
    return Told([])


def profile(rest: list[str]) -> Told:
    """Who spends; one of its lists where that is asked for."""
    from tokenbudget.cli import profile as verb
    from tokenbudget.reports.slash import profile_brief

    options = verb.options_of(rest)
    if options.by or options.tree or options.costs or options.efficiency:
        verb.run(rest)
        return Told([])
    with open_workbench(
        settings(), terminal(), Want.DETAIL, options.tz, options.from_paths
    ) as bench:
        asked = verb.Asked(bench, options)
    verb.save(asked)
    if asked.is_empty:
        return Told(["Nothing was used within these limits yet."])
    lines = profile_brief(asked.profile, asked.efficiency, asked.zone)
    return Told(lines, "Next: /tokens optimize")


def optimize(rest: list[str]) -> Told:
    """The dearest findings; or one whole; or its fix, shown, and with `--yes` applied."""
    from tokenbudget.cli import optimize as verb

    options = verb.options_of(rest)
    if options.apply:
        return _apply(rest, options)
    if options.id or options.list_drains or options.check:
        verb.run(rest)
        return Told([])
    from tokenbudget.cli.output_file import told_path
    from tokenbudget.reports.slash import best_to_apply, findings_brief

    with open_workbench(
        settings(), terminal(), Want.DETAIL, options.tz, options.from_paths
    ) as bench:
        found = verb.shown(bench, verb.meant(bench, options)[1], options)
        path = verb.write_page(bench, found, options)
    lines = findings_brief(found)
    if path:
        lines.append(f"Written: {told_path(path)}")
    best = best_to_apply(found)
    if best:
        return Told(lines, f"Next: /tokens optimize --apply {best}")
    return Told(lines, f"Next: /tokens optimize {found.rows[0].id}" if found.rows else "")


def _apply(rest: list[str], options: Namespace) -> Told:
    from tokenbudget.app.optimizing_apply import applications_of, applied
    from tokenbudget.cli import optimize as verb
    from tokenbudget.reports.optimize_apply import done_lines

    if not options.yes:
        verb.run([*rest, *([] if options.dry_run else ["--dry-run"])])
        return Told([], f"Do it: /tokens optimize --apply {' '.join(options.apply)} --yes")
    with open_workbench(settings(), terminal(), Want.DETAIL, options.tz) as bench:
        known, found = verb.meant(bench, options)
        meant = applications_of(found, options.apply)
        done = [applied(bench, known, found, one) for one in meant]
    return Told(done_lines(done, file_style()))


def report(rest: list[str]) -> Told:
    """A report in a file: its verdict, and where it is."""
    from tokenbudget.cli import report as verb
    from tokenbudget.cli.output_file import told_path

    options = verb.options_of(rest)
    data, project = verb.computed(options)
    path = verb.written(data, project, options)
    return Told([data.verdict, f"{data.period}, as {options.format}: {told_path(path)}"])


def export(rest: list[str]) -> Told:
    """Rows in files: how many, and where."""
    from tokenbudget.cli import export as verb
    from tokenbudget.cli.output_file import told_path

    done = verb.written(verb.options_of(rest))
    return Told([f"{_amount(one)}: {told_path(one.path)}" for one in done])


def _amount(one: Done) -> str:
    return one.what if one.rows is None else f"{one.rows:,} rows ({one.what})"
