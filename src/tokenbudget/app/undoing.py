"""Take an action of the journal back, step by step, the last one first.

Each step is noted before the next is begun, and taking back what is back already changes nothing:
whatever interrupts it, the same command goes on. What was begun when a process ended is looked at
first. A step that somebody's later edit is in the way of stays as a conflict, theirs untouched.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import NamedTuple

from tokenbudget.app import LEDGER_NAME, PROJECTS
from tokenbudget.app.gateway_record import RecordChanges, forget
from tokenbudget.app.installing_place import linked_folders
from tokenbudget.app.journal import only_action
from tokenbudget.config.layers import SETTINGS_NAME
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.actions import ClientServer, EditSettings
from tokenbudget.model.errors import BadRequest, LedgerUnusable
from tokenbudget.resources.history import CLEAR_UP, GIVE_BACK, lent_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import ActionRecord, Outcome, StepRecord
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.steps import ClientHands, Workshop

RECENT = 100
"""So many actions are looked at before all are; what is taken back is nearly always among them."""

WIRING = ("tokens install", "tokens uninstall")
"""Causes of actions that write commands and skills of a person, below the agent's folder."""

LEFT = ("done", "planned", "conflict")
"""States of a step of which something may be left to be taken back."""


class StepUndone(NamedTuple):
    """A step, and what became of it or would."""

    step: StepRecord
    outcome: Outcome


class Undoing(NamedTuple):
    """An action that is taken back, or would be."""

    action: ActionRecord
    steps: tuple[StepUndone, ...]
    """In the order in which they are taken back; those of which nothing is left are not here."""
    is_foreseen: bool
    """Whether nothing was changed."""

    @property
    def left(self) -> list[StepUndone]:
        """What stays, or would: a conflict, or it failed."""
        return [one for one in self.steps if one.outcome.state in ("conflict", "failed")]


@contextmanager
def journal_ledger(settings: Settings, clock: Clock, *, is_only_read: bool) -> Iterator[Ledger]:
    """The ledger as it is, for its journal alone; a passing copy where it is only to be read.

    Raises:
        LedgerUnusable, LedgerDamaged, LedgerTooNew: it cannot be opened.
    """
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    try:
        ledger = Ledger(path, (), clock)
    except LedgerUnusable:
        if not is_only_read:
            raise
        ledger = Ledger(TEMPORARY, (), clock)
        ledger.take_copy(path)
    with ledger:
        yield ledger


def workshop_for(settings: Settings, action: ActionRecord, clock: Clock) -> Workshop:
    """Hands that may touch what the action could have touched."""
    from tokenbudget.app.session_hands import hands_for_undo
    from tokenbudget.resources.steps import Workshop
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.trash import Trash

    roots = [action.project, settings.config_path]
    for folder in settings.claude_dirs:
        roots += [os.path.join(folder, PROJECTS), os.path.join(folder, SETTINGS_NAME)]
        if action.cause in WIRING and not action.project:
            roots += [folder, *linked_folders(folder)]
    hands = hands_for_undo(settings, clock)
    return Workshop(
        Trash(settings.data_dir, clock),
        Kept(settings.data_dir),
        roots,
        clock,
        archive=hands.archive,
        recover=hands.recover,
        client=_client_hands(settings, action),
        record=RecordChanges(settings.data_dir).hands(),
        cause=f"tokens undo {action.id}",
    )


def _client_hands(settings: Settings, action: ActionRecord) -> ClientHands | None:
    """Hands for what the agent's client does, where the action has any of it."""
    if not any(isinstance(one.step, ClientServer) for one in action.steps):
        return None
    from tokenbudget.app.gateway_place import client_of
    from tokenbudget.resources.client_servers import ClientServers
    from tokenbudget.system.kept import Kept

    return ClientServers(client_of(settings), Kept(settings.data_dir)).hands()


# ── which one ────────────────────────────────────────────────────────────────────────────────────


def is_to_undo(action: ActionRecord) -> bool:
    """Whether something of it can be taken back without a person having to settle a conflict."""
    return action.undone_at_ms is None and stands(action)


def stands(action: ActionRecord) -> bool:
    """Whether steps of it stand, also where it is noted as undone.

    A loan is, once it is given back, before what was made for it is taken away.
    """
    is_own = action.undoes is None and not gives_back(action)
    return is_own and any(one.outcome.state in ("done", "planned") for one in action.steps)


def gives_back(action: ActionRecord) -> bool:
    """Whether the controller gave something back that was lent: undone, it would be lent again."""
    return action.cause.endswith(tuple(f"({step})" for step in (GIVE_BACK, CLEAR_UP)))


def given_back(actions: Sequence[ActionRecord]) -> set[int]:
    """The loans that these actions gave back, by id; a try that failed leaves one lent."""
    return {
        one.undoes
        for one in actions
        if one.undoes is not None
        and gives_back(one)
        and all(step.outcome.state in ("done", "unchanged") for step in one.steps)
    }


