"""The consumers of a period: the same spends told by tool, file, command, server and so on."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.profile import CONSUMER_KINDS, Consumer, ToolRow
from tokenbudget.analysis.profile_names import (
    SHELLS,
    SKILL_TOOL,
    What,
    path_of,
    server_of,
    title_of,
    tool_of,
)
from tokenbudget.analysis.profile_sums import Cell, threads_of
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.profile_names import Namer
    from tokenbudget.analysis.profile_sums import Days, Sums
    from tokenbudget.analysis.study import FileStudy


def consumers_of(sums: Sums, unattributed: Amount, namer: Namer) -> dict[str, tuple[Consumer, ...]]:
    """Who took what, by kind, the dearest first.

    Within a kind nothing is counted twice; the kind `component` adds up to the bill, the others
    each tell a part of it.
    """
    found: dict[str, dict[str, Cell]] = {kind: {} for kind in CONSUMER_KINDS}
    for (project, what), cell in sums.cells.items():
        for kind, name in _names(what, project, namer):
            found[kind].setdefault(name, Cell()).take(cell)
    if any(unattributed):
        title = title_of("unattributed")
        found["component"].setdefault(title, Cell()).take_amount(unattributed)
    found["subagent"] = sums.agents
    found["prompt"] = sums.prompts
    return {kind: in_order(cells) for kind, cells in found.items()}


def in_order(cells: Mapping[str, Cell]) -> tuple[Consumer, ...]:
    """As consumers, the dearest first."""
    rows = [
        Consumer(name, cell.pieces, len(cell.sessions), cell.added_tokens, cell.amount)
        for name, cell in cells.items()
    ]
    return tuple(sorted(rows, key=lambda row: (*by_size(row.amount), row.name)))


def by_size(amount: Amount) -> tuple[int, int]:
    """A sorting key: the dearest first; where nothing has a price, the largest."""
    return -amount.cost_pico_usd, -amount.total_tokens


def _names(what: What, project: str, namer: Namer) -> Iterable[tuple[str, str]]:
    """The consumers that a spend belongs to: at most one of each kind."""
    yield "component", title_of(what.component)
    tool, server, path = tool_of(what), server_of(what), path_of(what)
    if tool:
        yield "tool", tool
    if path:
        name = namer.path(path, project)
        yield "file", name
        yield "directory", namer.directory(name)
    if tool in SHELLS and what.target:
        yield "command", what.target
    if server:
        yield "mcp_server", server
        if tool or what.kind == window.MCP_TOOL:
            yield "mcp_tool", what.name
    if what.kind == window.SKILL_BODY:
        yield "skill", what.name
    elif tool == SKILL_TOOL and what.target:
        yield "skill", what.target
    if what.kind == window.MEMORY_FILE:
        yield "memory_file", namer.path(what.name, project)


class _Calls(NamedTuple):
    """The days of a tool, added up: the fields of `ToolDay` behind the server."""

    calls: int = 0
    errors: int = 0
    reruns: int = 0
    timed_calls: int = 0
    duration_ms: int = 0
    input_tokens: int = 0
    result_tokens: int = 0


def tools_of(files: Iterable[FileStudy], days: Days, sums: Sums) -> tuple[ToolRow, ...]:
    """The calls of each tool, what they added and what was billed for them; the dearest first."""
    calls: dict[tuple[str, str], _Calls] = {}
    for _, thread in threads_of(files):
        for row in thread.tools:
            if days.holds(row.day):
                key = row.name, row.server
                before = calls.get(key, _Calls())
                calls[key] = _Calls(*(a + b for a, b in zip(before, row[3:], strict=True)))
    billed = _billed(sums)
    all_calls = sum(row.calls for row in calls.values())
    all_tokens = sum(row.input_tokens + row.result_tokens for row in calls.values())
    rows = [
        ToolRow(
            name=name,
            server=server,
            calls=row.calls,
            call_share=row.calls / all_calls if all_calls else 0.0,
            errors=row.errors,
            reruns=row.reruns,
            timed_calls=row.timed_calls,
            duration_ms=row.duration_ms,
            input_tokens=row.input_tokens,
            result_tokens=row.result_tokens,
            token_share=(row.input_tokens + row.result_tokens) / all_tokens if all_tokens else 0.0,
            amount=billed.get(name, Cell()).amount,
        )
        for (name, server), row in calls.items()
    ]
    return tuple(sorted(rows, key=lambda row: (*by_size(row.amount), -row.calls, row.name)))


def _billed(sums: Sums) -> dict[str, Cell]:
    """What the calls and results of each tool were billed."""
    found: dict[str, Cell] = {}
    for (_, what), cell in sums.cells.items():
        if tool := tool_of(what):
            found.setdefault(tool, Cell()).take(cell)
    return found
