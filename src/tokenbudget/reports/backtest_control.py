"""The comparison of control in a backtest: as a table, as a sentence, as rows of JSON."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.backtest_control import compared
from tokenbudget.budget.health import LEVELS
from tokenbudget.metering.cost import format_usd
from tokenbudget.model.figures import counted, dollars
from tokenbudget.reports.backtest_words import share, signed, usd
from tokenbudget.reports.report_tables import Said, Table, words
from tokenbudget.reports.report_words import NO_WORDS
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_control import Compared
    from tokenbudget.analysis.backtest_result import Backtest, SessionResult
    from tokenbudget.analysis.backtest_room import Room
    from tokenbudget.reports.report_tables import Cell

CONTROLLER = "controller"
METHOD = (
    "Control is measured against 'controller-off': the client alone, which compacts where the"
    " window is full. Change, dearer and worst are against it; oracle: the middle, over the"
    " sessions in which the oracle saves anything, of the part of its saving that was reached.",
    "Below 75%: requests, and time, that left the window healthy or at warning; a pause counts five"
    " minutes at most. Peak: the middle of the sessions' highest shares of the usable window.",
    "A compaction is modelled as the client makes it: a request over the whole window, a summary of"
    " 5,000 tokens, and the files that were changed last, five at most and none above 19,500"
    " bytes. Found: edits whose text stood there or had been fetched again for an earlier one.",
)


def control_table(backtest: Backtest) -> Table:
    """A row for each strategy of control; none where none was asked for."""
    columns = (
        words("Strategy", may_cut=False),
        Column("Cost"),
        Column("Change"),
        Column("Oracle"),
        Column("Dearer"),
        Column("Worst", drop_rank=2),
        Column("Peak"),
        Column("Below 75%"),
        Column("In time", drop_rank=1),
        Column("Compactions", drop_rank=3),
        Column("Actions", drop_rank=4),
        Column("Edits"),
        Column("Found", drop_rank=1),
    )
    rows = tuple(map(_row, compared(backtest)))
    return Table("control", "Control, against the client alone", columns, rows, "Not asked for.")


def _row(one: Compared) -> tuple[Cell, ...]:
    loss, reached = one.fidelity, one.oracle_median
    return (
        one.name,
        usd(one.usd),
        Said(signed(one.saved_share), one.saved_share),
        Said(NO_WORDS, 0.0) if reached is None else Said(f"{reached:.0%}", reached),
        one.dearer_sessions,
        Said(signed(one.worst_share), one.worst_share),
        Said(f"{one.peak_share_median:.0%}", one.peak_share_median),
        Said(f"{one.good_requests_share:.1%}", one.good_requests_share),
        Said(f"{one.good_time_share:.1%}", one.good_time_share),
        one.compactions,
        one.actions,
        share(loss.edits_verbatim, loss.edits),
        share(loss.edits_found, loss.edits),
    )


def control_sentence(backtest: Backtest) -> str:
    """What the controller would have come to; '' where it was not asked for."""
    rows = {one.name: one for one in compared(backtest)}
    ours = rows.get(CONTROLLER)
    if ours is None:
        return ""
    change = f"{abs(ours.saved_share):.1%} {'less' if ours.saved_share >= 0 else 'more'}"
    dearer = counted(ours.dearer_sessions, "session")
    said = (
        f"'{CONTROLLER}' (modelled) would have cost {dollars(usd(ours.usd))}, {change} than the"
        f" client alone, with {counted(ours.compactions, 'compaction')}; {dearer} more than 1%"
        " dearer."
    )
    if ours.oracle_median is None:
        return said
    sessions = counted(ours.oracle_sessions, "session")
    return (
        f"{said} In the middle of the {sessions} in which the oracle saves anything it reaches"
        f" {ours.oracle_median:.0%} of that."
    )


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def control_rows(backtest: Backtest) -> list[dict[str, object]]:
    """The table, exact."""
    return [
        {
            "strategy": one.name,
            "cost_usd": format_usd(Decimal(f"{one.usd:.6f}")),
            "saved_share": round(one.saved_share, 6),
            "dearer_sessions": one.dearer_sessions,
            "worst_share": round(one.worst_share, 6),
            "oracle_median": None if one.oracle_median is None else round(one.oracle_median, 6),
            "oracle_sessions": one.oracle_sessions,
            "peak_share_median": round(one.peak_share_median, 6),
            "compactions": one.compactions,
            "actions": one.actions,
            **_room("now", one.room),
        }
        for one in compared(backtest)
    ]


def session_room(one: SessionResult) -> dict[str, object]:
    """How full the session's window was, and what was done about it."""
    pair = one.room
    return {
        "usable_tokens": pair.usable_tokens or None,
        **_room("was", pair.was),
        **_room("now", pair.now),
        "compactions": pair.compactions,
        "actions": pair.actions,
        "deeds": [
            {
                "request": deed.request,
                "lever": deed.lever,
                "level": deed.level,
                "predicted_tokens": round(deed.predicted_tokens),
                "freed_tokens": round(deed.freed_tokens),
            }
            for deed in one.deeds
        ],
    }


def _room(when: str, room: Room) -> dict[str, object]:
    found: dict[str, object] = {
        f"peak_tokens_{when}": round(room.peak_tokens),
        f"peak_share_{when}": round(room.peak_share, 6),
    }
    for level, requests, ms in zip(LEVELS, room.requests, room.ms, strict=True):
        found[f"{level}_requests_{when}"] = requests
        found[f"{level}_seconds_{when}"] = round(ms / 1000)
    return found
