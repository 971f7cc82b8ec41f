"""Old results leave the window for a handle: where the cache is cold, or where it pays while warm.

A piece that is changed in a warm cache makes everything behind it be written again. By how many
reads that is dearer is known when it happens; how many requests still come before the cache is cold
anyway is not: it is taken that a thread goes on for as long again as it has gone on, and that it is
found cold as often as it was until now.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_copies import EDITING, Copies, is_copy, path_of, shows_a_file
from tokenbudget.analysis.fidelity_use import read_as
from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.marks import Marks
from tokenbudget.model import window
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.replay import MODELLED, NAIVE, Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.replay import Moment, Stood

MARKER_TOKENS = 25
SUBJECT_CHARS = 60
MOST_AHEAD = 200
"""Requests that are reckoned with at most."""
USUAL_RUN = 40
"""Requests between two cold moments of a thread of which nothing is known."""


class Rule(NamedTuple):
    """What may leave, and when."""

    name: str
    basis: str
    said: str
    keep_requests: int = 4
    """What came in with so many last requests stays."""
    keep_copy_requests: int = 30
    """The latest copy of a file stays so long after the file was last read."""
    keep_edited_requests: int = 60
    """The same of a file that was edited: it is the likeliest to be edited again."""
    min_tokens: int = 40
    when_warm: float = 0.0
    """Also while the cache is warm, where the gain is this many times the loss; 0: never."""
    has_inputs: bool = True
    """Whether old arguments of calls leave too."""
    has_notes: bool = True
    """Whether old thinking and reminders leave too."""
    is_at_once: bool = False
    """Without a thought for the cache."""


COLD = Rule(
    "cold-prune",
    MODELLED,
    "old results, arguments, thinking and reminders leave at moments when the cache is cold anyway",
)
PAYS = COLD._replace(
    name="prune",
    said="the same, and also while the cache is warm where it pays by what is known then",
    when_warm=3.5,
)
AT_ONCE = COLD._replace(
    name="prune-at-once",
    basis=NAIVE,
    said="the same as soon as something is old, whatever that does to the cache",
    is_at_once=True,
)


class Pruning:
    """A rule as a strategy."""

    def __init__(self, rule: Rule) -> None:
        self.name, self.basis, self.said = rule.name, rule.basis, rule.said
        self._rule = rule

    def walker(self) -> PruningWalker:
        """One for the beginning of a thread."""
        return PruningWalker(self._rule)


class _Held:
    """A piece that stands in the window, and how large it is now."""

    __slots__ = ("entered", "is_out", "piece", "tokens")

    def __init__(self, piece: Stood, entered: int) -> None:
        self.piece = piece
        self.entered = entered
        self.tokens = piece.tokens
        self.is_out = False


class PruningWalker:
    """Remembers the window, and which copies of files are overtaken."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._held: dict[int, _Held] = {}
        self._copies = Copies()
        self._requests = self._colds = 0

    def before(self, moment: Moment) -> Sequence[Change]:
        """What leaves now."""
        for number in moment.gone:
            if number in self._held and not self._held[number].is_out:
                del self._held[number]
        leaving = self._leaving(moment) if self._held else []
        for piece in moment.fresh:
            self._held[piece.number] = _Held(piece, moment.number)
            self._copies.take(piece, moment.number)
        self._requests += 1
        self._colds += moment.is_cold
        return [self._out(held) for held in leaving]

    def _leaving(self, moment: Moment) -> list[_Held]:
        old = [one for one in self._held.values() if self._is_old(one, moment.number)]
        if moment.is_cold or self._rule.is_at_once or moment.cause == "compaction":
            return old
        if not self._rule.when_warm or not old:
            return []
        ahead = min(self._requests, MOST_AHEAD, self._until_cold())
        return self._worth_it(old, ahead, moment.rewrite_reads)

    def _until_cold(self) -> float:
        """Requests until the cache is cold anyway, by how often this thread has found it so."""
        return (self._requests + USUAL_RUN) / (self._colds + 1)

    # ── what is old ────────────────────────────────────────────────────────────────────────────

    def _is_old(self, held: _Held, now: int) -> bool:
        if held.is_out or held.tokens < self._rule.min_tokens:
            return False
        if held.entered > now - self._rule.keep_requests:
            return False
        piece = held.piece
        if piece.kind in (window.THINKING, window.REMINDER):
            return self._rule.has_notes
        if piece.kind == window.TOOL_USE and not self._rule.has_inputs:
            return False
        if is_copy(piece):
            return self._may_go(piece, now)
        if shows_a_file(piece) and held.entered > now - self._rule.keep_copy_requests:
            return False
        return piece.kind in (window.TOOL_RESULT, window.TOOL_USE)

    def _may_go(self, piece: Stood, now: int) -> bool:
        """Of a copy of a file: whether it is overtaken, or nobody works on the file any more."""
        if self._copies.is_overtaken(piece.number):
            return True
        path, rule = path_of(piece), self._rule
        is_edited = self._copies.is_worked_on(path)
        keep = rule.keep_edited_requests if is_edited else rule.keep_copy_requests
        return self._copies.touched(path) <= now - keep

    def _worth_it(self, old: Sequence[_Held], ahead: float, rewrite: float) -> list[_Held]:
        """Those from the best place on; none where the loss is too large for the gain."""
        if not rewrite:
            return []
        leaving = {held.piece.number for held in old}
        best, best_from = 0.0, None
        spared = kept = 0.0
        for number, held in reversed(self._held.items()):
            if number in leaving:
                spared += held.tokens - MARKER_TOKENS
                kept += MARKER_TOKENS
                gain = spared * ahead - self._rule.when_warm * rewrite * kept
                if gain > best:
                    best, best_from = gain, number
            else:
                kept += held.tokens
        if best_from is None:
            return []
        return [held for held in old if held.piece.number >= best_from]

    def _out(self, held: _Held) -> Change:
        held.is_out = True
        held.tokens = float(MARKER_TOKENS)
        return Change(held.piece.number, text_instead(held.piece), self._rule.name)


def text_instead(piece: Stood) -> str:
    """What stands in the place of a piece that has left; what nobody asks for again has no handle.

    Of an edit what it put there stays: what it replaced is in no file any more.
    """
    if piece.kind in (window.THINKING, window.REMINDER):
        return ""
    if piece.kind == window.TOOL_USE and piece.name in EDITING:
        new = piece.arguments.get("new_string")
        if isinstance(new, str):
            return f"{handle_text(piece)}\n{new}"
    return handle_text(piece)


def handle_text(piece: Stood) -> str:
    """A marker that says where all of it is; of a call also what it was about.

    A result stands behind its call, which names it.
    """
    text = read_as(piece.original or piece.text, piece.name)
    handle = handle_of(text.encode("utf-8", "surrogatepass"))
    lines = text.count("\n") + 1
    way_back = f"all {lines:,} lines: tokens recall {handle}"
    if piece.kind == window.TOOL_RESULT:
        return Marks().mark(way_back)
    subject = one_line(path_of(piece) or piece.target or str(piece.arguments.get("command") or ""))
    return Marks(subject).mark(f"{piece.name} {subject[:SUBJECT_CHARS]}; {way_back}")
