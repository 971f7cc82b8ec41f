"""A backtest as one JSON object: exact sums, money as decimal strings."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.metering.cost import format_usd
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.backtest_control import control_rows, session_room
from tokenbudget.reports.backtest_words import worst_cases
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.backtest_result import (
        Backtest,
        Bill,
        Case,
        Fidelity,
        RequestResult,
        SessionResult,
        Shortening,
        StrategyResult,
    )
    from tokenbudget.model.protocols import Strategy

FORMAT_VERSION = 1


def backtest_document(backtest: Backtest) -> str:
    """Everything; a row for each strategy, session, codec and case, named by its strategy."""
    strategies = backtest.strategies
    return document(
        "backtest",
        FORMAT_VERSION,
        {
            "sessions": backtest.sessions,
            "threads": backtest.threads,
            "requests": backtest.requests,
            "rows": [_strategy(one) for one in strategies],
            "control_rows": control_rows(backtest),
            "session_rows": [_session(one, row) for one in strategies for row in one.sessions],
            "codec_rows": [_shortening(one, row) for one in strategies for row in one.shortenings],
            "case_rows": [_case(one, row) for one in strategies for row in worst_cases(one)],
            "request_rows": [
                _request(one, session, row)
                for one in strategies
                for session in one.sessions
                for row in session.by_request
            ],
            "unread": [one_line(problem) for problem in backtest.unread],
        },
    )


def known_document(strategies: Sequence[Strategy]) -> str:
    """The strategies that can be named."""
    rows = [{"strategy": one.name, "basis": one.basis, "said": one.said} for one in strategies]
    return document("backtest-strategies", FORMAT_VERSION, {"rows": rows})


def _strategy(one: StrategyResult) -> dict[str, object]:
    return {
        "strategy": one.name,
        "basis": one.basis,
        "said": one.said,
        **_bill("was", one.was),
        **_bill("now", one.now),
        "saved_share": round(one.saved_share, 6),
        "result_tokens_was": round(one.result_tokens_was),
        "result_tokens_now": round(one.result_tokens_now),
        "refetches": one.refetches,
        "refetch_cost_usd": _usd(one.refetch_usd),
        "dearer_sessions": len(one.dearer),
        "fidelity": _fidelity(one.fidelity),
    }


def _session(strategy: StrategyResult, one: SessionResult) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "session": one.session,
        "path": one.path,
        "requests": one.requests,
        "cost_usd_was": _usd(one.was.usd.total),
        "cost_usd_now": _usd(one.now.usd.total),
        "unpriced_tokens": round(one.was.unpriced_tokens),
        "saved_share": round(one.saved_share, 6),
        "result_tokens_was": round(one.result_tokens_was),
        "result_tokens_now": round(one.result_tokens_now),
        "refetches": one.refetches,
        "fidelity": _fidelity(one.fidelity),
        **session_room(one),
    }


def _shortening(strategy: StrategyResult, one: Shortening) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "tool": one.tool or None,
        "kind": one.kind,
        "by": one.by or None,
        "pieces": one.pieces,
        "tokens_was": round(one.tokens_was),
        "tokens_now": round(one.tokens_now),
        "carried_tokens_was": round(one.carried_was),
        "carried_tokens_now": round(one.carried_now),
        "saved_usd": _usd(one.saved_usd),
    }


def _case(strategy: StrategyResult, one: Case) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "session": one.session,
        "agent_thread": one.thread or None,
        "request": one.request,
        "kind": one.kind,
        "tool": one.tool,
        "target": one.target,
        "by": one.by,
        "span": one.span,
    }


def _request(
    strategy: StrategyResult, session: SessionResult, one: RequestResult
) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "session": session.session,
        "request": one.number,
        "model": one.model,
        "is_cold": one.is_cold,
        **_bill("was", one.was),
        **_bill("now", one.now),
        "refetches": one.refetches,
    }


def _bill(when: str, bill: Bill) -> dict[str, object]:
    """Tokens by class and money, of a bill as it was or would be."""
    tokens = bill.tokens
    return {
        f"input_tokens_{when}": round(tokens.input),
        f"cache_write_5m_tokens_{when}": round(tokens.cache_write_5m),
        f"cache_write_1h_tokens_{when}": round(tokens.cache_write_1h),
        f"cache_read_tokens_{when}": round(tokens.cache_read),
        f"output_tokens_{when}": round(tokens.output),
        f"cost_usd_{when}": _usd(bill.usd.total),
        f"unpriced_tokens_{when}": round(bill.unpriced_tokens),
    }


def _fidelity(one: Fidelity) -> dict[str, int]:
    return dict(one._asdict())


def _usd(amount: float) -> str:
    """Modelled money to a millionth."""
    return format_usd(Decimal(f"{amount:.6f}"))
