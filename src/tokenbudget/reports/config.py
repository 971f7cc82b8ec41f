"""Settings as text and as JSON: the list, the layers of each, and what an edit changes."""

from __future__ import annotations

from tokenbudget.model.figures import cut
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.config.editing import Change
    from tokenbudget.config.explain import Explanation
    from tokenbudget.model.figures import Style

FORMAT = 1
WHOLE = 1000
"""Columns are left out before one of these is cut."""
_VALUE_CELLS = 24


def rows_of(found: Sequence[Explanation]) -> list[dict[str, object]]:
    """A row for each setting."""
    return [
        {
            "name": one.setting.name,
            "value": one.value,
            "origin": one.origin,
            "variable": one.setting.variable,
            "meaning": one.setting.meaning,
        }
        for one in found
    ]


def layered_rows_of(found: Sequence[Explanation]) -> list[dict[str, object]]:
    """The same, each with its layers, lowest first."""
    return [
        {**row, "layers": [said._asdict() for said in one.said]}
        for row, one in zip(rows_of(found), found, strict=True)
    ]


def settings_lines(found: Sequence[Explanation], style: Style) -> list[str]:
    """A table of every setting; of several folders, one to a line: a path is only of use whole."""
    columns = [
        Column("Setting", is_text=True, may_cut=False),
        Column("Value", is_text=True, enough=WHOLE),
        Column("From", is_text=True, enough=WHOLE),
        Column("Variable", is_text=True, drop_rank=1, may_cut=False),
        Column("Meaning", is_text=True, drop_rank=2, keeps_start=True),
    ]
    lines = []
    for one in found:
        name, variable, meaning = one.setting.name, one.setting.variable, one.setting.meaning
        first, *further = one.value.split(", ") if name == "claude_dirs" else [one.value]
        lines.append([name, first, one.origin, variable, meaning])
        lines += [["", folder, "", "", ""] for folder in further]
    return render(columns, lines, None, style)


def explanation_lines(found: Sequence[Explanation]) -> list[str]:
    """Each setting with the layers that were looked at, lowest first."""
    lines: list[str] = []
    for one in found:
        lines += [
            f"{one.setting.name} = {one_line(one.value)}",
            f"  {one.setting.meaning}",
            f"  from: {one_line(one.origin)}",
        ]
        for said in one.said:
            value = cut(one_line(said.value), _VALUE_CELLS) if said.value else "-"
            place = f"{said.where}: " if said.where else ""
            lines.append(
                f"    {said.layer:<23} {value:<{_VALUE_CELLS}}  {one_line(place + said.state)}"
            )
        lines.append("")
    return lines[:-1]


def change_lines(change: Change) -> list[str]:
    """What an edit changes, as a difference of lines."""
    import difflib

    before, after = change.before.splitlines(), change.after.splitlines()
    difference = difflib.unified_diff(before, after, change.path, change.path, lineterm="", n=2)
    return [one_line(line) for line in difference]


def change_fields(change: Change, action: int | None) -> dict[str, object]:
    """The same as JSON fields; `action` is its number in the journal, if it was written."""
    return {
        "path": change.path,
        "is_written": action is not None,
        "action": action,
        "backup": change.backup or None,
        "difference": change_lines(change),
    }
