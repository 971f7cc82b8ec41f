"""The tables of a backtest, the same as text and as a page."""

from __future__ import annotations

from tokenbudget.model import window
from tokenbudget.reports.backtest_words import (
    KIND_WORDS,
    carried,
    saved,
    share,
    usd,
    worst_session,
)
from tokenbudget.reports.report_tables import Said, Table, kept, words
from tokenbudget.reports.report_words import NO_WORDS, short_id
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_result import (
        Backtest,
        Fidelity,
        SessionResult,
        Shortening,
        StrategyResult,
    )
    from tokenbudget.reports.report_tables import Cell

MOST_CODECS = 16
MOST_SESSIONS = 12


def strategies_table(backtest: Backtest) -> Table:
    """A row for each strategy."""
    columns = (
        words("Strategy", may_cut=False),
        words("Basis", may_cut=False, drop_rank=2),
        Column("Cost"),
        Column("Change"),
        Column("Carried", drop_rank=1),
        Column("Edits"),
        Column("Recalled", drop_rank=3),
        Column("Uses", drop_rank=4),
        Column("Re-fetched", drop_rank=1),
        Column("Dearer", drop_rank=5),
        Column("Worst", drop_rank=6),
    )
    rows = tuple(_strategy_row(one) for one in backtest.strategies)
    return Table("strategies", "Strategies", columns, rows, "No strategy was asked for.")


def _strategy_row(one: StrategyResult) -> tuple[Cell, ...]:
    loss = one.fidelity
    worst = worst_session(one)
    return (
        one.name,
        one.basis,
        usd(one.now.usd.total),
        saved(one),
        carried(one),
        share(loss.edits_verbatim, loss.edits),
        share(loss.edits_with_recall, loss.edits),
        share(loss.uses_kept, loss.uses),
        share(loss.refetches, loss.shortened),
        len(one.dearer),
        Said(NO_WORDS, 0.0) if worst is None else saved(worst),
    )


def loss_table(backtest: Backtest) -> Table:
    """What is left of the facts, against blind cuts of the same size."""
    columns = (
        words("Strategy", may_cut=False),
        Column("Shortened", drop_rank=3),
        Column("Of results"),
        Column("Evidence left"),
        Column("Blind head", drop_rank=4),
        Column("Blind ends"),
        Column("Uses recalled", drop_rank=2),
        Column("Handles true", drop_rank=3),
        Column("False facts", drop_rank=1),
    )
    rows = tuple(
        (one.name, *_loss_cells(one.fidelity))
        for one in backtest.strategies
        if one.fidelity.shortened
    )
    return Table("loss", "What is left of what was shortened", columns, rows, "Nothing was.")


def _loss_cells(loss: Fidelity) -> tuple[Cell, ...]:
    false = f"{loss.false_facts:,}" if loss.assertions else NO_WORDS
    return (
        loss.shortened,
        share(loss.shortened, loss.results),
        share(loss.atoms_kept, loss.atoms),
        share(loss.atoms_by_head, loss.atoms),
        share(loss.atoms_by_ends, loss.atoms),
        share(loss.uses_with_recall, loss.uses),
        share(loss.handles_true, loss.handles),
        Said(false, loss.false_facts),
    )


def codecs_table(one: StrategyResult) -> Table:
    """Which codec saved what, tool by tool."""
    found = (_codec_row(row) for row in one.shortenings if row.by)
    rows, left = kept(found, MOST_CODECS)
    columns = (
        words("Tool or kind", may_cut=False),
        words("By", may_cut=False),
        Column("Times", drop_rank=2),
        Column("Tokens"),
        Column("Left", drop_rank=1),
        Column("Less"),
        Column("Saved"),
    )
    return Table(
        "codecs", f"What '{one.name}' saved, and where", columns, rows, "It changed nothing.", left
    )


def _subject(row: Shortening) -> str:
    """The tool, and whether it is what it was asked or what it answered."""
    if not row.tool:
        return KIND_WORDS.get(row.kind, row.kind.replace("_", " "))
    return f"{row.tool} calls" if row.kind == window.TOOL_USE else row.tool


def _codec_row(row: Shortening) -> tuple[Cell, ...]:
    return (
        _subject(row),
        row.by,
        row.pieces,
        round(row.tokens_was) or NO_WORDS,
        round(row.tokens_now) if row.tokens_was else NO_WORDS,
        share(row.tokens_was - row.tokens_now, row.tokens_was),
        usd(row.saved_usd),
    )


def sessions_table(one: StrategyResult) -> Table:
    """The sessions that fared worst, of those that have a price."""
    priced = [session for session in one.sessions if session.was.usd.total]
    ordered = sorted(priced, key=lambda session: (session.saved_share, session.session))
    columns = (
        words("Session", may_cut=False),
        Column("Requests", drop_rank=1),
        Column("Was", drop_rank=1),
        Column("Cost"),
        Column("Change"),
        Column("Edits"),
        Column("Re-fetched", drop_rank=2),
    )
    rows, left = kept((_session_row(session) for session in ordered), MOST_SESSIONS)
    return Table(
        "sessions", f"Where '{one.name}' saved least", columns, rows, "Nothing has a price.", left
    )


def _session_row(session: SessionResult) -> tuple[Cell, ...]:
    loss = session.fidelity
    return (
        short_id(session.session),
        session.requests,
        usd(session.was.usd.total),
        usd(session.now.usd.total),
        saved(session),
        share(loss.edits_verbatim, loss.edits),
        session.refetches,
    )
