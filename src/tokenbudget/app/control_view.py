"""What a person is shown of the controller: from its record, its memory and the settings.

Nothing is looked at anew here: it tells what the last look came to, and when that was.
"""

from __future__ import annotations

from tokenbudget.app.control_wishes import wishes_of
from tokenbudget.config.layers import project_dir
from tokenbudget.dashboard.view_model import Decision as Shown
from tokenbudget.model.control import LEVERS, WAIT
from tokenbudget.model.control_standing import LeverStanding, Marked, Standing
from tokenbudget.model.control_words import (
    decision_words,
    mode_words,
    reason_words,
    receipt_words,
)
from tokenbudget.optimizer.state import fresh
from tokenbudget.optimizer.state_text import state_of
from tokenbudget.optimizer.trust import trust_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app.controlling_turn import Turn
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.control import Receipt, Wishes
    from tokenbudget.optimizer.state import State
    from tokenbudget.optimizer.trust import Trust

MOST_DECISIONS = 20
MOST_RECEIPTS = 50
MOST_SHOWN = 6
"""In the list of a live view, which has room for little; `tokens control why` has more."""
TRUSTED_RECEIPTS = 200
"""As many as the controller itself learns from."""


def standing_of(
    ledger: Ledger,
    settings: Settings,
    session: str,
    project: str,
    now_ms: int,
    *,
    title: str = "",
    watcher: str = "",
    window_tokens: int | None = None,
) -> Standing:
    """How the controller stands with a session.

    Args:
        ledger: Has the record.
        settings: Of any folder; those of the project of the session are asked.
        session: Its whole id.
        project: Its folder; '' where that is not known.
        now_ms: The present.
        title: Of the session.
        watcher: Who looks at it now, in words; '' is nobody.
        window_tokens: The whole window; None is unknown.

    Raises:
        BadConfig: the settings cannot be meant.
        LedgerUnusable, LedgerDamaged: the record cannot be read.
    """
    rows = ledger.control
    wishes = wishes_of(settings._replace(working_dir=project or settings.working_dir))
    state = memory_of(ledger, session)
    learned = rows.receipts(limit=TRUSTED_RECEIPTS)
    receipts = rows.receipts(session, limit=MOST_RECEIPTS)
    return Standing(
        session=session,
        project=project,
        title=title,
        at_ms=now_ms,
        looked_at_ms=state.now_ms,
        watcher=watcher,
        mode=mode_words(wishes),
        level=state.health.level if state.request_key else None,
        used_tokens=state.used_tokens if state.request_key else None,
        usable_tokens=state.usable_tokens or None,
        window_tokens=window_tokens,
        request_key=state.request_key,
        decisions=tuple(rows.decisions(session, MOST_DECISIONS)),
        receipts=tuple(receipts),
        marks=tuple(Marked(one.lever, one.items, one.at_ms) for one in state.marks),
        pins=wishes.pins,
        reloaded=state.pinned,
        undone=undone_of(ledger, receipts),
        levers=lever_standings(wishes, trust_of(learned), learned, now_ms),
    )


def standing_of_turn(turn: Turn, now_ms: int, watcher: str) -> Standing:
    """The same as one turn saw it, without asking the record."""
    seen, state = turn.signals, turn.state
    return Standing(
        session=turn.session,
        project=seen.project if seen else "",
        title=turn.title,
        at_ms=now_ms,
        looked_at_ms=turn.decision.at_ms if seen else 0,
        watcher=watcher,
        mode=mode_words(turn.wishes),
        level=turn.decision.level if seen and seen.share is not None else None,
        used_tokens=seen.used_tokens if seen else None,
        usable_tokens=seen.usable_tokens if seen else None,
        window_tokens=seen.window_tokens if seen else None,
        decisions=(turn.decision,),
        receipts=tuple(one for one in (turn.receipt, *turn.settled) if one is not None),
        marks=tuple(Marked(one.lever, one.items, one.at_ms) for one in state.marks),
        pins=turn.wishes.pins,
        reloaded=state.pinned,
        levers=lever_standings(turn.wishes, turn.trust, (), now_ms),
    )


def lever_standings(
    wishes: Wishes, trust: Trust, receipts: Sequence[Receipt], now_ms: int
) -> tuple[LeverStanding, ...]:
    """A line for every lever, with what its receipts came to."""
    found = []
    for lever in LEVERS:
        seen = [
            (one.predicted_tokens, one.measured_tokens)
            for one in receipts
            if one.lever == lever and one.measured_tokens is not None
        ]
        found.append(
            LeverStanding(
                lever=lever,
                mode=wishes.mode_of(lever),
                critical_mode=wishes.mode_of(lever, "critical"),
                trust=trust.of(lever, now_ms),
                measured=len(seen),
                predicted_tokens=sum(predicted for predicted, _ in seen),
                measured_tokens=sum(measured for _, measured in seen),
            )
        )
    return tuple(found)


def shown_decisions(standing: Standing) -> tuple[Shown, ...]:
    """Everything that was done, advised or marked, for the list of decisions of a live view."""
    receipts = {(one.at_ms, one.lever): one for one in standing.receipts}
    found = []
    for one in standing.decisions:
        if one.kind != WAIT:
            receipt = receipts.get((one.at_ms, one.lever))
            outcome = receipt_words(receipt) if receipt else reason_words(one)
            found.append(Shown(one.at_ms, decision_words(one), outcome))
    return tuple(found[:MOST_SHOWN])


def undone_of(ledger: Ledger, receipts: Sequence[Receipt]) -> frozenset[int]:
    """Actions of these receipts that were taken back."""
    actions = [one.action for one in receipts if one.action is not None]
    return frozenset(ledger.journal.undone_among(actions) if actions else ())


def known_session(ledger: Ledger, facts: SessionRow) -> SessionRow:
    """This session, or where no controller has looked at it the newest of its folder that one has.

    Another session of the same folder may be newer, and be over before anybody could look.
    """
    if ledger.control.state(facts.session) is not None:
        return facts
    for session in ledger.control.states():
        for row in ledger.sessions_beginning(session, 1):
            if row.session == session and row.cwd == facts.cwd:
                return row
    return facts


def project_of(settings: Settings, facts: SessionRow) -> str:
    """The project of a session, as the controller calls it: whose settings hold there."""
    return project_dir(facts.cwd, settings.home_dir) or facts.cwd or facts.project


def memory_of(ledger: Ledger, session: str) -> State:
    """What the controller remembers of a session; the beginning where that is nothing."""
    text = ledger.control.state(session)
    return (state_of(text) if text else None) or fresh(session)
