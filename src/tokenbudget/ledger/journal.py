"""The journal of what the product changed, as rows; `Ledger.journal` gives it.

What is about to be done, and how it went, is on the disk before the method returns: the commit is
synced, for a file that was changed outlives a loss of power, and so must the way to take it back.

Nothing is ever written in a passing copy of the ledger (a read-only home, `--from`): it would be
gone with the copy, and nothing could be undone. So nothing may be changed then either.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import Any, get_args

from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.steps_json import result_of, result_text, step_of, step_text
from tokenbudget.ledger.writing import written
from tokenbudget.model.actions import (
    ActionRecord,
    ArchiveSession,
    Outcome,
    State,
    StepRecord,
    TrashFile,
)
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.ledger.connection import Told
    from tokenbudget.model.actions import Step
    from tokenbudget.model.protocols import Clock

PATIENCE_MS = 60_000
"""An outcome that cannot be noted leaves a step that has to be looked at; so wait for a rebuild."""

STATES = frozenset(get_args(State))

_ACTIONS = (
    "SELECT id, at_ms, cause, project, freed_tokens, freed_bytes, undone_at_ms, undoes FROM action"
)
_STEPS = "SELECT number, step, state, message, result FROM action_step WHERE action_id = ?"


class JournalRows:
    """The `Journal` of a ledger: beside LedgerUnusable every method may raise LedgerDamaged."""

    def __init__(
        self, connection: sqlite3.Connection, told: Told, clock: Clock, is_kept: bool
    ) -> None:
        self._connection = connection
        self._told = told
        self._clock = clock
        self._is_kept = is_kept

    def begin(
        self,
        cause: str,
        project: str,
        steps: Sequence[Step],
        freed_tokens: int | None,
        freed_bytes: int | None = None,
        undoes: int | None = None,
    ) -> int:
        """Write down what is about to be done, durably; the action's id.

        Args:
            cause: The command.
            project: The project's folder, or ''.
            steps: In order; they are numbered from 0.
            freed_tokens: As predicted, per request; None where that is unknown.
            freed_bytes: As predicted; None for the sizes of what is taken away.
            undoes: The action that this one takes back.

        Raises:
            LedgerUnusable: it cannot be written; nothing may be changed then.
        """
        try:
            texts = [step_text(step) for step in steps]
        except ValueError as wrong:
            raise LedgerUnusable(f"cannot write down what is to be done: {wrong}") from wrong
        freed = _sizes(steps) if freed_bytes is None else freed_bytes
        with self._written():
            done = self._connection.execute(
                "INSERT INTO action (at_ms, cause, project, freed_tokens, freed_bytes, undoes)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(self._clock.now_ms(), _kept(cause), stored_path(project)),
                    *(freed_tokens, freed, undoes),
                ),
            )
            self._connection.executemany(
                "INSERT INTO action_step (action_id, number, step, state, message, result)"
                " VALUES (?, ?, ?, 'planned', '', '{}')",
                [(done.lastrowid, number, text) for number, text in enumerate(texts)],
            )
        return done.lastrowid or 0

    def note(self, action: int, number: int, outcome: Outcome) -> None:
        """Write down how a step went, durably.

        Raises:
            LedgerUnusable: it cannot be written, or there is no such step.
        """
        try:
            result = result_text(outcome.result)
        except ValueError as wrong:
            raise LedgerUnusable(f"cannot write down what was done: {wrong}") from wrong
        with self._written():
            done = self._connection.execute(
                "UPDATE action_step SET state = ?, message = ?, result = ?"
                " WHERE action_id = ? AND number = ?",
                (outcome.state, _kept(outcome.message), result, action, number),
            )
            if done.rowcount != 1:
                raise LedgerUnusable(f"the journal has no step {number} of action {action}")

    def note_undone(self, action: int) -> None:
        """Write down that an action was taken back as a whole; when it was so first stays."""
        with self._written():
            self._connection.execute(
                "UPDATE action SET undone_at_ms = ifnull(undone_at_ms, ?) WHERE id = ?",
                (self._clock.now_ms(), action),
            )

    def action(self, action: int) -> ActionRecord | None:
        """One action; None where there is none of this id."""
        found = self._found(" WHERE id = ?", (action,))
        return found[0] if found else None

    def actions(self, limit: int, project: str = "") -> list[ActionRecord]:
        """The latest first (-1: all); of one project or ('') all."""
        return self._found(
            " WHERE ? IN ('', project) ORDER BY id DESC LIMIT ?", (stored_path(project), limit)
        )

    def undone_among(self, actions: Sequence[int]) -> set[int]:
        """Those of these actions that were taken back as a whole."""
        marks = ", ".join("?" * len(actions))
        with self._told:
            rows = self._connection.execute(
                f"SELECT id FROM action WHERE undone_at_ms IS NOT NULL AND id IN ({marks})", actions
            )
            return {number for (number,) in rows}

    def caused_by(self, cause: str) -> ActionRecord | None:
        """The latest action of exactly this cause."""
        found = self._found(" WHERE cause = ? ORDER BY id DESC LIMIT 1", (_kept(cause),))
        return found[0] if found else None

    def check(self) -> None:
        """See that every step can be read; raises LedgerDamaged where one cannot."""
        self.actions(-1)

    def _found(self, where: str, values: tuple[object, ...]) -> list[ActionRecord]:
        with self._told:
            rows = self._connection.execute(_ACTIONS + where, values).fetchall()
            return [self._action(row) for row in rows]

    def _action(self, row: tuple[Any, ...]) -> ActionRecord:
        number, at_ms, cause, project, tokens, freed_bytes, undone_at_ms, undoes = row
        rows = self._connection.execute(_STEPS + " ORDER BY number", (number,))
        return ActionRecord(
            *(number, at_ms, cause, shown_path(project), tokens, freed_bytes, undone_at_ms),
            tuple(map(step_record, rows)),
            undoes,
        )

    @contextmanager
    def _written(self) -> Iterator[None]:
        if not self._is_kept:
            raise LedgerUnusable(
                "files are changed only where the journal of it can be kept, and this is a"
                " passing copy; make its folder writable or set TOKENS_HOME"
            )
        with self._told, written(self._connection, PATIENCE_MS, is_durable=True):
            yield


def step_record(row: Sequence[object]) -> StepRecord:
    """A row of `number, step, state, message, result` as a value.

    Raises:
        sqlite3.DatabaseError: it is none that we wrote, which is damage like any other.
    """
    number, step, state, message, result = row
    try:
        if state not in STATES or type(number) is not int or type(message) is not str:
            raise ValueError("a step without number, state or message")
        outcome = Outcome(state, message, result_of(str(result)))  # type: ignore[arg-type]
        return StepRecord(number, step_of(str(step)), outcome)
    except ValueError as wrong:
        raise sqlite3.DatabaseError(f"malformed journal: {wrong}") from wrong


def _sizes(steps: Sequence[Step]) -> int:
    return sum(step.size_bytes for step in steps if isinstance(step, TrashFile | ArchiveSession))


def _kept(text: str) -> str:
    """The text as SQLite takes it: it refuses lone surrogates, which a path may hold."""
    return text.encode("utf-8", "backslashreplace").decode()
