"""The live state of a session as JSON: the tracker file in its project, and a line per tick.

Formats: `tokenbudget/token-tracker/1` and `tokenbudget/monitor/1`; docs/tracker.md describes them.
A field may be added within a format; a changed meaning raises its number. What is unknown is null.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite

from tokenbudget.dashboard.words import clean
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.context_folder import TRACKER, write_context_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tokenbudget.analysis.window_budget import BudgetRow, LimitState
    from tokenbudget.budget.forecast import Crossing, Spread
    from tokenbudget.dashboard.view_model import Decision, Frame, SessionView, Spend
    from tokenbudget.model.control_standing import Standing

FORMAT = "tokenbudget/token-tracker/1"
LINE_FORMAT = "tokenbudget/monitor/1"
EXACT, CALIBRATED, UNKNOWN = "exact", "calibrated", "unknown"
LONGEST_TEXT = 4096
"""Characters of any text; a path is never longer."""
MOST_ACTIONS = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def tracker_document(frame: Frame, actions: Sequence[Decision] = ()) -> bytes:
    """The chosen session's state; `actions` are those of earlier ticks, any order."""
    fields = {"format": FORMAT, **_fields(frame, actions)}
    return json.dumps(_plain(fields), indent=1, allow_nan=False).encode() + b"\n"


def frame_line(frame: Frame, actions: Sequence[Decision] = ()) -> str:
    """The same in one line, with all live sessions and what occupies the window."""
    view = frame.chosen
    fields = {
        "format": LINE_FORMAT,
        **_fields(frame, actions),
        "consumers": [one._asdict() for one in view.consumers] if view else [],
        "sessions": [
            {
                "session": line.session,
                "project": line.project,
                "title": clean(line.title) or None,
                "model": line.model or None,
                "total_tokens": line.total_tokens,
                "window_tokens": line.window_tokens,
                "used_share": line.share,
                "health_level": line.level,
                "last_active_at": stamp(line.at_ms, frame),
            }
            for line in frame.sessions
        ],
    }
    return json.dumps(_plain(fields), allow_nan=False)


def write_tracker(frame: Frame, actions: Sequence[Decision] = ()) -> str:
    """Put the tracker into the project of the chosen session, if there is one.

    Returns what was in the way, a sentence, or ''. A view goes on without its tracker and may tell
    it once; a sentence that stays the same is the same trouble.
    """
    if frame.chosen is None or not frame.chosen.project:
        return ""
    try:
        write_context_file(frame.chosen.project, TRACKER, tracker_document(frame, actions))
    except TokenBudgetError as reason:
        return str(reason)
    return ""


def stamp(at_ms: float | None, frame: Frame) -> str | None:
    """A moment as ISO 8601 in the frame's zone, to the second; `None` for 0, the unknown one."""
    if not at_ms or not isfinite(at_ms):
        return None
    seconds = int(min(max(at_ms, 0), _LAST_MS)) // 1000
    zone = timezone(timedelta(minutes=round(frame.utc_offset_seconds / 60)))
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).isoformat()


def _fields(frame: Frame, actions: Sequence[Decision]) -> dict[str, object]:
    view = frame.chosen
    return {
        "updated_at": stamp(frame.made_at_ms, frame),
        "interval_seconds": frame.interval_seconds,
        **(_no_session() if view is None else _session(view, frame)),
        "limits": {limit.name: _limit(limit, frame) for limit in frame.limits},
        "alerts": [
            {
                "rule": alert.rule_id,
                "level": alert.level,
                "title": clean(alert.title),
                "status": alert.status,
                "since": stamp(alert.since_ms, frame),
            }
            for alert in frame.alerts
        ],
        "last_actions": [
            {"at": stamp(one.at_ms, frame), "title": clean(one.title), "outcome": one.outcome}
            for one in _latest([*frame.decisions, *actions])
        ],
        "control": None if frame.control is None else _control(frame.control, frame),
        "faults": frame.faults,
    }


def _control(standing: Standing, frame: Frame) -> dict[str, object]:
    """What the controller came to last; shares are of the usable window."""
    last, done = standing.last, standing.receipt
    return {
        "mode": standing.mode,
        "looked_at": stamp(standing.looked_at_ms, frame),
        "watched_by": standing.watcher or None,
        "level": standing.level,
        "usable_share": standing.share,
        "decision": None
        if last is None
        else {
            "at": stamp(last.at_ms, frame),
            "kind": last.kind,
            "code": last.code,
            "reason": last.reason,
            "next": last.next or None,
            "lever": last.lever or None,
            "items": last.items,
        },
        "last_action": None
        if done is None
        else {
            "at": stamp(done.at_ms, frame),
            "lever": done.lever,
            "items": done.items,
            "action": done.action,
            "predicted_tokens": done.predicted_tokens,
            "measured_tokens": done.measured_tokens,
            "outcome": done.outcome or "open",
        },
    }


