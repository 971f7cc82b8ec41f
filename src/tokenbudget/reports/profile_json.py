"""A profile as one JSON object: `tokenbudget/profile/1`, whose fields `docs/profile.md` names."""

from __future__ import annotations

from tokenbudget.analysis.profile_tree import spenders_of
from tokenbudget.metering.cost import format_usd
from tokenbudget.reports.json import document
from tokenbudget.reports.profile_words import share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.cost_analysis import CostAnalysis
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import (
        Consumer,
        Node,
        Profile,
        SessionRow,
        SplitRow,
        ToolRow,
        WeekRow,
    )

MOST_ROWS = 500
"""Of a kind of consumer; `consumers_left_out` says how many more there were."""
DIGITS = 6
PROVENANCE = {"totals": "exact", "splits": "exact", "consumers": "calibrated"}
"""The bill is what the API reported; what each consumer took of it is counted."""


def profile_document(
    profile: Profile,
    efficiency: Efficiency,
    costs: CostAnalysis | None,
    zone: Zone,
    limit: int | None = None,
    by: str = "component",
) -> str:
    """Everything that is known; `rows` are those of `by`. Components add up to `totals`."""
    most = limit or MOST_ROWS
    whole = profile.totals
    consumers = {
        kind: [consumer_fields(kind, row, whole) for row in rows[:most]]
        for kind, rows in profile.consumers.items()
    }
    lists = list_fields(profile, zone)
    fields: dict[str, object] = {
        "timezone": zone.name,
        "since": None if profile.since_ms is None else zone.stamp(profile.since_ms),
        "until": None if profile.until_ms is None else zone.stamp(profile.until_ms),
        "session": profile.session or None,
        "requests": profile.requests,
        "unknown_usage_requests": profile.unknown_requests,
        "totals": amount_fields(whole),
        "provenance": PROVENANCE,
        "unattributed": amount_fields(profile.unattributed),
        "by": by,
        "rows": {**consumers, **_by_grouping(lists)}[by],
        "spenders": [
            {"spender": name, "share": _rounded(share(amount, whole)), **amount_fields(amount)}
            for name, amount in spenders_of(profile)
        ],
        "consumers": consumers,
        "consumers_left_out": {
            kind: len(rows) - most for kind, rows in profile.consumers.items() if len(rows) > most
        },
        **lists,
        "efficiency": efficiency_fields(efficiency),
        "costs": None if costs is None else cost_fields(costs),
        "tree": tree_fields(profile.tree),
        "notes": list(profile.notes),
    }
    return document("profile", 1, fields)


def list_fields(profile: Profile, zone: Zone) -> dict[str, list[dict[str, object]]]:
    """Tools, weeks, splits and sessions, each a list of rows; reports hold them too."""
    whole = profile.totals
    return {
        "tools": [_tool_fields(row, whole) for row in profile.tools],
        "weeks": [_week_fields(row) for row in profile.weeks],
        "projects": _splits("project", profile.projects, whole),
        "branches": _splits("branch", profile.branches, whole),
        "models": _splits("model", profile.models, whole),
        "sessions": [_session_fields(row, zone) for row in profile.sessions],
    }


def _by_grouping(
    lists: dict[str, list[dict[str, object]]],
) -> dict[str, list[dict[str, object]]]:
    """The same under the words that `--by` takes."""
    names = ("tool", "week", "project", "branch", "model", "session")
    return dict(zip(names, lists.values(), strict=True))


def amount_fields(amount: Amount) -> dict[str, object]:
    """What was billed."""
    return {
        "input_tokens": amount.input_tokens,
        "output_tokens": amount.output_tokens,
        "cache_write_5m_tokens": amount.cache_write_5m_tokens,
        "cache_write_1h_tokens": amount.cache_write_1h_tokens,
        "cache_read_tokens": amount.cache_read_tokens,
        "total_tokens": amount.total_tokens,
        "cost_usd": format_usd(amount.cost_usd),
        "unpriced_tokens": amount.unpriced_tokens,
    }


def consumer_fields(kind: str, row: Consumer, whole: Amount) -> dict[str, object]:
    """One consumer; its name is under its kind."""
    return {
        kind: row.name,
        "pieces": row.pieces,
        "sessions": row.sessions,
        "added_tokens": row.added_tokens,
        "sent_times": round(row.carries, 2),
        "share": _rounded(share(row.amount, whole)),
        **amount_fields(row.amount),
    }


