"""What `tokens gateway install` and `uninstall` would do, and did: as text and as JSON.

Formats: `tokenbudget/gateway-install/1` and `tokenbudget/gateway-uninstall/1`.
"""

from __future__ import annotations

from tokenbudget.model.figures import counted, cut, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.step_words import change_lines
from tokenbudget.reports.table import Column, Marked, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.gateway_installing_done import GatewayDone, GivenBack
    from tokenbudget.app.gateway_plan import GatewayPlan, ServerRow
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
WHOSE = {
    "project": "servers of .mcp.json",
    "local": "your own servers in this project",
    "user": "your own servers everywhere",
}
_WORDS = {"take": "", "there": "behind already"}
NEXT = "from the next session on"
STATIC_TOKENS = 450
"""At most so many are in each request for the gateway itself (tools/bench_gateway.py measures)."""


def plan_lines(plan: GatewayPlan, style: Style) -> list[str]:
    """The servers, what each costs in every request, and what is to be known before a yes."""
    head = f"tokens gateway: {WHOSE[plan.errand.scope]}"
    lines = [style.bold(cut(head, style.width)), "", *_table(plan, style), ""]
    said = [line for sentence in _sums(plan) for line in wrapped(sentence, style.width, "")]
    for note in plan.notes:
        said += wrapped(f"Note: {one_line(note)}.", style.width, "  ")
    lines += [*said, ""] if said else []
    if plan.steps:
        lines += [*(cut(f"  {line}", style.width) for line in _changes(plan)), ""]
    return lines[:-1]


def _table(plan: GatewayPlan, style: Style) -> list[str]:
    columns = [
        Column("Server", is_text=True, keeps_start=True, enough=12),
        Column("Mode", is_text=True, drop_rank=2),
        Column("Tools"),
        Column("Schemas"),
        Column("Names", drop_rank=1),
        Column("Starts, or why not", is_text=True, keeps_start=True, enough=16),
    ]
    rows: list[list[Cell]] = [
        [
            row.name,
            row.mode if row.change != "skip" else "",
            row.weight.tools if row.weight else None,
            Marked(row.weight.schema_tokens) if row.weight else "?",
            Marked(row.weight.name_tokens) if row.weight else "?",
            row.note or _WORDS.get(row.change) or row.how,
        ]
        for row in plan.rows
    ]
    return render(columns, rows, None, style) if rows else ["There is no server here."]


def _sums(plan: GatewayPlan) -> list[str]:
    known = [row.weight for row in plan.taken if row.weight]
    unknown = len(plan.taken) - len(known)
    said = []
    if known:
        schemas, names = sum(w.schema_tokens for w in known), sum(w.name_tokens for w in known)
        ways = {
            "off": f"~{schemas:,} tokens of schemas (your client sends them all)",
            "on": f"~{names:,} tokens of names (your client defers the schemas, ~{schemas:,})",
            "unknown": f"~{schemas:,} tokens of schemas, ~{names:,} of names where they are"
            " deferred",
        }
        said.append(
            f"In each request: {ways[plan.deferral]}; then at most {STATIC_TOKENS} for the"
            f" gateway{_listed_words(plan)}."
        )
    if unknown:
        said.append(
            f"Of {counted(unknown, 'server')} nobody has seen the tools yet; once behind the"
            " gateway, tokens gateway status --check lists them."
        )
    return said


def _listed_words(plan: GatewayPlan) -> str:
    """That the tools of some servers stay in each request all the same."""
    names = [one_line(row.name) for row in plan.rows if row.change != "skip" and row.mode != "code"]
    return f", and the tools that stay listed ({', '.join(names)})" if names else ""


def _changes(plan: GatewayPlan) -> list[str]:
    lines: list[str] = []
    heading = ""
    for step in plan.steps:
        first, *rest = change_lines(step)
        lines += rest if first == heading else [first, *rest]
        heading = first
    return lines


def nothing_lines(plan: GatewayPlan, style: Style) -> list[str]:
    """What to say where nothing is to be done."""
    lines = _table(plan, style)
    skipped = [row for row in plan.rows if row.change == "skip"]
    there = len(plan.record.servers)
    end = f"{counted(there, 'server')} behind the gateway already" if there else "Nothing to take"
    if not plan.rows and plan.errand.scope == "project":
        end += "; --scope user or local looks at servers of your own"
    return [*lines, "", f"{end}{' that can be' if skipped and not there else ''}."]


