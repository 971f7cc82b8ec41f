"""What `tokens install` and `tokens uninstall` would do, and did: as text and as JSON.

Formats: `tokenbudget/install/1` and `tokenbudget/uninstall/1`.
"""

from __future__ import annotations

from tokenbudget.model.figures import counted, cut, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.undo_list import short_path
from tokenbudget.resources.wiring import HOOKS, PLUGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.app.installing import InstallPlan
    from tokenbudget.app.installing_cost import InstalledCost
    from tokenbudget.app.installing_done import Installed
    from tokenbudget.app.installing_errand import Row
    from tokenbudget.app.installing_place import Target
    from tokenbudget.app.uninstalling import Leaving, Uninstalled, UninstallPlan
    from tokenbudget.model.figures import Style

FORMAT = 1
MARKS = {"add": "+", "replace": "~", "remove": "-", "there": "=", "skip": "·", "refused": "!"}
WORDS = {
    "add": "new",
    "replace": "brought up to date",
    "remove": "goes",
    "there": "already there",
    "skip": "left out",
    "refused": "cannot be done",
}
WHOSE = {"user": "for you", "project": "for this project", "local": "for you in this project"}
LONGEST_TEXT = 600
RECALL_HINT = (
    "The agent asks you before tokens recall, which shows what was shortened, in other sessions"
    " too. Unasked: tokens install --allow-recall"
)
_COMPONENT = 12
_MARGIN = " " * (_COMPONENT + 4)


# ── install ──────────────────────────────────────────────────────────────────────────────────────


def plan_lines(plan: InstallPlan, style: Style, home: str) -> list[str]:
    """What would be done, by component, and what it costs."""
    target = plan.target
    version = plan.features.version
    client = f" {one_line(version)}" if version else ""
    head = f"tokens in Claude Code{client}, {WHOSE[target.scope]}"
    lines = [style.bold(cut(head, style.width)), ""]
    for row in plan.rows:
        lines += _row_lines(row, style, home)
    lines += ["", *wrapped(_cost_sentence(plan.cost), style.width, "")]
    for note in plan.notes:
        lines += wrapped(f"Note: {one_line(note)}.", style.width, "  ")
    return lines


def _row_lines(row: Row, style: Style, home: str) -> list[str]:
    state = WORDS[row.change] if row.change != "add" else ""
    note = "; ".join(filter(None, (state, one_line(row.note))))
    texts = (row.what, short_path(row.path, home), note)
    return _item_lines(MARKS[row.change], row.component, texts, style)


def _item_lines(mark: str, component: str, texts: tuple[str, str, str], style: Style) -> list[str]:
    """What it is and where, in one line or below each other; then what is to be said of it."""
    what, where, note = (one_line(text)[:LONGEST_TEXT] for text in texts)
    head, room = f"{mark} {component:<{_COMPONENT}}  ", style.width - len(_MARGIN)
    is_short = text_width(what) + 2 + text_width(where) <= room
    lines = [f"{what}  {style.faint(where)}"] if is_short else wrapped(what, room)
    lines += [] if is_short else [style.faint(cut(where, room))]
    lines += wrapped(note, room) if note else []
    return [head + lines[0], *(_MARGIN + line for line in lines[1:])]


def _cost_sentence(cost: InstalledCost) -> str:
    parts = []
    if cost.listing_tokens:
        parts.append(f"~{cost.listing_tokens} tokens in every request (how the model knows of it)")
    if cost.start_tokens:
        parts.append(f"at most {cost.start_tokens} once a session")
        parts.append(f"at most {cost.crossing_tokens} at each threshold that is crossed")
    return f"It costs {'; '.join(parts)}." if parts else "It costs no tokens."


def already_lines(plan: InstallPlan, done: Installed | None, style: Style, home: str) -> list[str]:
    """What to say where nothing is to be done: what is there, and what cannot be."""
    there = dict.fromkeys(row.component for row in plan.rows if row.change == "there")
    names = ", ".join(_with_events(name, plan) for name in there)
    lines = wrapped(f"Already installed: {names}.", style.width, "") if there else []
    for row in plan.rows:
        lines += _row_lines(row, style, home) if row.change != "there" else []
    for fault in done.faults if done is not None else ():
        lines += wrapped(f"! {one_line(fault)}", style.width, "  ")
    if done is not None and not done.faults:
        lines.append("The daemon was started, which hooks over HTTP ask.")
    return [*lines, f"Nothing was changed.{' What works: tokens doctor' if there else ''}"]


def _with_events(component: str, plan: InstallPlan) -> str:
    is_hooks = component == HOOKS
    return f"{component} ({counted(len(plan.events), 'event')})" if is_hooks else component


def installed_lines(done: Installed, plan: InstallPlan, style: Style) -> list[str]:
    """What came of it, and what is next."""
    lines = [""]
    for fault in dict.fromkeys(done.faults):
        lines += wrapped(f"! {one_line(fault)}", style.width, "  ")
    is_all = not _faults(plan, done) and not (plan.is_settings_due and plan.passed_over)
    head = "Installed." if is_all else "Installed, but for what is said above."
    lines += wrapped(" ".join([head, *_from_when(plan)]), style.width, "")
    if plan.is_recall_asked and {HOOKS, PLUGIN} & set(plan.errand.components):
        lines += wrapped(RECALL_HINT, style.width, "  ")
    return [*lines, "See what works: tokens doctor", "Take it out again: tokens uninstall"]


