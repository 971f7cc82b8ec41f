"""End the daemon of a home, and nothing else."""

from __future__ import annotations

import os
import signal

from tokenbudget.gateway.daemon.instance import holder_of, listener_of
from tokenbudget.model.errors import ProjectUnusable, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.protocols import Clock

PATIENCE_SECONDS = 4.0
KILL_SECONDS = 2.0
_PAUSE_SECONDS = 0.02
_ASK_SECONDS = 0.5


def stop_daemon(home: str, clock: Clock) -> int:
    """End it and wait until it has ended; its process, 0 where none runs.

    It is ended by its process id, which has to be the one that the lock's file names while the lock
    is held, and the one that listens on the socket where the kernel says so.

    Raises:
        Refused: who holds the lock is not certain; nothing was ended.
        ProjectUnusable: it cannot be ended, or its lock cannot be looked at.
    """
    try:
        holder = holder_of(home)
    except OSError as exc:
        raise ProjectUnusable(f"cannot look at {home}/run ({exc.strerror})") from exc
    if not holder.is_there:
        return 0
    if not holder.pid or _listener(home) not in (0, holder.pid):
        raise Refused(
            f"a daemon of {home} runs, but which process it is cannot be told for certain; end it"
            " by hand"
        )
    for number, seconds in ((signal.SIGTERM, PATIENCE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        _send(home, holder.pid, number)
        if _has_ended(home, holder.pid, seconds, clock):
            return holder.pid
    raise ProjectUnusable(f"the daemon, process {holder.pid}, cannot be ended; end it by hand")


def _listener(home: str) -> int:
    try:
        return listener_of(home, _ASK_SECONDS)
    except OSError:  # it hangs or its socket is gone: the lock alone says who it is
        return 0


def _send(home: str, pid: int, number: signal.Signals) -> None:
    """Send a signal to that very process: what takes over its id meanwhile is not met."""
    if not hasattr(os, "pidfd_open"):
        if holder_of(home).pid == pid:
            _kill(pid, number)
        return
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except OSError:  # a kernel without it
        _kill(pid, number)
        return
    try:
        if holder_of(home).pid == pid:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _kill(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _has_ended(home: str, pid: int, seconds: float, clock: Clock) -> bool:
    end = clock.monotonic_seconds() + seconds
    while clock.monotonic_seconds() < end:
        holder = holder_of(home)
        if not holder.is_there or holder.pid not in (0, pid):
            return True
        clock.sleep(_PAUSE_SECONDS)
    return False
