"""What it cost by kind of token, and what the same sessions would have cost done naively."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.model.figures import bar, counted, dollars, short_count, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.profile_words import money, percent
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.cost_analysis import Comparison, CostAnalysis, Strategy
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

WIDTH = 100
TOP_SESSIONS = 10
BAR_CELLS = 20
_KINDS = (
    Column("Kind", is_text=True, may_cut=False),
    Column("Tokens"),
    Column("Share"),
    Column("Cost"),
    Column("", is_text=True, drop_rank=1, may_cut=False),
)
_STRATEGIES = (
    Column("The naive way", is_text=True, may_cut=False),
    Column("Window", drop_rank=2),
    Column("Tokens", drop_rank=1),
    Column("Cost"),
    Column("Known", is_text=True, may_cut=False),
)
_COMPARED = (
    Column("Per session", is_text=True, may_cut=False),
    Column("As it was"),
    Column("Naive"),
)
_SESSIONS = (
    Column("Session", is_text=True, may_cut=False),
    Column("Title", is_text=True, drop_rank=2),
    Column("Tokens"),
    Column("Naive", drop_rank=1),
    Column("Cost"),
    Column("Naive cost"),
)


def cost_lines(costs: CostAnalysis, style: Style) -> list[str]:
    """The bill, the baseline with how each part of it is known, and the dearest sessions."""
    width = min(style.width, WIDTH)
    inner = style._replace(width=width)
    lines = [style.bold(line) for line in wrapped(_sentence(costs), width, "  ")]
    lines += ["", *_kind_lines(costs, inner), "", *_strategy_lines(costs, inner)]
    if costs.comparison is not None:
        lines += ["", *_comparison_lines(costs.comparison, inner)]
    lines += ["", *_session_lines(costs, inner)]
    return [line.rstrip() for line in lines]


def _sentence(costs: CostAnalysis) -> str:
    """The answer: the cost, and how much of the naive way it is."""
    compared = costs.comparison
    if compared is None:
        return f"{dollars(costs.total_usd)}; nothing is known of the naive way."
    sessions = counted(compared.sessions, "session")
    naive = compared.naive_usd_per_session
    text = f"{dollars(compared.usd_per_session)} a session over {sessions}"
    if naive <= compared.usd_per_session or not compared.usd_per_session:
        return f"{text}; the naive way, as far as it is known, would have cost the same."
    less = 1 - compared.usd_per_session / naive
    known = ", ".join(
        one.title[:1].lower() + one.title[1:] for one in costs.strategies if one.extra_tokens
    )
    return (
        f"{text}, {percent(float(less))} less than the naive way ({dollars(naive)}: {known};"
        " what is not measured adds nothing)."
    )


def _kind_lines(costs: CostAnalysis, style: Style) -> list[str]:
    rows: list[list[Cell]] = [
        [kind.title, kind.tokens, percent(kind.share), kind.usd, bar(kind.share, BAR_CELLS)]
        for kind in costs.kinds
    ]
    tokens = sum(kind.tokens for kind in costs.kinds)
    return render(_KINDS, rows, ["Total", tokens, "", costs.total_usd, ""], style)


def _strategy_lines(costs: CostAnalysis, style: Style) -> list[str]:
    rows = [_strategy_cells(one) for one in costs.strategies]
    lines = render(_STRATEGIES, rows, None, style)
    for one in costs.strategies:
        lines += wrapped(f"{one.title}: {one_line(one.said)}", style.width, "  ")
    return lines


def _strategy_cells(one: Strategy) -> list[Cell]:
    if one.extra_tokens is None:
        return [one.title, "", "", "", one.basis]
    error = f" ±{short_count(one.error_tokens)}" if one.error_tokens else ""
    return [
        one.title,
        f"+{short_count(one.window_tokens or 0)}",
        f"+{short_count(one.extra_tokens)}{error}",
        f"+{dollars(one.extra_usd or Decimal(0))}",
        one.basis,
    ]


def _comparison_lines(compared: Comparison, style: Style) -> list[str]:
    budget = f"Sessions per {dollars(compared.budget_usd)}"
    rows: list[list[Cell]] = [
        ["Tokens", compared.tokens_per_session, compared.naive_tokens_per_session],
        ["Cost", compared.usd_per_session, compared.naive_usd_per_session],
        [
            budget,
            f"{compared.sessions_per_budget:,.1f}",
            f"{compared.naive_sessions_per_budget:,.1f}",
        ],
    ]
    if compared.remaining_tokens is not None:
        rows.append(
            [
                "Left of the window when fullest",
                compared.remaining_tokens,
                compared.naive_remaining_tokens,
            ]
        )
    return render(_COMPARED, rows, None, style)


def _session_lines(costs: CostAnalysis, style: Style) -> list[str]:
    if not costs.sessions:
        return []
    rows: list[list[Cell]] = [
        [
            one_line(one.session)[:8],
            one_line(one.title),
            short_count(one.amount.total_tokens),
            short_count(one.naive_tokens),
            money(one.amount),
            f"{dollars(one.naive_usd)}{'?' if one.amount.unpriced_tokens else ''}",
        ]
        for one in costs.sessions[:TOP_SESSIONS]
    ]
    lines = render(_SESSIONS, rows, None, style)
    more = len(costs.sessions) - TOP_SESSIONS
    return [*lines, style.faint(f"and {counted(more, 'session')} more")] if more > 0 else lines
