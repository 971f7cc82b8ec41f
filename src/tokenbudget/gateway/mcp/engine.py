"""The thread with the event loop: servers, code and questions live there, and only there.

It is started when something first needs it, so that whoever only finds tools never pays for it.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from tokenbudget.gateway.mcp.backroom import Backroom

START_SECONDS = 30.0
CLOSE_SECONDS = 3.0


class EngineStopped(Exception):
    """The loop is gone, or could not be started."""


class Engine:
    """Runs what takes time, beside whoever reads the client's messages."""

    def __init__(self, build: Callable[[], Backroom]) -> None:
        """`build` is called in the thread, once."""
        self._build = build
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_ready = threading.Event()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._backroom: Backroom | None = None
        self._fault = ""

    @property
    def is_started(self) -> bool:
        """Whether the thread was started."""
        return self._thread is not None

    def start(self) -> None:
        """Start the thread unless it runs; waits for nothing."""
        with self._turn:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
                self._thread.start()

    def submit(
        self, work: Callable[[Backroom], Coroutine[object, object, object]]
    ) -> Future[object]:
        """Have something done in the loop; `cancel` of what it gives back cancels the work.

        Raises:
            EngineStopped: there is no loop.
        """
        import asyncio

        self.start()
        if self._thread is not None:
            self._is_ready.wait(START_SECONDS)
        if self._loop is None or self._backroom is None or self._is_closed:
            raise EngineStopped(self._fault or "the gateway is stopping")
        return asyncio.run_coroutine_threadsafe(work(self._backroom), self._loop)

    def close(self) -> None:
        """End everything in order; returns when it is gone, or after three seconds."""
        with self._turn:
            self._is_closed = True
            thread, loop, backroom = self._thread, self._loop, self._backroom
        if thread is None:
            return
        if loop is None or backroom is None:
            self._is_ready.wait(CLOSE_SECONDS)
            loop, backroom = self._loop, self._backroom
        if loop is not None and backroom is not None and loop.is_running():
            self._closed_in_order(loop, backroom)
        self.kill()

    def kill(self) -> None:
        """End all processes at once; from any thread, in a signal handler too."""
        self._is_closed = True
        if self._backroom is not None:
            self._backroom.kill()

    def _closed_in_order(self, loop: asyncio.AbstractEventLoop, backroom: Backroom) -> None:
        import asyncio
        from concurrent.futures import TimeoutError as TookTooLong

        try:
            asyncio.run_coroutine_threadsafe(backroom.close(), loop).result(CLOSE_SECONDS)
        except (TookTooLong, RuntimeError, OSError):
            backroom.kill()
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        import asyncio

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            self._backroom = self._build()
            self._loop = loop
        except Exception as exc:  # noqa: BLE001 - whoever waits is told; the front goes on
            self._fault = f"the gateway cannot run tools: {type(exc).__name__}: {exc}"[:300]
            loop.close()
            return
        finally:
            self._is_ready.set()
        try:
            loop.run_forever()
        finally:
            _cancel_all(loop)
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
    loop.run_until_complete(loop.shutdown_asyncgens())
