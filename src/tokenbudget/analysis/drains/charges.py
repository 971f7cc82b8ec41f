"""What pieces of a window came to, over all requests or from some request on.

A piece's tokens are billed with every owned request that carries it. For a part of its time, or of
its words, its own totals (`Seen.sent_tokens`, `Seen.sent_usd`) are divided, so that what a drain
charges is never more than what was billed.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.study import PICO_USD, Sighting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView, Turn


class Charge(NamedTuple):
    """Tokens that stand in the window, tokens billed, and money."""

    window_tokens: float = 0.0
    sent_tokens: float = 0.0
    usd: float = 0.0

    def plus(self, other: Charge) -> Charge:
        """The sum of both."""
        return Charge(*(a + b for a, b in zip(self, other, strict=True)))

    def part(self, share: float) -> Charge:
        """So much of it."""
        return Charge(*(value * share for value in self))


def carried(piece: Seen) -> Charge:
    """All that the piece took, as long as it stood in the window."""
    return Charge(piece.tokens, piece.sent_tokens, piece.sent_usd)


def carried_from(view: ThreadView, piece: Seen, first: int) -> Charge:
    """What the piece took from request `first` on."""
    if first <= piece.entered:
        return carried(piece)
    turns = view.turns
    requests = requests_later = 0
    usd = usd_later = 0.0
    for number in range(piece.entered, min(piece.left, len(turns))):
        turn = turns[number]
        if not turn.is_owned:
            continue
        rate = _rate(turns[number - 1] if number > piece.entered else None, turn)
        requests += 1
        usd += rate
        if number >= first:
            requests_later += 1
            usd_later += rate
    if not requests_later:
        return Charge()
    share = requests_later / requests
    usd_share = usd_later / usd if usd > 0 else share
    return Charge(piece.tokens, piece.sent_tokens * share, piece.sent_usd * usd_share)


def _rate(before: Turn | None, turn: Turn) -> float:
    """What a token of an older piece cost in a request, on average; `before` None: it was new."""
    if before is None or not before.prompt_tokens:
        return turn.write_usd
    read_share = min(1.0, turn.cache_read_tokens / before.prompt_tokens)
    return read_share * turn.read_usd + (1 - read_share) * turn.write_usd


def written(view: ThreadView, call: Call) -> Charge:
    """All that a call's own words took: written once by the model, then carried."""
    use = call.use
    if use is None:
        return Charge()
    is_billed = 0 <= call.turn < len(view.turns) and view.turns[call.turn].is_owned
    output = Charge(0.0, use.tokens, use.written_usd) if is_billed else Charge()
    return carried(use).plus(output)


def requests_with(view: ThreadView, piece: Seen, first: int = 0) -> int:
    """How many owned requests carried the piece, from request `first` on."""
    turns = view.turns[max(piece.entered, first) : piece.left]
    return sum(turn.is_owned for turn in turns)


def owned_calls(view: ThreadView, calls: Iterable[Call]) -> int:
    """How many of the calls happened here: a fork of a session begins with copies of its past.

    What a copy took of later requests is charged where these are; that it happened is not told
    twice.
    """
    turns = view.turns
    return sum(call.turn >= len(turns) or turns[call.turn].is_owned for call in calls)


def charged(
    view: ThreadView,
    drain: str,
    subject: str,
    call: Call,
    times: int,
    charge: Charge,
    doubt: float,
    detail: str,
) -> Sighting:
    """A sighting at a call; `doubt` is how far, as a share, the counterfactual may be off."""
    at_ms = call.called_at_ms or (view.turns[call.turn].at_ms if call.turn < len(view.turns) else 0)
    return charged_at(view, drain, subject, (at_ms, call.line), times, charge, doubt, detail)


def charged_at(
    view: ThreadView,
    drain: str,
    subject: str,
    place: tuple[int, int],
    times: int,
    charge: Charge,
    doubt: float,
    detail: str,
) -> Sighting:
    """The same at a place: (moment, line)."""
    at_ms, line = place
    error = min(1.0, view.text_error_share + doubt)
    return Sighting(
        drain=drain,
        subject=subject,
        day=view.day_of(at_ms),
        at_ms=at_ms,
        line=line,
        times=times,
        window_tokens=round(charge.window_tokens),
        sent_tokens=round(charge.sent_tokens),
        error_tokens=round(charge.sent_tokens * error),
        cost_pico_usd=round(charge.usd * PICO_USD),
        error_pico_usd=round(charge.usd * error * PICO_USD),
        detail=detail,
    )
