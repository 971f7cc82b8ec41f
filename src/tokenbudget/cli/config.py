"""`tokens config`: the settings and where each one comes from."""

from __future__ import annotations

from tokenbudget.app.windows import limits_of, shares_of
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.config.settings import SETTINGS, Settings
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHOLE = 1000
"""Columns are left out before one of these is cut."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = parser("config", "The settings and their origin.", reads_sessions=False).parse_args(
        arguments
    )
    current = settings()
    limits_of(current)
    shares_of(current)
    rows = _rows(current)
    if options.json:
        from tokenbudget.reports.json import document

        fields = ("name", "value", "origin", "variable", "meaning")
        show([document("config", 1, {"rows": [dict(zip(fields, r, strict=True)) for r in rows]})])
        return 0
    columns = [
        Column("Setting", is_text=True, may_cut=False),
        Column("Value", is_text=True, enough=WHOLE),
        Column("From", is_text=True, enough=WHOLE),
        Column("Variable", is_text=True, drop_rank=1, may_cut=False),
        Column("Meaning", is_text=True, drop_rank=2, keeps_start=True),
    ]
    show(render(columns, _lines_of(rows), None, style(options.no_color)))
    return 0


def _lines_of(rows: list[tuple[str, str, str, str, str]]) -> list[list[str]]:
    """Of several folders, one to a line: a path is only of use whole."""
    lines = []
    for name, value, *others in rows:
        first, *further = value.split(", ") if name == "claude_dirs" else [value]
        lines.append([name, first, *others])
        lines += [["", folder, "", "", ""] for folder in further]
    return lines


def _rows(current: Settings) -> list[tuple[str, str, str, str, str]]:
    values = {
        "home": current.data_dir,
        "config": current.config_path,
        "claude_dirs": ", ".join(current.claude_dirs),
        "timezone": current.timezone or "local",
        "workers": str(current.workers),
        "backfill": current.backfill,
        "prices": ", ".join(current.prices) or "bundled",
        "windows": _pairs(current.windows) or "published",
        "autocompact_reserve_tokens": (
            "by client"
            if current.autocompact_reserve_tokens is None
            else f"{current.autocompact_reserve_tokens:,}"
        ),
        "allocation": _pairs(current.allocation) or "standard",
        "tokenManagement": _pairs(current.token_management) or "standard",
    }
    return [
        (s.name, values[s.name], current.origins.get(s.name, "default"), s.variable, s.meaning)
        for s in SETTINGS
    ]


def _pairs(table: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in table.items())
