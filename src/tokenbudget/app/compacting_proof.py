"""What earlier cleanups of a project came to, as the next sessions' first requests tell."""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import PastAction
from tokenbudget.analysis.first_requests import Event, proof_of
from tokenbudget.app.compacting_place import spellings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.first_requests import Proof
    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import ActionRecord

CAUSE = "tokens compact"
MOST_ACTIONS = 200


def last_action(bench: Workbench, project: str) -> PastAction | None:
    """The last cleanup of the project that holds, and its proof; None where there is none."""
    actions = _actions(bench, project)
    ours = [one for one in actions if one.cause == CAUSE and one.undone_at_ms is None]
    ours = [one for one in ours if any(step.outcome.state == "done" for step in one.steps)]
    if not ours:
        return None
    return PastAction(ours[0].id, ours[0].at_ms, _proof(bench, project, ours[0], actions))


def proof_of_action(bench: Workbench, action: ActionRecord) -> Proof | None:
    """What one action really freed; None until a session has begun since, or for no project."""
    if not action.project:
        return None
    return _proof(bench, action.project, action, _actions(bench, action.project))


def _actions(bench: Workbench, project: str) -> list[ActionRecord]:
    """Those of the project, under each of its spellings, the latest first."""
    found = {
        one.id: one
        for name in spellings(project)
        for one in bench.ledger.journal.actions(MOST_ACTIONS, name)
    }
    return [found[number] for number in sorted(found, reverse=True)]


def _proof(
    bench: Workbench, project: str, action: ActionRecord, actions: Sequence[ActionRecord]
) -> Proof | None:
    firsts = bench.ledger.work.first_requests(spellings(project))
    return proof_of(action.at_ms, list(_events(actions)), firsts)


def _events(actions: Sequence[ActionRecord]) -> Iterator[Event]:
    """What was done to the project and taken back; of an unknown size is also something."""
    for action in actions:
        if action.undoes is not None:
            continue  # the action that it takes back knows when
        yield Event(action.at_ms, action.freed_tokens)
        if action.undone_at_ms is not None:
            freed = action.freed_tokens
            yield Event(action.undone_at_ms, None if freed is None else -freed)
