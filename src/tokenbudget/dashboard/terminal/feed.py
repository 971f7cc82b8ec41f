"""Asks the source for frames in a thread of its own, so that a slow source delays only data.

One request waits at most: asking again while the source is busy replaces what is to be asked next.
"""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.dashboard.view_model import Frame

CLOSING_SECONDS = 1.0
"""How long leaving waits for an idle source to close; for a busy one it does not wait at all."""


class FrameSource(Protocol):
    """Where frames come from. Made, asked and closed in one and the same thread."""

    def next_frame(self, chosen: str) -> Frame:
        """The present, with this session chosen; '' is the one used last. May take seconds.

        Raises:
            TokenBudgetError: there is none to be had now.
        """

    def close(self) -> None:
        """Let go of everything."""


class Answer(NamedTuple):
    """What came of asking once."""

    chosen: str
    frame: Frame | None
    fault: str
    """One sentence; '' where there is a frame."""


class Feed:
    """The thread around a source."""

    def __init__(
        self, source_of: Callable[[], FrameSource], deliver: Callable[[Answer], object]
    ) -> None:
        """`deliver` is called in the feed's thread, once for each time that the source was asked.

        `source_of` may fail like the source itself; it is then called again with the next request.
        """
        self._source_of = source_of
        self._deliver = deliver
        self._source: FrameSource | None = None
        self._change = threading.Condition()
        self._wanted: str | None = None
        self._is_busy = False
        self._is_over = False
        # A daemon: the interpreter does not wait for it when a person leaves.
        self._thread = threading.Thread(target=self._run, name="tokens-frames", daemon=True)

    def start(self) -> None:
        """Begin; nothing is asked yet."""
        self._thread.start()

    def ask(self, chosen: str) -> None:
        """Have the source asked as soon as it is free. Returns at once."""
        with self._change:
            self._wanted = chosen
            self._change.notify()

    def stop(self) -> None:
        """No more answers. A busy source is left behind: it is closed when it comes back."""
        with self._change:
            self._is_over = True
            is_busy = self._is_busy
            self._change.notify()
        if not is_busy and self._thread.is_alive():
            self._thread.join(CLOSING_SECONDS)

    def _run(self) -> None:
        try:
            while (chosen := self._next_wanted()) is not None:
                answer = self._asked(chosen)
                with self._change:
                    self._is_busy = False
                    if self._is_over:
                        break
                self._deliver(answer)
        finally:
            if self._source is not None:
                self._source.close()

    def _next_wanted(self) -> str | None:
        with self._change:
            self._change.wait_for(lambda: self._is_over or self._wanted is not None)
            if self._is_over:
                return None
            chosen, self._wanted = self._wanted, None
            self._is_busy = True
            return chosen

    def _asked(self, chosen: str) -> Answer:
        try:
            if self._source is None:
                self._source = self._source_of()
            return Answer(chosen, self._source.next_frame(chosen), "")
        except TokenBudgetError as exc:
            return Answer(chosen, None, str(exc))
        except Exception as exc:  # noqa: BLE001 (a fault of ours must not leave a picture that looks fresh)
            return Answer(chosen, None, f"{type(exc).__name__}: {exc}; r tries again")
