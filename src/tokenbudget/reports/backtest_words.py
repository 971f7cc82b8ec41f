"""What a backtest says in words, tables and single figures, the same as text and as a page."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.model import window
from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.replay import APPLIED, MODELLED, NAIVE, ORACLE
from tokenbudget.reports.report_tables import Said, Table, kept, words
from tokenbudget.reports.report_words import MINUS, NO_WORDS, short_id
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_result import (
        Backtest,
        Case,
        Fidelity,
        SessionResult,
        Shortening,
        StrategyResult,
    )
    from tokenbudget.reports.report_tables import Cell

MOST_CODECS = 16
MOST_SESSIONS = 12
MOST_CASES = 10
"""Worst cases that are read; JSON has more of them."""
SPAN_CHARS = 160
EDIT = "edit"

BASIS_WORDS = {
    APPLIED: "a part of this product does it today",
    MODELLED: "nothing does it yet: what it would save is modelled",
    ORACLE: "it knows what nobody can know: an upper limit",
    NAIVE: "what others would do, for comparison",
}
KIND_WORDS = {"hidden": "before the conversation"}
"""Of what stands in no transcript: system prompt and tools."""
METHOD = (
    "Each recorded session is gone through request by request. A strategy is told of one request"
    " after the other and of nothing behind it, so that it could have done then what it does here.",
    "Cost is price-weighted: what stayed the same is read from the cache, what changed and all"
    " behind it is written anew, and the cache lives 5 minutes or 1 hour by the recorded times.",
    "Carried: tokens of tools' results, times the requests that sent them.",
    "Edits: of the texts that later edits replaced and that stood in the window, the share that"
    " still stands there word for word. Recalled: there, or to be had back by a handle.",
    "Uses: lines that the agent quoted, and paths and names in its calls, that a result had told"
    " first; the share that still stands in the window.",
    "Re-fetched: of the results that were changed, those that an edit, or a quoted line within five"
    " requests, asked for when they no longer told it; what that costs is in the figures.",
    "Dearer: sessions that would have cost more than 1% more. Worst: the one that saved least.",
    "Evidence: of the different paths, numbers, names and error lines of what was shortened, the"
    " share that is left, beside blind cuts to the same size: the beginning, or both ends.",
)


class Figure(NamedTuple):
    """One of the figures at the top."""

    label: str
    value: str
    note: str


def share(part: float, whole: float) -> Said:
    """A share of a whole, with one digit; a dash of nothing."""
    if not whole:
        return Said(NO_WORDS, 0.0)
    return Said(f"{part / whole:.1%}", part / whole)


def saved(one: StrategyResult | SessionResult) -> Said:
    """What of the money is saved, with a sign where it became dearer."""
    if not one.was.usd.total:
        return Said(NO_WORDS, 0.0)
    return Said(signed(one.saved_share), one.saved_share)


def signed(part: float) -> str:
    """A saved part as the change of the cost: less has a minus sign, more a plus."""
    if abs(part) < 0.0005:
        return "0.0%"
    return f"{MINUS if part > 0 else '+'}{abs(part):.1%}"


def usd(amount: float) -> Decimal:
    """Modelled money as it is shown."""
    return Decimal(f"{amount:.6f}")


def carried(one: StrategyResult) -> Said:
    """How many fewer tokens of tools' results the requests carried."""
    if not one.result_tokens_was:
        return Said(NO_WORDS, 0.0)
    part = 1 - one.result_tokens_now / one.result_tokens_was
    return Said(signed(part), part)


def chosen(backtest: Backtest) -> StrategyResult | None:
    """The one that the answer is about: the last that is no comparison and saves something."""
    meant = [one for one in backtest.strategies if one.basis != NAIVE]
    combined = [one for one in meant if one.name == "combined"]
    return (combined or sorted(meant, key=lambda one: one.saved_share))[-1] if meant else None


