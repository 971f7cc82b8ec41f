"""The efficiency score with its parts, how to raise each, and one's own weeks before."""

from __future__ import annotations

from tokenbudget.model.figures import bar, counted, sparkline, text_width, wrapped
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.efficiency import Efficiency, Part
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

WIDTH = 100
BAR_CELLS, WIDE_CELLS = 9, 20
ROOMY_FROM = 72
"""From this width on there is room for bars beside words."""
_PARTS = (
    Column("Part", is_text=True, may_cut=False),
    Column("Points"),
    Column("", is_text=True, drop_rank=1, may_cut=False),
    Column("Because", is_text=True, enough=30),
)
_PAST = (
    Column("Week of", is_text=True, may_cut=False),
    Column("Score"),
    Column("Requests"),
)


def efficiency_lines(efficiency: Efficiency, width: int) -> list[str]:
    """The score with its bar, then what it says; where it is narrow, without the bar."""
    if efficiency.score is None or width < ROOMY_FROM:
        return wrapped(f"Efficiency {efficiency.sentence}", width, "  ")
    head = f"Efficiency  {bar(efficiency.score / 100, WIDE_CELLS)}  "
    lines = wrapped(efficiency.sentence, width - text_width(head), "")
    return [head + lines[0], *(" " * text_width(head) + line for line in lines[1:])]


def efficiency_report(efficiency: Efficiency, style: Style) -> list[str]:
    """The sentence, a row for each part, what would raise them, and the past."""
    width = min(style.width, WIDTH)
    inner = style._replace(width=width)
    lines = [style.bold(line) for line in wrapped(efficiency.sentence, width, "  ")]
    rows: list[list[Cell]] = [
        [
            part.title,
            f"{part.points:.0f} of {part.most_points:.0f}",
            bar(part.points / part.most_points, BAR_CELLS) if part.most_points else "",
            part.said,
        ]
        for part in efficiency.parts
    ]
    lines += ["", *render(_PARTS, rows, None, inner)]
    lines += _advice_lines(efficiency, inner)
    lines += _past_lines(efficiency, inner)
    return [line.rstrip() for line in lines]


def _advice_lines(efficiency: Efficiency, style: Style) -> list[str]:
    """Where there is most to gain first."""

    def missing(part: Part) -> float:
        return part.most_points - part.points

    parts = [part for part in efficiency.parts if part.advice and missing(part) >= 1]
    if not parts:
        return []
    lines = ["", style.bold("How to raise it")]
    for part in sorted(parts, key=missing, reverse=True):
        text = f"+{missing(part):.0f}  {part.title}: {part.advice}"
        lines += [f"  {line}" for line in wrapped(text, style.width - 2, "    ")]
    return lines


def _past_lines(efficiency: Efficiency, style: Style) -> list[str]:
    past = efficiency.past
    if not past:
        return []
    drawn = f"  {sparkline([one.score for one in past])}  {counted(len(past), 'week')}"
    rows: list[list[Cell]] = [[one.begins, one.score, one.requests] for one in reversed(past)]
    table = (f"  {line}" for line in render(_PAST, rows, None, style))
    return ["", style.bold("Your weeks before"), drawn, *table]
