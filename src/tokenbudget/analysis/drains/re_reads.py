"""Files that were read again although the earlier copy still stood in the window, unchanged."""

from __future__ import annotations

from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls, written
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import (
    WRITER,
    Copy,
    copy_of,
    file_name,
    is_in_window,
    may_change,
    reads,
    written_copy,
)
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

EDITORS = frozenset(("Edit", "MultiEdit"))
LEAST_TOKENS = 200
"""A copy of a few lines is no loss worth a word."""
LEAST_SENT_TOKENS = 10_000
"""By all copies of a file that were not needed in a thread: less is not worth a second look."""
DOUBT = 0.05
"""Nothing but the frame around a call is not in its pieces."""


def _re_reads(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    by_path: dict[str, list[tuple[Call, Seen | None]]] = {}
    for call, result in reads(view):
        by_path.setdefault(call.target, []).append((call, result))
    for call in view.calls:
        if call.name == WRITER and call.target in by_path:
            by_path[call.target].append((call, None))
    for path, uses in by_path.items():
        if len(uses) > 1:
            again = _repeated(view, claimed, sorted(uses, key=lambda use: use[0].number))
            if sum(copy.piece.sent_tokens for copy in again) >= LEAST_SENT_TOKENS:
                yield _sighting(view, claimed, path, again)


def _repeated(
    view: ThreadView, claimed: set[int], uses: list[tuple[Call, Seen | None]]
) -> list[Copy]:
    """Of one file's reads and (None) writes, the reads that show nothing new."""
    held: list[Copy] = []
    again: list[Copy] = []
    for call, result in uses:
        copy = written_copy(call) if result is None else copy_of(call, result)
        if copy is None:
            continue
        if result is None or not any(_is_repeated(view, one, copy) for one in held):
            held.append(copy)
        elif _is_worth_it(result) and result.number not in claimed:
            again.append(copy)
    return again


def _is_worth_it(result: Seen) -> bool:
    return result.tokens >= LEAST_TOKENS and result.sent_tokens > 0


def _is_repeated(view: ThreadView, one: Copy, later: Copy) -> bool:
    """Whether `one` shows all that `later` shows, and nothing in between gave a reason to look.

    The agent's own edits give none: it knows which lines it changed, and these are not among them.
    """
    if not is_in_window(one.piece, later.call.turn):
        return False
    between = view.calls[one.call.number + 1 : later.call.number]
    changes = [other for other in between if may_change(other, later.path)]
    if any(other.name not in EDITORS or other.is_error for other in changes):
        return False
    at = None if changes else later.first - one.first
    return _holds(one.lines, later.lines, at) and not _is_asked_for(view, one.piece, later)


def _holds(lines: tuple[str, ...], part: tuple[str, ...], at: int | None) -> bool:
    """Whether the lines hold the part in one run, at a place or (None) anywhere."""
    if at is not None:
        return at >= 0 and lines[at : at + len(part)] == part
    places = (n for n, line in enumerate(lines) if line == part[0])
    return any(lines[n : n + len(part)] == part for n in places)


def _is_asked_for(view: ThreadView, held: Seen, later: Copy) -> bool:
    """Whether a person spoke of the file between the copies."""
    name = file_name(later.path)
    for piece in view.seen[held.number + 1 : later.piece.number]:
        if piece.kind == window.PROMPT and name in piece.text:
            return True
    return False


def _sighting(view: ThreadView, claimed: set[int], path: str, again: list[Copy]) -> Sighting:
    total = Charge()
    for copy in again:
        call = copy.call
        total = total.plus(carried(copy.piece))
        claimed.add(copy.piece.number)
        if call.use is not None and call.use.number not in claimed:
            total = total.plus(written(view, call))
            claimed.add(call.use.number)
    lines = sum(len(copy.lines) for copy in again)
    reading = "read" if len(again) == 1 else f"{len(again)} reads"
    detail = f"{reading} of {lines:,} lines that stood in the window already, unchanged"
    times = owned_calls(view, (copy.call for copy in again))
    return charged(view, RE_READ.id, path, again[0].call, times, total, DOUBT, detail)


RE_READ = Drain(
    id="re-read",
    title="Files read again unchanged",
    rule=(
        "A read of a file shows no line that one earlier read of it, or the call that wrote it,"
        " does not show alike, and that one still stands in the window; results under"
        f" {LEAST_TOKENS} tokens do not count, nor do files whose reads again come to less than"
        f" {LEAST_SENT_TOKENS:,} tokens sent in a thread. Between the two, no edit of the file"
        " failed and none changed these lines, it was not written anew, no subagent ran, no"
        " shell command ran that may rewrite files, and no prompt named the file. Charged: the"
        " later calls and copies. Error: that of the count, and"
        f" {DOUBT:.0%}."
    ),
    alternative="answer from the copy that is in the window",
    tip=(
        "The agent reads again when the first copy lies far back: keep sessions short, one task"
        " each, and let a plan name the files and lines that matter."
    ),
    fix=(
        "Tell the agent in the memory file not to read `{subject}` again unless it changed; start a"
        " new session for a new task"
    ),
    detect=_re_reads,
)
