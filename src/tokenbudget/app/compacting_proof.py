"""What earlier cleanups of a project came to, as the next sessions' first requests tell."""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import PastAction
from tokenbudget.analysis.first_requests import Event, proof_of
from tokenbudget.app.compacting_place import spellings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.first_requests import Proof
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord

CAUSE = "tokens compact"
FIX_CAUSE = "tokens optimize --apply"
MOST_ACTIONS = 200


def last_action(ledger: Ledger, project: str) -> PastAction | None:
    """The last cleanup of the project that holds, and its proof; None where there is none."""
    actions = _actions(ledger, project)
    ours = [one for one in actions if one.cause == CAUSE and one.undone_at_ms is None]
    ours = [one for one in ours if _was_done(one)]
    if not ours:
        return None
    proofs = _proofs(ledger, project, ours[:1], actions)
    return PastAction(ours[0].id, ours[0].at_ms, proofs.get(ours[0].id))


def proofs_of(ledger: Ledger, actions: Sequence[ActionRecord]) -> dict[int, Proof]:
    """What these actions really freed, by id; without those that no session has begun since."""
    found: dict[int, Proof] = {}
    ours = [one for one in actions if _changes_requests(one) and one.project and _was_done(one)]
    for project in {one.project for one in ours}:
        meant = [one for one in ours if one.project == project]
        found |= _proofs(ledger, project, meant, _actions(ledger, project))
    return found


def proof_of_action(ledger: Ledger, action: ActionRecord) -> tuple[Proof | None, float]:
    """What an action really freed of first requests, and its share where several were one change.

    None until a session has begun since.
    """
    actions = _actions(ledger, action.project)
    proof = _proofs(ledger, action.project, [action], actions).get(action.id)
    if proof is None or not proof.predicted_tokens or action.freed_tokens is None:
        return proof, 1.0
    return proof, action.freed_tokens / proof.predicted_tokens


def _actions(ledger: Ledger, project: str) -> list[ActionRecord]:
    """Those of the project, under each of its spellings, the latest first."""
    found = {
        one.id: one
        for name in spellings(project)
        for one in ledger.journal.actions(MOST_ACTIONS, name)
    }
    return [found[number] for number in sorted(found, reverse=True)]


def _proofs(
    ledger: Ledger, project: str, meant: Sequence[ActionRecord], actions: Sequence[ActionRecord]
) -> dict[int, Proof]:
    firsts = ledger.work.first_requests(spellings(project))
    events = list(_events(actions))
    found = {one.id: proof_of(one.at_ms, events, firsts) for one in meant}
    return {number: proof for number, proof in found.items() if proof is not None}


def _changes_requests(action: ActionRecord) -> bool:
    """Whether it was to make every request smaller: a cleanup, or such a fix of a finding."""
    is_fix = action.cause.startswith(FIX_CAUSE) and bool(action.freed_tokens)
    return action.cause == CAUSE or is_fix


def _was_done(action: ActionRecord) -> bool:
    """Whether anything of it was done, taken back since or not."""
    return any(one.outcome.state in ("done", "undone", "conflict") for one in action.steps)


def _events(actions: Sequence[ActionRecord]) -> Iterator[Event]:
    """What was done to the project and taken back; of an unknown size is also something."""
    for action in actions:
        if action.undoes is not None or not _was_done(action):
            continue  # the action that is taken back knows when; what was stopped did nothing
        yield Event(action.at_ms, action.freed_tokens)
        if action.undone_at_ms is not None:
            freed = action.freed_tokens
            yield Event(action.undone_at_ms, None if freed is None else -freed)
