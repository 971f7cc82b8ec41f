"""When the agent is told how full its window is: once per crossing. Pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN_SHARE = 0.03
"""How far a share has to fall below a boundary before reaching it is news again."""
_TINY = 1e-9
"""67.0 % is 3 points below 70 %, whatever binary fractions make of it."""


def crossed(
    share: float, thresholds: "Sequence[float]", told: "Sequence[float]"
) -> "tuple[list[float], float | None]":
    """What counts as told from now on, and the threshold that is to be told, if there is one.

    Of several that are crossed at once only the highest is told; one below what has been told
    already is not.
    """
    kept = [one for one in told if not _is_below(share, one)]
    reached = [one for one in thresholds if share >= one]
    news = [one for one in reached if one not in kept]
    highest = max(news, default=0.0)
    is_news = highest > max(kept, default=0.0)
    return sorted({*kept, *reached}), highest if is_news else None


def level_after(level: int, share: float, shares: "Sequence[float]") -> int:
    """The level, 0 for the best: worse at once, better when the share is well below."""
    seen = sum(share >= one for one in shares)
    if seen >= level:
        return seen
    level = min(level, len(shares))
    while level > seen and _is_below(share, shares[level - 1]):
        level -= 1
    return level


def _is_below(share: float, boundary: float) -> bool:
    return boundary - share >= MARGIN_SHARE - _TINY
