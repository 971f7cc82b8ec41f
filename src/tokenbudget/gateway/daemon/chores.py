"""What is done beside the hooks: when, in what order, and by a process of its own.

Reading a session takes the interpreter for so long that a hook would wait for it: measured in
docs/serve.md. So a worker process does it, at a low priority, and the daemon only says what.
`Schedule` decides and touches nothing; `Chores` carries it out.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.gateway.daemon.worker import Worker
    from tokenbudget.model.protocols import Clock

REFRESH, SETTINGS, SWEEP, CONTROL = "refresh", "settings", "sweep", "control"

REFRESH_AGAIN_SECONDS = 5.0
"""A session's figures are made anew no more often; as the status line has it."""
SWEEP_SECONDS = 600.0
SETTINGS_SECONDS = 2.0
"""How often the settings' files are looked at."""
LONGEST_JOB_SECONDS = 900.0
"""A worker that takes longer is ended: the first read of a large corpus takes a minute or two."""
REST_SECONDS = 300.0
"""A worker without work is sent home after that: it holds more memory than the daemon."""
MOST_JOBS = 500
"""Then it is replaced, so that nothing that it holds can grow without end."""
PAUSE_AFTER_FAULT_SECONDS = 30.0
MOST_WISHES = 64
MOST_REMEMBERED = 256
FIRST_CONTROL_SECONDS = 2.0
"""So long after its beginning a daemon has the controller look what an earlier one left."""
AFTER_OTHERS_SECONDS = 1.0
"""So much later than everything else the controller has its turn after a fault."""
WAITING_SECONDS = 7_200.0
"""So much longer a daemon stays for what the controller lent or marked: no cache lives longer than
an hour, and the next daemon puts back what is left."""
LEAST_CONTROL_SECONDS = 1.0
MOST_CONTROL_SECONDS = 3_600.0


class Job(NamedTuple):
    """One thing for the worker to do."""

    kind: str
    session: str = ""
    folder: str = ""
    """Where the session works, which says whose project settings hold."""


class ControlTold(NamedTuple):
    """What the worker says after a turn of the controller, behind its fault and a tab."""

    again_seconds: float | None = None
    """When it is to look next; None: when a hook comes."""
    is_waiting: bool = False
    """Whether something stands out that was lent or is awaited: the daemon should not end."""

    def text(self) -> str:
        """As one word; `of` reads it."""
        again = "-" if self.again_seconds is None else f"{self.again_seconds:g}"
        return f"{again},{'waits' if self.is_waiting else ''}"

    @classmethod
    def of(cls, text: str) -> ControlTold:
        """What `text` wrote; what cannot be read says nothing."""
        again, _, waits = text.partition(",")
        try:
            seconds = float(again)
        except ValueError:
            return cls(None, waits == "waits")
        if not LEAST_CONTROL_SECONDS <= seconds <= MOST_CONTROL_SECONDS:  # nor NaN
            seconds = MOST_CONTROL_SECONDS
        return cls(seconds, waits == "waits")


class Schedule:
    """What is to be done next; times are seconds of a monotonic clock."""

    def __init__(self, now: float, control_at: float | None = None) -> None:
        """`control_at` is when the controller looks for the first time, unless a hook comes."""
        self._control_at = control_at
        self._controlled = now
        self._wishes: dict[str, str] = {}
        self._refreshed: dict[str, float] = {}
        self._settings_changed = False
        self._has_news = False
        self._swept = now

    def note(self, session: str, folder: str) -> None:
        """This session's figures are wanted; of too many the oldest wish is forgotten."""
        self._has_news = True
        if session not in self._wishes and len(self._wishes) >= MOST_WISHES:
            del self._wishes[next(iter(self._wishes))]
        self._wishes[session] = folder

    def note_settings(self) -> None:
        """The settings have changed."""
        self._settings_changed = True

    def note_control(self, at: float | None) -> None:
        """When the controller is to look again; None: when a hook comes."""
        self._control_at = at

    def call_control(self, now: float) -> None:
        """Have the controller look soon, for a session is at work."""
        if self._control_at is None:
            self._control_at = max(now, self._controlled + REFRESH_AGAIN_SECONDS)

    def next_job(self, now: float) -> Job | None:
        """What to do now; it is no longer wished for then."""
        if self._settings_changed:
            self._settings_changed = False
            return Job(SETTINGS)
        if self._control_at is not None and now >= self._control_at:
            self._control_at, self._controlled = None, now
            return Job(CONTROL)
        for session, folder in self._wishes.items():
            last = self._refreshed.get(session)
            if last is None or now - last >= REFRESH_AGAIN_SECONDS:
                return self._refresh(session, folder, now)
        if self._has_news and now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            self._has_news = False
            return Job(SWEEP)
        return None

    def _refresh(self, session: str, folder: str, now: float) -> Job:
        del self._wishes[session]
        self._refreshed.pop(session, None)
        self._refreshed[session] = now
        if len(self._refreshed) > MOST_REMEMBERED:
            del self._refreshed[next(iter(self._refreshed))]
        return Job(REFRESH, session, folder)


