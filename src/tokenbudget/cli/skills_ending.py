"""How `tokens skills split` and `skills extract` end: what became of it, and the exit code."""

from __future__ import annotations

from tokenbudget.cli.options import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.model.actions import ActionRecord

NOT_SO = 1
"""Exit code where a file could not be written."""


def tell_ending(action: ActionRecord | None, options: Namespace, *, has_steps: bool) -> None:
    """Say what was done, or that nothing was; without a word where there was nothing to do."""
    from tokenbudget.reports.skills_splitting import done_lines

    if action is not None:
        show(["", *done_lines(action)])
    elif has_steps:
        show(["", f"Nothing was changed{' (--dry-run)' if options.dry_run else ''}."])


def exit_code_of(action: ActionRecord | None) -> int:
    """Of what was done, if anything was."""
    has_failed = action is not None and any(one.outcome.state == "failed" for one in action.steps)
    return NOT_SO if has_failed else 0
