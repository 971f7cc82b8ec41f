"""`tokens optimize --apply`: shown, asked, done."""

from __future__ import annotations

from tokenbudget.cli.options import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.app import Workbench
    from tokenbudget.app.studies import Studied

NOT_SO = 1
"""Exit code where a step failed."""


def run_apply(bench: Workbench, known: Studied, found: Findings, options: Namespace) -> int:
    """Show what applying means, ask, and do it; returns the exit code.

    Raises:
        BadRequest: a finding is not there.
        Refused: one is advice, or there is nobody to ask.
    """
    from tokenbudget.app.optimizing_apply import applications_of, applied
    from tokenbudget.cli.asking import is_wanted
    from tokenbudget.reports.optimize_apply import done_lines, preview_lines
    from tokenbudget.reports.step_words import change_lines

    applications = applications_of(found, options.apply)
    texts = [[line for s in one.proposal.steps for line in change_lines(s)] for one in applications]
    out = style(options.no_color)
    if not options.json:
        show(preview_lines(applications, texts, out, bench.settings.home_dir))
    done = []
    if not options.dry_run and is_wanted("\nDo this?", options.yes):
        done = [applied(bench, known, found, one) for one in applications]
    if options.json:
        from tokenbudget.reports.optimize_json import apply_document

        show([apply_document(applications, texts, done)])
    elif done:
        show(["", *done_lines(done, out)])
    else:
        dry = " (--dry-run)" if options.dry_run else ""
        show(["", f"Nothing was changed{dry}."])
    return 0 if all(one.is_done for one in done) else NOT_SO
