"""One action that is taken back, step by step: as text and as JSON."""

from __future__ import annotations

from typing import Protocol

from tokenbudget.model.actions import (
    ArchiveSession,
    ClientServer,
    EditSettings,
    EditText,
    GatewayRecord,
    RecoverSession,
    RestoreText,
    TrashFile,
)
from tokenbudget.model.figures import counted, short_count, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.undo_list import FORMAT, action_fields, date, short_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.actions import ActionRecord, Outcome, Step, StepRecord
    from tokenbudget.model.figures import Style

SHORT_SESSION = 8
MOST_STEPS = 30
"""Lines of what comes back before a question; a dry run has all, and what is in the way is told."""
MOST_KEYS = 4
BELOW = " " * 4
MOST_DIFFERENCE = 40
"""Lines shown of each file; JSON has all."""

KINDS = {
    TrashFile: "trash-file",
    EditSettings: "edit-settings",
    EditText: "edit-text",
    ArchiveSession: "archive-session",
    RecoverSession: "recover-session",
    ClientServer: "client-server",
    RestoreText: "restore-text",
    GatewayRecord: "gateway-record",
}
_MARKS = {"undone": "  ", "conflict": "! ", "failed": "! "}


class StepUndone(Protocol):
    """A step, and what became of it or would."""

    @property
    def step(self) -> StepRecord:
        """As the journal has it."""

    @property
    def outcome(self) -> Outcome:
        """`undone`, `conflict` or `failed`."""


class Undoing(Protocol):
    """An action that is taken back, or would be."""

    @property
    def action(self) -> ActionRecord:
        """Which one."""

    @property
    def steps(self) -> Sequence[StepUndone]:
        """In the order in which they are taken back."""

    @property
    def left(self) -> Sequence[StepUndone]:
        """What stays."""

    @property
    def is_foreseen(self) -> bool:
        """Whether nothing was changed."""


def undoing_lines(
    undoing: Undoing,
    zone: Zone,
    style: Style,
    home: str,
    most: int | None = None,
) -> list[str]:
    """An action with every step that is taken back, the last one first; of many, `most`."""
    action, clear = undoing.action, 0
    lines = [*_heading(action, zone, home, style.width), ""]
    for one in undoing.steps:
        outcome = one.outcome
        clear += outcome.state == "undone"
        if most is not None and clear > most and outcome.state == "undone":
            continue
        said = words(one.step.step, action.project, home)
        lines += _indented(_MARKS.get(outcome.state, "! "), said, style.width)
        if outcome.message:
            lines += _indented(BELOW, one_line(outcome.message), style.width)
        lines += [f"      {line}" for line in _difference(outcome)[:MOST_DIFFERENCE]]
    if most is not None and clear > most:
        lines.append(f"… and {counted(clear - most, 'more step')}; --dry-run shows all")
    return lines


def _indented(lead: str, text: str, width: int) -> list[str]:
    """A text in lines, the first behind `lead` and the others below it."""
    first, *more = wrapped(text, width - len(BELOW))
    return [f"{lead}{first}", *(f"{BELOW}{line}" for line in more)]


def _difference(outcome: Outcome) -> list[str]:
    """What a file would lose and get; only where it was foreseen."""
    found = outcome.result.get("difference")
    return [one_line(str(line)) for line in found] if isinstance(found, list) else []


def nothing_lines() -> list[str]:
    """What to say where there is no action."""
    return ["Nothing is left to take back; tokens undo --list shows what was changed."]


def nothing_document() -> str:
    """The same as JSON."""
    return document("undo", FORMAT, {"action": None, "rows": []})


def result_lines(undoing: Undoing, zone: Zone) -> list[str]:
    """What came of it, in a sentence or two."""
    back = len(undoing.steps) - len(undoing.left)
    if not undoing.steps:
        when = undoing.action.undone_at_ms
        if when is not None:
            return [f"Action {undoing.action.id} was taken back already, {date(when, zone)}."]
        return [f"Nothing is left of action {undoing.action.id} to take back."]
    told = counted(back, "step") if back else "Nothing"
    lines = [f"{told} of action {undoing.action.id} taken back."]
    if undoing.left:
        stays = counted(len(undoing.left), "step")
        lines.append(
            f"{stays} marked ! could not be; settle it and run: tokens undo {undoing.action.id}"
        )
    return lines


def undoing_document(undoing: Undoing, zone: Zone) -> str:
    """The same as JSON."""
    states = [one.outcome.state for one in undoing.steps]
    fields = {
        "is_dry_run": undoing.is_foreseen,
        "action": action_fields(undoing.action, zone),
        "rows": [
            {
                "number": one.step.number,
                "kind": KINDS[type(one.step.step)],
                "path": _path(one.step.step),
                "state": one.outcome.state,
                "message": one.outcome.message,
                "difference": _difference(one.outcome),
            }
            for one in undoing.steps
        ],
        "totals": {
            "steps": len(states),
            "undone": states.count("undone"),
            "conflicts": states.count("conflict"),
            "failed": states.count("failed"),
        },
    }
    return document("undo", FORMAT, fields)


def words(step: Step, project: str, home: str) -> str:
    """What taking a step back does, in a few words."""
    path = short_path(_path(step), home, project)
    if isinstance(step, TrashFile):
        return f"give back {path} ({step.size_bytes:,} bytes)"
    if isinstance(step, EditSettings):
        keys = [*dict.fromkeys(".".join(edit.keys) for edit in step.edits)]
        more = f" and {len(keys) - MOST_KEYS} more" if len(keys) > MOST_KEYS else ""
        return f"take back in {path}: {one_line(', '.join(keys[:MOST_KEYS]))}{more}"
    if isinstance(step, EditText):
        is_made = step.before is None
        return f"take away {path}, which was made" if is_made else f"take back in {path}"
    if isinstance(step, ClientServer):
        does = "take away from" if step.change == "add" else "give back to"
        return f"{does} the client: the MCP server {one_line(step.server)} ({step.scope})"
    if isinstance(step, RestoreText):
        return f"take back in {path}" if step.old else f"take away {path}, which was made"
    if isinstance(step, GatewayRecord):
        return f"take behind the gateway again: {one_line(', '.join(step.servers))}"
    session = one_line(step.session[:SHORT_SESSION])
    if isinstance(step, ArchiveSession):
        return f"put session {session} back, {counted(len(step.files), 'file')}"
    return f"take session {session} away again; its archive stays"


def _heading(action: ActionRecord, zone: Zone, home: str, width: int) -> list[str]:
    where = f" in {short_path(action.project, home)}" if action.project else ""
    cause = one_line(action.cause)
    head = f"Action {action.id}: {cause}, {date(action.at_ms, zone)}{where}"
    lines = wrapped(head, width, BELOW)
    freed = []
    if action.freed_tokens:
        freed.append(f"{short_count(action.freed_tokens)} tokens per request")
    if action.freed_bytes:
        freed.append(f"{action.freed_bytes:,} bytes")
    return lines + ([f"  it was to free {' and '.join(freed)}"] if freed else [])


def _path(step: Step) -> str:
    if isinstance(step, ClientServer | GatewayRecord):
        return step.folder
    if isinstance(step, ArchiveSession):
        return step.files[-1][1] if step.files else step.folder
    return step.to if isinstance(step, RecoverSession) else step.path
