"""What happened at each request of a thread: its calls, what was said, who asked."""

from __future__ import annotations

from collections import defaultdict

from tokenbudget.analysis.drains.charges import Charge
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

_NO_CALLS: list[Call] = []


class TurnFacts:
    """A thread's calls, words and prompts, by request."""

    def __init__(self, view: ThreadView) -> None:
        self.view = view
        self._calls: defaultdict[int, list[Call]] = defaultdict(list)
        for call in view.calls:
            self._calls[call.turn].append(call)
        self._number = {turn.key: turn.number for turn in view.turns}
        self.prompts: defaultdict[int, list[Seen]] = defaultdict(list)
        """What a person said, by the request that sent it first."""
        self._pieces = {piece.number: piece for piece in view.seen}
        self.said: defaultdict[int, int] = defaultdict(int)
        """Tokens of the text of an answer, by its request."""
        for piece in view.seen:
            if piece.kind == window.PROMPT:
                self.prompts[piece.entered].append(piece)
            elif piece.kind == window.TEXT:
                self.said[self.author(piece)] += piece.tokens

    def calls(self, turn: int) -> list[Call]:
        """The calls of an answer, in order."""
        return self._calls.get(turn, _NO_CALLS)

    def pieces_of(self, turn: int) -> set[int]:
        """The numbers of the calls of an answer and of their results."""
        pieces = (piece for call in self.calls(turn) for piece in (call.use, call.result))
        return {piece.number for piece in pieces if piece is not None}

    def author(self, piece: Seen) -> int:
        """The request whose answer a piece is part of; -1 where that is not known."""
        return self._number.get(piece.link, -1)

    def is_prompted(self, first: int, last: int) -> bool:
        """Whether a person said something that requests `first` to `last` sent first."""
        return any(number in self.prompts for number in range(first, last + 1))

    def charged_tokens(self, turn: int, claimed: Iterable[int]) -> int:
        """What drains have charged of what a request sent again: it pays its own way."""
        pieces = (self._pieces.get(number) for number in claimed)
        return sum(p.tokens for p in pieces if p is not None and p.entered < turn < p.left)

    def is_charged(self, turn: int, claimed: set[int]) -> bool:
        """Whether a drain may have charged a request as a whole: it has claimed all its calls."""
        calls = self.calls(turn)
        return bool(calls) and all(c.use is not None and c.use.number in claimed for c in calls)

    def resent(self, turn: int, claimed: set[int]) -> Charge:
        """What a request took by sending again what the one before it had sent, from the cache.

        Without the pieces that a drain has charged.
        """
        turns = self.view.turns
        if not 0 < turn < len(turns) or not turns[turn].is_owned:
            return Charge()
        again = min(turns[turn - 1].prompt_tokens, turns[turn].cache_read_tokens)
        tokens = max(0, again - self.charged_tokens(turn, claimed))
        return Charge(0.0, tokens, tokens * turns[turn].read_usd)

    def carried(self, piece: Seen, turns: range, claimed: set[int]) -> Charge:
        """What a piece took in these requests, without those that are charged as a whole.

        At the price of reading it, but for the request that sent it first: who wrote it again is
        charged for that as a cache miss.
        """
        tokens, usd = 0, 0.0
        for number in range(max(turns.start, piece.entered), min(turns.stop, piece.left)):
            turn = self.view.turns[number]
            if turn.is_owned and not self.is_charged(number, claimed):
                tokens += piece.tokens
                is_new = number == piece.entered
                usd += piece.tokens * (turn.write_usd if is_new else turn.read_usd)
        return Charge(piece.tokens, tokens, usd)
