"""Results as the rooms below hand them over, made by hand."""

from decimal import Decimal

from tokenbudget.analysis.usage import Sums, UsageTable

PLAIN_TOKENS = 1000


def sums(tokens: int = PLAIN_TOKENS, cost: str = "1.5", **fields: int) -> Sums:
    """So many input tokens at this cost."""
    made = Sums()
    made.input_tokens = tokens
    made.cost_usd = Decimal(cost)
    made.requests = 1
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def table(by: str, rows: dict[str, Sums], *unpriced_models: str) -> UsageTable:
    """A table of one grouping."""
    total = Sums()
    for part in rows.values():
        for name in Sums.__slots__:
            setattr(total, name, getattr(total, name) + getattr(part, name))
    return UsageTable(
        (by,), [((label,), part) for label, part in rows.items()], total, list(unpriced_models)
    )
