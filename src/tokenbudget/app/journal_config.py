"""`tokens config set` and `unset`, written down before they are made, so that undo takes them back.

What the file said is kept first, and where somebody else changes it at the same moment, what that
one wrote is kept too.
"""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple, cast

from tokenbudget.app import LEDGER_NAME
from tokenbudget.app.journal import only_action
from tokenbudget.config.editing import carry_out, file_of
from tokenbudget.config.layers import project_dir
from tokenbudget.config.management import LOCAL, OURS, PROJECT
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import EditSettings, EditText, Outcome, SettingEdit
from tokenbudget.system.kept import FOLDER, Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.editing import Change
    from tokenbudget.config.settings import Settings
    from tokenbudget.config.typed import Edit
    from tokenbudget.ledger.journal import JournalRows
    from tokenbudget.model.actions import Json
    from tokenbudget.model.protocols import Clock


class Edited(NamedTuple):
    """A change of a setting, and the action that it is in the journal."""

    change: Change
    action: int | None
    """None where nothing had to be written."""


def edit_setting(
    settings: Settings, edit: Edit, clock: Clock, judge: Callable[[str, bytes], None]
) -> Edited:
    """Change one setting; what it takes to undo it is durable before.

    Raises:
        BadConfig, BadRequest: as by `config.editing.carry_out`.
        LedgerUnusable, LedgerDamaged, LedgerTooNew: the journal cannot be written, and nothing was.
        Refused: another command is changing files.
    """
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    with only_action(settings.data_dir, clock), Ledger(path, (), clock) as ledger:
        diary = _Diary(settings, edit, ledger.journal)
        try:
            change = carry_out(settings, edit, clock, judge, diary.keep)
        except BaseException:
            diary.close()
            raise
        diary.close()
    return Edited(change, diary.action)


class _Diary:
    """What is written down of one edit, however often it has to be made again."""

    def __init__(self, settings: Settings, edit: Edit, journal: JournalRows) -> None:
        self.action: int | None = None
        self._settings = settings
        self._edit = edit
        self._journal = journal
        self._planned = Outcome("planned", "")
        self._path = ""

    def keep(self, change: Change) -> str:
        """Before each writing; where the old file is kept."""
        kept = Kept(self._settings.data_dir)
        before = kept.put(change.before.encode()) if change.was_there else None
        step = self._step(change)
        if self.action is not None and isinstance(step, EditText):
            self._journal.note(self.action, 0, Outcome("unchanged", "it was made anew"))
            self.action = None
        if self.action is None:
            did = "set" if self._edit.value is not None else "unset"
            cause = f"tokens config {did} {'.'.join(self._edit.path)}"
            self.action = self._journal.begin(cause, self._project(), [step], None, 0)
        after = _sha256(change.after.encode())
        self._planned = Outcome("planned", "", {"before": before, "after": after})
        self._path = change.path
        self._journal.note(self.action, 0, self._planned)
        return os.path.join(kept.data_dir, FOLDER, before) if before else ""

    def close(self) -> None:
        """At the end, however it came: look whether it was written."""
        if self.action is None:
            return
        try:
            with open(self._path, "rb") as handle:
                is_done = _sha256(handle.read()) == self._planned.result["after"]
        except OSError:
            is_done = False
        if is_done:
            self._journal.note(self.action, 0, self._planned._replace(state="done"))

    def _step(self, change: Change) -> EditSettings | EditText:
        """The path as it was named may be a link to where a person keeps their own settings."""
        scope = self._edit.scope
        is_shared = scope in (PROJECT, LOCAL)
        path = change.path if is_shared else os.path.abspath(file_of(self._settings, scope))
        if scope == OURS or self._edit.value is None:
            return EditText(path, change.before if change.was_there else None, change.after)
        value = cast("Json", self._edit.value)  # it was written as JSON
        return EditSettings(path, (SettingEdit(self._edit.path, value, False),))

    def _project(self) -> str:
        if self._edit.scope not in (PROJECT, LOCAL):
            return ""
        return os.path.realpath(project_dir(self._settings.working_dir, self._settings.home_dir))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
