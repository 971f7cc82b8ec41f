"""What a strategy would have taken from the agent: each later need looked up in what was left.

Edits must find their text word for word. Everything else that the model took from a result must
still stand somewhere in the window. Beside that: what of the facts is left, against blind cuts of
the same size; whether what is left says anything false; and whether the original can be had back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tokenbudget.analysis.backtest_needs import EDIT
from tokenbudget.analysis.backtest_result import Case, Fidelity
from tokenbudget.analysis.fidelity_receipts import RECALL, of_receipts, of_text, results_of
from tokenbudget.analysis.fidelity_use import NAMED, is_told_in, needs_in, read_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_needs import Need
    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.backtest_walk import Version, Walked
    from tokenbudget.analysis.thread_view import Seen

REFETCH_REQUESTS = 5
"""What is needed within so many requests after it was taken away would be fetched again."""
MOST_CASES = 40
"""Of one thread; a person reads the first few."""
LONGEST_SPAN = 240
_KEPT_NEEDS = 4
"""Threads whose needs are remembered: every strategy goes through the same one after another."""


class Outcome(NamedTuple):
    """How one need fared."""

    need: Need
    is_there: bool
    """Of an edit, word for word; of anything else, also set in another way without loss."""
    is_told: bool
    """There, or set in another way: the agent has no reason to ask again."""
    can_be_had: bool
    """Told, or behind a handle that stands there."""
    lost: Seen | None
    """The latest piece that had told it; None where it is there."""


def fidelity_of(walked: Walked) -> tuple[Fidelity, tuple[Case, ...]]:
    """The counts of a thread, and what was missed, the edits first."""
    if not walked.versions:
        return _untouched(walked), ()
    outcomes = [_outcome(walked, need) for need in _needs(walked.timeline)]
    missed = [one for one in outcomes if not one.is_there]
    missed.sort(key=lambda one: one.need.kind != EDIT)
    cases = tuple(_case(walked, one) for one in missed[:MOST_CASES])
    return _counted(walked, outcomes), cases


def _untouched(walked: Walked) -> Fidelity:
    needs = _needs(walked.timeline)
    edits = sum(need.kind == EDIT for need in needs)
    uses = len(needs) - edits
    return Fidelity(
        edits=edits,
        edits_verbatim=edits,
        edits_with_recall=edits,
        uses=uses,
        uses_kept=uses,
        uses_with_recall=uses,
        results=len(_owned_results(walked)),
    )


@lru_cache(maxsize=_KEPT_NEEDS)
def _needs_by_id(timeline: _ById) -> Sequence[Need]:
    """Of requests that are billed here: a copy's are counted where they were made."""
    line = timeline.timeline
    return [need for need in needs_in(line) if line.sendings[need.request].is_owned]


class _ById:
    """A timeline that is equal to itself alone: its parts cannot be hashed."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def __hash__(self) -> int:
        return id(self.timeline)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.timeline is self.timeline


def _needs(timeline: Timeline) -> Sequence[Need]:
    return _needs_by_id(_ById(timeline))


def _owned_results(walked: Walked) -> list[Seen]:
    """Those that a request sent first that is billed here."""
    sendings = walked.timeline.sendings
    owned = [one.number for one in sendings if one.is_owned]
    first = owned[0] if owned else len(sendings)
    return [one for one in results_of(walked) if first <= one.entered < one.left]


# ── needs ────────────────────────────────────────────────────────────────────────────────────────


def _outcome(walked: Walked, need: Need) -> Outcome:
    is_told = can_be_had = False
    for number in need.holders:
        version = walked.version_at(number, need.request)
        if version is None or version.is_said_so or _stands_in(version, need, walked, number):
            return Outcome(need, True, True, True, None)
        is_told = is_told or version.is_lossless
        can_be_had = can_be_had or is_told or _has_handle(version)
    if is_told and need.kind != EDIT:
        return Outcome(need, True, True, True, None)
    lost = walked.timeline.pieces[need.holders[0]]
    return Outcome(need, False, is_told, can_be_had, lost)


def _stands_in(version: Version, need: Need, walked: Walked, number: int) -> bool:
    text = version.text
    return text is not None and is_told_in(read_as(text, _tool(walked, number)), need)


def _tool(walked: Walked, number: int) -> str:
    return walked.timeline.pieces[number].name


def _has_handle(version: Version) -> bool:
    return version.text is not None and RECALL.search(version.text) is not None


def _case(walked: Walked, outcome: Outcome) -> Case:
    piece, need = outcome.lost, outcome.need
    if piece is None:
        raise ValueError("nothing was lost")
    version = walked.version_at(piece.number, need.request)
    return Case(
        session=walked.timeline.session,
        thread=walked.timeline.thread,
        request=need.request,
        kind=need.kind,
        tool=piece.name,
        target=piece.target,
        by="" if version is None else version.by,
        span=need.span[:LONGEST_SPAN],
    )


# ── counts ───────────────────────────────────────────────────────────────────────────────────────


def _counted(walked: Walked, outcomes: Sequence[Outcome]) -> Fidelity:
    edits = [one for one in outcomes if one.need.kind == EDIT]
    uses = [one for one in outcomes if one.need.kind != EDIT]
    results = _owned_results(walked)
    shortened = [one for one in results if walked.changes_of(one.number)]
    total = Fidelity(
        edits=len(edits),
        edits_verbatim=sum(one.is_there for one in edits),
        edits_with_recall=sum(one.can_be_had for one in edits),
        uses=len(uses),
        uses_kept=sum(one.is_there for one in uses),
        uses_with_recall=sum(one.can_be_had for one in uses),
        results=len(results),
        shortened=len(shortened),
        refetches=len(_fetched_again(walked, outcomes)),
    )
    for piece in shortened:
        total = total.plus(of_text(walked, piece)).plus(of_receipts(walked, piece))
    return total


def _fetched_again(walked: Walked, outcomes: Sequence[Outcome]) -> set[int]:
    """The results that would have been asked for again: an edit's text or a whole line was missed.

    A name alone is no reason to: the model may have it from elsewhere. What is needed long after
    is fetched again anyway.
    """
    found: set[int] = set()
    for one in outcomes:
        if one.lost is None or one.is_told or one.need.kind == NAMED:
            continue
        versions = walked.changes_of(one.lost.number)
        since = max((v.since for v in versions if v.since <= one.need.request), default=0)
        if one.need.kind == EDIT or one.need.request - since <= REFETCH_REQUESTS:
            found.add(one.lost.number)
    return found
