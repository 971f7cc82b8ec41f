"""The door for hooks over HTTP: open while hooks know a secret, and while the port can be had."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from tokenbudget.gateway.daemon.crew import Crew, Guest
from tokenbudget.gateway.daemon.http_exchange import Service, serve_connection
from tokenbudget.gateway.daemon.listening import http_listener
from tokenbudget.gateway.daemon.secret import known_secret
from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from tokenbudget.model.protocols import Clock

PORT_AGAIN_SECONDS = 10.0
"""A port that is taken is tried again after that."""
MOST_AT_ONCE = 48


class Door(NamedTuple):
    """How it stands."""

    is_wanted: bool
    port: int
    """0 while it is closed."""
    trouble: str


class HttpDoor:
    """Opens and closes itself, whenever it is minded."""

    def __init__(
        self,
        home: str,
        port: int,
        reply_to: Callable[[bytes], bytes],
        health: Callable[[], Mapping[str, object]],
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._home = home
        self._port = port
        self._clock = clock
        self._log = log
        self._secret = ""
        self._trouble = ""
        self._tried = 0.0
        self._service = Service(port, lambda: self._secret, reply_to, health, clock)
        self.listener: socket.socket | None = None
        self.crew = Crew(self._serve, MOST_AT_ONCE, "http")

    def _serve(self, guest: Guest) -> None:
        serve_connection(guest, self._service)

    def minded(self) -> Door:
        """Open or close it as it should be now."""
        try:
            self._secret = known_secret(self._home)
        except TokenBudgetError as exc:
            self._secret, self._trouble = "", str(exc)
        is_wanted = bool(self._secret)
        if is_wanted and self.listener is None:
            self._open()
        elif not is_wanted and self.listener is not None:
            self.close()
            self.crew.dismiss_all()
            self._trouble = ""
        return Door(is_wanted, 0 if self.listener is None else self._port, self._trouble)

    def _open(self) -> None:
        now = self._clock.monotonic_seconds()
        if self._trouble and now - self._tried < PORT_AGAIN_SECONDS:
            return
        self._tried = now
        try:
            self.listener = http_listener(self._port)
        except OSError as exc:
            if not self._trouble:
                self._log(f"port {self._port} cannot be had: {exc.strerror}")
            self._trouble = (
                f"port {self._port} of 127.0.0.1 cannot be had ({exc.strerror}): hooks over HTTP go"
                " unanswered, command hooks are served; free it, or set serve.port and install"
                " again"
            )
        else:
            self._trouble = ""
            self._log(f"serves HTTP on port {self._port}")

    def close(self) -> None:
        """Take no more connections."""
        if self.listener is not None:
            with contextlib.suppress(OSError):
                self.listener.close()
            self.listener = None
