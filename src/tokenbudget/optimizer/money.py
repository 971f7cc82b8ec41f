"""What pulling a lever costs and saves, by the cache as it stands: `budget.break_even` applied."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.break_even import CacheRates, Edit, break_even_calls, edit_delta_iet
from tokenbudget.model.control import HISTORY
from tokenbudget.optimizer.signals import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.control import Cache, Held

ASKING_TOKENS = 120
"""That the model writes to have something read again: a call, and a word about it."""
TOOLS, SYSTEM, MESSAGES, NOTHING = "tools", "system", "messages", ""
"""From where on a pulled lever makes the next request another than the cache holds."""


class Bill(NamedTuple):
    """An action in money."""

    is_known: bool
    """Whether the model's prices are; False leaves the other two None."""
    break_even_requests: float | None
    """None: never, or unknown."""
    usd: float | None
    """Saved over the requests that are expected; None where nobody knows how many."""
    reread_iet: float = 0.0
    """Of what it costs, what is expected for reading again what left, in tokens of input."""
    carried_iet: float = 0.0
    """What carrying it costs a warm request."""

    def pays_after(self, expected: float | None, factor: float) -> bool:
        """Whether so many times the break-even are expected to come."""
        if expected is None or self.break_even_requests is None:
            return False
        return expected >= factor * self.break_even_requests


UNKNOWN_BILL = Bill(False, None, None)


def bill(
    victims: Sequence[Held],
    cache: Cache,
    expected: float | None,
    is_free: bool,
) -> Bill:
    """What it costs to take these out before the next request.

    Args:
        victims: Of one lever.
        cache: As it stands.
        expected: Requests still to come; None is unknown.
        is_free: The cache will not be read by the next request anyway: it is cold, or a boundary
            comes first.
    """
    rates = rates_of(cache)
    if rates is None:
        return UNKNOWN_BILL
    production = production_iet(victims, cache, rates, is_free)
    if production is None:
        return UNKNOWN_BILL
    again = reread_iet(victims, cache, rates)
    edit = edit_of(victims, production + again)
    carried = edit.shrinkage_tokens * rates.read
    cold = 1.0 if is_free else 0.0
    after = break_even_calls(edit, rates, next_cold_probability=cold)
    known, price = amount(expected), amount(cache.input_usd)
    if known is None or price is None:
        return Bill(True, after, None, again, carried)
    calls = max(known, cold)  # a cold next call is one of those that are expected
    delta = edit_delta_iet(edit, rates, calls, next_cold_probability=cold)
    return Bill(True, after, -delta * price, again, carried)


def edit_of(victims: Sequence[Held], production_iet: float) -> Edit:
    """All of them as one edit; what stands behind the first of them is written anew.

    What is expected to be read again is not saved.
    """
    replaced = sum(max(0, one.replacement_tokens) for one in victims)
    removed = sum(one.tokens for one in victims) + replaced - reread_tokens(victims)
    kept = max((max(0, one.kept_tokens) for one in victims), default=0)
    return Edit(removed, replaced, kept, production_iet)


def without_rewriting(victims: Sequence[Held], rewrites: str) -> list[Held]:
    """The same, with nothing kept behind them where the table says that the cache stays good."""
    if rewrites != NOTHING or any(one.lever == HISTORY for one in victims):
        return list(victims)
    return [one._replace(kept_tokens=0) for one in victims]


def rates_of(cache: Cache) -> CacheRates | None:
    """The multipliers of a cache; None where the model has no price."""
    read, write = amount(cache.read), amount(cache.write)
    return None if read is None or write is None else CacheRates(read, write)


def reread_tokens(victims: Sequence[Held]) -> int:
    """What of them is expected to come back, being read again."""
    return round(sum(amount(one.reread_tokens) or 0.0 for one in victims))


def reread_iet(victims: Sequence[Held], cache: Cache, rates: CacheRates) -> float:
    """What it costs to read again what is expected to be missed.

    For each a request more: it reads what is left of the window, asks, and the answer is written.
    """
    found = 0.0
    for one in victims:
        left = max(0, one.production_input_tokens - one.tokens)
        asking = left * rates.read + ASKING_TOKENS * (amount(cache.output) or 0.0)
        written = (amount(one.reread_tokens) or 0.0) * rates.write
        found += (amount(one.reread_requests) or 0.0) * asking + written
    return found


def production_iet(
    victims: Sequence[Held], cache: Cache, rates: CacheRates, is_cold: bool
) -> float | None:
    """What it costs to make what comes in their place; None where output has no price."""
    read = sum(max(0, one.production_input_tokens) for one in victims)
    written = sum(max(0, one.production_output_tokens) for one in victims)
    output = amount(cache.output)
    if written and output is None:
        return None
    # What is to be summarised is sent once more: from the cache while that is warm.
    return read * (rates.write if is_cold else rates.read) + written * (output or 0.0)
