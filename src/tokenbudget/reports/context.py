"""What fills a window, as text and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.model.figures import (
    bar,
    counted,
    cut,
    dollars,
    padded,
    short_count,
    text_width,
    wrapped,
)
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.window import (
    WIDTH,
    counted_tokens,
    fields_of,
    headed,
    heading,
    note_lines,
    percent,
    size_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.composition import Component, Item
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.session_window import SessionWindow, ThreadCost
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.figures import Style

SHOWN_ITEMS = 5
SHOWN_PARTS = 4
MCP_PARTS = ("instructions", "names of tools to be loaded")
BAR_CELLS = 24
_NUMBERS_WIDTH = 23
_ERROR_WIDTH = 9
_COST_WIDTH = 14
_COST_FROM = 78
"""From this width on there is room for the costs,"""
_ERROR_FROM = 62
"""and from this on for the errors."""
_INDENT = "  "


def context_lines(
    window: SessionWindow,
    facts: SessionRow,
    style: Style,
    zone: Zone,
    home: str,
    shows_all: bool = False,
) -> list[str]:
    """The window: how full it is, what is in it, how well that is known."""
    width = min(style.width, WIDTH)
    lines = [style.bold(headed("What fills the window", heading(facts, window), width))]
    lines += [style.faint("─" * width), *_state_lines(window, zone, width)]
    if window.components:
        lines += ["", *_table_lines(window, style, width, home, shows_all)]
        lines += ["", *_cost_lines(window.cost, width)]
    lines += ["", *note_lines(window, width)] if window.notes else []
    lines += _agent_lines(window, facts, width)
    if window.components:
        lines += _method_lines(window, width)
    return [line.rstrip() for line in lines]


def _state_lines(window: SessionWindow, zone: Zone, width: int) -> list[str]:
    size, total = window.size, window.total_tokens
    if size.tokens is not None:
        used = f"{'unknown' if total is None else f'{total:,}'} of {size.tokens:,} tokens"
    else:
        used = "unknown" if total is None else f"{total:,} tokens, of a window that is not known"
    text = f"  Window     {used}"
    if total is not None and size.tokens:
        text += f" ({percent(total, size.tokens)})   {bar(total / size.tokens, BAR_CELLS)}"
    lines = [text]
    if window.free_tokens is not None:
        lines.append(
            f"  Free       {window.free_tokens:,} of the window"
            f" · {window.until_compaction_tokens:,} until auto-compaction"
        )
    if window.prompt_tokens is not None:
        when = zone.local(window.at_ms).strftime("%Y-%m-%d %H:%M") if window.at_ms else "?"
        lines.append(
            f"  Reported   {window.prompt_tokens:,} sent with the last request"
            f" + {window.answer_tokens:,} answered, {when}"
        )
    if window.waiting_tokens:
        lines.append(f"  Waiting    ~{window.waiting_tokens:,} new since then, not sent yet")
    return [cut(line, width, keeps_start=True) for line in lines]


class _Layout(NamedTuple):
    """Which columns there is room for."""

    name_width: int
    has_error: bool
    has_cost: bool

    @classmethod
    def of(cls, width: int) -> _Layout:
        """The costs go first, then the errors."""
        has_cost, has_error = width >= _COST_FROM, width >= _ERROR_FROM
        numbers = _NUMBERS_WIDTH + _ERROR_WIDTH * has_error + _COST_WIDTH * has_cost
        return cls(max(12, width - numbers), has_error, has_cost)

    def line(self, name: str, tokens: str, share: str, error: str = "", cost: str = "") -> str:
        """One row of the table."""
        text = f"{padded(name, self.name_width)}{tokens:>12}{share:>11}"
        text += f"{error:>{_ERROR_WIDTH}}" if self.has_error else ""
        return text + (f"{cost:>{_COST_WIDTH}}" if self.has_cost else "")


def _table_lines(
    window: SessionWindow, style: Style, width: int, home: str, shows_all: bool
) -> list[str]:
    layout = _Layout.of(width)
    costs = _component_costs(window.cost)
    head = layout.line("  Component", "Tokens", "Of window", "±", "Cost so far")
    lines = [style.bold(head), style.faint("─" * width)]
    whole = window.size.tokens
    for component in window.components:
        tokens = counted_tokens(component.tokens, component.provenance == "exact")
        off = f"{component.error_tokens:,}" if component.error_tokens else ""
        share, cost = percent(component.tokens, whole), costs.get(component.key, "")
        lines.append(style.bold(layout.line(f"  {component.title}", tokens, share, off, cost)))
        lines += _item_lines(component, layout.name_width, style, home, shows_all)
    lines.append(style.faint("─" * width))
    total = f"{window.total_tokens:,}"
    lines.append(
        layout.line("  Total, as reported", total, percent(window.total_tokens or 0, whole))
    )
    return lines


def _component_costs(cost: ThreadCost | None) -> dict[str, str]:
    """What components cost, `?` beside what is known only in part."""
    if cost is None:
        return {}
    mark = "?" if cost.unpriced_tokens else ""
    return {
        part.key: f"{dollars(Decimal(part.cost_usd))}{mark}" if Decimal(part.cost_usd) else mark
        for part in cost.by_component
    }


def _item_lines(
    component: Component, name_width: int, style: Style, home: str, shows_all: bool
) -> Iterator[str]:
    items = [item for item in component.items if item.tokens]
    if len(items) == 1 and items[0].name in ("prompt", "listing") and not items[0].children:
        return
    limit = None if shows_all else SHOWN_ITEMS
    is_exact = component.provenance == "exact"
    for item in items[:limit]:
        yield style.faint(_item_line(item, 2, name_width, home, is_exact))
        parts = [part for part in item.children if part.tokens]
        for part in parts[: None if shows_all else SHOWN_PARTS]:
            yield style.faint(_item_line(part, 3, name_width, home, is_exact))
        yield from _rest(parts, None if shows_all else SHOWN_PARTS, 3, name_width, style)
    yield from _rest(items, limit, 2, name_width, style)


def _rest(
    items: Sequence[Item], limit: int | None, depth: int, name_width: int, style: Style
) -> Iterator[str]:
    rest = items[limit:] if limit is not None else ()
    if rest:
        tokens = f"~{sum(item.tokens for item in rest):,}"
        label = padded(f"{_INDENT * depth}and {len(rest)} more", name_width)
        yield style.faint(f"{label}{tokens:>12}")


def _item_line(item: Item, depth: int, name_width: int, home: str, is_exact: bool) -> str:
    name = one_line(item.name)
    if home and name.startswith(home + "/"):
        name = "~" + name[len(home) :]
    note = _note(item)
    room = name_width - len(_INDENT * depth) - text_width(note) - 1
    label = padded(f"{_INDENT * depth}{_shortened(name or 'other', room)}{note}", name_width)
    return f"{label}{counted_tokens(item.tokens, is_exact):>12}"


def _shortened(name: str, room: int) -> str:
    """A name that fits; of a path the end, which tells files apart."""
    if text_width(name) <= room or not ("/" in name or "\\" in name):
        return cut(name, room)
    end = name[-max(1, room - 1) :]
    while text_width(end) > max(1, room - 1):
        end = end[1:]
    return f"…{end}"


def _note(item: Item) -> str:
    """What is special about a file; how often a tool or a message occurs."""
    if item.stale_tokens:
        return f" {item.reads}x, {short_count(item.stale_tokens)} stale" if item.reads else " stale"
    if item.reads > 1:
        return f" {item.reads}x read"
    is_server = any(part.name in MCP_PARTS for part in item.children)
    return f" {item.pieces}x" if item.pieces > 1 and not item.reads and not is_server else ""


def _cost_lines(cost: ThreadCost | None, width: int) -> list[str]:
    if cost is None:
        return []
    parts = (
        ("input", cost.input_usd),
        ("cache writes", cost.cache_write_usd),
        ("cache reads", cost.cache_read_usd),
        ("output", cost.output_usd),
    )
    named = " + ".join(f"{name} {dollars(Decimal(usd))}" for name, usd in parts)
    text = f"Cost of this thread so far: {dollars(Decimal(cost.total_usd))} = {named}"
    if cost.unpriced_tokens and not Decimal(cost.total_usd):
        text = f"Cost of this thread so far: ? ({cost.unpriced_tokens:,} tokens have no price)"
    elif cost.unpriced_tokens:
        text += f"; without {cost.unpriced_tokens:,} tokens that have no price"
    return [f"  {line}" for line in wrapped(text, width - 2, "  ")]


def _agent_lines(window: SessionWindow, facts: SessionRow, width: int) -> list[str]:
    """Subagents have windows of their own: which, and how to see one."""
    if not window.agents:
        return []
    count = len(window.agents)
    head = f"{count} subagents have windows of their own"
    head = "1 subagent has a window of its own" if count == 1 else head
    lines = ["", f"  {head}: tokens context {one_line(facts.session)[:8]} --agent ID"]
    for path, requests, tokens in window.agents[:SHOWN_ITEMS]:
        name = path.rpartition("/")[2].removesuffix(".jsonl").removeprefix("agent-")
        lines.append(f"    {one_line(name)}  {tokens:,} tokens, {counted(requests, 'request')}")
    if count > SHOWN_ITEMS:
        lines.append(f"    and {count - SHOWN_ITEMS} more: --json lists them")
    return [cut(line, width) for line in lines]


def _method_lines(window: SessionWindow, width: int) -> list[str]:
    """How the figures are known, in a few lines."""
    learnt = "not learnt yet: the built-in rule"
    if window.calibration_median_error is not None:
        learnt = (
            f"learnt from {window.calibration_steps:,} requests, median error"
            f" {window.calibration_median_error:.1%} of a request's growth,"
            f" P90 {window.calibration_p90_error:.0%} of a text"
        )
    elif window.calibration_steps:
        learnt = f"learnt from {window.calibration_steps:,} requests, none held out to check it"
    unseen = window.unexplained_requests
    text = (
        f"The total is exact, as the API reported it. ~ is counted and calibrated ({learnt});"
        " ± is its P90 error. 'Not recorded' is what the transcript does not show:"
        " for most clients the system prompt and the tools."
    )
    if window.record is not None:
        text = (
            f"The last request was rebuilt from the client's own record, {window.record.words}:"
            f" {window.record.size_bytes:,} bytes. {text}"
        )
    if unseen:
        text += f" {counted(unseen, 'request')} of {window.requests:,} changed by what is not seen."
    text += f" The size of the window is {size_words(window)}."
    if window.size.reserve_origin == "assumed":
        text += f" The reserve of {window.size.reserve_tokens:,} is assumed."
    return ["", *(f"  {line}" for line in wrapped(text, width - 2))]


def context_document(window: SessionWindow, facts: SessionRow, zone: Zone) -> str:
    """The window as `tokenbudget/context/1`: a row for each component, item and part of an item."""
    rows = [row for component in window.components for row in _rows(component)]
    cost = window.cost
    fields: dict[str, object] = {
        **fields_of(window, facts),
        "at": zone.stamp(window.at_ms) if window.at_ms else None,
        "rows": rows,
        "totals": {
            "tokens": window.total_tokens,
            "provenance": "exact" if window.total_tokens is not None else "unknown",
        },
        "cost": None
        if cost is None
        else {
            "input_usd": cost.input_usd,
            "cache_write_usd": cost.cache_write_usd,
            "cache_read_usd": cost.cache_read_usd,
            "output_usd": cost.output_usd,
            "cost_usd": cost.total_usd,
            "unpriced_tokens": cost.unpriced_tokens,
            "by_component": {part.key: part.cost_usd for part in cost.by_component},
        },
        "calibration": {
            "steps": window.calibration_steps,
            "median_error": window.calibration_median_error,
            "p90_error": window.calibration_p90_error,
        },
        "record": None
        if window.record is None
        else {
            **window.record._asdict(),
            "bytes_by_component": dict(window.record.bytes_by_component),
        },
        "notes": list(window.notes),
        "subagents": [
            {"transcript": path, "requests": requests, "total_tokens": tokens}
            for path, requests, tokens in window.agents
        ],
    }
    return document("context", 1, fields)


def _rows(component: Component) -> Iterator[dict[str, object]]:
    """A component (level 0), its items (1) and their parts (2): each level adds up to the same."""
    yield {
        "level": 0,
        "component": component.key,
        "item": None,
        "part": None,
        "tokens": component.tokens,
        "error_tokens": component.error_tokens,
        "provenance": component.provenance,
    }
    for item in component.items:
        yield _row(component, 1, item.name, None, item)
        for part in item.children:
            yield _row(component, 2, item.name, part.name, part)


def _row(
    component: Component, level: int, item: str, part: str | None, found: Item
) -> dict[str, object]:
    return {
        "level": level,
        "component": component.key,
        "item": item,
        "part": part,
        "tokens": found.tokens,
        "pieces": found.pieces,
        "size_bytes": found.size_bytes,
        "reads": found.reads,
        "stale_tokens": found.stale_tokens,
    }
