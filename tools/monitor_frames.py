"""Frames of one made-up session in every state of health: for pictures, tests and the soak."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.cache_state import CacheState
from tokenbudget.analysis.window_budget import BudgetRow, LimitState
from tokenbudget.budget import health
from tokenbudget.budget.burn import Burn
from tokenbudget.budget.forecast import Crossing, Spread
from tokenbudget.budget.limits import LimitForecast
from tokenbudget.dashboard.view_model import (
    AlertLine,
    Consumer,
    Decision,
    Frame,
    SessionLine,
    SessionView,
    Spend,
)

MADE_AT_MS = 1_795_183_351_000
"""14:02:31 UTC on Friday 20 November 2026."""
MINUTE_MS = 60_000
WINDOW_TOKENS = 200_000
SHARES = {"healthy": 0.31, "warning": 0.582, "critical": 0.794, "emergency": 0.936}
"""How much of the window is used in each state."""
GROWN = (
    0, 900, 1400, 2100, 1900, 5200, 7400, 5100, 2800, 1800, 2100, 2900, 5000, 7100, 8000,
    5900, 2900, 1200, 0, 0, 0, 600, 2400, 3900, 4400, 3100, 2700, 5200, 4100, 3300,
)  # fmt: skip
_CONSUMERS = (
    Consumer("Context files", "/srv/webshop/src/cart.py", 18_412, 9, 8_204),
    Consumer("Messages", "npm test", 14_120, 0, 0),
    Consumer("Context files", "/srv/webshop/docs/api.md", 7_730, 1, 0),
    Consumer("Context files", "/srv/webshop/src/checkout/totals.py", 5_110, 3, 2_050),
    Consumer("MCP tools", "playwright", 3_914, 0, 0),
    Consumer("Context files", "/srv/webshop/tests/test_rounding.py", 3_402, 2, 0),
    Consumer("MCP tools", "github", 2_870, 0, 0),
    Consumer("Messages", "git diff main", 2_605, 0, 0),
    Consumer("Skills", "release-notes", 2_210, 0, 0),
    Consumer("Memory files", "/srv/webshop/CLAUDE.md", 1_905, 0, 0),
    Consumer("Context files", "/srv/webshop/pyproject.toml", 1_240, 2, 410),
    Consumer("Messages", "rg -n 'round(' src", 1_105, 0, 0),
    Consumer("Skills", "changelog", 980, 0, 0),
    Consumer("MCP tools", "sentry", 870, 0, 0),
    Consumer("Context files", "/srv/webshop/src/models/order.py", 845, 1, 0),
    Consumer("Messages", "git log -n 20 --oneline", 790, 0, 0),
    Consumer("Context files", "/srv/webshop/src/models/价格.py", 712, 2, 300),
    Consumer("Messages", "ls -R src", 655, 0, 0),
    Consumer("Context files", "/srv/webshop/.github/workflows/ci.yml", 640, 1, 0),
    Consumer("Memory files", "/home/ada/.claude/CLAUDE.md", 512, 0, 0),
    Consumer("Messages", "npm run lint", 498, 0, 0),
    Consumer("Context files", "/srv/webshop/src/tax/rates.py", 455, 1, 0),
    Consumer("Skills", "rounding-rules", 410, 0, 0),
    Consumer("Context files", "/srv/webshop/README.md", 388, 1, 0),
    Consumer("Messages", "curl -s localhost:3000/health", 214, 0, 0),
)
_RECOMMENDATIONS = (
    "10,664 tokens are out-of-date copies of 3 files (most: /srv/webshop/src/cart.py, 8,204);"
    " /compact drops them",
    "MCP server playwright: 3,914 tokens in every request, and this session has not called it",
    "Context holds 37,310 of 30,000 allotted",
)
_ALERTS = (
    AlertLine("context-50", "warning", "context window over 50%: fix-cart-rounding",
              "firing", MADE_AT_MS - 12 * MINUTE_MS),
    AlertLine("seven-day-80", "info", "7-day limit will be spent before its reset", "pending",
              MADE_AT_MS - 2 * MINUTE_MS),
)  # fmt: skip
_DECISIONS = (
    Decision(MADE_AT_MS - 9 * MINUTE_MS, "shorten results of `npm test` over 4K tokens",
             "freed 11,240 tokens in 3 results"),
    Decision(MADE_AT_MS - 26 * MINUTE_MS, "keep playwright loaded", "called 2 minutes before"),
)  # fmt: skip


def frame(level: str = "warning", *, at_ms: int = MADE_AT_MS, grown_by: int = 0) -> Frame:
    """A frame in this state of health; `grown_by` tokens later where that is wanted."""
    view = session_view(level, at_ms, grown_by)
    return Frame(
        made_at_ms=at_ms,
        interval_seconds=30.0,
        sessions=sessions(view, at_ms),
        chosen=view,
        limits=limits(at_ms),
        alerts=() if level == "healthy" else _ALERTS,
        decisions=_DECISIONS if level in ("critical", "emergency") else (),
        faults=(),
        utc_offset_seconds=0,
    )


def empty_frame() -> Frame:
    """What there is to show before any session."""
    return Frame(MADE_AT_MS, 30.0, (), None, (), (), (), (), 0)


def session_view(level: str, at_ms: int = MADE_AT_MS, grown_by: int = 0) -> SessionView:
    """The session itself."""
    total = min(WINDOW_TOKENS, round(SHARES[level] * WINDOW_TOKENS) + grown_by)
    return SessionView(
        session="5f0c9a52-3f7e-4d5b-9d5e-1c2b3a4d5e6f",
        agent="claude_code",
        project="/srv/webshop",
        title="fix-cart-rounding",
        git_branch="fix/rounding",
        model="claude-opus-5-5",
        at_ms=at_ms - 40_000,
        level=level,
        light=health.traffic_light(total / WINDOW_TOKENS),
        total_tokens=total,
        window_tokens=WINDOW_TOKENS,
        until_compaction_tokens=max(0, 167_000 - total),
        threshold_shares=(0.5, 0.75, 0.9),
        rows=_rows(total),
        burns=(Burn(5, 4, 11_480, 7.0, 1_640.0, 2_870.0, ""), Burn(15, 9, 21_000, 13.0, 1_615.4,
               2_333.3, ""), Burn(60, 31, 88_200, 44.0, 2_004.5, 2_845.2, "")),
        grown_tokens=GROWN,
        ahead=_ahead(total),
        forecast_reason="",
        spend=Spend(Decimal("1.8604"), Decimal("3.1012"), 0),
        cache=CacheState(0.962, 300_000, at_ms + 130_000, True, 10),
        consumers=_CONSUMERS,
        recommendations=_RECOMMENDATIONS if level != "healthy" else _RECOMMENDATIONS[1:2],
        notes=("the size of the window is that of the model",),
    )  # fmt: skip


def sessions(view: SessionView, at_ms: int = MADE_AT_MS) -> tuple[SessionLine, ...]:
    """The chosen session among others."""
    chosen = SessionLine(view.session, view.project, view.title, view.model, view.total_tokens,
                         view.window_tokens, view.level, view.at_ms)  # fmt: skip
    others = [
        ("9d21", "/srv/api", "Paginate the audit log", "claude-sonnet-5", 168_200, 1_000_000,
         "healthy", 95_000),
        ("1c07", "/home/ada/notes", "", "claude-haiku-4-5", 181_000, 200_000, "emergency", 240_000),
        ("77aa", "/srv/infra", "Rotate the staging certificates", "gpt-5.2-codex", None, 272_000,
         None, 1_500_000),
        ("b3e9", "/srv/webshop", "写测试: 购物车", "claude-opus-5-5", 151_000, 200_000, "critical",
         2_400_000),
    ]  # fmt: skip
    return (
        chosen,
        *(
            SessionLine(name, project, title, model, total, window, level, at_ms - ago_ms)
            for name, project, title, model, total, window, level, ago_ms in others
        ),
    )


def limits(at_ms: int = MADE_AT_MS) -> tuple[LimitState, ...]:
    """The two limits, the first one about to be spent too early."""
    hour = 60 * MINUTE_MS
    return (
        LimitState("five_hour", "5-hour", LimitForecast(
            0.38, at_ms + 2 * hour + 38 * MINUTE_MS, Spread(0.6, 0.83, 1.0),
            Spread(None, None, None), "")),
        LimitState("seven_day", "7-day", LimitForecast(
            0.61, at_ms + 67 * hour, Spread(0.8, 1.0, 1.0),
            Spread(at_ms + 30 * hour, at_ms + 51 * hour, None), "")),
    )  # fmt: skip


def _rows(total: int) -> tuple[BudgetRow, ...]:
    fixed = 9_120 + 11_800 + 6_210
    context = min(37_310, (total - fixed) * 2 // 5)
    return (
        BudgetRow("System", 9_120, True, 10_000, "system tools 5,210 · system prompt 3,910"),
        BudgetRow("MCPs (active)", 11_800, False, 15_000, "playwright 3,914 · github 2,870"),
        BudgetRow("Skills (loaded)", 6_210, False, 10_000, "release-notes 2,210 · changelog 980"),
        BudgetRow("Messages", total - fixed - context, False, 100_000,
                  "npm test 14,120 · git diff main 2,605"),
        BudgetRow("Context", context, False, 30_000, "11 files"),
    )  # fmt: skip


def _ahead(total: int) -> tuple[Crossing, ...]:
    goals = (("warning", 100_000), ("critical", 150_000), ("auto-compaction", 167_000),
             ("emergency", 180_000), ("full", 200_000))  # fmt: skip
    found = []
    for name, tokens in goals:
        ahead = tokens - total
        if ahead > 0:
            far = None if ahead > 60_000 else ahead / 900
            minutes = Spread(ahead / 2300, ahead / 1640, far)
            requests = Spread(ahead // 4000, ahead // 2870, far and ahead // 1500)
            found.append(Crossing(name, tokens, requests, minutes, None, ""))
    return tuple(found)
