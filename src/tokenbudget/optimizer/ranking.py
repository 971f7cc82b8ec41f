"""Which of a lever's things leave first, and how many of them."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.health import EMERGENCY
from tokenbudget.optimizer.policy import AIM_TOKENS, LEAST_TOKENS, MOST_ITEMS, SIZELESS
from tokenbudget.optimizer.signals import is_amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.model.control import Held


class Choice(NamedTuple):
    """What one lever would take out."""

    victims: tuple[Held, ...]
    left_small: int
    """Things that were passed over because they are too small."""

    @property
    def tokens(self) -> int:
        """What leaves every later request."""
        return sum(one.tokens for one in self.victims)

    @property
    def error_tokens(self) -> int:
        """As if all of them were off in the same direction."""
        return sum(max(0, one.error_tokens) for one in self.victims)

    @property
    def items(self) -> tuple[str, ...]:
        """Ids."""
        return tuple(one.id for one in self.victims)


def is_pinned(thing: str, pins: Iterable[str]) -> bool:
    """Whether a pin names this id, or its beginning with a `*` at the end."""
    return any(
        thing.startswith(pin[:-1]) if pin.endswith("*") else thing == pin for pin in pins if pin
    )


def victims(held: Sequence[Held], lever: str, pins: Sequence[str]) -> list[Held]:
    """What of a lever may leave, the least missed first; never what is pinned or essential."""
    found = {}
    for one in held:
        is_kept = one.is_essential or one.is_pinned or is_pinned(one.id, pins)
        if one.lever != lever or is_kept:
            continue
        if is_amount(one.tokens) and (one.tokens or lever in SIZELESS):
            found[one.id] = one
    reversible = [one for one in found.values() if one.is_reversible]
    return sorted(reversible or found.values(), key=_missed)


def chosen(ranked: Sequence[Held], level: str, surplus_tokens: int) -> Choice:
    """As many as are needed, in their order; in an emergency all that are worth it.

    Args:
        ranked: What may leave, the least missed first.
        level: What is aimed at depends on it.
        surplus_tokens: By how much the window is beyond what is healthy.
    """
    aim = AIM_TOKENS[level]
    is_enough = sum(one.tokens for one in ranked) >= aim
    pool = [one for one in ranked if is_enough or _is_worth_it(one)]
    needed = max(aim, surplus_tokens + 1)
    taken: list[Held] = []
    for one in pool:
        if level != EMERGENCY and sum(two.tokens for two in taken) >= needed:
            break
        taken.append(one)
    return Choice(tuple(taken[:MOST_ITEMS]), len(ranked) - len(pool))


def _is_worth_it(one: Held) -> bool:
    return one.tokens >= LEAST_TOKENS or one.lever in SIZELESS


def _missed(one: Held) -> tuple[bool, int, int, str]:
    """What was never used first; then what was used longest ago; then the largest."""
    return (one.last_used_ms is not None, one.last_used_ms or 0, -one.tokens, one.id)
