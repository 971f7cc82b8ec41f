"""Where the alerts hang in what runs anyway: the refresh of the status line, the monitor's tick."""

from __future__ import annotations

from tokenbudget.app.alert_delivery import note_look, ring_bells, wake_sender
from tokenbudget.app.alerts import evaluate
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.system.process import reaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.app.live import Tick
    from tokenbudget.config.settings import Settings
    from tokenbudget.dashboard.view_model import Decision, Frame

MOST_DECISIONS = 20


class AlertsAfter:
    """What the alerts do in a refresh of the status line; see `app.statusline.refresh`."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._due: tuple[Settings, int | None, int] | None = None

    def __call__(self, bench: Workbench, window: SessionWindow) -> int:
        """How many alerts the status line marks."""
        now_ms = bench.clock.now_ms()
        outcome = evaluate(bench, {self._session: window}, now_ms)
        note_look(bench.settings.data_dir, now_ms)
        self._due = (bench.settings, outcome.next_work_ms, now_ms)
        return outcome.marks(self._session)

    def wake(self) -> bool:
        """Start the sender if it is needed, once the figures are written; see `wake_sender`."""
        try:
            return self._due is not None and wake_sender(*self._due) > 0
        except (OSError, NotImplementedError):  # the next evaluator tries again
            return False


class AlertStep:
    """What the alerts do at each tick of the monitor; see `app.live.LiveSource`."""

    def __init__(
        self,
        ring: Callable[[str], object] | None = None,
        wake: Callable[[Settings, int | None, int], int] = wake_sender,
    ) -> None:
        """`ring` writes to the terminal, where there is one."""
        self._ring = ring
        self._wake = wake
        self._decisions: tuple[Decision, ...] = ()
        self._senders: list[int] = []

    def __call__(self, bench: Workbench, tick: Tick) -> Frame:
        """The frame with the alerts in it; a fault of theirs is told there."""
        windows = {}
        if tick.facts is not None and tick.window is not None:
            windows[tick.facts.session] = tick.window
        frame = tick.frame
        try:
            outcome = evaluate(bench, windows, frame.made_at_ms)
            note_look(bench.settings.data_dir, frame.made_at_ms)
            if self._ring is not None:
                ring_bells(bench, self._ring, bench.clock)
            self._start_sender(bench.settings, outcome.next_work_ms, frame.made_at_ms)
        except Exception as failure:  # noqa: BLE001  the view goes on without its alerts
            return frame._replace(faults=(*frame.faults, fault_of(failure)))
        self._decisions = (*self._decisions, *outcome.decisions)[-MOST_DECISIONS:]
        return frame._replace(
            alerts=outcome.lines,
            decisions=(*frame.decisions, *self._decisions),
            faults=(*frame.faults, *outcome.faults),
        )

    def _start_sender(self, settings: Settings, due_ms: int | None, now_ms: int) -> None:
        """Start one where it is needed; those that have ended leave nothing behind."""
        self._senders = [pid for pid in self._senders if not reaped(pid)]
        started = self._wake(settings, due_ms, now_ms)
        if started:
            self._senders.append(started)


def fault_of(failure: Exception) -> str:
    """What went wrong with the alerts, in words that hold no secret."""
    is_ours = isinstance(failure, TokenBudgetError)
    return f"the alerts could not be looked at: {failure if is_ours else type(failure).__name__}"
