"""The list of sessions and one session, as text and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.metering.cost import format_usd
from tokenbudget.model.figures import counted, cut, short_count
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document, sums_fields, usage_fields
from tokenbudget.reports.table import Column, render, shown
from tokenbudget.reports.usage import NOTE_WIDTH, cost_cell, tilde, usage_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.sessions import SessionUsage, SessionWhole
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

SHOWN_TOOLS = 12
SHORT_ID = 8
_TITLE_ENOUGH = 12
_TIME_WIDTH = 16


def _when(stamp: str, zone: Zone) -> str:
    """A line's time in the person's zone (without an offset it is UTC); else as it stands."""
    try:
        when = datetime.fromisoformat(stamp)
        at_ms = round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
        return zone.local(at_ms).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return cut(one_line(stamp), _TIME_WIDTH) or "?"


def _project_name(row: SessionRow) -> str:
    return row.project.rstrip("/").rpartition("/")[2] or "unknown"


def _short_id(row: SessionRow) -> str:
    return one_line(row.session)[:SHORT_ID]


def sessions_lines(
    found: Sequence[SessionUsage], limit: int | None, style: Style, zone: Zone
) -> list[str]:
    """A line per session; says how many are not shown, and how to see one whole."""
    columns = [
        Column("Session", is_text=True, may_cut=False),
        Column("Last used", is_text=True, may_cut=False),
        Column("Project", is_text=True),
        Column(
            "Title or branch", is_text=True, drop_rank=1, keeps_start=True, enough=_TITLE_ENOUGH
        ),
        Column("Requests", drop_rank=2),
        Column("Total tokens"),
        Column("Cost"),
    ]
    listed = found if limit is None else found[:limit]
    rows: list[list[Cell]] = [
        [
            _short_id(facts),
            _when(facts.last_at, zone),
            _project_name(facts) + (f" ({_absence(facts)})" if facts.is_gone else ""),
            facts.title or facts.git_branch,
            sums.requests,
            sums.total_tokens,
            cost_cell(sums),
        ]
        for facts, sums in listed
    ]
    more = len(found) - len(listed)
    hints = [f"{more:,} more: tokens sessions --all"] if more else []
    hints += [f"One whole: tokens sessions {_short_id(facts)}" for facts, _ in listed[:1]]
    return [*render(columns, rows, None, style), "", *hints]


def session_lines(
    whole: SessionWhole, opening: str | None, style: Style, zone: Zone, home: str
) -> list[str]:
    """One session: what it is, where the tokens went, which tools it used."""
    facts = whole.facts
    totals = whole.models.totals
    branch = f"   branch {one_line(facts.git_branch)}" if facts.git_branch else ""
    by_agents = f", {short_count(whole.subagent_tokens)} of them by subagents"
    head = [
        f"  Session    {one_line(facts.session)}"
        + (f"   transcript {_absence(facts)}" if facts.is_gone else ""),
        f"  Project    {one_line(tilde(facts.project, home)) or 'unknown'}{branch}",
        f"  Time       {_when(facts.first_at, zone)} to {_when(facts.last_at, zone)}"
        f"   {one_line(facts.agent)} {one_line(facts.version)}",
        f"  Usage      {totals.total_tokens:,} tokens{by_agents if whole.subagent_tokens else ''};"
        f" {counted(totals.requests, 'request')}, {shown(cost_cell(totals))}",
    ]
    if whole.last_context is not None:
        model, tokens, _ = whole.last_context
        head.append(f"  Window     {tokens:,} tokens after the last response ({one_line(model)})")
    head += [_compaction_line(compaction, zone) for compaction in whole.compactions]
    title = cut(one_line(facts.title or opening or facts.session), style.width, keeps_start=True)
    return [
        style.bold(title),
        style.faint("─" * min(style.width, NOTE_WIDTH)),
        *(cut(line, style.width) for line in head),
        "",
        *usage_lines(whole.models, style, home),
        "",
        *_tool_lines(whole, style),
    ]


def _compaction_line(compaction: tuple[int, str, str, int | None], zone: Zone) -> str:
    at_ms, kind, trigger, before = compaction
    when = f"{zone.local(at_ms):%Y-%m-%d %H:%M}" if at_ms else "?"
    size = f" at {before:,} tokens" if before else ""
    return f"  {one_line(kind).capitalize():<10} {when} {one_line(trigger)}{size}"


def _tool_lines(whole: SessionWhole, style: Style) -> list[str]:
    if not whole.tools:
        return ["No tool was used."]
    columns = [
        Column("Tool", is_text=True),
        Column("Calls"),
        Column("Errors"),
        Column("Arguments, bytes", drop_rank=1),
        Column("Results, bytes"),
        Column("Seconds", drop_rank=2),
    ]
    rows: list[list[Cell]] = [
        [t.tool, t.calls, t.errors, t.input_bytes, t.result_bytes, round(t.duration_ms / 1000)]
        for t in whole.tools[:SHOWN_TOOLS]
    ]
    lines = render(columns, rows, None, style)
    more = len(whole.tools) - SHOWN_TOOLS
    return [*lines, f"and {counted(more, 'more tool')}"] if more > 0 else lines


def _facts_fields(facts: SessionRow) -> dict[str, object]:
    return {
        "session": facts.session,
        "title": facts.title,
        "project": facts.project,
        "git_branch": facts.git_branch,
        "agent": facts.agent,
        "agent_version": facts.version,
        "first_at": facts.first_at,
        "last_at": facts.last_at,
        "is_transcript_gone": bool(facts.is_gone),
        "is_archived": bool(facts.is_archived),
    }


def _absence(facts: SessionRow) -> str:
    return "archived" if facts.is_archived else "gone"


def sessions_document(found: Sequence[SessionUsage], limit: int | None) -> str:
    """All sessions, or the last `limit` ones, as `tokenbudget/sessions/1`."""
    listed = found if limit is None else found[:limit]
    rows = [{**_facts_fields(facts), **sums_fields(sums)} for facts, sums in listed]
    return document("sessions", 1, {"rows": rows, "sessions": len(found)})


def session_document(whole: SessionWhole, zone: Zone) -> str:
    """One session as `tokenbudget/session/1`."""
    context = whole.last_context
    fields = {
        **_facts_fields(whole.facts),
        "totals": sums_fields(whole.models.totals),
        "models": usage_fields(whole.models)["rows"],
        "days": usage_fields(whole.days)["rows"],
        "subagent_tokens": whole.subagent_tokens,
        "context_tokens": None if context is None else context[1],
        "tools": [tool._asdict() for tool in whole.tools],
        "compactions": [
            {"at": zone.stamp(at), "kind": kind, "trigger": trigger, "pre_tokens": before}
            for at, kind, trigger, before in whole.compactions
        ],
        "cost_usd": format_usd(whole.models.totals.cost_usd),
    }
    return document("session", 1, fields)
