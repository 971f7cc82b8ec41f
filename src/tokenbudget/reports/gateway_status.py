"""`tokens gateway status`: what is behind the gateway, as text and as JSON.

Format: `tokenbudget/gateway-status/1`.
"""

from __future__ import annotations

from tokenbudget.model.figures import wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_status import BehindRow, GatewayStatus
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
FROM = {"project": ".mcp.json", "local": "yours here", "user": "yours"}
ENTRIES = {
    "local": "for you in this project",
    "shared": "for everybody, in .mcp.json",
    "user": "for you everywhere",
}
MOST_RULES = 6
_DAY_MS, _HOUR_MS, _MINUTE_MS = 86_400_000, 3_600_000, 60_000


def status_lines(status: GatewayStatus, now_ms: int, style: Style) -> list[str]:
    """What is behind, then what holds, then what is wrong."""
    if not status.rows and not status.entries:
        lines = ["Nothing is behind the gateway here. Take servers behind it: tokens gateway"]
        return [f"{lines[0]} install", *_trouble_lines(status.troubles, style)]
    where = ", ".join(ENTRIES[one] for one in status.entries) or "nowhere"
    lines = [style.bold(f"tokens gateway: {where}"), "", *_table(status.rows, now_ms, style), ""]
    for row in status.rows:
        said = row.trouble or row.note
        if said:
            mark = "! " if row.trouble else ""
            lines += wrapped(f"{mark}{row.name}: {one_line(said)}", style.width, "  ")
    lines += wrapped(_rules(status), style.width, "  ")
    lines += wrapped(_sandbox(status), style.width, "  ")
    lines += _trouble_lines(status.troubles, style)
    if not status.is_checked:
        lines.append("Whether they start: tokens gateway status --check")
    return lines


def _table(rows: Sequence[BehindRow], now_ms: int, style: Style) -> list[str]:
    columns = [
        Column("Server", is_text=True, keeps_start=True, enough=12),
        Column("Mode", is_text=True),
        Column("From", is_text=True, drop_rank=2),
        Column("Tools"),
        Column("Listed", is_text=True, may_cut=False),
        Column("Starts", is_text=True, keeps_start=True, drop_rank=1, enough=12),
    ]
    cells: list[list[Cell]] = [
        [
            row.name,
            row.mode,
            FROM.get(row.origin, row.origin),
            row.tools,
            listed_words(row, now_ms),
            row.how,
        ]
        for row in rows
    ]
    return render(columns, cells, None, style)


def listed_words(row: BehindRow, now_ms: int) -> str:
    """When its tools were listed last; `old` where it is started in another way by now."""
    if row.listed_at_ms is None:
        return "never" if row.tools is None else "now"
    age = max(0, now_ms - row.listed_at_ms)
    if age >= _DAY_MS:
        words = f"{age // _DAY_MS} d ago"
    elif age >= _HOUR_MS:
        words = f"{age // _HOUR_MS} h ago"
    else:
        words = f"{age // _MINUTE_MS} min ago"
    return words if row.is_current or not row.how else f"{words}, old"


def _rules(status: GatewayStatus) -> str:
    said = []
    for name in ("deny", "ask", "allow"):
        rules = getattr(status.rules, name)
        if rules:
            more = f" and {len(rules) - MOST_RULES} more" if len(rules) > MOST_RULES else ""
            said.append(f"{name} {', '.join(map(one_line, rules[:MOST_RULES]))}{more}")
    return "Rules: " + "; ".join([*said, "what destroys asks unless it is allowed"]) + "."


def _sandbox(status: GatewayStatus) -> str:
    if not status.strength:
        return "Sandbox: none, so no code runs."
    return f"Sandbox: {', '.join(status.strength)}."


def _trouble_lines(troubles: Sequence[str], style: Style) -> list[str]:
    return [line for one in troubles for line in wrapped(f"! {one_line(one)}", style.width, "  ")]


def status_document(status: GatewayStatus) -> str:
    """The same as JSON."""
    rules = status.rules
    fields = {
        "project": status.project or None,
        "entries": list(status.entries),
        "is_sound": status.is_sound,
        "is_checked": status.is_checked,
        "rows": [
            {
                "server": row.name,
                "from": row.origin,
                "mode": row.mode,
                "starts": row.how,
                "tools": row.tools,
                "listed_at_ms": row.listed_at_ms,
                "is_current": row.is_current,
                "trouble": row.trouble,
                "note": row.note,
            }
            for row in status.rows
        ],
        "rules": {"allow": rules.allow, "ask": rules.ask, "deny": rules.deny},
        "missing": list(status.missing),
        "sandbox": list(status.strength),
        "troubles": list(status.troubles),
    }
    return document("gateway-status", FORMAT, fields)
