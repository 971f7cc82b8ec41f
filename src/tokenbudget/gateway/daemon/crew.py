"""Connections served side by side, each in a thread, and never more than so many at once."""

from __future__ import annotations

import contextlib
import socket
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Guest:
    """One connection while it is served."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.is_known = False
        """It has shown the secret."""
        self.is_busy = False
        """It has asked a whole question, and its answer is on the way."""

    def dismiss(self) -> None:
        """Have whoever serves it come to an end."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class Crew:
    """Serves connections.

    When there is no room, the longest-standing connection that waits for nothing makes it: first
    among those that have not shown the secret. So whoever holds connections open cannot keep
    others out. Without such a one the new connection is closed, and its client goes on alone.
    """

    def __init__(self, serve: Callable[[Guest], None], most: int, name: str) -> None:
        self._serve = serve
        self._most = most
        self._name = name
        self._guests: list[Guest] = []
        self._lock = threading.Lock()

    def take(self, connection: socket.socket) -> bool:
        """Serve it; False where there is no room, and it was closed."""
        guest = Guest(connection)
        if not self._has_room():
            connection.close()
            return False
        with self._lock:
            self._guests.append(guest)
        try:
            threading.Thread(target=self._run, args=(guest,), name=self._name, daemon=True).start()
        except RuntimeError:  # there may be no further thread now
            self._forget(guest)
            return False
        return True

    def _has_room(self) -> bool:
        with self._lock:
            if len(self._guests) < self._most:
                return True
            idle = [guest for guest in self._guests if not guest.is_busy]
            gone = min(idle, key=lambda guest: guest.is_known, default=None)  # the first, of equals
            if gone is None:
                return False
            self._guests.remove(gone)
        gone.dismiss()
        return True

    def _run(self, guest: Guest) -> None:
        try:
            self._serve(guest)
        except OSError:  # it is gone, too slow, or was dismissed
            pass
        finally:
            self._forget(guest)

    def _forget(self, guest: Guest) -> None:
        guest.connection.close()
        with self._lock, contextlib.suppress(ValueError):
            self._guests.remove(guest)

    @property
    def count(self) -> int:
        """How many are served now."""
        with self._lock:
            return len(self._guests)

    def dismiss_all(self, only_idle: bool = False) -> None:
        """Have them come to an end, or those that wait for nothing."""
        with self._lock:
            guests = [guest for guest in self._guests if not (only_idle and guest.is_busy)]
        for guest in guests:
            guest.dismiss()
