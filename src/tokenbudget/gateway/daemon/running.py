"""The daemon: one process per user that answers hooks until nobody asks any more.

It can be killed at any moment. What a hook has changed is written before its answer goes out, by
the decision itself; the daemon holds nothing that is not written. Hooks that find none, or one
that does not answer, decide on their own.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from typing import NamedTuple

from tokenbudget.gateway.daemon.about import About, without_counts, write_about
from tokenbudget.gateway.daemon.crew import Crew, Guest
from tokenbudget.gateway.daemon.exchange import folder_in, serve_one
from tokenbudget.gateway.daemon.file_marks import marks_of, socket_mark
from tokenbudget.gateway.daemon.http_door import HttpDoor
from tokenbudget.gateway.daemon.instance import Instance
from tokenbudget.gateway.daemon.listening import socket_listener
from tokenbudget.gateway.daemon.places import ABOUT, SOCKET, made_run_folder, place
from tokenbudget.model.errors import ProjectUnusable, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.gateway.daemon.chores import Chores
    from tokenbudget.gateway.hooks.handler import Answer
    from tokenbudget.model.protocols import Clock

TURN_SECONDS = 1.0
PROGRAM_CHANGED = "the program was changed"
ABOUT_SECONDS = 5.0
FAREWELL_SECONDS = 1.0
"""For answers that are on the way when the daemon ends."""
MOST_ON_SOCKET = 32


class Wishes(NamedTuple):
    """How a daemon is to be."""

    port: int
    idle_seconds: float
    is_persistent: bool = False
    version: str = ""
    code_files: Sequence[str] = ()
    """When one of them changes, the daemon ends: the next one is of the new version."""


class Daemon:
    """Answers hooks of one home. `open`, then `run`, both in one thread; `stop` from anywhere."""

    def __init__(
        self,
        home: str,
        wishes: Wishes,
        answer: Callable[[bytes, str, int], Answer],
        chores: Chores,
        clock: Clock,
        log: Callable[[str], None],
        close_also: Callable[[], None] = lambda: None,
    ) -> None:
        """`close_also` ends what `answer` has begun."""
        self._home = home
        self._close_also = close_also
        self._wishes = wishes
        self._answer = answer
        self._chores = chores
        self._clock = clock
        self._log = log
        self._instance = Instance(home)
        self._socket: socket.socket | None = None
        self._socket_file: tuple[int, int] | None = None
        self._hooks = Crew(self._serve_hook, MOST_ON_SOCKET, "hook")
        self._counting = threading.Lock()
        self._end_reason = ""
        self._code = marks_of(wishes.code_files)
        now = clock.monotonic_seconds()
        self._last_hook = self._wrote = now
        self._about = About(pid=os.getpid(), started_at_ms=clock.now_ms(), version=wishes.version)
        self._written = About()
        self._http = HttpDoor(home, wishes.port, self._reply_to, self._health, clock, log)
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)

    @property
    def about(self) -> About:
        """What it says of itself."""
        return self._about

    # ── beginning and end ─────────────────────────────────────────────────────────────────────────

    def open(self) -> bool:
        """Become the daemon of this home; False where another one is.

        Raises:
            ProjectUnusable: its folder or its socket cannot be made.
            Refused: something that is not ours stands in the way.
        """
        made_run_folder(self._home)
        if not self._became_the_one():
            return False
        try:
            self._open_socket()
            self._mind_http()
            self._write_about(is_due=True)
        except BaseException:
            self._close()
            raise
        self._log(f"begins: pid {os.getpid()}, version {self._wishes.version}")
        return True

    def _became_the_one(self) -> bool:
        """Take the lock; whoever only looks at it holds it for a moment, too."""
        try:
            for _ in range(10):
                if self._instance.try_acquire():
                    return True
                self._clock.sleep(0.02)
        except OSError as exc:
            raise ProjectUnusable(f"cannot lock {self._home}/run ({exc.strerror})") from exc
        return False

    def _open_socket(self) -> None:
        self._socket = socket_listener(self._home)
        self._socket_file = socket_mark(place(self._home, SOCKET))

    def run(self) -> str:
        """Answer hooks until it is time to end; returns why."""
        try:
            while not self._end_reason:
                self._wait()
                self.turn()
        finally:
            self._log(f"ends: {self._end_reason or 'a fault'}")
            self._close()
        return self._end_reason

    def stop(self, reason: str) -> None:
        """Have it end soon. Signal handlers may call this."""
        self._end_reason = self._end_reason or reason
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: then it is awake already
            os.write(self._wake_in, b".")

    def _close(self) -> None:
        """Let go of everything, the lock last."""
        if self._socket is not None and not self._instance.is_lost():
            if socket_mark(place(self._home, SOCKET)) == self._socket_file:
                with contextlib.suppress(OSError):
                    os.unlink(place(self._home, SOCKET))
            with contextlib.suppress(OSError):
                os.unlink(place(self._home, ABOUT))
        for listener in (self._socket, self._http.listener):
            if listener is not None:
                self._take_last(listener)
                listener.close()
        self._say_farewell()
        self._chores.close()
        self._close_also()
        self._instance.release()
        os.close(self._wake_in)
        os.close(self._wake_out)

    def _take_last(self, listener: socket.socket) -> None:
        """Whoever has connected by now is answered."""
        while self._accept(listener):
            pass

    def _say_farewell(self) -> None:
        self._http.crew.dismiss_all(only_idle=True)
        end = self._clock.monotonic_seconds() + FAREWELL_SECONDS
        while self._hooks.count and self._clock.monotonic_seconds() < end:
            self._clock.sleep(0.01)
        self._hooks.dismiss_all()
        self._http.crew.dismiss_all()

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────

    def _wait(self) -> None:
        """Take connections as they come, until a second is over or there is something to mind."""
        both = (self._socket, self._http.listener)
        doors = {one.fileno(): one for one in both if one is not None}
        told = self._chores.descriptor()
        others = [self._wake_out] if told is None else [self._wake_out, told]
        end = self._clock.monotonic_seconds() + TURN_SECONDS
        ready: list[int] = [*doors]
        while ready and doors.keys() >= set(ready) and self._clock.monotonic_seconds() < end:
            ready, _, _ = select.select([*doors, *others], [], [], TURN_SECONDS)
            for descriptor in doors.keys() & set(ready):
                self._accept(doors[descriptor])
        with contextlib.suppress(OSError):
            os.read(self._wake_out, 4096)

    def _accept(self, listener: socket.socket) -> bool:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return False
        except OSError as exc:  # no descriptors left: others have to end first
            self._log(f"a connection could not be taken: {exc.strerror}")
            self._clock.sleep(0.05)
            return False
        crew = self._hooks if listener is self._socket else self._http.crew
        crew.take(connection)
        return True

    def turn(self) -> None:
        """Whatever is to be minded about once a second."""
        now = self._clock.monotonic_seconds()
        if self._instance.is_lost():
            self.stop("its folder was taken away")
            return
        if socket_mark(place(self._home, SOCKET)) != self._socket_file:
            self._reopen_socket()
        if marks_of(self._wishes.code_files) != self._code:
            self.stop(PROGRAM_CHANGED)
        self._mind_http()
        self._chores.turn()
        patience = self._wishes.idle_seconds + self._chores.patience_seconds
        is_idle = now - self._last_hook >= patience
        if is_idle and not self._about.is_persistent and not self._chores.is_busy:
            self.stop("nobody asked for long")
        self._write_about(is_due=now - self._wrote >= ABOUT_SECONDS)

    def _reopen_socket(self) -> None:
        """Somebody removed or replaced the socket: hooks could not find us."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        try:
            self._open_socket()
            self._log("the socket was gone and is there again")
        except TokenBudgetError as exc:
            self.stop(f"the socket is gone: {type(exc).__name__}")

    def _mind_http(self) -> None:
        door = self._http.minded()
        self._note(
            port=door.port,
            is_persistent=door.is_wanted or self._wishes.is_persistent,
            trouble=door.trouble,
            idle_seconds=0 if door.is_wanted else int(self._wishes.idle_seconds),
        )

    def _note(self, **changes: object) -> None:
        with self._counting:
            self._about = self._about._replace(**changes)  # type: ignore[arg-type]

    def _write_about(self, is_due: bool) -> None:
        """Write down what has changed; counts not at once."""
        self._note(refreshed=self._chores.refreshed, faults=self._chores.faults)
        is_other = without_counts(self._about) != without_counts(self._written)
        if self._about == self._written or not (is_due or is_other):
            return
        self._wrote = self._clock.monotonic_seconds()
        with contextlib.suppress(OSError):  # a full disk: it serves all the same
            write_about(self._home, self._about)
            self._written = self._about

    # ── the hooks ─────────────────────────────────────────────────────────────────────────────────

    def _serve_hook(self, guest: Guest) -> None:
        def reply_to(payload: bytes) -> bytes:
            guest.is_busy = True
            return self._reply_to(payload)

        serve_one(guest.connection, reply_to, self._clock)

    def _health(self) -> dict[str, object]:
        about = self._about
        return {"version": about.version, "started_at_ms": about.started_at_ms}

    def _reply_to(self, payload: bytes) -> bytes:
        """The answer to one hook, and what is to be done behind it."""
        now_ms = self._clock.now_ms()
        self._last_hook = self._clock.monotonic_seconds()
        try:
            done = self._answer(payload, self._home, now_ms)
        except Exception as failure:  # noqa: BLE001 - the agent's turn must not break
            self._log(f"a hook failed: {type(failure).__name__}")
            return b""
        with self._counting:
            self._about = self._about._replace(
                answered=self._about.answered + 1, last_hook_ms=now_ms
            )
        if done.wants_refresh and done.session:
            self._chores.note(done.session, folder_in(payload))
            self._wake()
        return done.reply
