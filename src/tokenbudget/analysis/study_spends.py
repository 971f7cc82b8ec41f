"""Shares rounded to whole tokens and pico-dollars that add up to the bill, to the last of each."""

from __future__ import annotations

from tokenbudget.analysis.carrying_accounts import ADDED, COST, NOBODY, OUTPUT, PIECES, UNPRICED
from tokenbudget.analysis.carrying_shares import PLACES
from tokenbudget.analysis.composition import whole_numbers
from tokenbudget.analysis.study import PICO_USD, Spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.carrying_accounts import Consumer
    from tokenbudget.analysis.study_bill import Group


def spends_of(
    shares: Mapping[Group, Mapping[Consumer, Sequence[float]]], bills: Mapping[Group, Amount]
) -> dict[str, tuple[Spend, ...]]:
    """The spends of each session: per day and model they add up to `bills`.

    What no share explains goes to `UNATTRIBUTED`.
    """
    found: dict[str, list[Spend]] = {}
    groups = list(dict.fromkeys((*bills, *shares)))
    for group in sorted(groups):
        bill = bills.get(group)
        if bill is not None:
            spends = _rounded(group, shares.get(group, {}), bill)
            found.setdefault(group.session, []).extend(spends)
    return {session: tuple(spends) for session, spends in found.items()}


def _rounded(group: Group, shares: Mapping[Consumer, Sequence[float]], bill: Amount) -> list[Spend]:
    rest = shares.get(NOBODY, (0.0,) * PLACES)
    consumers = [who for who in shares if who != NOBODY]
    rows = [shares[who] for who in consumers] + [rest]  # last: it takes what has no share at all
    tokens = [
        whole_numbers([row[place] for row in rows], bill[place]) for place in range(OUTPUT + 1)
    ]
    money = exact_shares([row[COST] * PICO_USD for row in rows], bill.cost_pico_usd)
    unpriced = whole_numbers([row[UNPRICED] for row in rows], bill.unpriced_tokens)
    spends: list[Spend] = []
    for place, (who, row) in enumerate(zip([*consumers, NOBODY], rows, strict=True)):
        billed = [kind[place] for kind in tokens]
        pieces = round(row[PIECES])
        if pieces or money[place] or any(billed):
            added = round(row[ADDED])
            amounts = (pieces, added, *billed, money[place], unpriced[place])
            spends.append(Spend(group.day, group.model, *who, *amounts))
    return spends


def exact_shares(parts: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to `parts` that add up to `total`, however large it is.

    What rounding leaves goes to the largest; where there is nothing to share by, to the last.
    """
    if not parts:
        return []
    positive = [max(0.0, part) for part in parts]
    amount = sum(positive)
    if amount <= 0 or total <= 0:
        return [0] * (len(parts) - 1) + [total]
    whole = [round(part / amount * total) for part in positive]
    largest = max(range(len(parts)), key=lambda place: positive[place])
    whole[largest] += total - sum(whole)
    return whole
