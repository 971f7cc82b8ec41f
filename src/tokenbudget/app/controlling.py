"""One turn of the controller: look at a session, decide, carry it out, verify, record.

The decision is `optimizer.controller.tick`'s and the hands are `controlling_acts`; here they meet
the ledger. Whoever only looks (`is_dry`) changes nothing and needs no lock; whoever acts holds
`control.lock`, and is the only one in its data folder that does.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import NamedTuple

from tokenbudget.app import control_signals
from tokenbudget.app.control_held import proposals_for, restore_steps
from tokenbudget.app.control_wishes import wishes_of
from tokenbudget.app.controlling_acts import Acts
from tokenbudget.app.controlling_closing import CAUSE, recovered, with_undone
from tokenbudget.app.controlling_lock import ControlLock, holder
from tokenbudget.app.controlling_turn import Turn
from tokenbudget.model.control import ACT, RESTORE, WAIT, Decision, Signals, Wishes
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.optimizer import controller
from tokenbudget.optimizer.putting_back import is_awaited
from tokenbudget.optimizer.receipts import settled
from tokenbudget.optimizer.state_text import state_of, state_text
from tokenbudget.optimizer.trust import Trust, trust_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.app.control_signals import Memory
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import Proposal
    from tokenbudget.optimizer.state import State

__all__ = ["CAUSE", "ControlLock", "Controller", "Hands", "Turn", "holder", "waits"]

TRUSTED_RECEIPTS = 200
"""So many of the latest say how far predictions are believed."""
KEEP_MS = 60_000
"""A state in which only the clock went on is kept so often: a state that is much older than the
present says that nobody looked."""
OFF = "off"


class Hands(NamedTuple):
    """How the controller looks and what it can do; the standard ones but in tests."""

    look: Callable[[Workbench, str, int, Memory], Signals | None] = control_signals.look
    proposals: Callable[[Memory, str, Sequence[str]], Sequence[Proposal]] = (
        lambda memory, session, ids: proposals_for(memory.offers(session), ids)
    )
    """What carrying these ids out takes, as of the last look."""
    restore_steps: Callable[[Workbench, str], Sequence[Proposal]] = restore_steps


def waits(state: State) -> bool:
    """Whether something is lent, marked or still to be measured."""
    return bool(state.marks) or any(is_awaited(one) for one in state.pulled)


class Controller:
    """Turns of any number of sessions over one ledger, in the thread in which it was made."""

    def __init__(
        self,
        bench: Workbench,
        memory: Memory | None = None,
        hands: Hands | None = None,
        wishes_in: Callable[[Settings], Wishes] = wishes_of,
    ) -> None:
        """Build it.

        Args:
            bench: The ledger, brought up to date before each turn.
            memory: Of what was looked at; a new one is empty.
            hands: How it looks, and what it can do.
            wishes_in: What the person wants, by the settings of a session's project.
        """
        self._bench = bench
        self._memory = memory or control_signals.Memory()
        self._hands = hands or Hands()
        self._wishes_in = wishes_in
        self._acts = Acts(bench, self._hands.restore_steps)
        self._states: dict[str, State] = {}
        self._kept: dict[str, tuple[State, int]] = {}
        """By session, what the ledger has, and since when."""
        self._said: dict[str, tuple[object, ...]] = {}
        """By session, what was recorded last."""
        self._trust: Trust | None = None

    def turn(self, session: str, project: str | None = None, *, is_dry: bool = False) -> Turn:
        """Look at a session, and do what is due; the caller holds the control lock, unless dry.

        Args:
            session: Its whole id.
            project: Its folder, where the caller knows it already.
            is_dry: Only look and decide; nothing is written.

        Raises:
            LedgerUnusable, LedgerDamaged: it cannot be read, or the record cannot be written.
        """
        now_ms = self._bench.clock.now_ms()
        known, title = self._facts(session)
        project = known if project is None else project
        with self._settings_in(project):
            try:
                turn = self._turn(session, project, now_ms, is_dry=is_dry)
                return turn._replace(title=title)
            except BaseException:
                self.forget(session)  # the next turn begins with what is written
                raise

    def forget(self, session: str) -> None:
        """Begin the session's next turn with what the ledger knows."""
        self._states.pop(session, None)
        self._kept.pop(session, None)
        self._said.pop(session, None)
        self._trust = None

    def keep_only(self, sessions: Collection[str]) -> None:
        """Remember nothing of other sessions; the ledger does."""
        for session in {*self._states, *self._kept, *self._said} - set(sessions):
            self.forget(session)

    def give_back(self, project: str) -> str:
        """Empty a project's lent setting; '' or what was in the way."""
        return self._acts.give_back_history(project)[1]

    def clear_up(self, project: str) -> str:
        """Take away what is left of loans that were given back; '' or what was in the way."""
        return self._acts.clear_up_history(project)

    def _turn(self, session: str, project: str, now_ms: int, *, is_dry: bool) -> Turn:
        state = self._state(session, is_dry=is_dry)
        trust, fault = self._trusted(), ""
        try:
            wishes = self._wishes_in(self._bench.settings)
        except TokenBudgetError as unfit:
            if not waits(state):
                return self._idle(state, Wishes(), trust, now_ms, "config", str(unfit))
            wishes, fault = Wishes(), str(unfit)  # off: what is out is put back all the same
        if not waits(state) and set(wishes.modes.values()) <= {OFF}:
            return self._idle(state, wishes, trust, now_ms, OFF, "the controller is off")
        seen = self._look(state, project, now_ms)
        if seen is None:
            reason = "the ledger knows no such session"
            return self._idle(state, wishes, trust, now_ms, "unknown", reason)
        state, seen = with_undone(self._bench, state, seen)
        ended = tuple(settled(state, seen, now_ms))
        after, decision = controller.tick(state, seen, wishes, trust, now_ms)
        turn = Turn(session, seen, state, after, wishes, trust, decision, None, ended, fault)
        return turn if is_dry else self._carried_out(turn, seen, project)

    # ── what the turn rests on ─────────────────────────────────────────────────────────────────

    def _facts(self, session: str) -> tuple[str, str]:
        """The session's folder and its title; '' for what the ledger does not know."""
        rows = self._bench.ledger.sessions_beginning(session, 1)
        found = ((row.project or row.cwd, row.title) for row in rows if row.session == session)
        return next(found, ("", ""))

    @contextmanager
    def _settings_in(self, project: str) -> Iterator[None]:
        """The settings as they hold where the session works, for as long as its turn lasts."""
        before = self._bench.settings
        if project and project != before.working_dir:
            self._bench.settings = before._replace(working_dir=project)
        try:
            yield
        finally:
            self._bench.settings = before

    def _state(self, session: str, *, is_dry: bool) -> State:
        """The state as it is remembered, once what a killed controller left is set right."""
        if is_dry:
            return self._read_state(session)
        state = self._states.get(session)
        if state is None:
            state = recovered(self._bench, self._read_state(session))
            self._states[session] = state
        return state

    def _read_state(self, session: str) -> State:
        text = self._bench.ledger.control.state(session)
        found = None if text is None else state_of(text)
        if found is None or found.session != session:
            return controller.fresh(session)
        return found

    def _trusted(self) -> Trust:
        if self._trust is None:
            receipts = self._bench.ledger.control.receipts(limit=TRUSTED_RECEIPTS)
            self._trust = trust_of(receipts)
        return self._trust

    def _look(self, state: State, project: str, now_ms: int) -> Signals | None:
        """The look; where session or project are gone and something of it is out, it is over."""
        seen = self._hands.look(self._bench, state.session, now_ms, self._memory)
        if seen is not None and waits(state) and not os.path.isdir(seen.project):
            return seen._replace(is_over=True)
        if seen is not None or not waits(state):
            return seen
        return Signals(
            session=state.session,
            project=project or self._bench.ledger.control.project_of(state.session),
            client="",
            model="",
            has_tool_search=None,
            observed_at_ms=now_ms,
            request_key=state.request_key,
            request_at_ms=state.request_at_ms,
            requests=state.requests,
            used_tokens=None,
            usable_tokens=None,
            window_tokens=None,
            compactions=state.compactions,
            is_between_turns=False,
            is_over=True,
        )

    # ── what comes of it ───────────────────────────────────────────────────────────────────────

    def _idle(
        self, state: State, wishes: Wishes, trust: Trust, now_ms: int, code: str, reason: str
    ) -> Turn:
        """A turn in which nobody looked; it leaves nothing behind."""
        level = state.health.level
        decision = Decision(now_ms, state.session, WAIT, level, code, reason)
        return Turn(state.session, None, state, state, wishes, trust, decision)

    def _carried_out(self, turn: Turn, seen: Signals, project: str) -> Turn:
        decision, project = turn.decision, seen.project or project
        if decision.kind == ACT:
            proposals = self._hands.proposals(self._memory, turn.session, decision.items)
            done = self._acts.act(turn.state, decision, seen, turn.settled, proposals)
        elif decision.kind == RESTORE:
            done = self._acts.put_back(turn.state, decision, project, turn.settled)
        else:
            self._record(turn, project)
            self._states[turn.session] = turn.state
            return turn
        self._note_kept(turn.session, done.state, decision)
        self._states[turn.session] = done.state
        self._trust = None
        faults = "; ".join(one for one in (turn.fault, done.fault) if one)
        return turn._replace(state=done.state, receipt=done.receipt, fault=faults)

    def _record(self, turn: Turn, project: str) -> None:
        """Write down what is new; nothing where nothing is."""
        decision, session = turn.decision, turn.session
        is_said = self._said.get(session) == _saying(decision)
        if is_said and not turn.settled and not self._is_to_keep(turn):
            return
        control = self._bench.ledger.control
        with control.transaction(is_durable=bool(turn.settled)) as writing:
            for one in turn.settled:
                writing.settle(one)
            writing.put_state(session, state_text(turn.state), decision.at_ms)
            writing.record(decision, project)
        self._note_kept(session, turn.state, decision)
        if turn.settled:
            self._trust = None

    def _is_to_keep(self, turn: Turn) -> bool:
        """Whether the state says more than that time went by, or that for long."""
        kept = self._kept.get(turn.session)
        if kept is None:
            return True
        state, at_ms = kept
        is_other = turn.state._replace(now_ms=0) != state._replace(now_ms=0)
        return is_other or not 0 <= turn.decision.at_ms - at_ms < KEEP_MS

    def _note_kept(self, session: str, state: State, decision: Decision) -> None:
        self._kept[session] = (state, decision.at_ms)
        self._said[session] = _saying(decision)


def _saying(decision: Decision) -> tuple[object, ...]:
    """What makes a decision another one than the last of its session."""
    return decision.kind, decision.code, decision.lever, decision.items
