"""What each consumer took in each group, in tokens and USD that are not rounded yet."""

from __future__ import annotations

from tokenbudget.analysis.carrying_accounts import COST, UNPRICED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.carrying_accounts import Consumer
    from tokenbudget.analysis.carrying_ranges import Covered, Row
    from tokenbudget.analysis.study_bill import Biller, Group, Tag

PLACES = 9
"""Of a share; `carrying_accounts` names them."""


class Shares:
    """Takes charges in and prices them."""

    def __init__(self, biller: Biller) -> None:
        self._biller = biller
        self.by_group: dict[Group, dict[Consumer, list[float]]] = {}

    def share(self, group: Group, consumer: Consumer) -> list[float]:
        """What a consumer took in a group; to be added to."""
        consumers = self.by_group.setdefault(group, {})
        found = consumers.get(consumer)
        if found is None:
            found = consumers[consumer] = [0.0] * PLACES
        return found

    def charge(self, tag: Tag, consumer: Consumer, billed: Sequence[tuple[int, float]]) -> None:
        """Charge (class, tokens) to one consumer."""
        share = self.share(tag.group, consumer)
        rates = self._biller.rates(tag)
        for kind, tokens in billed:
            usd = rates[kind]
            share[kind] += tokens
            if usd is None:
                share[UNPRICED] += tokens
            else:
                share[COST] += tokens * usd

    def charge_pieces(self, tag: Tag, kind: int, row: Row, covered: Covered) -> None:
        """Charge one class of tokens to pieces and their consumers; `charge`, for many at once."""
        usd = self._biller.rates(tag)[kind]
        for place, tokens in covered.tokens(row.pieces).items():
            account = row.pieces[place].account
            if account is None:
                continue
            share = self.share(tag.group, account.consumer)
            share[kind] += tokens
            account.sent_tokens += tokens
            if usd is None:
                share[UNPRICED] += tokens
            else:
                share[COST] += tokens * usd
                account.sent_usd += tokens * usd
