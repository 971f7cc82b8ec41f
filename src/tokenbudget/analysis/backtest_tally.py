"""What each changed piece came to over all requests that would have carried it."""

from __future__ import annotations

from tokenbudget.analysis.backtest_result import Shortening
from tokenbudget.analysis.window_pieces import HIDDEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_walk import Version, Walked


class Tally:
    """One piece."""

    __slots__ = ("carried_now", "carried_was", "saved_usd")

    def __init__(self) -> None:
        self.carried_was = self.carried_now = self.saved_usd = 0.0

    def carry(self, was: float, now: float, usd: float) -> None:
        """One request carried it."""
        self.carried_was += was
        self.carried_now += now
        self.saved_usd += usd


class Tallies:
    """All pieces of a thread, by their numbers; below 0 is what is no piece."""

    def __init__(self) -> None:
        self._tallies: dict[int, Tally] = {}

    def of(self, number: int) -> Tally:
        """That of a piece."""
        found = self._tallies.get(number)
        if found is None:
            found = self._tallies[number] = Tally()
        return found

    def rows(self, walked: Walked) -> list[Shortening]:
        """One for each piece that was changed, by the last that changed it."""
        return [
            self._row(number, versions[-1], walked)
            for number, versions in sorted(walked.versions.items())
        ]

    def _row(self, number: int, last: Version, walked: Walked) -> Shortening:
        tally = self.of(number)
        carried = (tally.carried_was, tally.carried_now, tally.saved_usd)
        if number < 0:
            return Shortening("", HIDDEN, last.by, 1, 0.0, 0.0, *carried)
        piece = walked.timeline.pieces[number]
        sizes = (float(piece.tokens), last.tokens)
        return Shortening(piece.name, piece.kind, last.by, 1, *sizes, *carried)