class Chores:
    """Has one worker do what the schedule says, one job at a time.

    Called by one thread, but for `note`.
    """

    def __init__(
        self,
        start_worker: Callable[[], Worker],
        settings_mark: Callable[[], object],
        clock: Clock,
        log: Callable[[str], None],
        *,
        has_controller: bool = False,
    ) -> None:
        """Build it; nothing is begun.

        Args:
            start_worker: Starts the process that does what is to be done.
            settings_mark: Another value whenever the settings' files are other ones.
            clock: Tells the time.
            log: Is told of faults.
            has_controller: Whether the worker has a controller, which is to look now and then.
        """
        self._has_controller = has_controller
        self._control = ControlTold()
        self._start_worker = start_worker
        self._settings_mark = settings_mark
        self._clock = clock
        self._log = log
        self._mark = settings_mark()
        now = clock.monotonic_seconds()
        self._schedule = Schedule(now, now + FIRST_CONTROL_SECONDS if has_controller else None)
        self._noted: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._looked = now
        self._worker: Worker | None = None
        self._job: Job | None = None
        self._since = now
        """When the present job began, else when the last one ended."""
        self._not_before = now
        self.refreshed = 0
        self.faults = 0

    def note(self, session: str, folder: str) -> None:
        """Have this session's figures brought up to date soon."""
        self._noted.put((session, folder))

    def descriptor(self) -> int | None:
        """Becomes readable when `turn` has something to learn."""
        return None if self._worker is None else self._worker.descriptor

    @property
    def is_busy(self) -> bool:
        """Whether the worker is at something."""
        return self._job is not None

    @property
    def patience_seconds(self) -> float:
        """How much longer than else the daemon is to wait for a hook before it ends."""
        return WAITING_SECONDS if self._control.is_waiting else 0.0

    def turn(self) -> None:
        """Learn what has been done, and have the next thing done."""
        now = self._clock.monotonic_seconds()
        self._hear(now)
        while not self._noted.empty():
            self._schedule.note(*self._noted.get())
            if self._has_controller and not self._is_controlling:
                self._schedule.call_control(now)
        if now - self._looked >= SETTINGS_SECONDS:
            self._looked = now
            mark = self._settings_mark()
            if mark != self._mark:
                self._mark = mark
                self._schedule.note_settings()
                if self._has_controller and not self._is_controlling:
                    self._schedule.call_control(now)
        if self._job is None and now >= self._not_before:
            self._begin_next(now)
        self._end_overdue(now)

    def _hear(self, now: float) -> None:
        if self._worker is None:
            return
        for line in self._worker.heard():
            fault, _, told = line.partition("\t")
            self._note_done(fault, now, told, is_heard=True)
        if self._worker.is_gone:
            if self._job is not None:
                self._note_done("the worker ended", now)
            self._dismiss()

    @property
    def _is_controlling(self) -> bool:
        return self._job is not None and self._job.kind == CONTROL

    def _note_done(self, fault: str, now: float, told: str = "", *, is_heard: bool = False) -> None:
        """A job has ended; a fault that the controller told itself keeps nothing else waiting."""
        job, self._job = self._job, None
        self._since = now
        if job is not None and job.kind == CONTROL:
            self._note_controlled(fault, now, told)
        if fault:
            self.faults += 1
            if not is_heard or job is None or job.kind != CONTROL:
                self._not_before = now + PAUSE_AFTER_FAULT_SECONDS
            self._log(f"{job.kind if job else 'work'} failed: {fault}")
        elif job is not None and job.kind == REFRESH:
            self.refreshed += 1

    def _note_controlled(self, fault: str, now: float, told: str) -> None:
        """After a fault what waited still does, and is looked at again after the pause."""
        if fault:
            self._schedule.note_control(now + PAUSE_AFTER_FAULT_SECONDS + AFTER_OTHERS_SECONDS)
            return
        self._control = ControlTold.of(told)
        again = self._control.again_seconds
        self._schedule.note_control(None if again is None else now + again)

    def _begin_next(self, now: float) -> None:
        job = self._schedule.next_job(now)
        if job is None:
            return
        try:
            if self._worker is None:
                self._worker = self._start_worker()
            self._worker.send(job)
        except OSError as exc:
            self._note_done(f"no worker ({exc.strerror})", now)
            self._dismiss()
            return
        self._job = job
        self._since = now

    def _end_overdue(self, now: float) -> None:
        if self._worker is None:
            return
        if self._job is not None and now - self._since > LONGEST_JOB_SECONDS:
            self._note_done("it took too long", now)
            self._dismiss()
        elif self._job is None and (
            now - self._since > REST_SECONDS or self._worker.sent >= MOST_JOBS
        ):
            self._dismiss()

    def _dismiss(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def close(self) -> None:
        """End the worker; what it has not done is done by the next daemon, or the status line."""
        self._dismiss()
