"""What the controller has done: receipts, foretold against measured, as text."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.model.control_words import deed, is_back, state_words
from tokenbudget.model.figures import counted, wrapped
from tokenbudget.reports.control import SHORT_SESSION, money
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.control import Receipt
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

NOTHING_DONE = (
    "The controller has done nothing yet. What it sees and would do: tokens control --dry-run;"
    " why nothing is done: tokens control why"
)


class Totals(NamedTuple):
    """Receipts added up; only what was measured counts as freed."""

    actions: int
    measured: int
    still_open: int
    predicted_tokens: int
    """Of those that were measured."""
    measured_tokens: int
    measured_usd: float | None
    """None where no receipt knows its money."""
    predicted_usd: float | None
    """Of those whose measured money is known."""

    @property
    def error_share(self) -> float | None:
        """By how much the whole differed from what was foretold."""
        if not self.measured or not self.predicted_tokens:
            return None
        return abs(self.measured_tokens - self.predicted_tokens) / self.predicted_tokens


def totals_of(receipts: Sequence[Receipt]) -> Totals:
    """The sums of these."""
    seen = [one for one in receipts if one.measured_tokens is not None]
    priced = [one for one in seen if one.measured_usd is not None]
    both = [one for one in priced if one.predicted_usd is not None]
    return Totals(
        actions=len(receipts),
        measured=len(seen),
        still_open=sum(not one.outcome for one in receipts),
        predicted_tokens=sum(one.predicted_tokens for one in seen),
        measured_tokens=sum(one.measured_tokens or 0 for one in seen),
        measured_usd=sum(one.measured_usd or 0.0 for one in priced) if priced else None,
        predicted_usd=sum(one.predicted_usd or 0.0 for one in both) if both else None,
    )


def history_lines(
    receipts: Sequence[Receipt], zone: Zone, style: Style, undone: Collection[int] = ()
) -> list[str]:
    """The answer, and a line for each action, the latest first; `undone` were taken back."""
    if not receipts:
        return wrapped(NOTHING_DONE, style.width)
    totals = totals_of(receipts)
    head = wrapped(_answer(totals), style.width)
    columns = [
        Column("Undo"),
        Column("Date", is_text=True, may_cut=False, drop_rank=2),
        Column("Session", is_text=True, keeps_start=True, enough=SHORT_SESSION, drop_rank=4),
        Column("What", is_text=True, keeps_start=True, enough=18),
        Column("Foretold"),
        Column("Freed"),
        Column("Error"),
        Column("$ foretold", drop_rank=3),
        Column("$ saved", drop_rank=1),
        Column("State", is_text=True, enough=10),
    ]
    rows = [_row(one, zone, undone) for one in receipts]
    last: list[Cell] = [
        *("", "", "", f"total of {totals.measured:,} measured"),
        *_amounts(totals.predicted_tokens, totals.measured_tokens, totals.error_share),
        *(money(totals.predicted_usd), money(totals.measured_usd), ""),
    ]
    table = render(columns, rows, last if totals.measured else None, style)
    return [
        *(style.bold(line) for line in head),
        "",
        *table,
        "",
        *_foot(receipts, undone, style.width),
    ]


def _answer(totals: Totals) -> str:
    said = f"{counted(totals.actions, 'action')}"
    if totals.measured:
        error = "" if totals.error_share is None else f" ({totals.error_share:.0%} off)"
        usd = "" if totals.measured_usd is None else f", {saved_words(totals.measured_usd)}"
        said += (
            f": freed {totals.measured_tokens:,} tokens, {totals.predicted_tokens:,}"
            f" foretold{error}{usd}"
        )
    if totals.still_open:
        said += f"; of {totals.still_open:,} the effect is not seen yet"
    return said


def saved_words(usd: float) -> str:
    """`$1.24 saved`, or what it cost: `$0.03 dearer than without`."""
    return f"{money(usd)} saved" if usd >= 0 else f"{money(-usd)} dearer than without"


def _row(one: Receipt, zone: Zone, undone: Collection[int]) -> list[Cell]:
    measured = one.measured_tokens
    return [
        one.action if one.action is not None and not is_back(one, undone) else "",
        zone.local(one.at_ms).strftime("%m-%d %H:%M"),
        one.session[:SHORT_SESSION],
        deed(one.lever, one.items),
        *_amounts(one.predicted_tokens, measured, one.error_share),
        money(one.predicted_usd),
        "" if measured is None else money(one.measured_usd),
        state_words(one, undone),
    ]


def _amounts(predicted: int, measured: int | None, error: float | None) -> list[Cell]:
    return [
        predicted,
        "" if measured is None else measured,
        "" if error is None else f"{error:.0%}",
    ]


def _foot(receipts: Sequence[Receipt], undone: Collection[int], width: int) -> list[str]:
    is_any = any(one.action is not None and not is_back(one, undone) for one in receipts)
    return wrapped("Take one back: tokens control undo N", width) if is_any else []


def usd_text(usd: float | None) -> str | None:
    """Money for JSON, as a decimal string."""
    if usd is None:
        return None
    from tokenbudget.metering.cost import format_usd

    return format_usd(Decimal(str(usd)))