def _from_when(plan: InstallPlan) -> Iterator[str]:
    """From when on it works, in one sentence for each that differs."""
    features, wired = plan.features, plan.wanted
    client = one_line(features.version or features.looked_at)
    if plan.texts:
        yield "Commands and skill are there in the next session."
    if plan.passed_over:
        return
    has_hooks = HOOKS in plan.dropped or bool(wired.hooks)
    if has_hooks and not features.reloads_hooks:
        yield f"Sessions of {client} that run now keep the hooks they began with; start them anew."
    elif has_hooks or wired.statusline:
        names = ["status line"] * bool(wired.statusline) + ["hooks"] * has_hooks
        yield f"Running sessions take {' and '.join(names)} up at once."
    if wired.plugin and features.loads_plugins_at_once:
        yield "The plugin is there in the next session."
    elif wired.plugin and features.loads_named_plugins:
        yield f"{client} finds the plugin in its next session and runs it from the one after that."


def _faults(plan: InstallPlan, done: Installed | None) -> list[str]:
    """What could not be done, each once, however many components it keeps from being installed."""
    told = () if done is None else done.faults
    return list(dict.fromkeys([*told, *(row.note for row in plan.refused)]))


def install_document(plan: InstallPlan, done: Installed | None) -> str:
    """The plan, and what was done if it was, as one object."""
    cost, features = plan.cost, plan.features
    record = None if done is None else done.record
    is_installed = not plan.is_any and not plan.refused
    fields: dict[str, object] = {
        **_target_fields(plan.target),
        "client_version": features.version or None,
        "is_client_known": features.is_known,
        "events": list(plan.events),
        "rows": [row._asdict() for row in plan.rows],
        "cost": {
            "listing_tokens": cost.listing_tokens,
            "listing_characters": cost.listing_characters,
            "session_start_tokens_at_most": cost.start_tokens,
            "crossing_tokens_at_most": cost.crossing_tokens,
            "first_request_tokens_at_most": cost.first_request_tokens,
        },
        "notes": list(plan.notes),
        "is_settings_file_taken": not plan.passed_over,
        "is_recall_asked": plan.is_recall_asked,
        "is_already_installed": is_installed,
        "is_done": record is not None,
        "action": None if record is None else record.id,
        "faults": _faults(plan, done),
        "next": ["tokens doctor"],
    }
    return document("install", FORMAT, fields)


def command_document(command: str) -> str:
    """The status line's command alone."""
    return document("install", FORMAT, {"statusline_command": command})


def _target_fields(target: Target) -> dict[str, object]:
    return {
        "scope": target.scope,
        "settings_path": target.named_path,
        "project": target.project or None,
    }


# ── uninstall ────────────────────────────────────────────────────────────────────────────────────


def leaving_lines(plans: Sequence[UninstallPlan], style: Style, home: str) -> list[str]:
    """What goes, scope by scope."""
    lines = []
    for plan in plans:
        head = f"tokens in Claude Code, {WHOSE[plan.target.scope]}"
        lines += [style.bold(head), "", *_leaving_rows(plan, style, home), ""]
    return lines[:-1]


def _leaving_rows(plan: UninstallPlan, style: Style, home: str) -> list[str]:
    lines = []
    for row in plan.rows:
        texts = (row.what, short_path(row.path, home), row.note)
        lines += _item_lines("!" if row.is_refused else "-", row.component, texts, style)
    return lines or ["- what the journal has of it, though nothing of it is seen any more"]


def nothing_lines(plans: Sequence[UninstallPlan], style: Style) -> list[str]:
    """What to say where nothing of ours is."""
    lines = []
    for row in (row for plan in plans for row in plan.rows if row.is_refused):
        lines += wrapped(f"! {one_line(row.note)}", style.width, "  ")
    return [*lines, f"Nothing {'else ' if lines else ''}of tokens is installed here."]


def uninstalled_lines(done: Sequence[Uninstalled], style: Style) -> list[str]:
    """What came of it."""
    lines = [""]
    faults = [fault for one in done for fault in one.faults]
    for note in (note for one in done for note in one.notes):
        lines += wrapped(f"Note: {one_line(note)}", style.width, "  ")
    for fault in faults:
        lines += wrapped(f"! {one_line(fault)}", style.width, "  ")
    if faults:
        return [*lines, f"Taken out, but for {counted(len(faults), 'thing')} said above."]
    last = "Taken out. What was measured stays: tokens usage, tokens report go on."
    return [*lines, *wrapped(last, style.width)]


def uninstall_document(plans: Sequence[UninstallPlan], done: Sequence[Uninstalled] | None) -> str:
    """What goes or went, as one object."""
    fields: dict[str, object] = {
        "rows": [_leaving_fields(plan.target, row) for plan in plans for row in plan.rows],
        "is_done": done is not None,
        "faults": [fault for one in done or () for fault in one.faults],
        "notes": [note for one in done or () for note in one.notes],
    }
    return document("uninstall", FORMAT, fields)


def _leaving_fields(target: Target, row: Leaving) -> dict[str, object]:
    return {**_target_fields(target), **row._asdict()}
