"""A summary in the place of the history, when the cache is cold and the window is large."""

from __future__ import annotations

from tokenbudget.model import window
from tokenbudget.model.replay import MODELLED, SUMMARY_PIECE, Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.replay import Moment, Stood

SUMMARY_TOKENS = 4_000
"""What a summary takes, to write and then to carry."""
LEAST_TOKENS = 100_000
"""Of the window: below it a summary is not worth what it forgets."""
KEEP_REQUESTS = 4


class Compacting:
    """Compaction when the person comes back, and not when the window is full."""

    name = "compact-cold"
    basis = MODELLED
    said = (
        f"windows above {LEAST_TOKENS:,} tokens are summarised when the cache is cold anyway;"
        " a request that sends the whole window writes the summary"
    )

    def walker(self) -> CompactingWalker:
        """One for the beginning of a thread."""
        return CompactingWalker()


class CompactingWalker:
    """Remembers what stands in the window."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Stood, int]] = {}
        self._tokens = 0.0
        """What earlier summaries took away."""

    def before(self, moment: Moment) -> Sequence[Change]:
        """The summary stands in the place of the first piece that goes."""
        for number in moment.gone:
            self._held.pop(number, None)
        if moment.cause == "compaction":
            self._tokens = 0.0
        old = [
            piece
            for piece, entered in self._held.values()
            if entered <= moment.number - KEEP_REQUESTS and piece.kind not in window.PREFIX
        ]
        tokens = sum(piece.tokens for piece in old)
        is_worth_it = moment.is_cold and moment.window_tokens - self._tokens >= LEAST_TOKENS
        changes = self._summary(old) if is_worth_it and tokens > 2 * SUMMARY_TOKENS else []
        if changes:
            self._tokens += tokens - SUMMARY_TOKENS
        for piece in moment.fresh:
            self._held[piece.number] = (piece, moment.number)
        return changes

    def _summary(self, old: Sequence[Stood]) -> list[Change]:
        first = next(piece for piece in old if piece.tokens > 0)
        changes = [Change(piece.number, None, Compacting.name, share=0.0) for piece in old]
        changes.append(
            Change(first.number, None, Compacting.name, share=SUMMARY_TOKENS / first.tokens)
        )
        changes.append(Change(SUMMARY_PIECE, None, Compacting.name, share=float(SUMMARY_TOKENS)))
        for piece in old:
            del self._held[piece.number]
        return changes
