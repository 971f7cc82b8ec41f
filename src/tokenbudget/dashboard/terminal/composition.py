"""What the window holds, part by part, beside what each part was allotted."""

from __future__ import annotations

from tokenbudget.dashboard import words
from tokenbudget.dashboard.terminal.drawing import line_bar
from tokenbudget.dashboard.terminal.lattice import Labels
from tokenbudget.dashboard.terminal.spans import (
    FAINT,
    PLAIN,
    STRONG,
    WARNING,
    Line,
    Span,
    between,
    fitted,
    line,
)
from tokenbudget.model.figures import padded, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_budget import BudgetRow
    from tokenbudget.dashboard.terminal.moment import Moment
    from tokenbudget.dashboard.view_model import SessionView

_LONG_NAMES_FROM = 50
_NOTES_FROM = 34
_OVER = "!"


def labels(moment: Moment) -> Labels:
    """The title, and what the mark means where it is shown."""
    view = moment.view
    is_over = view is not None and any(row.is_over for row in view.rows)
    legend = f"{_OVER} over its share" if is_over else "of allotted"
    return Labels(line(Span("Composition", STRONG)), line(Span(legend, FAINT)))


def draw(moment: Moment, width: int, height: int) -> list[Line]:
    """A line per part; notes and totals as far as there is room."""
    view = moment.view
    if view is None or not view.rows:
        return [line(Span("unknown until the first request", FAINT))] if view else []
    has_notes = height >= 2 * len(view.rows) + 2 and width >= _NOTES_FROM
    found: list[Line] = []
    for row in view.rows:
        found.append(_part(row, width))
        if has_notes:
            found.append(line(Span(f"  {words.clean(row.note)}", FAINT)))
    return [*found, *_sums(view, width)][: max(height, 0)]


def _part(row: BudgetRow, width: int) -> Line:
    """`Messages  ~52.0K ███▌░░░ of  100K !`."""
    is_long = width >= _LONG_NAMES_FROM
    name = padded(words.clean(row.name if is_long else row.name.partition(" (")[0]), 16 if is_long
                  else 9)  # fmt: skip
    count = "?" if row.tokens is None else ("" if row.is_exact else "~") + short_count(row.tokens)
    allotted = "" if row.allotted_tokens is None else f"of {short_count(row.allotted_tokens):>5}"
    role = WARNING if row.is_over else PLAIN
    cells = width - len(name) - 7 - 9 - 2
    share = (row.tokens or 0) / row.allotted_tokens if row.allotted_tokens else 0.0
    middle = line_bar(share, cells, role) if cells > 2 else ()
    mark = Span(f" {_OVER}" if row.is_over else "  ", role)
    return fitted(line(name, f"{count:>6} ", *middle, Span(f" {allotted:>8}", FAINT), mark), width)


def _sums(view: SessionView, width: int) -> list[Line]:
    """What all parts come to, and how far the client lets it grow."""
    if view.total_tokens is None:
        return []
    total = f"{view.total_tokens:,}"
    whole = f" of {view.window_tokens:,}" if view.window_tokens else ""
    found = [between(line(Span("Total", STRONG)), line(Span(total, STRONG), Span(f"{whole}  ",
             FAINT)), width)]  # fmt: skip
    if view.until_compaction_tokens is not None:
        until = line(f"{view.until_compaction_tokens:,}  ")
        found.append(between(line(Span("Until auto-compaction", FAINT)), until, width))
    return [*found, line(Span("~ calibrated, ? unknown", FAINT))] if found else []
