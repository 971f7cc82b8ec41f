"""A window from the client's own record of its last request: what is in it is exact to the byte.

The counts are as good as calibration makes them; where the transcript told a piece as well, and its
tokens came from the reported growth, those are taken.
"""

from __future__ import annotations

from tokenbudget.analysis.session_window import Record
from tokenbudget.analysis.window_pieces import GROUPS, Held, group_of, label_of
from tokenbudget.ledger.windows import PieceRow
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_replay import Replay
    from tokenbudget.collector.measuring import CountedRequest
    from tokenbudget.metering.calibration import Fit

CLOSE = 0.25
"""Counts that miss the reported total by less are scaled to it; more is put into the remainder."""


def rebuilt_window(
    counted: CountedRequest, replay: Replay, prompt_tokens: int, fit: Fit
) -> tuple[list[Held], float]:
    """(pieces with their tokens, remainder) after the last request and its answer."""
    known = {piece.identity: piece.tokens for piece in replay.held if not piece.is_shrunk}
    held: list[Held] = []
    for piece, measure in zip(counted.request.pieces, counted.measures, strict=True):
        if piece.kind == window.FRAME:
            continue
        row = PieceRow(
            0, 0, "", piece.kind, piece.name, piece.target, "", piece.size_bytes, measure
        )
        one = Held(row)
        counted_tokens = fit.tokens(measure, label_of(one.kind, one.name))
        one.raw_tokens = counted_tokens
        one.tokens = known.get(one.identity, counted_tokens)
        held.append(one)
    total = sum(one.tokens for one in held)
    missing = prompt_tokens - total
    if missing < 0 or missing <= CLOSE * total:
        for one in held:
            one.tokens *= prompt_tokens / total if total else 0.0
        missing = 0.0 if total else float(prompt_tokens)
    return [*held, *_answer(replay)], missing


def _answer(replay: Replay) -> list[Held]:
    """What was written in answer to the last request."""
    last = replay.moments[-1].request.key
    return [p for p in replay.held if p.link == last and p.kind in (*window.WRITTEN, window.OTHER)]


def record_of(counted: CountedRequest) -> Record:
    """What the record says: bytes by component, which add up to the whole request."""
    request = counted.request
    words = "every part found" if request.is_whole else "in part"
    if request.is_proven:
        words = "every byte proven by the client's digest"
    sizes = dict.fromkeys(GROUPS, 0)
    frame_bytes = 0
    for piece in request.pieces:
        if piece.kind == window.FRAME:
            frame_bytes += piece.size_bytes
        else:
            sizes[group_of(piece.kind, piece.name, piece.target)] += piece.size_bytes
    by_component = tuple((name, size) for name, size in sizes.items() if size)
    return Record(
        words=words,
        is_whole=request.is_whole,
        is_proven=request.is_proven,
        size_bytes=sum(sizes.values()) + frame_bytes,
        frame_bytes=frame_bytes,
        bytes_by_component=by_component,
    )


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"


def record_notes(counted: CountedRequest) -> list[str]:
    """What is wrong with the client's record."""
    request = counted.request
    notes: list[str] = []
    if request.missing_messages:
        notes.append(
            f"the client's record of the last request lacks {_parts(request.missing_messages)}:"
            " what is shown is what its lines tell"
        )
    if request.mismatched_messages:
        notes.append(
            f"{_parts(request.mismatched_messages)} of the client's record of the last request"
            f" {'has' if request.mismatched_messages == 1 else 'have'} another hash than it noted:"
            " what is shown is what its lines tell"
        )
    return notes
