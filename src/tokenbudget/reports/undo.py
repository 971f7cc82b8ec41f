"""What was changed and what is taken back: the list, one action step by step, and as JSON."""

from __future__ import annotations

import os
from typing import Protocol

from tokenbudget.model.actions import (
    ArchiveSession,
    EditSettings,
    EditText,
    RecoverSession,
    TrashFile,
)
from tokenbudget.model.figures import counted, short_count, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.actions import ActionRecord, Outcome, Step, StepRecord
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
SHORT_SESSION = 8
MOST_DIFFERENCE = 40
"""Lines shown of each file; JSON has all."""

KINDS = {
    TrashFile: "trash-file",
    EditSettings: "edit-settings",
    EditText: "edit-text",
    ArchiveSession: "archive-session",
    RecoverSession: "recover-session",
}
_NOUNS = {
    TrashFile: "to the trash",
    EditSettings: "settings edited",
    EditText: "edited",
    ArchiveSession: "archived",
    RecoverSession: "recovered",
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


# ── the list ─────────────────────────────────────────────────────────────────────────────────────


def list_lines(actions: Sequence[ActionRecord], zone: Zone, style: Style, home: str) -> list[str]:
    """A line per action, the latest first."""
    if not actions:
        return ["Nothing was changed yet."]
    columns = [
        Column("ID"),
        Column("Date", is_text=True, may_cut=False),
        Column("Command", is_text=True, keeps_start=True),
        Column("Project", is_text=True, drop_rank=1),
        Column("What", is_text=True, keeps_start=True, drop_rank=2),
        Column("Tokens", drop_rank=3),
        Column("Bytes", drop_rank=4),
        Column("State", is_text=True, enough=14),
    ]
    rows: list[list[Cell]] = [
        [
            one.id,
            _date(one.at_ms, zone),
            one.cause,
            _short(one.project, home),
            what(one),
            "" if one.undoes is not None else one.freed_tokens,
            one.freed_bytes or "",
            state_of(one),
        ]
        for one in actions
    ]
    return [*render(columns, rows, None, style), "", "Take one back: tokens undo ID"]


def list_document(actions: Sequence[ActionRecord], zone: Zone) -> str:
    """The same as JSON."""
    return document("undo", FORMAT, {"rows": [_action_fields(one, zone) for one in actions]})


def what(action: ActionRecord) -> str:
    """What its steps did, in a few words."""
    if action.undoes is not None:
        return f"took action {action.undoes} back"
    made = [one for one in action.steps if one.outcome.state not in ("unchanged", "failed")]
    parts = []
    for kind, noun in _NOUNS.items():
        count = sum(isinstance(one.step, kind) for one in made)
        if count:
            unit = "session" if kind in (ArchiveSession, RecoverSession) else "file"
            parts.append(f"{counted(count, unit)} {noun}")
    return ", ".join(parts) or "nothing"


def state_of(action: ActionRecord) -> str:
    """How an action stands, in a word or two."""
    states = [one.outcome.state for one in action.steps]
    if action.undoes is not None:
        return "undo"
    if action.undone_at_ms is not None:
        return "undone"
    if "planned" in states:
        return "interrupted"
    if "conflict" in states:
        return f"{states.count('conflict')} in conflict"
    if "undone" in states:
        return "partly undone"
    return "done" if "done" in states else "nothing done"


# ── one action ───────────────────────────────────────────────────────────────────────────────────


def undoing_lines(undoing: Undoing, zone: Zone, style: Style, home: str) -> list[str]:
    """An action with every step that is taken back, the last one first."""
    action = undoing.action
    lines = [*_heading(action, zone, home), ""]
    for one in undoing.steps:
        outcome = one.outcome
        first = f"{_MARKS.get(outcome.state, '! ')}{words(one.step.step, action.project, home)}"
        lines += wrapped(first, style.width, "    ")
        if outcome.message:
            lines += wrapped(f"    {one_line(outcome.message)}", style.width, "    ")
        lines += [f"      {line}" for line in _difference(outcome)[:MOST_DIFFERENCE]]
    return lines


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
            return [f"Action {undoing.action.id} was taken back already, {_date(when, zone)}."]
        return [f"Nothing is left of action {undoing.action.id} to take back."]
    lines = [f"{counted(back, 'step')} of action {undoing.action.id} taken back."]
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
        "action": _action_fields(undoing.action, zone),
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
    path = _short(_path(step), home, project)
    if isinstance(step, TrashFile):
        return f"give back {path} ({step.size_bytes:,} bytes)"
    if isinstance(step, EditSettings):
        keys = dict.fromkeys(".".join(edit.keys) for edit in step.edits)
        return f"take back in {path}: {one_line(', '.join(keys))}"
    if isinstance(step, EditText):
        is_made = step.before is None
        return f"take away {path}, which was made" if is_made else f"take back in {path}"
    session = one_line(step.session[:SHORT_SESSION])
    if isinstance(step, ArchiveSession):
        return f"put session {session} back, {counted(len(step.files), 'file')}"
    return f"take session {session} away again; its archive stays"


def _heading(action: ActionRecord, zone: Zone, home: str) -> list[str]:
    where = f" in {_short(action.project, home)}" if action.project else ""
    cause = one_line(action.cause)
    lines = [f"Action {action.id}: {cause}, {_date(action.at_ms, zone)}{where}"]
    freed = []
    if action.freed_tokens:
        freed.append(f"{short_count(action.freed_tokens)} tokens per request")
    if action.freed_bytes:
        freed.append(f"{action.freed_bytes:,} bytes")
    return lines + ([f"  it was to free {' and '.join(freed)}"] if freed else [])


def _action_fields(action: ActionRecord, zone: Zone) -> dict[str, object]:
    undone = action.undone_at_ms
    return {
        "id": action.id,
        "at": zone.stamp(action.at_ms),
        "cause": action.cause,
        "project": action.project or None,
        "what": what(action),
        "steps": len(action.steps),
        "freed_tokens": action.freed_tokens,
        "freed_bytes": action.freed_bytes,
        "state": state_of(action),
        "undone_at": None if undone is None else zone.stamp(undone),
        "undoes": action.undoes,
    }


def _path(step: Step) -> str:
    if isinstance(step, ArchiveSession):
        return step.files[-1][1] if step.files else step.folder
    return step.to if isinstance(step, RecoverSession) else step.path


def _short(path: str, home: str, project: str = "") -> str:
    """A path as a person calls it: inside the project, or below `~`."""
    for top, start in ((project, ""), (home.rstrip("/"), "~/")):
        if top and path.startswith(top.rstrip("/") + "/"):
            return one_line(start + os.path.relpath(path, top))
    return one_line(path)


def _date(at_ms: int, zone: Zone) -> str:
    return zone.local(at_ms).strftime("%Y-%m-%d %H:%M") if at_ms else "?"
