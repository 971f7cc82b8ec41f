"""Carry proposals out through the journal: written down, done, looked at, written down.

One action at a time: whoever changes files holds `actions.lock` until the journal says how it went.
So a step that is `planned` in a journal that can be locked was begun by a process that ended.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from tokenbudget.model.actions import Outcome
from tokenbudget.model.errors import LedgerUnusable, ProjectUnusable, Refused
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import ActionRecord, Proposal, Step
    from tokenbudget.model.protocols import Clock
    from tokenbudget.resources.steps import Workshop

LOCK_NAME = "actions.lock"
LOCK_SECONDS = 3.0
"""An edit takes milliseconds; an archive that is at work takes minutes, and is not waited for."""


def carry_out(
    bench: Workbench,
    workshop: Workshop,
    cause: str,
    project: str,
    proposals: Sequence[Proposal],
    told: Callable[[Step, Outcome], None] | None = None,
    undoes: int | None = None,
) -> ActionRecord:
    """Do every step of the proposals, in order; one that fails keeps no other from being done.

    Args:
        bench: Its ledger keeps the journal.
        workshop: Does the steps.
        cause: The command, such as `tokens compact`.
        project: The project's folder, or ''.
        proposals: With at least one step.
        told: Called after each step.
        undoes: The action that this one gives back; such a one is not taken back itself.

    Raises:
        LedgerUnusable: the journal cannot be written. If that is so from the beginning nothing
            was changed; else no further step was begun.
        Refused: another command is changing files.
        ValueError: there is no step.
    """
    steps = [step for proposal in proposals for step in proposal.steps]
    if not steps:
        raise ValueError("an action without a step")
    with only_action(bench.settings.data_dir, bench.clock):
        journal = bench.ledger.journal
        freed_bytes = sum(proposal.freed_bytes for proposal in proposals)
        freed_tokens = _freed_tokens(proposals)
        action = journal.begin(cause, project, steps, freed_tokens, freed_bytes, undoes)
        for number, step in enumerate(steps):
            try:
                outcome = _done(bench, workshop, action, number, step)
            except KeyboardInterrupt:
                _note_stopped(bench, workshop, action, number)
                raise
            if told is not None:
                told(step, outcome)
        record = journal.action(action)
    if record is None:
        raise LedgerUnusable(f"the journal has lost action {action}; run: tokens doctor")
    return record


def _done(bench: Workbench, workshop: Workshop, action: int, number: int, step: Step) -> Outcome:
    """One step: what taking it back needs is durable before it is done, and its outcome after."""
    journal = bench.ledger.journal
    prepared = workshop.prepare(step)
    if prepared.result:
        journal.note(action, number, prepared)
    outcome = workshop.apply(step) if prepared.state == "planned" else prepared
    journal.note(action, number, outcome)
    wrong = workshop.verify(step, outcome) if outcome.state == "done" else ""
    if wrong:
        outcome = outcome._replace(message=wrong)
        journal.note(action, number, outcome)
    return outcome


def _note_stopped(bench: Workbench, workshop: Workshop, action: int, current: int) -> None:
    """Say how far it came: the step at hand as it looks, and those after it as not done.

    (A later action may do them, and taking this one back must not take those back with it.)
    """
    journal = bench.ledger.journal
    record = journal.action(action)
    for one in record.steps[current:] if record is not None else ():
        seen = Outcome("unchanged", "it did not have its turn")
        if one.number == current and one.outcome.state == "planned":
            seen = workshop.look(one.step, one.outcome)
        if seen.state != "planned" and one.outcome.state == "planned":
            journal.note(action, one.number, seen)


def _freed_tokens(proposals: Sequence[Proposal]) -> int | None:
    """What is known of it; None where nothing is."""
    known = [one.freed.tokens for one in proposals if one.freed.tokens is not None]
    return sum(known) if known else None


@contextmanager
def only_action(data_dir: str, clock: Clock) -> Iterator[None]:
    """Be the only one that changes files of a person; the lock ends with the process.

    Raises:
        Refused: another command is at it.
        ProjectUnusable: the data folder cannot be written.
    """
    path = os.path.join(data_dir, LOCK_NAME)
    try:
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        lock = FileLock(path)
        started = clock.monotonic_seconds()
        while not lock.try_acquire():
            if clock.monotonic_seconds() - started > LOCK_SECONDS:
                raise Refused("another tokens command is changing files now; wait until it is done")
            clock.sleep(0.05)
    except OSError as wrong:
        raise ProjectUnusable(f"cannot use {path}: {wrong.strerror}") from wrong
    with lock:
        yield
