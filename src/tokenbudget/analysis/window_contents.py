"""What a window holds while it is followed: pieces, remainder, and how both are made to add up.

A request reports how much it sent; the pieces that the transcript shows are counted. Here the two
are reconciled: a piece keeps its count, is scaled to the growth, shrinks, or is dropped, and the
remainder takes the rest.
"""

from __future__ import annotations

from tokenbudget.analysis.window_pieces import GROUPS, HIDDEN, LEAST_TOKENS, label_of
from tokenbudget.metering.calibration import STEP, generation_ratio
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from tokenbudget.analysis.window_pieces import Held, Identity
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.metering.calibration import Fit

    class KnownTokens(Protocol):
        """What pieces counted when they were dropped, by their identity."""

        def get(self, key: Identity, default: float, /) -> float:
            """The tokens of the same words in the same place; `default` where there were none."""

        def __setitem__(self, key: Identity, value: float, /) -> None: ...

        def clear(self) -> None:
            """Forget all."""


RETOLD = "retold"
"""A cause: the client told anew, and perhaps for the first time, what stands before the talk."""
MODEL_SWITCH = "model switch"
STEADY_TOKENS = 24
PIECE_TOLERANCE_TOKENS = 12
"""A step may miss by so much, and so much for each piece, beside the calibration's own error."""


class WindowContents:
    """The pieces in a window and the remainder; they add up to what the last request reported."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        """Everything that was sent, in order, and at last the answer to it."""
        self.waiting: list[Held] = []
        """What stands behind the last request and was not sent yet."""
        self.hidden_tokens = 0.0
        self._totals = dict.fromkeys(GROUPS, 0.0)
        self._raw_tokens = 0.0
        self._answered: list[Held] = []
        self._known: KnownTokens = {}
        self._request: RequestRow | None = None
        self._last_known: RequestRow | None = None
        self._cause = ""

    def groups(self) -> dict[str, float]:
        """Tokens by component, the remainder among them."""
        return {**self._totals, HIDDEN: self.hidden_tokens}

    def _before_change(self) -> None:
        """What is held is about to be dropped, or counted in another way."""

    def _estimate(self, pieces: Iterable[Held], fit: Fit) -> None:
        known = self._known
        for piece in pieces:
            raw = fit.tokens(piece.measure, label_of(piece.kind, piece.name))
            piece.raw_tokens = raw
            piece.tokens = known.get(piece.identity, raw)

    def _hold(self, pieces: list[Held]) -> None:
        self.held += pieces
        for piece in pieces:
            self._totals[piece.group] += piece.tokens
            self._raw_tokens += piece.raw_tokens

    def _count_again(self) -> None:
        self._totals = dict.fromkeys(GROUPS, 0.0)
        for piece in self.held:
            self._totals[piece.group] += piece.tokens
        self._raw_tokens = sum(piece.raw_tokens for piece in self.held)

    def _reconcile(
        self, request: RequestRow, prompt_tokens: int, new: list[Held], fit: Fit
    ) -> tuple[float, float]:
        """Make pieces and remainder add up to the reported tokens; (unexplained, band) of it."""
        self._settle_into_window(fit)
        new_tokens = sum(piece.tokens for piece in new)
        answer_tokens = sum(piece.tokens for piece in self._answered)
        missing = prompt_tokens - self.hidden_tokens - new_tokens - answer_tokens
        missing -= sum(self._totals.values())
        if self._last_known is None:
            self._put_aside(missing, new)
            return 0.0, 0.0
        if generation_ratio(request.model) != generation_ratio(self._last_known.model):
            self._cause = self._cause or MODEL_SWITCH
            self._rescale(prompt_tokens, [*self.held, *self._answered, *new])
            return 0.0, 0.0
        band = STEADY_TOKENS + PIECE_TOLERANCE_TOKENS * len(new) + fit.p90_text_error * new_tokens
        is_counted = new_tokens > LEAST_TOKENS and missing > -new_tokens
        if abs(missing) <= band and is_counted and not self._cause:
            for piece in new:
                piece.tokens *= 1 + missing / new_tokens
                piece.is_exact = len(new) == 1 and not self._has_estimated_answer()
        else:
            self._put_aside(missing, new)
        return missing, band

    def _settle_into_window(self, fit: Fit) -> None:
        """An answer takes a little less (or more) of the window than was billed for it."""
        billed = sum(piece.tokens for piece in self._answered)
        if billed <= LEAST_TOKENS or self._request is None or not self._request.has_stop_reason:
            return
        factor = max(0.0, 1 + fit.weights.get(STEP, 0.0) / billed)
        for piece in self._answered:
            piece.tokens *= factor
            piece.raw_tokens *= factor

    def _has_estimated_answer(self) -> bool:
        return self._last_known is not self._request or not (
            self._request is not None and self._request.has_stop_reason
        )

    def _put_aside(self, missing: float, new: list[Held]) -> None:
        """Put what is missing into the remainder; below nothing, the window has shrunk unseen.

        Then it was the conversation that shrank, as far as that goes; then what stands before it;
        and at last what is new. Where the client has just told of what was the remainder, nothing
        has shrunk: all of it was counted too high, alike.
        """
        self.hidden_tokens += missing
        if self.hidden_tokens >= 0:
            return
        if self._cause == RETOLD:
            self._shrink([*self.held, *self._answered, *new])
        older = [piece for piece in self.held if piece.kind not in window.PREFIX]
        prefix = [piece for piece in self.held if piece.kind in window.PREFIX]
        for pieces in (older + self._answered, prefix, new):
            self._shrink(pieces)
        self.hidden_tokens = max(0.0, self.hidden_tokens)
        self._count_again()

    def _shrink(self, pieces: list[Held]) -> None:
        """Take from these pieces what the remainder lacks."""
        total = sum(piece.tokens for piece in pieces)
        if self.hidden_tokens >= 0 or total <= 0:
            return
        factor = max(0.0, 1 + self.hidden_tokens / total)
        self._before_change()
        for piece in pieces:
            piece.tokens *= factor
            piece.is_exact = False
            piece.is_shrunk = self._last_known is not None
        self.hidden_tokens += total * (1 - factor)

    def _rescale(self, prompt_tokens: int, pieces: list[Held]) -> None:
        """Another model counts the same words in its own way: everything changes alike."""
        total = self.hidden_tokens + sum(piece.tokens for piece in pieces)
        is_counted = total > LEAST_TOKENS
        factor = prompt_tokens / total if is_counted else 1.0
        self._before_change()
        self.hidden_tokens = self.hidden_tokens * factor if is_counted else float(prompt_tokens)
        for piece in pieces:
            piece.tokens *= factor
            piece.is_exact = False
        self._known.clear()
        self._count_again()

    def _drop(self, is_gone: Callable[[Held], bool]) -> None:
        self._before_change()
        for piece in self.held:
            if is_gone(piece) and not piece.is_shrunk:
                self._known[piece.identity] = piece.tokens
        self.held = [piece for piece in self.held if not is_gone(piece)]
        self._answered = [piece for piece in self._answered if not is_gone(piece)]
        self.waiting = [piece for piece in self.waiting if not is_gone(piece)]
        self._count_again()
