"""One kind of consumer as a long list: `tokens profile --by files`."""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.profile import (
    CONSUMER_COLUMNS,
    WEEK_COLUMNS,
    consumer_cells,
    consumer_name,
    legend,
    tool_lines,
    week_cells,
)
from tokenbudget.reports.profile_words import (
    KIND_TITLES,
    money,
    percent,
    share,
    tokens,
)
from tokenbudget.reports.table import Column, render
from tokenbudget.reports.usage import tilde

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.profile import Profile, SplitRow
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

SPLIT_COLUMNS = (
    Column("Sessions", drop_rank=2),
    Column("Requests", drop_rank=1),
    Column("Tokens"),
    Column("Share"),
    Column("Cost"),
)
SESSION_COLUMNS = (
    Column("Session", is_text=True, may_cut=False),
    Column("Title", is_text=True),
    Column("Project", is_text=True, drop_rank=3, enough=12),
    Column("Requests", drop_rank=4),
    Column("Largest window", drop_rank=5),
    Column("Tokens", drop_rank=1),
    Column("Share"),
    Column("Cost"),
)
ID_LETTERS = 8


def list_lines(profile: Profile, by: str, limit: int | None, style: Style, home: str) -> list[str]:
    """Everything of one kind, the dearest first; `by` is a kind, or a split of the bill."""
    if by == "tool":
        lines, count = tool_lines(profile, style, limit), len(profile.tools)
        return lines if limit is None or count <= limit else [*lines[:-1], _more(count, limit)]
    columns: Sequence[Column]
    if by == "week":
        rows, columns = [week_cells(week) for week in reversed(profile.weeks)], WEEK_COLUMNS
    elif by == "session":
        rows, columns = _sessions(profile, home), SESSION_COLUMNS
    elif by in ("project", "branch", "model"):
        rows, columns = _splits(profile, by, home)
    else:
        title = KIND_TITLES[by]
        columns = (Column(title, is_text=True, enough=20), *CONSUMER_COLUMNS[2:])
        rows = [
            [consumer_name(by, row, profile), *consumer_cells(row, profile)]
            for row in profile.consumers.get(by, ())
        ]
    if not rows:
        return [f"Nothing was spent by {KIND_TITLES.get(by, by).lower()}."]
    shown = rows if limit is None else rows[:limit]
    lines = render(columns, shown, None, style)
    lines += legend(style) if by in KIND_TITLES else []
    return lines if len(shown) == len(rows) else [*lines, _more(len(rows), len(shown))]


def _more(count: int, limit: int) -> str:
    return f"and {count - limit} more: --top {count}"


def _sessions(profile: Profile, home: str) -> list[list[Cell]]:
    by_cost = sorted(
        profile.sessions,
        key=lambda row: (-row.amount.cost_pico_usd, -row.amount.total_tokens, row.session),
    )
    return [
        [
            one_line(row.session)[:ID_LETTERS],
            one_line(row.title),
            one_line(tilde(row.project, home)),
            row.requests,
            row.peak_tokens or "",
            tokens(row.amount),
            percent(share(row.amount, profile.totals)),
            money(row.amount),
        ]
        for row in by_cost
    ]


def _splits(profile: Profile, by: str, home: str) -> tuple[list[list[Cell]], Sequence[Column]]:
    rows = {"project": profile.projects, "branch": profile.branches, "model": profile.models}[by]
    cells = [[*_labels(row, by, home), *_split_cells(row, profile)] for row in rows]
    first: list[Column] = [Column(by.capitalize(), is_text=True, enough=20)]
    if by == "branch":
        first.append(Column("Project", is_text=True, drop_rank=3))
    return cells, (*first, *SPLIT_COLUMNS)


def _labels(row: SplitRow, by: str, home: str) -> list[Cell]:
    if by == "branch":
        return [one_line(row.name), one_line(tilde(row.project, home))]
    return [one_line(tilde(row.name, home))]


def _split_cells(row: SplitRow, profile: Profile) -> list[Cell]:
    return [
        row.sessions,
        row.requests,
        tokens(row.amount),
        percent(share(row.amount, profile.totals)),
        money(row.amount),
    ]
