"""What a backtest says in words and single figures, the same as text and as a page."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.model.figures import counted, dollars, short_count
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.replay import APPLIED, MODELLED, NAIVE, ORACLE
from tokenbudget.reports.report_tables import Said
from tokenbudget.reports.report_words import MINUS, NO_WORDS, short_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.backtest_result import (
        Backtest,
        Case,
        SessionResult,
        StrategyResult,
    )

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
    " requests, asked for when they no longer told it. The cost has a request more for every edit"
    " and quoted line that was missed, however late.",
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
    combined = [one for one in meant if one.name in ("combined", "controller")]
    return (combined or sorted(meant, key=lambda one: one.saved_share))[-1] if meant else None


def worst_session(one: StrategyResult) -> SessionResult | None:
    """The one that saved least, of those that have a price."""
    priced = (session for session in one.sessions if session.was.usd.total)
    return min(priced, key=lambda session: session.saved_share, default=None)


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
    return f"{head} {_loss_words(one)}{_today_words(backtest, one)}"


def _today_words(backtest: Backtest, one: StrategyResult) -> str:
    """What of it is no model: the best that this product does already."""
    applied = [other for other in backtest.strategies if other.basis == APPLIED]
    if one.basis == APPLIED or not applied:
        return ""
    best = max(applied, key=lambda other: other.saved_share)
    change = f"{abs(best.saved_share):.1%} {'less' if best.saved_share >= 0 else 'more'}"
    return f" What the product does today, '{one_line(best.name)}', comes to {change}."


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
    worst = worst_session(one)
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