def _latest(actions: Sequence[Decision]) -> list[Decision]:
    """Each action once, the last one first."""
    once = dict.fromkeys(actions)
    return sorted(once, key=lambda one: -one.at_ms)[:MOST_ACTIONS]


def _session(view: SessionView, frame: Frame) -> dict[str, object]:
    return {
        "session": view.session,
        "agent_thread": view.agent or None,
        "project": view.project or None,
        "title": clean(view.title) or None,
        "git_branch": clean(view.git_branch) or None,
        "model": view.model or None,
        "last_request_at": stamp(view.at_ms, frame),
        "current": _current(view),
        "allotted": {row.name: row.allotted_tokens for row in view.rows},
        "burn_rate": [
            {**burn._asdict(), "provenance": _known(burn.tokens_per_minute)} for burn in view.burns
        ],
        "health": {
            "level": view.level,
            "light": view.light,
            "thresholds": dict(
                zip(("warning", "critical", "emergency"), view.threshold_shares, strict=True)
            ),
        },
        "forecast": [_crossing(crossing) for crossing in view.ahead],
        "forecast_reason": view.forecast_reason or None,
        "cost": _cost(view.spend),
        "cache": {
            "hit_share": view.cache.hit_share,
            "provenance": _known(view.cache.hit_share),
            "requests": view.cache.requests,
            "is_warm": view.cache.is_warm,
            "cold_at": stamp(view.cache.cold_at_ms, frame),
        },
        "recommendations": view.recommendations,
        "notes": view.notes,
    }


def _no_session() -> dict[str, object]:
    names = ("session", "agent_thread", "project", "title", "git_branch", "model")
    unknown = ("last_request_at", "current", "allotted", "burn_rate", "health", "forecast")
    rest = ("forecast_reason", "cost", "cache")
    nothing: dict[str, object] = dict.fromkeys((*names, *unknown, *rest))
    return {**nothing, "recommendations": [], "notes": []}


def _current(view: SessionView) -> dict[str, object]:
    free = None
    if view.total_tokens is not None and view.window_tokens:
        free = max(0, view.window_tokens - view.total_tokens)
    return {
        "total_tokens": view.total_tokens,
        "provenance": _known(view.total_tokens),
        "window_tokens": view.window_tokens,
        "used_share": view.share,
        "free_tokens": free,
        "until_compaction_tokens": view.until_compaction_tokens,
        "rows": [
            {
                "part": row.name,
                "tokens": row.tokens,
                "provenance": _row_provenance(row),
                "allotted_tokens": row.allotted_tokens,
                "is_over_allotted": row.is_over,
            }
            for row in view.rows
        ],
    }


def _crossing(crossing: Crossing) -> dict[str, object]:
    return {
        "threshold": crossing.name,
        "threshold_tokens": crossing.threshold_tokens,
        "requests": _spread(crossing.requests),
        "active_minutes": _spread(crossing.active_minutes),
        "sent_tokens": _spread(crossing.sent_tokens),
        "reason": crossing.reason or None,
    }


def _limit(limit: LimitState, frame: Frame) -> dict[str, object] | None:
    forecast = limit.forecast
    if forecast.used_share is None:
        return None
    spent = forecast.exhausted_at_ms
    return {
        "used_share": forecast.used_share,
        "provenance": EXACT,
        "resets_at": stamp(forecast.resets_at_ms, frame),
        "share_at_reset": _spread(forecast.share_at_reset),
        "exhausted_at": None
        if spent is None
        else {name: stamp(at_ms, frame) for name, at_ms in spent._asdict().items()},
        "reason": forecast.reason or None,
    }


def _cost(spend: Spend) -> dict[str, object]:
    """Money is exact as far as it has a price; what has none is counted beside it."""
    return {
        "session_usd": _usd(spend.session_usd),
        "hour_usd": _usd(spend.hour_usd),
        "unpriced_tokens": spend.unpriced_tokens,
        "provenance": _known(_usd(spend.session_usd)),
    }


def _usd(amount: Decimal | None) -> str | None:
    if amount is None or not amount.is_finite():
        return None
    from tokenbudget.metering.cost import format_usd

    return format_usd(amount)


def _spread(spread: Spread | None) -> dict[str, float | None] | None:
    return None if spread is None else spread._asdict()


def _known(figure: object) -> str:
    return UNKNOWN if figure is None else EXACT


def _row_provenance(row: BudgetRow) -> str:
    if row.tokens is None:
        return UNKNOWN
    return EXACT if row.is_exact else CALIBRATED


def _plain(value: object) -> object:
    """The gate that every value goes through: texts cleaned, and no number that JSON has not."""
    if isinstance(value, str):
        return one_line(value[:LONGEST_TEXT])
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {one_line(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
