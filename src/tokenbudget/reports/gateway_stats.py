"""`tokens gateway stats`: what was kept out of the window, as text and as JSON.

Format: `tokenbudget/gateway-stats/1`.
"""

from __future__ import annotations

from tokenbudget.model.figures import counted, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, Marked, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app.gateway_stats import GatewayStats, ServerStats
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
MOST_NAMES = 8


def stats_lines(stats: GatewayStats, style: Style) -> list[str]:
    """A row per server, then what it comes to, then what was never used."""
    if not stats.servers:
        return ["The gateway has not been used yet: tokens gateway status"]
    head = f"Since {stats.since}: {counted(stats.sessions, 'session')}"
    head += f", {counted(stats.requests, 'request')}"
    if stats.unseen_sessions:
        head += f" (none known of {counted(stats.unseen_sessions, 'session')})"
    lines = [style.bold(head), "", *_table(stats, style), ""]
    for sentence in _sums(stats):
        lines += wrapped(sentence, style.width, "  ")
    return [*lines, *_unused(stats, style)]


def _table(stats: GatewayStats, style: Style) -> list[str]:
    columns = [
        Column("Server", is_text=True, keeps_start=True, enough=12),
        Column("Calls"),
        Column("Schemas"),
        Column("Names", drop_rank=2),
        Column("Results"),
        Column("Told"),
        Column("Unused", drop_rank=1),
    ]
    rows: list[list[Cell]] = [_cells(one) for one in stats.servers]
    return render(columns, rows, None, style)


def _cells(one: ServerStats) -> list[Cell]:
    return [
        one.name,
        one.calls,
        "?" if one.schema_tokens is None else Marked(one.schema_tokens),
        "?" if one.name_tokens is None else Marked(one.name_tokens),
        one.raw_tokens,
        one.answer_tokens,
        f"{len(one.unused_tools)}/{one.weight.tools}" if one.weight else "?",
    ]


def _sums(stats: GatewayStats) -> list[str]:
    raw = sum(one.raw_tokens for one in stats.servers)
    told = sum(one.answer_tokens for one in stats.servers)
    said = [
        f"Results: {raw:,} tokens came from the servers, {told:,} went to the agent (measured).",
        f"The gateway itself: ~{stats.own_tokens:,} tokens ({stats.static_tokens} in each request,"
        " its searches and the code).",
    ]
    off, on = stats.avoided(is_deferred=False), stats.avoided(is_deferred=True)
    if off is None or on is None:
        said.append("What is avoided in all is not known: the tools of a server were never listed.")
    else:
        said.append(
            f"Avoided, all in all: ~{off:,} tokens against every schema in each request, ~{on:,}"
            " against a client that defers (modelled: requests times what was sent less)."
        )
    said += [
        f"{one_line(one.name)} said more than anyone reads:"
        f" {counted(one.dropped_messages, 'notification')} dropped."
        for one in stats.servers
        if one.dropped_messages
    ]
    if stats.refused:
        said.append(f"{counted(stats.refused, 'call')} refused by a rule or a person.")
    return said


def _unused(stats: GatewayStats, style: Style) -> list[str]:
    if not stats.unused_servers:
        return []
    names = ", ".join(map(one_line, stats.unused_servers[:MOST_NAMES]))
    more = len(stats.unused_servers) - MOST_NAMES
    end = f" and {more} more" if more > 0 else ""
    return wrapped(f"Never called: {names}{end}.", style.width, "  ")


def stats_document(stats: GatewayStats) -> str:
    """The same as JSON, with every unused tool."""
    fields = {
        "since": stats.since or None,
        "sessions": stats.sessions,
        "sessions_without_requests": stats.unseen_sessions,
        "requests": stats.requests,
        "runs": stats.runs,
        "refused_calls": stats.refused,
        "rows": [
            {
                "server": one.name,
                "sessions": one.sessions,
                "requests": one.requests,
                "calls": one.calls,
                "tools": one.weight.tools if one.weight else None,
                "schema_tokens_per_request": one.weight.schema_tokens if one.weight else None,
                "name_tokens_per_request": one.weight.name_tokens if one.weight else None,
                "schema_tokens": one.schema_tokens,
                "deferred_tokens": one.name_tokens,
                "result_tokens": one.raw_tokens,
                "answer_tokens": one.answer_tokens,
                "unused_tools": list(one.unused_tools),
                "dropped_messages": one.dropped_messages,
            }
            for one in stats.servers
        ],
        "totals": {
            "result_tokens": sum(one.raw_tokens for one in stats.servers),
            "answer_tokens": sum(one.answer_tokens for one in stats.servers),
            "gateway_tokens": stats.own_tokens,
            "gateway_tokens_per_request": stats.static_tokens,
            "avoided_tokens": stats.avoided(is_deferred=False),
            "avoided_tokens_against_deferral": stats.avoided(is_deferred=True),
        },
        "basis": {
            "result_tokens": "measured",
            "answer_tokens": "measured",
            "schema_tokens": "modelled",
            "deferred_tokens": "modelled",
            "gateway_tokens": "modelled",
        },
        "unused_servers": list(stats.unused_servers),
    }
    return document("gateway-stats", FORMAT, fields)