def _tool_fields(row: ToolRow, whole: Amount) -> dict[str, object]:
    return {
        "tool": row.name,
        "mcp_server": row.server or None,
        "calls": row.calls,
        "call_share": _rounded(row.call_share),
        "errors": row.errors,
        "error_rate": _ratio(row.errors, row.calls),
        "reruns": row.reruns,
        "rerun_rate": _ratio(row.reruns, row.calls),
        "timed_calls": row.timed_calls,
        "mean_duration_ms": round(row.duration_ms / row.timed_calls) if row.timed_calls else None,
        "call_tokens": row.input_tokens,
        "result_tokens": row.result_tokens,
        "token_share": _rounded(row.token_share),
        "share": _rounded(share(row.amount, whole)),
        **amount_fields(row.amount),
    }


def _week_fields(row: WeekRow) -> dict[str, object]:
    return {
        "week": row.begins,
        "is_whole": row.is_whole,
        "sessions": row.sessions,
        "requests": row.requests,
        "change": None if row.change is None else _rounded(row.change),
        "top": row.top or None,
        **amount_fields(row.amount),
    }


def _splits(name: str, rows: Iterable[SplitRow], whole: Amount) -> list[dict[str, object]]:
    return [
        {
            name: row.name,
            **({"project": row.project} if row.project else {}),
            "sessions": row.sessions,
            "requests": row.requests,
            "share": _rounded(share(row.amount, whole)),
            **amount_fields(row.amount),
        }
        for row in rows
    ]


def _session_fields(row: SessionRow, zone: Zone) -> dict[str, object]:
    return {
        "session": row.session,
        "title": row.title,
        "project": row.project,
        "branch": row.branch,
        "model": row.model,
        "first_at": zone.stamp(row.first_ms),
        "last_at": zone.stamp(row.last_ms),
        "requests": row.requests,
        "peak_tokens": row.peak_tokens or None,
        "window_tokens": row.window_tokens or None,
        "compactions": row.compactions,
        **amount_fields(row.amount),
    }


def efficiency_fields(efficiency: Efficiency) -> dict[str, object]:
    """The score and what it is made of."""
    return {
        "score": efficiency.score,
        "error": efficiency.error,
        "grade": efficiency.grade or None,
        "change": efficiency.change,
        "sentence": efficiency.sentence,
        "parts": [
            {
                "part": part.key,
                "value": None if part.value is None else _rounded(part.value),
                "said": part.said,
                "points": round(part.points, 2),
                "most_points": round(part.most_points, 2),
                "advice": part.advice or None,
            }
            for part in efficiency.parts
        ],
        "past": [
            {"week": one.begins, "score": one.score, "requests": one.requests}
            for one in efficiency.past
        ],
    }


def cost_fields(costs: CostAnalysis) -> dict[str, object]:
    """The bill by kind of token, and the naive one."""
    compared = costs.comparison
    return {
        "total_usd": format_usd(costs.total_usd),
        "unpriced_tokens": costs.unpriced_tokens,
        "kinds": [
            {
                "kind": kind.key,
                "tokens": kind.tokens,
                "cost_usd": format_usd(kind.usd),
                "share": _rounded(kind.share),
            }
            for kind in costs.kinds
        ],
        "strategies": [
            {
                "strategy": one.key,
                "basis": one.basis,
                "window_tokens": one.window_tokens,
                "extra_tokens": one.extra_tokens,
                "error_tokens": one.error_tokens,
                "extra_usd": None if one.extra_usd is None else format_usd(one.extra_usd),
                "said": one.said,
            }
            for one in costs.strategies
        ],
        "comparison": None
        if compared is None
        else {
            **compared._asdict(),
            "usd_per_session": format_usd(compared.usd_per_session),
            "naive_usd_per_session": format_usd(compared.naive_usd_per_session),
            "budget_usd": format_usd(compared.budget_usd),
        },
        "sessions": [
            {
                "session": one.session,
                **amount_fields(one.amount),
                "naive_tokens": one.naive_tokens,
                "naive_usd": format_usd(one.naive_usd),
            }
            for one in costs.sessions
        ],
    }


def tree_fields(node: Node) -> dict[str, object]:
    """A box and everything in it."""
    fields: dict[str, object] = {
        "name": node.name,
        "added_tokens": node.added_tokens,
        "total_tokens": node.amount.total_tokens,
        "cost_usd": format_usd(node.amount.cost_usd),
        "unpriced_tokens": node.amount.unpriced_tokens,
    }
    if node.children:
        fields["children"] = [tree_fields(child) for child in node.children]
    return fields


def _ratio(count: int, whole: int) -> float | None:
    return _rounded(count / whole) if whole else None


def _rounded(number: float) -> float:
    return round(number, DIGITS)