def lending(action: ActionRecord) -> StepRecord | None:
    """The step that tells a client a window, so that it compacts early; None where none does."""
    for one in action.steps:
        if isinstance(one.step, EditSettings) and lent_values([action], one.step.path):
            return one
    return None


def latest(ledger: Ledger, project: str) -> ActionRecord | None:
    """The latest action of a project, or of none; else the latest of all. None: there is none."""
    places = {"", project, os.path.realpath(project)}
    here = latest_where(ledger, lambda action: action.project in places)
    return here or latest_where(ledger, lambda action: True)


def latest_of(ledger: Ledger, project: str) -> ActionRecord | None:
    """The latest action of this project alone."""
    places = {project, os.path.realpath(project)}
    return latest_where(ledger, lambda action: action.project in places)


def latest_where(ledger: Ledger, is_meant: Callable[[ActionRecord], bool]) -> ActionRecord | None:
    """The latest action that is meant and can be taken back; no loan that was given back."""
    for limit in (RECENT, -1):
        actions = ledger.journal.actions(limit)
        back = given_back(actions)
        for action in actions:
            if is_meant(action) and is_to_undo(action) and action.id not in back:
                return action
    return None


def named(ledger: Ledger, identity: int) -> ActionRecord:
    """The action of this id.

    Raises:
        BadRequest: there is none, it is itself an undo, or it gave back what was lent.
    """
    action = ledger.journal.action(identity)
    if action is None:
        raise BadRequest(f"there is no action {identity}; tokens undo --list shows them")
    if action.undoes is not None:
        raise BadRequest(
            f"action {identity} took action {action.undoes} back, and cannot be taken back itself;"
            " run the command again that you want"
        )
    if gives_back(action):
        raise BadRequest(
            f"action {identity} gave the client its own setting of compaction back; taken back, the"
            " client would compact early again"
        )
    return action


# ── taking it back ───────────────────────────────────────────────────────────────────────────────


def foreseen(workshop: Workshop, action: ActionRecord) -> Undoing:
    """What taking it back would come to; nothing is changed."""
    steps = []
    for one in _left_of(action):
        seen = _seen(workshop, one)
        if seen.state != "unchanged":
            is_clear = seen.state in ("done", "conflict")
            steps.append(StepUndone(one, workshop.foresee(one.step, seen) if is_clear else seen))
    return Undoing(action, tuple(steps), is_foreseen=True)


def undo(
    ledger: Ledger,
    workshop: Workshop,
    action: ActionRecord,
    data_dir: str,
    clock: Clock,
    only: Callable[[StepRecord], bool] | None = None,
    *,
    is_noted_too: bool = False,
) -> Undoing:
    """Take an action back as far as that is possible; the journal says how far it came.

    `only` says which steps are meant; the others stay, to be taken back another time. With
    `is_noted_too` steps that stand are meant though the action is noted as undone.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing more was changed.
        Refused: another command is changing files.
    """
    with only_action(data_dir, clock):
        current = named(ledger, action.id)  # another undo may have been quicker
        left = _left_of(current, is_noted_too=is_noted_too)
        steps = [one for one in left if only is None or only(one)]
        if not steps:
            return Undoing(current, (), is_foreseen=False)
        journal = ledger.journal
        journal.begin(f"tokens undo {current.id}", current.project, [], None, 0, current.id)
        undone = [_undone(ledger, workshop, current.id, one) for one in steps]
        made = Undoing(current, tuple(one for one in undone if one), is_foreseen=False)
        if not made.left and len(steps) == len(left):
            journal.note_undone(current.id)
            forget(data_dir, current, ledger)
    return made


def _left_of(action: ActionRecord, *, is_noted_too: bool = False) -> Sequence[StepRecord]:
    if action.undone_at_ms is not None and not is_noted_too:
        return []
    return [one for one in reversed(action.steps) if one.outcome.state in LEFT]


def _undone(ledger: Ledger, workshop: Workshop, action: int, one: StepRecord) -> StepUndone | None:
    """One step; None for one that was never done. What failed stays `done`, to be tried again."""
    seen = _seen(workshop, one)
    if seen.state == "unchanged":
        ledger.journal.note(action, one.number, seen)
        return None
    if seen.state == "failed":
        return StepUndone(one, seen)
    prepared = workshop.prepare_revert(one.step, seen)
    if prepared != one.outcome:
        ledger.journal.note(action, one.number, prepared)
    outcome = workshop.revert(one.step, prepared)
    noted = outcome._replace(state="done") if outcome.state == "failed" else outcome
    ledger.journal.note(action, one.number, noted)
    return StepUndone(one, outcome)


def _seen(workshop: Workshop, one: StepRecord) -> Outcome:
    """The outcome of a step, looked at where nobody wrote it down: then `failed` is unknown."""
    if one.outcome.state != "planned":
        return one.outcome
    seen = workshop.look(one.step, one.outcome)
    return seen._replace(state="failed") if seen.state == "planned" else seen
