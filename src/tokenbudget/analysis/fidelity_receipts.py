"""What the texts that a strategy put in the place of results assert, and what of it is so."""

from __future__ import annotations

import re

from tokenbudget.analysis.backtest_result import Fidelity
from tokenbudget.analysis.backtest_trimming import shown_of
from tokenbudget.analysis.fidelity_decoders import decoder_of
from tokenbudget.analysis.fidelity_evidence import kept
from tokenbudget.analysis.fidelity_facts import Before, Shortened, facts_of
from tokenbudget.analysis.fidelity_marks import Claimed
from tokenbudget.analysis.fidelity_use import read_as
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.policy import Call, label_of
from tokenbudget.compression.receipts import Receipt, Removed
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_walk import Version, Walked
    from tokenbudget.analysis.thread_view import Seen

RECALL = re.compile(r"tokens recall (\d{6,32})")


def results_of(walked: Walked) -> list[Seen]:
    """Everything that a tool answered in the thread."""
    return [one for one in walked.timeline.pieces if one.kind == window.TOOL_RESULT]


def of_text(walked: Walked, piece: Seen) -> Fidelity:
    """Evidence, facts and the way back, of the last text that stood in a result's place."""
    version = walked.changes_of(piece.number)[-1]
    if version.text is None:
        return Fidelity()
    share = version.tokens / piece.tokens if piece.tokens else 1.0
    above = (one.text for _, one in _earlier(walked, piece, version))
    there = "\n".join((version.text, *above))
    evidence = kept(piece.text, there, share, is_lossless=version.is_lossless)
    handle = RECALL.search(version.text)
    return Fidelity(
        atoms=evidence.atoms,
        atoms_kept=evidence.kept,
        atoms_by_head=evidence.by_head,
        atoms_by_ends=evidence.by_ends,
        handles=int(handle is not None),
        handles_true=int(handle is not None and handle[1] in _handles(walked, piece)),
    )


def of_receipts(walked: Walked, piece: Seen) -> Fidelity:
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
    for one in results_of(walked):
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
