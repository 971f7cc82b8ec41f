"""What a strategy would have taken from the agent: each later need looked up in what was left.

Edits must find their text word for word. Everything else that the model took from a result must
still stand somewhere in the window. Beside that: what of the facts is left, against blind cuts of
the same size; whether what is left says anything false; and whether the original can be had back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tokenbudget.analysis.backtest_needs import EDIT
from tokenbudget.analysis.backtest_result import Case, Fidelity
from tokenbudget.analysis.backtest_trimming import shown_of
from tokenbudget.analysis.fidelity_decoders import decoder_of
from tokenbudget.analysis.fidelity_evidence import kept
from tokenbudget.analysis.fidelity_facts import Before, Shortened, facts_of
from tokenbudget.analysis.fidelity_marks import Claimed
from tokenbudget.analysis.fidelity_use import NAMED, needs_in, read_as
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.policy import Call, label_of
from tokenbudget.compression.receipts import Receipt, Removed
from tokenbudget.model import window

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
_RECALL = re.compile(r"tokens recall (\d{6,32})")
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


def _results(walked: Walked) -> list[Seen]:
    return [one for one in walked.timeline.pieces if one.kind == window.TOOL_RESULT]


def _owned_results(walked: Walked) -> list[Seen]:
    """Those that a request sent first that is billed here."""
    sendings = walked.timeline.sendings
    owned = [one.number for one in sendings if one.is_owned]
    first = owned[0] if owned else len(sendings)
    return [one for one in _results(walked) if first <= one.entered < one.left]


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
    return version.text is not None and need.span in read_as(version.text, _tool(walked, number))


def _tool(walked: Walked, number: int) -> str:
    return walked.timeline.pieces[number].name


def _has_handle(version: Version) -> bool:
    return version.text is not None and _RECALL.search(version.text) is not None


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
        total = total.plus(_of_text(walked, piece)).plus(_of_receipts(walked, piece))
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


def _of_text(walked: Walked, piece: Seen) -> Fidelity:
    """Evidence, facts and the way back, of the last text that stood in a result's place."""
    version = walked.changes_of(piece.number)[-1]
    if version.text is None:
        return Fidelity()
    share = version.tokens / piece.tokens if piece.tokens else 1.0
    above = (one.text for _, one in _earlier(walked, piece, version))
    there = "\n".join((version.text, *above))
    evidence = kept(piece.text, there, share, is_lossless=version.is_lossless)
    handle = _RECALL.search(version.text)
    return Fidelity(
        atoms=evidence.atoms,
        atoms_kept=evidence.kept,
        atoms_by_head=evidence.by_head,
        atoms_by_ends=evidence.by_ends,
        handles=int(handle is not None),
        handles_true=int(handle is not None and handle[1] in _handles(walked, piece)),
    )


def _of_receipts(walked: Walked, piece: Seen) -> Fidelity:
    """What the texts that came with a receipt assert, and what of it is not so."""
    assertions = false = 0
    versions = walked.changes_of(piece.number)
    for place, version in enumerate(versions):
        if not isinstance(version.receipt, Receipt) or version.text is None:
            continue
        until = versions[place + 1].since if place + 1 < len(versions) else piece.left
        facts = facts_of(_given(walked, piece, version), decoder_of(version.receipt.codec))
        assertions += facts.assertions
        false += len(facts.faults) + _dangling(walked, piece, version, until)
    return Fidelity(assertions=assertions, false_facts=false)


def _given(walked: Walked, piece: Seen, version: Version) -> Shortened:
    """A shortened result as the checker wants it: without what the client puts around it."""
    shown, receipt = shown_of(walked.timeline.stood(piece)), version.receipt
    if not isinstance(receipt, Receipt) or version.text is None:
        raise ValueError("there is nothing to check")
    return Shortened(
        original=shown.text,
        text=read_as(version.text.removesuffix(shown.tail), piece.name),
        opening=receipt.opening,
        removed=[Claimed(*one) for one in receipt.removed],
        is_lossless=receipt.is_lossless,
        handle=handle_of(shown.text.encode("utf-8", "surrogatepass")),
        first_line=shown.first_line,
        earlier=[one for _, one in _earlier(walked, piece, version)],
    )


def _earlier(walked: Walked, piece: Seen, version: Version) -> list[tuple[Seen, Before]]:
    """What stood verbatim in the window, where the text points back at something."""
    if not _pointers(version):
        return []
    found: list[tuple[Seen, Before]] = []
    for one in _results(walked):
        stands = one.entered <= version.since < one.left and one.number < piece.number
        if stands and walked.version_at(one.number, version.since) is None:
            shown = shown_of(walked.timeline.stood(one))
            call = walked.timeline.call_of.get(one.number)
            label = label_of(Call(one.name, {} if call is None else call.arguments, ""))
            found.append((one, Before(label, shown.text, shown.first_line)))
    return found


def _pointers(version: Version) -> list[Removed]:
    """What of a text stands elsewhere in the window, as its receipt says."""
    if not isinstance(version.receipt, Receipt):
        return []
    return [one for one in version.receipt.removed if one.kind in ("seen", "unchanged")]


def _dangling(walked: Walked, piece: Seen, version: Version, until: int) -> int:
    """Pointers at what was taken away while the text that points at it still stood there."""
    pointers = _pointers(version)
    if not pointers:
        return 0
    lines = shown_of(walked.timeline.stood(piece)).text.split("\n")
    staying = [
        f"\n{before.text}\n"
        for one, before in _earlier(walked, piece, version)
        if not any(version.since < later.since < until for later in walked.changes_of(one.number))
    ]
    ranges = [one for pointer in pointers for one in pointer.ranges]
    blocks = ["\n".join(["", *lines[start:end], ""]) for start, end in ranges]
    return sum(not any(block in text for text in staying) for block in blocks)


def _handles(walked: Walked, piece: Seen) -> set[str]:
    """The handles of the original, and of what stood in its place when it was taken away."""
    texts = [piece.text, *(one.text for one in walked.changes_of(piece.number) if one.text)]
    read = {reading for text in texts for reading in (text, read_as(text, piece.name))}
    read.add(shown_of(walked.timeline.stood(piece)).text)
    return {handle_of(text.encode("utf-8", "surrogatepass")) for text in read}
