"""A backtest as lines of text: the answer, the strategies, what was lost, the worst cases."""

from __future__ import annotations

from itertools import pairwise

from tokenbudget.model.figures import cut, padded, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports import backtest_control
from tokenbudget.reports.backtest_tables import (
    codecs_table,
    loss_table,
    sessions_table,
    strategies_table,
)
from tokenbudget.reports.backtest_words import (
    BASIS_WORDS,
    METHOD,
    MOST_CASES,
    SPAN_CHARS,
    case_words,
    chosen,
    scope_words,
    verdict,
    worst_cases,
)
from tokenbudget.reports.report_tables import Said
from tokenbudget.reports.table import render
from tokenbudget.reports.window import headed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_result import Backtest, SessionResult, StrategyResult
    from tokenbudget.model.figures import Style
    from tokenbudget.model.protocols import Strategy
    from tokenbudget.reports.report_tables import Table

WIDEST = 110
BINS = (-0.01, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Edges of the distribution, as shares that were saved."""
BAR_CELLS = 40


def backtest_lines(backtest: Backtest, style: Style) -> list[str]:
    """All of it."""
    fitting = style._replace(width=min(style.width, WIDEST))
    width = fitting.width
    lines = [
        fitting.bold(headed("Backtest", scope_words(backtest), width)),
        fitting.faint("━" * width),
        *wrapped(backtest_control.control_sentence(backtest) or verdict(backtest), width),
    ]
    if not backtest.sessions:
        return lines
    control = backtest_control.control_table(backtest)
    if control.rows:
        lines += _table(control, fitting)
    lines += _table(strategies_table(backtest), fitting)
    lines += ["", *known_lines(backtest.strategies, fitting)]
    lines += _table(loss_table(backtest), fitting)
    one = chosen(backtest)
    if one is not None:
        lines += _table(codecs_table(one), fitting)
        lines += _distribution(one, fitting)
        lines += _table(sessions_table(one), fitting)
        lines += _cases(one, fitting)
    lines += _method(backtest, fitting)
    return [line.rstrip() for line in lines]


def _table(table: Table, style: Style) -> list[str]:
    lines = ["", style.bold(one_line(table.title))]
    if not table.rows:
        return [*lines, table.empty]
    rows = [[cell.text if isinstance(cell, Said) else cell for cell in row] for row in table.rows]
    lines += render(table.columns, rows, None, style)
    if table.left_out:
        lines.append(style.faint(f"and {table.left_out:,} more; --json has them all"))
    return lines


def known_lines(strategies: Sequence[Strategy | StrategyResult], style: Style) -> list[str]:
    """What each strategy does, and what the words of the basis mean."""
    width = min(style.width, WIDEST)
    name_width = max((len(one.name) for one in strategies), default=0) + 2
    lines: list[str] = []
    for one in strategies:
        first, *more = wrapped(one_line(one.said), max(20, width - name_width - 2))
        lines.append(f"  {padded(one_line(one.name), name_width)}{first}")
        lines += [" " * (name_width + 2) + line for line in more]
    for basis in dict.fromkeys(one.basis for one in strategies):
        lines += wrapped(f"{basis}: {BASIS_WORDS.get(basis, '')}", width, "  ")
    return lines


# ── the distribution ─────────────────────────────────────────────────────────────────────────────


def _distribution(one: StrategyResult, style: Style) -> list[str]:
    """How many sessions saved how much: a bar for each stretch."""
    priced = [session for session in one.sessions if session.was.usd.total]
    if not priced:
        return []
    counts = binned(priced)
    top = max(counts)
    cells = max(8, min(BAR_CELLS, style.width - 32))
    lines = ["", style.bold("Sessions by what they saved of their cost")]
    for label, count in zip(_labels(), counts, strict=True):
        if count or label.startswith("dearer"):
            drawn = "█" * max(1 if count else 0, round(cells * count / top))
            lines.append(f"  {label:<22}{count:>5}  {drawn}")
    return lines


def binned(sessions: Sequence[SessionResult]) -> list[int]:
    """Sessions below the first edge, between each two, and above the last."""
    counts = [0] * (len(BINS) + 1)
    for session in sessions:
        counts[sum(session.saved_share >= edge for edge in BINS)] += 1
    return counts


def _labels() -> list[str]:
    names = ["dearer by more than 1%", "dearer by up to 1%"]
    names += [f"{low:.0%} to {high:.0%}" for low, high in pairwise(BINS[1:])]
    return [*names, f"{BINS[-1]:.0%} and more"]


# ── what was missed ──────────────────────────────────────────────────────────────────────────────


def _cases(one: StrategyResult, style: Style) -> list[str]:
    lines = ["", style.bold("What was needed later and was no longer told")]
    cases = worst_cases(one)
    if not cases:
        return [*lines, "Nothing."]
    for case in cases[:MOST_CASES]:
        lines += wrapped(case_words(case), style.width, "  ")
        span = one_line(" ⏎ ".join(case.span.strip().split("\n")))[:SPAN_CHARS]
        lines.append(style.faint(f"    {cut(span, style.width - 4, keeps_start=True)}"))
    left = len(cases) - MOST_CASES
    if left > 0:
        lines.append(style.faint(f"and {left:,} more; --json has them"))
    return lines


def _method(backtest: Backtest, style: Style) -> list[str]:
    lines = ["", style.bold("How this is known")]
    control = backtest_control.METHOD if backtest_control.control_table(backtest).rows else ()
    for sentence in (*METHOD, *control):
        lines += wrapped(f"- {sentence}", style.width, "  ")
    for problem in backtest.unread:
        lines += wrapped(f"! not gone through: {one_line(problem)}", style.width, "  ")
    return lines
