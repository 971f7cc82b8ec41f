"""How far a lever's predictions are believed, by how its last ones came out."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tokenbudget.model.control import Receipt

BAD_SHARE = 0.25
"""A prediction that errs by more was a bad one."""
BAD_IN_A_ROW = 2
"""After so many the trust is halved; one good prediction doubles it again, up to 1."""
LEAST = 0.5
"""Below it a lever is only advised."""
RETRIAL_MS = 7 * 86_400_000
"""What is only advised leaves no receipts: after so long it may show once more what it can do."""


class Trust(NamedTuple):
    """By lever; what no receipt speaks of is trusted fully."""

    factors: Mapping[str, float] = {}
    """0 to 1: what a prediction's tokens are multiplied by."""
    last_ms: Mapping[str, int] = {}
    """When the last receipt that was measured was written."""

    def of(self, lever: str, now_ms: int) -> float:
        """The factor now."""
        factor = self.factors.get(lever, 1.0)
        if factor < LEAST and now_ms - self.last_ms.get(lever, now_ms) >= RETRIAL_MS:
            return LEAST
        return factor


def trust_of(receipts: Iterable[Receipt]) -> Trust:
    """What these receipts teach, the latest first; those without a measurement say nothing."""
    factors: dict[str, float] = {}
    bad: dict[str, int] = {}
    last_ms: dict[str, int] = {}
    for receipt in reversed(list(receipts)):
        error = receipt.error_share
        if error is None:
            continue
        lever, factor = receipt.lever, factors.get(receipt.lever, 1.0)
        bad[lever] = bad.get(lever, 0) + 1 if error > BAD_SHARE else 0
        last_ms[lever] = receipt.at_ms
        if not bad[lever]:
            factor = min(1.0, 2 * factor)
        elif bad[lever] % BAD_IN_A_ROW == 0:
            factor /= 2
        factors[lever] = factor
    return Trust(factors, last_ms)
