"""What it cost, by kind of token, and what the same sessions would have cost done naively."""

from __future__ import annotations

from typing import Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from tokenbudget.analysis.amounts import Amount

Basis = Literal["measured", "estimated", "not measured"]


class KindCost(NamedTuple):
    """One kind of token: input, cache write (5 min), cache write (1 h), cache read, output."""

    key: str
    title: str
    tokens: int
    usd: Decimal
    share: float
    """Of all the money."""


class Strategy(NamedTuple):
    """One thing that the naive way does otherwise: what it would add to what was."""

    key: str
    """skills, tool_schemas, whole_files, verbose."""
    title: str
    basis: Basis
    window_tokens: int | None
    """That it would add to a window; None: not measured."""
    extra_tokens: int | None
    """Over all requests that would carry them."""
    error_tokens: int | None
    extra_usd: Decimal | None
    said: str
    """How this is known, or what is missing to know it."""


class Comparison(NamedTuple):
    """As it was, beside the naive baseline, per session on average."""

    sessions: int
    tokens_per_session: int
    usd_per_session: Decimal
    naive_tokens_per_session: int
    naive_usd_per_session: Decimal
    budget_usd: Decimal
    """The budget that the next two are told of."""
    sessions_per_budget: float
    naive_sessions_per_budget: float
    remaining_tokens: int | None
    """Of the window when a session ends, on average; None: windows of unknown size."""
    naive_remaining_tokens: int | None


class SessionCost(NamedTuple):
    """One session as it was, and done naively."""

    session: str
    title: str
    amount: Amount
    naive_tokens: int
    naive_usd: Decimal


class CostAnalysis(NamedTuple):
    """The bill, and the bill that it was not."""

    kinds: tuple[KindCost, ...]
    total_usd: Decimal
    unpriced_tokens: int
    strategies: tuple[Strategy, ...]
    comparison: Comparison | None
    """None: nothing of the baseline is measured."""
    sessions: tuple[SessionCost, ...]
    """The dearest first."""
