"""Copies of files that are out of date, and are carried on beside their successors."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from tokenbudget.analysis.drains.charges import (
    Charge,
    carried_from,
    charged_at,
    requests_with,
)
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import (
    WRITER,
    Attached,
    Copy,
    attached_files,
    copy_of,
    reads,
    written_copy,
)
from tokenbudget.analysis.window_pieces import WRITING_TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

LEAST_TOKENS = 300
"""Of a copy that is worth a word."""
LEAST_SENT_TOKENS = 30_000
"""By all old copies of a file in a thread: less is not worth a second look."""
LEAST_REQUESTS = 5
"""That carried it after it was overtaken."""
LEAST_COVERED = 0.7
"""Share of the copy's lines that the later read shows again."""
DOUBT = 0.2
"""Lines that did not change are in both copies, and either could be the spare one."""


class _Stale(NamedTuple):
    """An outdated copy: where it is told of, what it took since, and in how many requests."""

    piece: Seen
    place: tuple[int, int]
    lines: int
    charge: Charge
    requests: int
    is_owned: bool
    """Whether it was overtaken here, and not in the session that this one is a fork of."""


def _stale_copies(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    found: dict[str, list[_Stale]] = {}
    taken = set(claimed)
    for path, place, copy, since in (*_edited(view), *_attached(view)):
        piece = copy.piece
        requests = requests_with(view, piece, since)
        if piece.tokens < LEAST_TOKENS or piece.number in taken or requests < LEAST_REQUESTS:
            continue
        taken.add(piece.number)
        charge = carried_from(view, piece, since)
        is_owned = since >= len(view.turns) or view.turns[since].is_owned
        stale = _Stale(piece, place, len(copy.lines), charge, requests, is_owned)
        found.setdefault(path, []).append(stale)
    for path, some in found.items():
        if sum(one.charge.sent_tokens for one in some) < LEAST_SENT_TOKENS:
            continue
        claimed.update(one.piece.number for one in some)
        some.sort(key=lambda one: one.piece.number)
        yield _sighting(view, path, some)


_Found: TypeAlias = tuple[str, tuple[int, int], "Copy | Attached", int]
"""A path, the place to tell of, a copy, and the first request with what replaces it."""


def _edited(view: ThreadView) -> Iterator[_Found]:
    """Copies of files that the agent edited, or wrote anew."""
    writes = [call for call in view.calls if call.name in WRITING_TOOLS and not call.is_error]
    if not writes:
        return
    paths = {call.target for call in writes if call.target}
    shown = (copy_of(call, result) for call, result in reads(view) if call.target in paths)
    copies = [copy for copy in (*shown, *map(written_copy, writes)) if copy is not None]
    for copy in copies:
        since = _overtaken_at(view, copy, copies, writes)
        if since is not None and copy.call.turn < len(view.turns):
            at_ms = copy.call.called_at_ms or view.turns[copy.call.turn].at_ms
            yield copy.path, (at_ms, copy.call.line), copy, since


def _attached(view: ThreadView) -> Iterator[_Found]:
    """Copies that are overtaken by what the client put in because a file had changed, or are that.

    Where neither is the client's, only the agent's own edits tell that a file changed: `_edited`.
    """
    attached = list(attached_files(view))
    if not attached:
        return
    paths = {copy.path for copy in attached}
    shown = (copy_of(call, result) for call, result in reads(view) if call.target in paths)
    copies: list[Copy | Attached] = [*attached]
    copies += [copy for copy in shown if copy is not None]
    held: dict[str, list[Copy | Attached]] = {}
    for later in sorted(copies, key=lambda copy: copy.piece.number):
        kept: list[Copy | Attached] = []
        for copy in held.get(later.path, ()):
            if _is_overtaken(copy, later):
                at_ms = view.turns[copy.piece.entered].at_ms
                yield copy.path, (at_ms, copy.piece.line), copy, later.piece.entered
            else:
                kept.append(copy)
        held[later.path] = [*kept, later]


def _is_overtaken(copy: Copy | Attached, later: Copy | Attached) -> bool:
    """Whether the later one of two, of which one is the client's, shows most of the lines anew."""
    both = (isinstance(copy, Attached), isinstance(later, Attached))
    if not any(both) or not copy.piece.entered < later.piece.entered < copy.piece.left:
        return False
    if _common(later, copy) < LEAST_COVERED * len(copy.lines):
        return False
    return _differ(copy, later)


def _differ(copy: Copy | Attached, later: Copy | Attached) -> bool:
    """Whether a line that both show is another now."""
    first, last = max(copy.first, later.first), min(copy.last, later.last)
    old = copy.lines[first - copy.first : last + 1 - copy.first]
    return old != later.lines[first - later.first : last + 1 - later.first]


def _overtaken_at(
    view: ThreadView, copy: Copy, copies: list[Copy], writes: list[Call]
) -> int | None:
    """The first request that carried both the copy and what replaces it; None: it is the newest."""
    moments = []
    edited = [
        call.number
        for call in writes
        if call.number > copy.call.number and call.target == copy.path
    ]
    for later in copies:
        is_same_file = bool(edited) and later.path == copy.path
        if is_same_file and edited[0] < later.call.number and _covers(later, copy):
            moments.append(later.piece.entered)
    for number in edited:
        call = view.calls[number]
        if call.name == WRITER and call.use is not None:
            moments.append(call.use.entered)
    held = [moment for moment in moments if moment < copy.piece.left]
    return min(held, default=None)


def _covers(later: Copy, copy: Copy) -> bool:
    """Whether the later copy shows nearly all of the earlier one's lines, and not all alike."""
    return _common(later, copy) >= LEAST_COVERED * len(copy.lines) and _differ(copy, later)


def _common(later: Copy | Attached, copy: Copy | Attached) -> int:
    """How many of the lines, by their numbers, both show."""
    return min(later.last, copy.last) - max(later.first, copy.first) + 1


def _sighting(view: ThreadView, path: str, stale: list[_Stale]) -> Sighting:
    total = Charge()
    for one in stale:
        total = total.plus(one.charge)
    requests = sum(one.requests for one in stale)
    lines = sum(one.lines for one in stale)
    plural = "copy" if len(stale) == 1 else "copies"
    detail = (
        f"{len(stale)} older {plural} ({lines:,} lines) carried by {requests:,} requests after"
        " a newer one was there"
    )
    times = sum(one.is_owned for one in stale)
    return charged_at(view, STALE_COPY.id, path, stale[0].place, times, total, DOUBT, detail)


STALE_COPY = Drain(
    id="stale-copy",
    title="Outdated copies of files",
    rule=(
        f"A file that was read or written whole ({LEAST_TOKENS} tokens or more) was edited by the"
        f" agent, and then at least {LEAST_COVERED:.0%} of those lines were read again, or it was"
        " written whole anew; or the client put the changed file into the window, with at least as"
        " many of those lines, or did so again after the next change; the lines that both show are"
        " not all alike;"
        f" {LEAST_REQUESTS} or more requests carried the old copy beside the new one, and what"
        f" they carried of the file comes to {LEAST_SENT_TOKENS:,} tokens sent. Charged: the"
        " old copy, from the first request that also carried the new one."
        f" Error: that of the count, and {DOUBT:.0%}."
    ),
    alternative="the newest copy alone",
    tip=(
        "After an edit the agent knows what stands there: read only the lines around it, and start"
        " a new session or compact when a file was rewritten."
    ),
    fix=(
        "Compact or start anew after large edits of `{subject}`; ask for reads of the changed range"
        " only"
    ),
    detect=_stale_copies,
)