def verdict(backtest: Backtest) -> str:
    """The answer in one or two sentences."""
    one = chosen(backtest)
    if not backtest.sessions:
        return "There is no session to go through. Try: tokens backtest --from PATH"
    if one is None:
        return "Nothing was tried that this product does or could do."
    if not one.was.usd.total:
        less = carried(one).text
        return f"'{one.name}' would have carried {less} tokens of results; nothing has a price."
    now, was = dollars(usd(one.now.usd.total)), dollars(usd(one.was.usd.total))
    change = f"{abs(one.saved_share):.1%} {'less' if one.saved_share >= 0 else 'more'}"
    basis = "" if one.basis == APPLIED else f" ({one.basis})"
    head = f"'{one.name}'{basis} would have cost {now} instead of {was}: {change}."
    return f"{head} {_loss_words(one)}"


def _loss_words(one: StrategyResult) -> str:
    loss = one.fidelity
    if not loss.edits:
        return "No edit needed what it took away."
    kept_share = share(loss.edits_verbatim, loss.edits).text
    recalled = share(loss.edits_with_recall, loss.edits).text
    return f"{kept_share} of the edits found their text word for word, {recalled} with recall."


def scope_words(backtest: Backtest) -> str:
    """What was gone through."""
    parts = (
        counted(backtest.sessions, "session"),
        counted(backtest.threads, "thread"),
        counted(backtest.requests, "request"),
    )
    return " · ".join(parts)


def figures(backtest: Backtest) -> tuple[Figure, ...]:
    """Cost, what is carried, fidelity, and the worst session."""
    one = chosen(backtest)
    if one is None:
        return ()
    loss = one.fidelity
    worst = min(one.sessions, key=lambda session: session.saved_share, default=None)
    cost = f"{dollars(usd(one.now.usd.total))} instead of {dollars(usd(one.was.usd.total))}"
    sent, was = short_count(round(one.result_tokens_now)), short_count(round(one.result_tokens_was))
    recalled = share(loss.edits_with_recall, loss.edits).text
    return (
        Figure("Cost", saved(one).text, cost),
        Figure("Results carried", carried(one).text, f"{sent} tokens x requests, was {was}"),
        Figure(
            "Edits word for word",
            share(loss.edits_verbatim, loss.edits).text,
            f"{recalled} with recall, of {loss.edits:,}",
        ),
        Figure(
            "Worst session",
            NO_WORDS if worst is None else saved(worst).text,
            f"{counted(len(one.dearer), 'session')} dearer by more than 1%",
        ),
    )


def strategies_table(backtest: Backtest) -> Table:
    """A row for each strategy."""
    columns = (
        words("Strategy", may_cut=False),
        words("Basis", may_cut=False, drop_rank=2),
        Column("Cost"),
        Column("Saved"),
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
    worst = min((session.saved_share for session in one.sessions), default=0.0)
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
        Said(signed(worst), worst),
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
    """The sessions that fared worst, the dearest first among equals."""
    ordered = sorted(one.sessions, key=lambda session: (session.saved_share, session.session))
    columns = (
        words("Session", may_cut=False),
        Column("Requests", drop_rank=1),
        Column("Was", drop_rank=1),
        Column("Cost"),
        Column("Saved"),
        Column("Edits"),
        Column("Re-fetched", drop_rank=2),
    )
    rows, left = kept((_session_row(session) for session in ordered), MOST_SESSIONS)
    return Table("sessions", f"Where '{one.name}' saved least", columns, rows, "None.", left)


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


def worst_cases(one: StrategyResult) -> list[Case]:
    """What was missed, the edits first, and one of each session before a second of any."""
    turns: list[tuple[bool, int, int, Case]] = []
    for place, session in enumerate(one.sessions):
        for kind in (True, False):
            of_kind = [case for case in session.cases if (case.kind == EDIT) is kind]
            turns += [(not kind, turn, place, case) for turn, case in enumerate(of_kind)]
    return [case for *_, case in sorted(turns, key=lambda turn: turn[:3])] or list(one.cases)


def case_words(case: Case) -> str:
    """Where something was needed that was no longer told: one line."""
    what = "an edit" if case.kind == EDIT else "a later answer"
    where = f"{case.tool} {case.target}".strip() or "a result"
    return one_line(
        f"session {short_id(case.session)}, request {case.request:,}: {what} needed what"
        f" {case.by or 'a strategy'} had taken from {where}"
    )
