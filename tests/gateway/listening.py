"""A listener on a real port, each of whose connections is served in a thread of a crew."""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import abstractmethod
from collections.abc import Iterator

from tests.gateway.daemons import until

from tokenbudget.gateway.daemon.crew import Crew, Guest


class Listening:
    """Begins with the object, and ends with `close`."""

    def __init__(self, most: int) -> None:
        self._may_read = threading.Event()
        self._may_read.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.crew = Crew(self._served, most, "http")
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @abstractmethod
    def serve(self, guest: Guest) -> None:
        """Answer one connection."""

    def _served(self, guest: Guest) -> None:
        self._may_read.wait(20)
        self.serve(guest)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.crew.take(self._listener.accept()[0])

    def connected(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    @contextlib.contextmanager
    def not_reading(self) -> Iterator[None]:
        """Meanwhile nothing is read: what is sent is there before anybody's patience begins."""
        self._may_read.clear()
        try:
            yield
        finally:
            self._may_read.set()

    def close(self) -> None:
        """End all of it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.crew.dismiss_all()
        self._thread.join(5)
        until(lambda: self.crew.count == 0)
