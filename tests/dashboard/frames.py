"""Frames made by hand: one ordinary session, hostile ones, and any at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests import control_values

from tokenbudget.analysis.cache_state import CacheState
from tokenbudget.analysis.window_budget import BudgetRow, LimitState
from tokenbudget.budget.burn import Burn
from tokenbudget.budget.forecast import Crossing, Spread
from tokenbudget.budget.health import LEVELS
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

NOON_MS = 1_795_176_000_000
"""2026-11-20 12:00 UTC, a Friday."""
MINUTE_MS = 60_000
TOKENS = {"healthy": 62_000, "warning": 116_400, "critical": 158_800, "emergency": 187_200}
LIGHTS = {"healthy": "green", "warning": "yellow", "critical": "yellow", "emergency": "red"}
CROSSING = Crossing(
    "critical", 150_000, Spread(6, 9, 14), Spread(38.0, 51.0, 70.0), Spread(1, 2, None), ""
)
UNKNOWN_LIMIT = LimitForecast(None, None, None, None, "no report")
FIVE_HOURS = LimitState(
    "five_hour",
    "5-hour",
    LimitForecast(
        0.38,
        NOON_MS + 160 * MINUTE_MS,
        Spread(0.5, 0.62, 0.8),
        Spread(None, None, NOON_MS + 150 * MINUTE_MS),
        "",
    ),
)
HOSTILE = (
    "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202eevil\u2066 zero\u200bwidth\r\nnext\u2028line\x85\x0b"
    " | a | b | `code` ``` *bold* _it_ ~~no~~ # h [x](https://evil.example) ![i](//evil.example)"
    " <script>alert(1)</script> <!-- tokenbudget:begin --> <!-- tokenbudget:end --> --> @everyone"
    " $x$ {{ site }} {% raw %} &lt; www.evil.example www.(javascript:alert) \\| \\ \ud800 \0 [/]"
)


def session_view(level: str | None = "warning", **fields: Any) -> SessionView:
    """A session of `webshop` in this state of health; None is one of which nothing is known."""
    plain = SessionView(
        session="332633f4-730f-48aa-ac74-a8ae49494781",
        agent="",
        project="/srv/webshop",
        title="Round the cart",
        git_branch="fix-cart",
        model="claude-opus-5-5",
        at_ms=NOON_MS - 12_000,
        level=level,
        light=LIGHTS.get(level or ""),
        total_tokens=TOKENS.get(level or ""),
        window_tokens=200_000 if level else None,
        until_compaction_tokens=50_600 if level else None,
        threshold_shares=(0.5, 0.75, 0.9),
        rows=(
            BudgetRow("System", 24_000, False, 20_000, "tools 14,000"),
            BudgetRow("Messages", 92_400, True, 100_000, ""),
            BudgetRow("Context", None, False, None, ""),
        ),
        burns=(
            Burn(5, 0, 0, 0.0, None, None, "no growth measured in the last 5 minutes"),
            Burn(15, 8, 23_200, 14.1, 1_640.0, 2_900.0, ""),
        ),
        grown_tokens=(0, 900, 1_400),
        ahead=(CROSSING,),
        forecast_reason="",
        spend=Spend(Decimal("1.86"), Decimal("3.1"), 0),
        cache=CacheState(0.964, 300_000, NOON_MS + 2 * MINUTE_MS, True, 10),
        consumers=(Consumer("Context files", "/srv/webshop/cart.py", 18_412, 9, 4_100),),
        recommendations=("Context holds 37,310 of 30,000 allotted",),
        notes=(),
    )
    return plain._replace(**fields)


def session_line(**fields: Any) -> SessionLine:
    """The same session in the list."""
    plain = SessionLine(
        "332633f4-730f-48aa-ac74-a8ae49494781",
        "/srv/webshop",
        "Round the cart",
        "claude-opus-5-5",
        116_400,
        200_000,
        "warning",
        NOON_MS - 12_000,
    )
    return plain._replace(**fields)


def frame(level: str | None = "warning", **fields: Any) -> Frame:
    """One tick at noon with one session, its limits and an alert."""
    plain = Frame(
        made_at_ms=NOON_MS,
        interval_seconds=30.0,
        sessions=(session_line(),),
        chosen=session_view(level),
        limits=(FIVE_HOURS, LimitState("seven_day", "7-day", UNKNOWN_LIMIT)),
        alerts=(
            AlertLine(
                "context-50", "warning", "context window at 58%", "firing", NOON_MS - 12 * MINUTE_MS
            ),
        ),
        decisions=(Decision(NOON_MS - 60_000, "delegate the search", "told"),),
        faults=(),
        utc_offset_seconds=3600,
    )
    return plain._replace(**fields)


def nobody() -> Frame:
    """A tick without any session."""
    return frame(sessions=(), chosen=None, limits=(), alerts=(), decisions=())


def hostile(text: str = HOSTILE) -> Frame:
    """A tick in which every text that comes from elsewhere is this one."""
    view = session_view(
        project=f"/srv/{text}",
        title=text,
        git_branch=text,
        model=text,
        agent=text,
        rows=(BudgetRow(text, 1, True, 1, text),),
        ahead=(CROSSING._replace(name=text, reason=text),),
        forecast_reason=text,
        consumers=(Consumer(text, text, 1, 1, 1),),
        recommendations=(text,),
        notes=(text,),
    )
    return frame(
        chosen=view,
        sessions=(session_line(title=text, project=text, model=text),),
        limits=(FIVE_HOURS._replace(title=text),),
        alerts=(AlertLine(text, "warning", text, "firing", NOON_MS),),
        decisions=(Decision(NOON_MS, text, text),),
        faults=(text,),
        control=control_values.hostile(text),
    )


# ── any at all ────────────────────────────────────────────────────────────────────────────────────

_texts = st.sampled_from([HOSTILE, ""]) | st.text(st.characters(), max_size=30)
_counts = st.integers(-(2**63), 2**63)
_maybe_counts = st.none() | _counts
_floats = st.floats() | st.none()
_spreads = st.none() | st.builds(Spread, _floats, _floats, _floats)
_usd = st.none() | st.decimals(0, 10**9, places=6)
_levels = st.none() | st.sampled_from(LEVELS)
_shares = st.tuples(st.floats(), st.floats(), st.floats())


def _some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(one, max_size=2).map(tuple)


_views = st.builds(
    SessionView,
    session=_texts,
    agent=_texts,
    project=_texts,
    title=_texts,
    git_branch=_texts,
    model=_texts,
    at_ms=_counts,
    level=_levels,
    light=st.none() | st.sampled_from(["green", "yellow", "red"]),
    total_tokens=_maybe_counts,
    window_tokens=_maybe_counts,
    until_compaction_tokens=_maybe_counts,
    threshold_shares=_shares,
    rows=_some(st.builds(BudgetRow, _texts, _maybe_counts, st.booleans(), _maybe_counts, _texts)),
    burns=_some(
        st.builds(
            Burn,
            _counts,
            _counts,
            _counts,
            st.floats(),
            st.none() | st.floats(0, 1e12),
            st.none() | st.floats(0, 1e12),
            _texts,
        )
    ),
    grown_tokens=_some(_counts),
    ahead=_some(
        st.builds(
            Crossing,
            _texts,
            _counts,
            _spreads,
            st.none() | st.builds(Spread, *[st.none() | st.floats(0, 1e9)] * 3),
            _spreads,
            _texts,
        )
    ),
    forecast_reason=_texts,
    spend=st.builds(Spend, _usd, _usd, _counts),
    cache=st.builds(
        CacheState,
        st.none() | st.floats(0, 1),
        _maybe_counts,
        _maybe_counts,
        st.none() | st.booleans(),
        _counts,
    ),
    consumers=_some(st.builds(Consumer, _texts, _texts, _counts, _counts, _counts)),
    recommendations=_some(_texts),
    notes=_some(_texts),
)
frames = st.builds(
    Frame,
    made_at_ms=_counts,
    interval_seconds=st.floats(),
    sessions=_some(
        st.builds(
            SessionLine,
            _texts,
            _texts,
            _texts,
            _texts,
            _maybe_counts,
            _maybe_counts,
            _levels,
            _counts,
        )
    ),
    chosen=st.none() | _views,
    limits=_some(
        st.builds(
            LimitState,
            st.sampled_from(["five_hour", "seven_day"]),
            _texts,
            st.builds(
                LimitForecast,
                st.none() | st.floats(0, 1),
                _maybe_counts,
                _spreads,
                st.none() | st.builds(Spread, _maybe_counts, _maybe_counts, _maybe_counts),
                _texts,
            ),
        )
    ),
    alerts=_some(
        st.builds(
            AlertLine,
            _texts,
            _texts,
            _texts,
            st.sampled_from(["firing", "firing, acked", "pending", "no data"]),
            _counts,
        )
    ),
    decisions=_some(st.builds(Decision, _counts, _texts, _texts)),
    faults=_some(_texts),
    utc_offset_seconds=st.integers(-14 * 3600, 14 * 3600),
)
"""Any frame: figures without bounds where nobody promises any, and any text anywhere."""
