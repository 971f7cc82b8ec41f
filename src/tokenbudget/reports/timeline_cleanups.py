"""The clean-ups of a session at their place in its timeline: what left the window, and how much."""

from __future__ import annotations

from bisect import bisect_left

from tokenbudget.model.control_words import deed
from tokenbudget.model.figures import counted, short_count
from tokenbudget.reports.control_history import totals_of
from tokenbudget.reports.table import Column, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.window_replay import Moment
    from tokenbudget.model.control import Receipt
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

SIGN = "▾"
"""A clean-up came before this request."""
NOT_SEEN = "not seen yet"


def cleanups_of(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Those that changed something, in their order; advice changed nothing."""
    done = [one for one in receipts if one.action is not None and one.outcome != "failed"]
    return sorted(done, key=lambda one: (one.at_ms, one.id))


def placed(receipts: Sequence[Receipt], moments: Sequence[Moment]) -> Mapping[int, list[Receipt]]:
    """By the index of the first request that began after it; after the last one: that of it."""
    starts = [moment.request.started_at_ms for moment in moments]
    found: dict[int, list[Receipt]] = {}
    for one in receipts if moments else ():
        place = min(bisect_left(starts, one.at_ms), len(moments) - 1)
        found.setdefault(place, []).append(one)
    return found


def answer(receipts: Sequence[Receipt], moments: Sequence[Moment], usable: int | None) -> str:
    """`3 clean-ups freed 84.2K tokens; the window peaked at 139K, 83% of what is usable`."""
    peak = max((moment.request.prompt_tokens or 0 for moment in moments), default=0)
    share = f", {int(100 * peak / usable)}% of what is usable" if usable else ""
    totals = totals_of(receipts)
    freed = (
        f" freed {short_count(totals.measured_tokens)} tokens"
        f" ({short_count(totals.predicted_tokens)} foretold)"
        if totals.measured
        else ""
    )
    waiting = f", {totals.still_open} {NOT_SEEN}" if totals.still_open else ""
    done = f"{counted(totals.actions, 'clean-up')}{freed}{waiting}"
    return f"{done}; the window peaked at {short_count(peak)}{share}"


def cleanup_lines(receipts: Sequence[Receipt], style: Style, zone: Zone, width: int) -> list[str]:
    """A row for each clean-up: when, at which level, what left, foretold and freed."""
    columns = [
        Column("Time", is_text=True, may_cut=False),
        Column("Level", is_text=True, drop_rank=1),
        Column("Clean-up", is_text=True, keeps_start=True),
        Column("Foretold"),
        Column("Freed"),
    ]
    rows: list[list[Cell]] = [
        [
            zone.local(one.at_ms).strftime("%m-%d %H:%M:%S"),
            one.level,
            deed(one.lever, one.items),
            f"{one.predicted_tokens:,}",
            f"{one.measured_tokens:,}" if one.measured_tokens is not None else _ended(one),
        ]
        for one in receipts
    ]
    return render(columns, rows, None, style._replace(width=width))


def cleanup_rows(receipts: Sequence[Receipt], zone: Zone) -> list[dict[str, object]]:
    """The same for a program; tokens are null where nothing was measured."""
    return [
        {
            "at": zone.stamp(one.at_ms),
            "level": one.level,
            "lever": one.lever,
            "items": list(one.items),
            "before_tokens": one.before_tokens,
            "predicted_tokens": one.predicted_tokens,
            "measured_tokens": one.measured_tokens,
            "outcome": one.outcome or None,
            "action": one.action,
        }
        for one in receipts
    ]


def _ended(one: Receipt) -> str:
    return one.outcome or NOT_SEEN
