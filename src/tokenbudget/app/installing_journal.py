"""What of `tokens install` the journal still has in place, and taking that back."""

from __future__ import annotations

import contextlib
import os

from tokenbudget.app.undoing import LEFT, undo, workshop_for
from tokenbudget.model.actions import EditSettings, EditText

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.app.installing_place import Target
    from tokenbudget.app.undoing import StepUndone
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord, SettingEdit, StepRecord
    from tokenbudget.model.protocols import Clock

INSTALL, UNINSTALL = "tokens install", "tokens uninstall"
"""Causes; both are in `undoing.WIRING`."""


def live_actions(ledger: Ledger, target: Target) -> list[ActionRecord]:
    """Those that installed something in this scope which is not taken back, the latest first."""
    return [
        action
        for action in ledger.journal.actions(-1)
        if action.cause == INSTALL
        and action.undoes is None
        and action.undone_at_ms is None
        and any(is_live(one, target) for one in action.steps)
    ]


def is_live(one: StepRecord, target: Target) -> bool:
    """Whether a step may still be in place, and belongs to this scope."""
    is_ours = isinstance(one.step, EditSettings | EditText)
    return is_ours and one.outcome.state in LEFT and target.holds(one.step.path)  # type: ignore[union-attr]


def live_settings(ledger: Ledger, target: Target) -> list[EditSettings]:
    """The edits of the settings file that are in place, the latest first."""
    return [
        one.step
        for action in live_actions(ledger, target)
        for one in reversed(action.steps)
        if is_live(one, target) and isinstance(one.step, EditSettings)
    ]


def live_edits(ledger: Ledger, target: Target) -> list[SettingEdit]:
    """The single edits of the settings file that are in place, the latest first."""
    return [edit for step in live_settings(ledger, target) for edit in step.edits]


def written_by_us(ledger: Ledger, target: Target) -> Mapping[str, frozenset[str]]:
    """The texts that we wrote into each file which is not taken back."""
    found: dict[str, frozenset[str]] = {}
    for action in live_actions(ledger, target):
        for one in action.steps:
            if is_live(one, target) and isinstance(one.step, EditText):
                path = one.step.path
                found[path] = found.get(path, frozenset()) | {one.step.after}
    return found


def folders_ours(ledger: Ledger, target: Target) -> int:
    """How many folders were not there before we wrote, from the agent's own upwards."""
    most, top = 0, target.folder + "/"
    steps = [one for action in live_actions(ledger, target) for one in action.steps]
    for one in steps if not target.project else ():
        made = one.outcome.result.get("folders")
        if isinstance(one.step, EditSettings | EditText) and isinstance(made, int):
            is_below = one.step.path.startswith(top)
            most = max(most, made - one.step.path[len(top) :].count("/")) if is_below else most
    return most


def remove_folders(target: Target, count: int) -> None:
    """Remove so many of them, the agent's own first, where nothing is in them."""
    folder = target.folder
    with contextlib.suppress(OSError):  # something else is in it
        for _ in range(count):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def take_back(
    settings: Settings,
    ledger: Ledger,
    clock: Clock,
    target: Target,
    is_meant: Callable[[StepRecord], bool],
) -> list[tuple[ActionRecord, StepUndone]]:
    """Take back those steps of this scope that are meant, the latest first; what stays.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing more was changed.
        Refused: another command is changing files.
    """
    stays: list[tuple[ActionRecord, StepUndone]] = []
    for action in live_actions(ledger, target):
        workshop = workshop_for(settings, action, clock)
        undone = undo(
            *(ledger, workshop, action, settings.data_dir, clock),
            only=lambda one: is_live(one, target) and is_meant(one),
        )
        stays += [(undone.action, one) for one in undone.left]
    return stays


def settle(ledger: Ledger, action: ActionRecord, one: StepUndone) -> None:
    """Note a step as taken back of which nothing is left to be: somebody else's is in its place."""
    journal = ledger.journal
    journal.note(action.id, one.step.number, one.outcome._replace(state="undone"))
    now = journal.action(action.id)
    if now is not None and not any(step.outcome.state in LEFT for step in now.steps):
        journal.note_undone(action.id)