def installed_lines(done: GatewayDone, plan: GatewayPlan, style: Style) -> list[str]:
    """What came of it, and what is next."""
    lines = [""]
    for fault in done.faults:
        lines += wrapped(f"! {one_line(fault)}", style.width, "  ")
    if done.faults:
        return [*lines, "Nothing was changed."]
    for note in done.notes:
        lines += wrapped(f"Note: {one_line(note)}.", style.width, "  ") if note else []
    lines += wrapped(_installed_words(plan), style.width, "")
    return [*lines, "See it: tokens gateway status", "Take it back: tokens gateway uninstall"]


def _installed_words(plan: GatewayPlan) -> str:
    if plan.taken:
        return f"{counted(len(plan.taken), 'server')} behind the gateway, {NEXT}."
    modes = [f"{one_line(row.name)} is {row.mode}" for row in plan.rows if row.is_changed]
    return f"{', '.join(modes) or 'The gateway stands as it should'}, {NEXT}."


def given_back_lines(done: GivenBack | None, style: Style) -> list[str]:
    """What came of taking it out."""
    if done is None:
        return ["Nothing is behind the gateway here."]
    lines = [line for fault in done.faults for line in wrapped(f"! {one_line(fault)}", style.width)]
    for note in done.notes:
        lines += wrapped(f"Note: {one_line(note)}.", style.width, "  ")
    names = ", ".join(one_line(name) for name in done.names)
    head = f"Given back, {NEXT}: {names}." if names else "The gateway was taken out."
    if done.left:
        head += f" {counted(len(done.left), 'server')} still behind the gateway."
    undo = ["Take it back: tokens undo"] if done.action is not None else []
    return lines if done.faults else [*lines, *wrapped(head, style.width, ""), *undo]


def leaving_lines(names: Sequence[str], left: Sequence[str], style: Style) -> list[str]:
    """What goes, and what stays, before the question."""
    told = ", ".join(one_line(name) for name in names) or "the gateway's own entry"
    rest = ", ".join(one_line(name) for name in left)
    stays = f"Behind the gateway: {rest}." if rest else "The gateway goes: nothing is left there."
    return wrapped(f"The client gets back: {told}. {stays}", style.width, "")


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def install_document(plan: GatewayPlan, done: GatewayDone | None) -> str:
    """A plan, and what came of it, as JSON."""
    known = [row.weight for row in plan.taken if row.weight]
    fields = {
        "scope": plan.errand.scope,
        "is_shared": plan.errand.is_shared,
        "project": plan.project or None,
        "client_version": plan.client_version or None,
        "deferral": plan.deferral,
        "is_done": done is not None and not done.faults,
        "action": done.record.id if done and done.record else None,
        "rows": [_row(row) for row in plan.rows],
        "changes": _changes(plan),
        "totals": {
            "taken": len(plan.taken),
            "unknown": len(plan.taken) - len(known),
            "schema_tokens": sum(one.schema_tokens for one in known),
            "name_tokens": sum(one.name_tokens for one in known),
        },
        "notes": [*plan.notes, *(done.notes if done else ())],
        "faults": list(done.faults) if done else [],
    }
    return document("gateway-install", FORMAT, fields)


def _row(row: ServerRow) -> dict[str, object]:
    weight = row.weight
    return {
        "server": row.name,
        "change": row.change,
        "mode": row.mode,
        "starts": row.how,
        "note": row.note,
        "tools": weight.tools if weight else None,
        "schema_tokens": weight.schema_tokens if weight else None,
        "name_tokens": weight.name_tokens if weight else None,
    }


def uninstall_document(
    names: Sequence[str], done: GivenBack | None, left: Sequence[str] = ()
) -> str:
    """What goes, what stays behind, and what came of it, as JSON."""
    fields = {
        "rows": [{"server": name} for name in names],
        "left": [*(done.left if done else left)],
        "action": done.action if done else None,
        "is_done": done is not None and not done.faults,
        "notes": list(done.notes) if done else [],
        "faults": list(done.faults) if done else [],
    }
    return document("gateway-uninstall", FORMAT, fields)
