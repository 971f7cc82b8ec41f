"""When an edit of what is already cached pays for itself: closed forms, nothing else.

A prompt cache works on prefixes. Taking tokens out of the middle of a conversation saves them on
each later call, and makes the next call write anew all that comes after them. Every cost here is in
input-equivalent tokens (`_iet`): multiplied by the model's input price per token it is money, so
that no price appears. Multipliers differ by model and change with time: they are arguments, to be
taken from the dated price table, never constants.

One call over a prompt whose first part is cached costs `read` for each cached token and `write` for
each other one. With an edit, a warm cache and the notation of the arguments below:

    first call   it reads what comes before the edit and writes replacement + kept: dearer by
                 (write - read) * (kept + replacement) - read * shrinkage
    later calls  each warm one is cheaper by read * shrinkage, each cold one by write * shrinkage

Text that is added later costs the same either way. `shrinkage` is removed - replacement.
"""

from __future__ import annotations

from typing import NamedTuple


class CacheRates(NamedTuple):
    """A model's multipliers on its input price; output and thinking are part of neither."""

    read: float
    write: float
    """Of the lifetime in use: 5 minutes or 1 hour."""


class Edit(NamedTuple):
    """A change in the middle of a cached conversation."""

    removed_tokens: int
    replacement_tokens: int
    """What stands there instead."""
    kept_tokens: int
    """What follows the edit and stays: it must be written anew."""
    production_iet: float = 0.0
    """What it costs to make the replacement; 0 for a mechanical one."""

    @property
    def shrinkage_tokens(self) -> int:
        """By how much every later prompt is shorter; negative for an edit that adds."""
        return self.removed_tokens - self.replacement_tokens


def edit_delta_iet(
    edit: Edit,
    rates: CacheRates,
    calls: float,
    later_cold_calls: float = 0.0,
    next_cold_probability: float = 0.0,
) -> float:
    """What the edit adds to the cost of all remaining calls; negative is a saving.

    Args:
        edit: What is changed.
        rates: The multipliers of the model and lifetime.
        calls: Calls still to be made with this prefix, the next one included.
        later_cold_calls: Expected number of those after the next that find the cache cold anyway.
        next_cold_probability: Probability that the next one does.
    """
    _refuse_improbable(next_cold_probability)
    loss = _loss_iet(edit, rates, next_cold_probability)
    cold = later_cold_calls + next_cold_probability
    per_token = rates.read * calls + (rates.write - rates.read) * cold
    return loss - edit.shrinkage_tokens * per_token


def break_even_calls(
    edit: Edit,
    rates: CacheRates,
    later_cold_calls: float = 0.0,
    next_cold_probability: float = 0.0,
) -> float | None:
    """How many remaining calls it takes until the edit has paid for itself.

    0 means that it pays at once; `None` that it never does: nothing shrinks, or reads are free.
    Arguments as for `edit_delta_iet`, whose zero this is.
    """
    _refuse_improbable(next_cold_probability)
    loss = _loss_iet(edit, rates, next_cold_probability)
    cold = later_cold_calls + next_cold_probability
    uncovered = loss - edit.shrinkage_tokens * (rates.write - rates.read) * cold
    if edit.shrinkage_tokens <= 0:
        return None
    if uncovered <= 0:
        return 0.0
    return uncovered / (rates.read * edit.shrinkage_tokens) if rates.read else None


def rewrite_ratio(rates: CacheRates) -> float:
    """Warm calls that one rewritten token costs per token saved: (write - read) / read.

    It is also how many keep-alive calls cost as much as the one rewrite that they prevent.
    """
    return (rates.write - rates.read) / rates.read


def keep_alive_pings(rates: CacheRates) -> int:
    """The most keep-alive calls that do not cost more than letting the cache expire once.

    A call that only keeps the entry alive reads the prefix; the rewrite it avoids costs
    write - read beyond the read that the next call pays anyway.
    """
    return int(rewrite_ratio(rates) + 1e-9)  # 24.000000000000004 and 23.999999999999996 are 24


def hour_lifetime_delta_iet(
    read: float,
    write_5m: float,
    write_1h: float,
    gaps: int,
    prefix_tokens: float,
    written_tokens: float,
) -> float:
    """What the 1-hour lifetime adds to a session's cost; negative: it is the cheaper one.

    Args:
        read: Multiplier of a cache read.
        write_5m: Multiplier of a write that lives 5 minutes.
        write_1h: Multiplier of a write that lives 1 hour.
        gaps: Pauses between 5 and 60 minutes: only there do the two differ in what they read.
        prefix_tokens: The cached prefix at such a pause, on average.
        written_tokens: All tokens that the session writes to the cache.
    """
    return (write_1h - write_5m) * written_tokens - gaps * (write_5m - read) * prefix_tokens


def trimmed_at_ingress_iet(saved_tokens: float, rates: CacheRates, calls: int) -> float:
    """What is saved by leaving tokens out before they are sent at all.

    They would be written by the first of `calls` (1 or more) and read by each later one; nothing is
    invalidated, so there is no loss to recover.
    """
    if calls < 1:
        return 0.0
    return saved_tokens * (rates.write + rates.read * (calls - 1))


def _loss_iet(edit: Edit, rates: CacheRates, next_cold_probability: float) -> float:
    rewritten = edit.kept_tokens + edit.replacement_tokens
    warm = 1 - next_cold_probability
    return warm * (rates.write - rates.read) * rewritten + edit.production_iet


def _refuse_improbable(probability: float) -> None:
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability of {probability} cannot be; use 0 to 1")
