"""The tables of a report about what took the tokens: consumers, tools, models, projects."""

from __future__ import annotations

from tokenbudget.reports.report_tables import Said, Table, kept, share_of, words
from tokenbudget.reports.report_words import (
    NO_WORDS,
    cost_cell,
    duration,
    percent,
    short_id,
)
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.profile import Consumer, SplitRow
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.report_tables import Cell

MOST_CONSUMERS = 10
MOST_TOOLS = 15
MOST_SPLITS = 12

CONSUMER_TITLES = {
    "component": ("Parts of the window", "Part"),
    "file": ("Files", "File"),
    "directory": ("Directories", "Directory"),
    "command": ("Commands", "Command"),
    "mcp_server": ("MCP servers", "Server"),
    "mcp_tool": ("MCP tools", "Tool"),
    "skill": ("Skills", "Skill"),
    "subagent": ("Subagents", "Subagent"),
    "memory_file": ("Memory files", "File"),
    "prompt": ("Prompts", "Of session"),
}


def consumer_tables(data: ReportData) -> tuple[Table, ...]:
    """A table per kind of consumer that has any."""
    whole = data.profile.totals.total_tokens
    return tuple(
        _consumers(kind, *titles, data.profile.consumers.get(kind, ()), whole)
        for kind, titles in CONSUMER_TITLES.items()
        if data.profile.consumers.get(kind)
    )


def _consumers(
    kind: str, title: str, heading: str, consumers: Sequence[Consumer], whole: int
) -> Table:
    found = (
        (
            (short_id(one.name) if kind == "prompt" else one.name) or NO_WORDS,
            one.added_tokens,
            _times(one.carries),
            one.amount.total_tokens,
            share_of(one.amount.total_tokens, whole),
            cost_cell(one.amount),
        )
        for one in consumers
    )
    rows, left = kept(found, MOST_CONSUMERS)
    columns = (
        words(heading),
        Column("Added", drop_rank=2),
        Column("Sent", drop_rank=3),
        Column("Billed"),
        Column("Of tokens", drop_rank=1),
        Column("Cost"),
    )
    return Table(f"consumers-{kind}", title, columns, rows, "", left)


def _times(carries: float) -> Cell:
    """How often; unknown where nothing is known to have been added."""
    return Said(f"{carries:,.1f}\N{MULTIPLICATION SIGN}", carries) if carries else NO_WORDS


def tools_table(data: ReportData) -> Table:
    """How the tools were used."""
    found = (
        (
            f"{one.server}: {one.name}" if one.server else one.name,
            one.calls,
            Said(percent(one.call_share), one.call_share),
            share_of(one.errors, one.calls),
            share_of(one.reruns, one.calls),
            _mean_duration(one.duration_ms, one.timed_calls),
            one.result_tokens,
            Said(percent(one.token_share), one.token_share),
            cost_cell(one.amount),
        )
        for one in data.profile.tools
    )
    rows, left = kept(found, MOST_TOOLS)
    columns = (
        words("Tool"),
        Column("Calls"),
        Column("Of calls", drop_rank=4),
        Column("Failed", drop_rank=1),
        Column("Rerun", drop_rank=2),
        Column("Takes", drop_rank=3),
        Column("Added", drop_rank=2),
        Column("Of tokens", drop_rank=4),
        Column("Cost"),
    )
    return Table("tools", "Tools", columns, rows, "No tool was called.", left)


def _mean_duration(total_ms: int, calls: int) -> Cell:
    if not calls:
        return NO_WORDS
    return Said(duration(total_ms // calls), total_ms / calls)


def split_tables(data: ReportData) -> tuple[Table, ...]:
    """By model, project and branch."""
    profile = data.profile
    whole = profile.totals.total_tokens
    tables = (
        _split("models", "Models", "Model", profile.models, whole),
        _split("projects", "Projects", "Project", profile.projects, whole),
        _split("branches", "Branches", "Branch", profile.branches, whole),
    )
    return tuple(table for table in tables if table.rows)


def _split(key: str, title: str, heading: str, splits: Sequence[SplitRow], whole: int) -> Table:
    found = (
        (
            one.name or NO_WORDS,
            one.sessions,
            one.requests,
            one.amount.total_tokens,
            share_of(one.amount.total_tokens, whole),
            cost_cell(one.amount),
        )
        for one in splits
    )
    rows, left = kept(found, MOST_SPLITS)
    columns = (
        words(heading),
        Column("Sessions", drop_rank=2),
        Column("Requests", drop_rank=3),
        Column("Tokens"),
        Column("Of tokens", drop_rank=1),
        Column("Cost"),
    )
    return Table(key, title, columns, rows, "", left)
