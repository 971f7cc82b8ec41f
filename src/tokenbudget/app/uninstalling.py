"""What `tokens uninstall` would take out of one scope, and taking it out.

First what the journal has, which gives the very bytes of before where nobody has written since;
then what is still there of ours, found by its mark.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.controlling_leaving import all_given_back, projects_lent
from tokenbudget.app.installing_client import marks
from tokenbudget.app.installing_done import sweep, trash_ours
from tokenbudget.app.installing_files import called, our_files
from tokenbudget.app.installing_journal import (
    folders_ours,
    live_actions,
    live_edits,
    remove_folders,
    settle,
    take_back,
)
from tokenbudget.app.installing_rows import others_words
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.config.layers import AGENT_FOLDER, LOCAL_NAME
from tokenbudget.config.management import USER
from tokenbudget.gateway.daemon.secret import remove_secret
from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.model.actions import EditSettings
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.resources import wiring
from tokenbudget.resources.history import KEYS
from tokenbudget.resources.wiring import Seen, part_of, seen_in
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.app.installing_place import Target
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import Clock


CONTROLLER = "controller"
"""The component to which belongs what was lent."""


class Leaving(NamedTuple):
    """One thing that goes, or cannot."""

    component: str
    path: str
    what: str
    note: str = ""
    is_refused: bool = False


class UninstallPlan(NamedTuple):
    """What would be taken out of one scope."""

    target: Target
    rows: tuple[Leaving, ...]
    is_journalled: bool
    """Whether the journal has an installation in place here."""

    @property
    def is_any(self) -> bool:
        """Whether there is anything of ours."""
        return self.is_journalled or any(not row.is_refused for row in self.rows)


class Uninstalled(NamedTuple):
    """What came of it."""

    target: Target
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def uninstall_plan(
    settings: Settings, ledger: Ledger, clock: Clock, target: Target
) -> UninstallPlan:
    """Look what there is of ours; nothing is changed."""
    rows = [*_settings_rows(ledger, target), *_file_rows(ledger, target)]
    if target.scope == USER:
        rows += _lent_rows(settings, ledger, clock)
    return UninstallPlan(target, tuple(rows), bool(live_actions(ledger, target)))


def _settings_rows(ledger: Ledger, target: Target) -> Iterator[Leaving]:
    live = live_edits(ledger, target)
    is_ours = bool(live)
    try:
        seen = _seen(target)
    except (TokenBudgetError, ValueError, NotEditable, OSError) as wrong:
        if is_ours or not isinstance(wrong, TokenBudgetError):
            said = f"{quoted(target.named_path)} cannot be changed safely: {wrong}"
            yield Leaving("settings", target.named_path, "", said, is_refused=True)
        return
    if seen.statusline:
        other = seen.other_statusline
        note = f"the status line is that of before again: {other}" if other else ""
        yield Leaving(wiring.STATUSLINE, target.named_path, wiring.STATUSLINE_KEY, note)
    if seen.ours:
        events = ", ".join(dict.fromkeys(hook.event for hook in seen.ours))
        note = others_words(len(seen.others))
        yield Leaving(wiring.HOOKS, target.named_path, f"hooks: {events}", note)
    if seen.has_plugin:
        yield Leaving(wiring.PLUGIN, target.named_path, wiring.ENABLED_KEY)
    if seen.has_recall and any(part_of(edit) == wiring.RECALL for edit in live):
        what = f"{wiring.PERMISSIONS_KEY}.{wiring.ALLOW_KEY}: {wiring.RECALL_RULE}"
        yield Leaving(wiring.RECALL, target.named_path, what)


def _lent_rows(settings: Settings, ledger: Ledger, clock: Clock) -> Iterator[Leaving]:
    for project in projects_lent(settings, ledger, clock):
        path = os.path.join(project, AGENT_FOLDER, LOCAL_NAME)
        yield Leaving(CONTROLLER, path, ".".join(KEYS), "lent to have a session compacted")


def _seen(target: Target) -> Seen:
    return seen_in(target.text_at(target.settings_path) or "", marks())


def _file_rows(ledger: Ledger, target: Target) -> Iterator[Leaving]:
    for one in our_files(ledger, target):
        note = "it was edited since; only what is ours in it goes" if one.is_edited else ""
        if one.is_lost:
            note = f"{quoted(one.path)} was edited since we made it and stays; remove it by hand"
        yield Leaving(one.component, one.path, called(one.name), note, is_refused=one.is_lost)


# ── taking out ───────────────────────────────────────────────────────────────────────────────────


def uninstalled(settings: Settings, ledger: Ledger, clock: Clock, target: Target) -> Uninstalled:
    """Take everything of ours out of this scope.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing was changed, or nothing more.
        Refused: another command is changing files.
    """
    made = folders_ours(ledger, target)
    stays = take_back(settings, ledger, clock, target, lambda one: True)
    faults, notes = [], []
    try:
        sweep(settings, ledger, clock, target)
        is_out = not _seen(target).parts
    except (TokenBudgetError, ValueError, NotEditable, OSError) as wrong:
        faults += [str(wrong)] if live_edits(ledger, target) else []
        is_out = False
    for action, one in stays:
        is_settings = isinstance(one.step.step, EditSettings)
        if is_settings and is_out:
            settle(ledger, action, one)
            notes.append(one.outcome.message)
        else:
            faults.append(one.outcome.message)
    faults += trash_ours(settings, ledger, clock, target)
    remove_folders(target, made)
    if target.scope == USER:
        lent = projects_lent(settings, ledger, clock)
        faults += all_given_back(settings, ledger, clock, lent)
    if target.scope == USER and not faults:
        remove_secret(settings.data_dir)
        notes += _daemon_notes(settings)
    return Uninstalled(target, tuple(dict.fromkeys(faults)), tuple(dict.fromkeys(notes)))


def _daemon_notes(settings: Settings) -> list[str]:
    if not status_of(settings.data_dir).is_running:
        return []
    return ["the daemon ends when it has been idle for a while; tokens serve --stop ends it now"]
