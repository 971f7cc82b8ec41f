"""What of a window a request read from the cache, by component.

The cache holds a beginning of the window, with what stands before the conversation first.
"""

from __future__ import annotations

from itertools import chain

from tokenbudget.analysis.window_pieces import GROUPS, HIDDEN
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tokenbudget.analysis.window_pieces import Held
    from tokenbudget.ledger.windows import RequestRow

WHOLE_CACHE = 0.95
"""From this share on, everything older than the step was read from the cache."""


def read_groups(
    request: RequestRow,
    older: Mapping[str, float],
    now: Mapping[str, float],
    held: Sequence[Held],
) -> dict[str, float]:
    """The tokens of each component that a request read from the cache.

    Args:
        request: What it reported.
        older: The window before what is new in it, by component.
        now: The window that it sent; what was in the remainder may have been told since.
        held: The pieces of that window, in their order.
    """
    read = float(request.cache_read_tokens)
    older_tokens = sum(older.values())
    if older_tokens and WHOLE_CACHE * older_tokens <= read <= older_tokens:
        return {name: min(n * read / older_tokens, now[name]) for name, n in older.items()}
    hidden = min(read, max(0.0, now[HIDDEN]))
    visible = {name: tokens for name, tokens in now.items() if name != HIDDEN}
    return {**_beginning(read - hidden, visible, held), HIDDEN: hidden}


def _beginning(tokens: float, totals: dict[str, float], held: Sequence[Held]) -> dict[str, float]:
    """The first so many tokens of what is held.

    Walked from the nearer end: mostly all but a little is asked for, at every request.
    """
    left_out = sum(totals.values()) - tokens
    if left_out <= 0:
        return totals
    if left_out >= tokens:
        return _taken(tokens, chain(_of(held, True), _of(held, False)))
    tail = _taken(left_out, chain(_of(reversed(held), False), _of(reversed(held), True)))
    return {name: total - tail[name] for name, total in totals.items()}


def _of(pieces: Iterable[Held], is_prefix: bool) -> Iterator[Held]:
    """Those of the prefix, or the others; lazily, because mostly few are asked for."""
    return (piece for piece in pieces if (piece.kind in window.PREFIX) is is_prefix)


def _taken(tokens: float, pieces: Iterable[Held]) -> dict[str, float]:
    """So many tokens of these pieces, in their order, by component."""
    found = dict.fromkeys(GROUPS, 0.0)
    for piece in pieces:
        if tokens <= 0:
            break
        part = min(tokens, piece.tokens)
        found[piece.group] += part
        tokens -= part
    return found
