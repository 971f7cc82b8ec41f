"""What was changed, an action a line, the latest first: as text and as JSON."""

from __future__ import annotations

import os

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
from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.actions import ActionRecord, Step
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

FORMAT = 1
NOTHING_DONE = "nothing done"
_NOUNS = {
    TrashFile: "to the trash",
    EditSettings: "settings edited",
    EditText: "edited",
    ArchiveSession: "archived",
    RecoverSession: "recovered",
    ClientServer: "in the client",
    RestoreText: "edited",
    GatewayRecord: "given back",
}
_UNITS = {
    ArchiveSession: "session",
    RecoverSession: "session",
    ClientServer: "server",
    GatewayRecord: "server",
}


def list_lines(
    actions: Sequence[ActionRecord],
    zone: Zone,
    style: Style,
    home: str,
    measured: Mapping[int, int] | None = None,
) -> list[str]:
    """A line per action, the latest first; `measured` is what they really freed, by id."""
    measured = measured or {}
    if not actions:
        return ["Nothing was changed yet."]
    columns = [
        Column("ID"),
        Column("Date", is_text=True, may_cut=False),
        Column("Command", is_text=True, keeps_start=True),
        Column("Project", is_text=True, drop_rank=1),
        Column("What", is_text=True, keeps_start=True, drop_rank=2),
        Column("Tokens", drop_rank=3),
        *([Column("Measured", drop_rank=3)] if measured else []),
        Column("Bytes", drop_rank=4),
        Column("State", is_text=True, enough=14),
    ]
    rows: list[list[Cell]] = [
        [
            one.id,
            date(one.at_ms, zone),
            one.cause,
            short_path(one.project, home),
            what(one),
            "" if state_of(one) in ("undo", NOTHING_DONE) else one.freed_tokens,
            *([measured.get(one.id, "")] if measured else []),
            "" if state_of(one) == NOTHING_DONE else one.freed_bytes or "",
            state_of(one),
        ]
        for one in actions
    ]
    return [*render(columns, rows, None, style), "", "Take one back: tokens undo ID"]


def list_document(
    actions: Sequence[ActionRecord], zone: Zone, measured: Mapping[int, int] | None = None
) -> str:
    """The same as JSON."""
    freed = measured or {}
    rows = [
        {**action_fields(one, zone), "measured_freed_tokens": freed.get(one.id)} for one in actions
    ]
    return document("undo", FORMAT, {"rows": rows})


def what(action: ActionRecord) -> str:
    """What its steps did, in a few words."""
    if action.undoes is not None:
        return f"undo of action {action.undoes}"
    parts = []
    for kind, noun in _NOUNS.items():
        states = [
            state
            for one in action.steps
            if isinstance(one.step, kind)
            for state in [one.outcome.state] * _things(one.step)
        ]
        count = sum(state not in ("unchanged", "failed") for state in states)
        if count:
            unit = _UNITS.get(kind, "file")
            waiting = states.count("planned")  # by a process that ended
            few = f"{count - waiting:,} of " if waiting else ""
            parts.append(f"{few}{counted(count, unit)} {noun}")
    return ", ".join(parts) or "nothing"


def _things(step: Step) -> int:
    """What a step is counted for: itself, or the servers that it gives back."""
    return len(step.servers) if isinstance(step, GatewayRecord) else 1


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
    return "done" if "done" in states else NOTHING_DONE


def action_fields(action: ActionRecord, zone: Zone) -> dict[str, object]:
    """An action as a row of JSON."""
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


def short_path(path: str, home: str, project: str = "") -> str:
    """A path as a person calls it: inside the project, or below `~`."""
    for top, start in ((project, ""), (home.rstrip("/"), "~/")):
        if top and path.startswith(top.rstrip("/") + "/"):
            return one_line(start + os.path.relpath(path, top))
    return one_line(path)


def date(at_ms: int, zone: Zone) -> str:
    """Day and minute; ? where no time is known."""
    return zone.local(at_ms).strftime("%Y-%m-%d %H:%M") if at_ms else "?"
