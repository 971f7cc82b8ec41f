"""The controller's loop over every session that lives, or that something is still lent to.

The daemon's worker and `tokens control` turn it, every few seconds. A turn at rest reads nothing:
it stats the live transcripts, and asks the ledger a few questions by index. Only one process acts
in a data folder; the loop of any other looks, and says who acts.

What an earlier process left is found at the first turn: receipts that are open, states that wait,
and settings that were emptied and are still to be taken away.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.control_held import restore_steps
from tokenbudget.app.control_signals import Memory
from tokenbudget.app.controlling import Controller, ControlLock, Hands, Turn, holder, waits
from tokenbudget.app.controlling_closing import said, unclear
from tokenbudget.app.controlling_wishes import KeptWishes
from tokenbudget.app.live_bench import LiveBench
from tokenbudget.app.watched import AHEAD_MS, LIVE_MS, MOST_SESSIONS
from tokenbudget.model.control import HISTORY
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable, TokenBudgetError
from tokenbudget.optimizer.state_text import state_of
from tokenbudget.resources.history import GIVE_BACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.windows import WindowFile
    from tokenbudget.model.protocols import Clock
    from tokenbudget.optimizer.state import State

WHOLE_LOOK_MS = 60_000
"""Transcripts of sessions that no hook has told of are looked for so often."""
WAITING_LOOK_MS = 60_000
"""A session that is over, or was not used for an hour, is looked at so often while it waits."""
CLEAR_UP_MS = 30_000
"""So long a running client has to take up that a setting was emptied, before it is taken away."""
LENT_DAYS_MS = 8 * 86_400_000
"""Longer than the longest lease: what was lent before that was given back."""
STATE_KEPT_MS = 30 * 86_400_000
"""A session that nobody has looked at for a month begins afresh, unless something is out."""
LEAST_SECONDS, WAITING_SECONDS = 1.0, 60.0


class LoopTurn(NamedTuple):
    """What one turn of the loop came to."""

    turns: tuple[Turn, ...] = ()
    again_seconds: float | None = None
    """When to turn it next; None: nothing is alive and nothing waits."""
    is_waiting: bool = False
    """Whether something is lent, marked, or still to be measured or cleared up."""
    is_acting: bool = False
    """Whether this process holds the lock; else it only looked."""
    holder: str = ""
    """Who acts instead."""
    faults: tuple[str, ...] = ()
    """What went wrong, a sentence each."""


class ControlLoop:
    """Turned by one thread, every few seconds; `close` lets go of the ledger and of the lock."""

    def __init__(
        self,
        settings_of: Callable[[Callable[[str], None]], Settings],
        clock: Clock,
        who: str,
        hands: Hands | None = None,
        only: str = "",
    ) -> None:
        """Build it; nothing is opened.

        Args:
            settings_of: Reads the settings, of no project; asked at every turn.
            clock: Tells the time.
            who: Is told to others who would act, such as `tokens serve`.
            hands: How it looks, and what it can do.
            only: The whole id of the one session that it is about; '' is every one.
        """
        self._only = only
        self._clock = clock
        self._who = who
        self._hands = hands
        self._bench = LiveBench(settings_of, clock=clock)
        self._memory = Memory()
        self._wishes = KeptWishes()
        self._lock: ControlLock | None = None
        self._controller: tuple[Workbench, Controller] | None = None
        self._waiting: dict[str, int] = {}
        """Sessions of which something is out, and when each was looked at last."""
        self._emptied: dict[str, int] = {}
        """Projects whose emptied setting is to be taken away, and when."""
        self._lending: set[str] = set()
        """Sessions to which a window was lent at the last turn."""
        self._looked_ms: int | None = None
        self._live: list[str] = []
        """The sessions that were alive at the last turn."""

    def turn(self) -> LoopTurn:
        """Look at every session, and do what is due.

        Raises:
            TokenBudgetError: the ledger or the settings cannot be read; the next call tries again.
        """
        try:
            bench = self._bench.fresh(self._tops())
            try:
                return self._turn(bench)
            finally:
                self._bench.rest()
        except (LedgerUnusable, LedgerDamaged):
            self._bench.close()
            raise

    def close(self) -> None:
        """Close the ledger and let another one act; harmless when that is so."""
        self._bench.close()
        if self._lock is not None:
            self._lock.release()

    # ── one turn ───────────────────────────────────────────────────────────────────────────────

    def _turn(self, bench: Workbench) -> LoopTurn:
        now_ms = self._clock.now_ms()
        is_acting = bench.ledger.control.is_kept and self._may_act(bench.settings.data_dir)
        controller = self._controller_of(bench, now_ms, is_acting=is_acting)
        live = self._live = [self._only] if self._only else _live_sessions(bench, now_ms)
        turns, faults = self._turned(controller, self._due(live, now_ms), is_dry=not is_acting)
        faults += [f"{one.session}: {one.fault}" for one in turns if one.fault]
        self._note(turns, now_ms)
        if is_acting:
            faults += self._tidied(bench, controller, now_ms)
        self._memory.keep_only([*live, *self._waiting])
        controller.keep_only([*live, *self._waiting])
        return LoopTurn(
            tuple(turns),
            self._again_seconds(turns, has_live=bool(live)),
            bool(self._waiting or self._emptied),
            is_acting,
            "" if is_acting else holder(bench.settings.data_dir),
            (*self._bench.warnings, *faults),
        )

    def _turned(
        self, controller: Controller, sessions: Sequence[str], *, is_dry: bool
    ) -> tuple[list[Turn], list[str]]:
        """A turn of each session, and what kept one from being made: the others go on."""
        turns, faults = [], []
        for session in sessions:
            try:
                turns.append(controller.turn(session, is_dry=is_dry))
            except (LedgerUnusable, LedgerDamaged):
                raise
            except (TokenBudgetError, OSError) as wrong:
                faults.append(f"{session}: {said(wrong)}")
                if session in self._waiting:
                    self._waiting[session] = self._clock.now_ms()
        return turns, faults

    def _may_act(self, data_dir: str) -> bool:
        if self._lock is None:
            self._lock = ControlLock(data_dir, self._who)
        return self._lock.try_acquire()

    def _controller_of(self, bench: Workbench, now_ms: int, *, is_acting: bool) -> Controller:
        """The controller over this very ledger; a new one finds what an earlier one left."""
        if self._controller is None or self._controller[0] is not bench:
            made = Controller(bench, self._memory, self._hands, self._wishes)
            self._controller = bench, made
            left = self._find_left(bench, now_ms)
            if is_acting and not self._only:
                _drop_old(bench, now_ms - STATE_KEPT_MS, left)
        return self._controller[1]

    def _find_left(self, bench: Workbench, now_ms: int) -> set[str]:
        """Note what an earlier process left; the sessions of which something is out."""
        control = bench.ledger.control
        left = {receipt.session for receipt, _ in control.open_receipts()}
        for session in control.states():
            state = state_of(control.state(session) or "")
            if state is not None and waits(state):
                left.add(session)
        projects = control.pulled_in(HISTORY, now_ms - LENT_DAYS_MS)
        if self._only:
            left &= {self._only}
            projects = [one for one in projects if one == control.project_of(self._only)]
        self._waiting = dict.fromkeys(sorted(left), -WAITING_LOOK_MS)
        self._emptied = dict.fromkeys(projects, now_ms + CLEAR_UP_MS)
        return left

    def _due(self, live: Sequence[str], now_ms: int) -> list[str]:
        waiting = [one for one in self._waiting.items() if one[0] not in live]
        rested = [name for name, at_ms in waiting if not 0 <= now_ms - at_ms < WAITING_LOOK_MS]
        return [*live, *rested]

    def _note(self, turns: Sequence[Turn], now_ms: int) -> None:
        for one in turns:
            if waits(one.state):
                self._waiting[one.session] = now_ms
            else:
                self._waiting.pop(one.session, None)
            if _has_lent(one.state):
                self._lending.add(one.session)
            elif one.session in self._lending and one.signals is not None:
                self._lending.discard(one.session)  # given back: by us, or by the person
                self._emptied[one.signals.project] = now_ms + CLEAR_UP_MS

    def _again_seconds(self, turns: Sequence[Turn], *, has_live: bool) -> float | None:
        if has_live and any(one.decision.code != "off" for one in turns):
            return max(LEAST_SECONDS, min(one.wishes.interval_ms for one in turns) / 1000)
        if self._waiting or self._emptied:
            return WAITING_SECONDS
        return None

    # ── what is to be read, and what is to be cleared up ───────────────────────────────────────

    def _tops(self) -> list[str] | None:
        """Where something was written since; None: look everywhere."""
        now_ms = self._clock.now_ms()
        is_new = self._looked_ms is None or not 0 <= now_ms - self._looked_ms < WHOLE_LOOK_MS
        if is_new or self._controller is None:
            self._looked_ms = now_ms
            return None
        bench = self._controller[0]
        return [
            file.path
            for session in self._live
            for file in bench.ledger.windows.files_of_session(session)
            if not file.is_subagent and not file.is_gone and _is_other(file)
        ]

    def _tidied(self, bench: Workbench, controller: Controller, now_ms: int) -> list[str]:
        """Go on with giving histories back where that takes a further step; what was in the way."""
        faults = []
        for project, due_ms in list(self._emptied.items()):
            if now_ms < due_ms and due_ms - now_ms <= CLEAR_UP_MS:
                continue
            if not os.path.isdir(project):
                del self._emptied[project]  # should it come back, the next start finds it
                continue
            due = restore_steps(bench, project)
            if not due and unclear(project):
                self._emptied[project] = now_ms + CLEAR_UP_MS  # somebody is writing it
                continue
            is_given = not due or due[0].id != GIVE_BACK
            if not is_given and self._is_lent(bench, project):
                del self._emptied[project]  # it will be given back by the turn of its session
                continue
            fault = controller.clear_up(project) if is_given else controller.give_back(project)
            if fault:
                faults.append(fault)
            if due:
                self._emptied[project] = now_ms + CLEAR_UP_MS
            else:
                del self._emptied[project]
        return faults

    def _is_lent(self, bench: Workbench, project: str) -> bool:
        """Whether a session that waits has the setting: then its own turn gives it back."""
        control = bench.ledger.control
        here = [one for one in self._waiting if control.project_of(one) == project]
        return any(_has_lent(state_of(control.state(one) or "")) for one in here)


def _drop_old(bench: Workbench, before_ms: int, left: set[str]) -> None:
    """Remember nothing of sessions that nobody has looked at since then, and that have nothing."""
    control = bench.ledger.control
    old = [one for one in control.states(before_ms) if one not in left]
    if old:
        with control.transaction() as writing:
            for session in old:
                writing.drop_state(session)


def _live_sessions(bench: Workbench, now_ms: int) -> list[str]:
    found = bench.ledger.active_sessions(now_ms - LIVE_MS, now_ms + AHEAD_MS, MOST_SESSIONS)
    return [one.session for one in found]


def _has_lent(state: State | None) -> bool:
    return state is not None and any(
        one.receipt.lever == HISTORY and not one.back for one in state.pulled
    )


def _is_other(file: WindowFile) -> bool:
    """Whether a transcript is another one than was read: its size and its time say so."""
    try:
        found = os.stat(file.path)
    except OSError:
        return True
    return (found.st_size, found.st_mtime_ns) != (file.size_bytes, file.mtime_ns)
