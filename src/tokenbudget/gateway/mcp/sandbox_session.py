"""One worker of the sandbox and the variables in it, as `monty` gives them to us.

A feed is driven step by step: the worker stops at every name that it does not know and at every
call of a tool, and is told here what that is. So a tool costs nothing until code names it, no
call passes by, and answers come back as a value or as something to wait for, as the code needs
it. Everything that goes wrong is told by one of three exceptions.
"""

from __future__ import annotations

import contextlib
import os
import signal
from functools import partial
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_monty import (
        AsyncFunctionSnapshot,
        AsyncFutureSnapshot,
        AsyncMonty,
        AsyncMontySession,
        AsyncSnapshot,
    )

    from tokenbudget.gateway.mcp.sandbox_calls import Calls
    from tokenbudget.gateway.mcp.sandbox_values import Limits

_STEPS, _STEPS_PER_CALL = 2_000, 4
"""Of one run: names, calls, imports. A loop that only asks for what is not there ends here."""


class Place(NamedTuple):
    """Where an error is: in which feed, in which line of what was fed."""

    feed: str
    line: int


class CodeFailed(Exception):
    """The code raised an error; the session goes on."""

    def __init__(self, kind: str, message: str, places: tuple[Place, ...]) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.places = places
        """From the outermost to the innermost."""


class SessionLost(Exception):
    """The worker ended or must be ended; the message says why, the variables are gone."""


class WorkerCrashed(SessionLost):
    """The worker ended by itself, or something killed it."""


class Printed:
    """What code prints, its beginning kept."""

    def __init__(self, most_chars: int) -> None:
        self._most = most_chars
        self._parts: list[str] = []
        self.total = 0

    def take(self, _stream: str, text: str) -> None:
        """One more piece."""
        room = self._most - self.total
        if room > 0:
            self._parts.append(text[:room])
        self.total += len(text)

    @property
    def text(self) -> str:
        """What is kept of it."""
        return "".join(self._parts)


class Session:
    """A worker that was started, until `end`."""

    def __init__(self, pool: AsyncMonty, session: AsyncMontySession, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits
        self._session = session
        self.feeds = 0
        """How many feeds there were; a state that was read back brings its own."""
        self.pid = session.worker_pid

    @property
    def next_feed(self) -> str:
        """The name under which the next feed is in errors and positions."""
        return f"<python-input-{self.feeds}>"

    async def feed(self, code: str, calls: Calls, printed: Printed) -> Callable[[], object]:
        """Run code to its end; gives a way to read what it returned.

        Raises:
            CodeFailed: the code raised an error.
            SessionLost: the worker is gone, or cannot be trusted with another run.
        """
        from pydantic_monty import MontyComplete, MontyError

        self.feeds += 1
        try:
            code = code if code.strip() else "pass"  # one without any code would not be counted
            step = await self._session.feed_start(code, print_callback=printed.take)
            for _ in range(_STEPS + _STEPS_PER_CALL * self._limits.calls):
                if isinstance(step, MontyComplete):
                    return partial(getattr, step, "output")  # made only when it is read
                step = await _answered(step, calls)
        except MontyError as error:
            raise self._told(error) from None
        except (RuntimeError, TypeError, ValueError, OSError) as error:
            raise SessionLost(f"the sandbox broke down: {error}") from error
        raise SessionLost("the code asked for names and tools without end")

    async def state(self) -> bytes:
        """All variables, for `started`. Raises SessionLost."""
        from pydantic_monty import MontyError

        try:
            return await self._session.dump()
        except (MontyError, RuntimeError, OSError) as error:
            raise SessionLost("the state of the sandbox could not be read") from error

    async def load(self, state: bytes, feeds: int) -> None:
        """Read variables back into a session that has had no feed yet. Raises SessionLost."""
        from pydantic_monty import MontyError

        try:
            await self._session.load_session(state)
        except (MontyError, RuntimeError, OSError) as error:
            raise SessionLost("the state of the sandbox could not be read back") from error
        self.feeds = feeds

    async def end(self) -> None:
        """End the worker, whatever it does now."""
        self.kill()
        with contextlib.suppress(Exception):  # whatever monty says of a worker that we killed
            await self._session.__aexit__(None, None, None)
        with contextlib.suppress(Exception):
            await self._pool.__aexit__(None, None, None)

    def kill(self) -> None:
        """End the worker at once, from any thread."""
        pid, self.pid = self.pid, None
        if pid is not None:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _told(self, error: Exception) -> Exception:
        """An error of monty as one of ours."""
        from pydantic_monty import MontyCrashedError, MontyRuntimeError, MontySyntaxError

        if isinstance(error, MontyCrashedError):
            if error.timed_out:
                return self._too_long()
            return WorkerCrashed("the sandbox crashed")
        if self._session.worker_pid is None:
            return SessionLost(f"the code needed more than {self._limits.memory_mb} MB")
        if not isinstance(error, (MontyRuntimeError, MontySyntaxError)):
            return CodeFailed("Error", str(error), ())
        kind, _, message = error.display("type-msg").partition(": ")
        if kind == "TimeoutError" and "time limit" in message:
            return self._too_long()
        frames = error.traceback()
        return CodeFailed(kind, message, tuple(Place(one.filename, one.line) for one in frames))

    def _too_long(self) -> SessionLost:
        return SessionLost(f"the code computed for more than {self._limits.run_seconds:g} s")


async def _answered(step: AsyncSnapshot, calls: Calls) -> AsyncSnapshot:
    """The next step after what stopped this one."""
    from pydantic_monty import AsyncFunctionSnapshot, AsyncFutureSnapshot, AsyncNameLookupSnapshot

    if isinstance(step, AsyncNameLookupSnapshot):
        if step.object_id is None and calls.has(step.variable_name):
            return await step.resume(value=_stub(step.variable_name))
        return await step.resume()
    if isinstance(step, AsyncFunctionSnapshot):
        return await _called(step, calls)
    assert isinstance(step, AsyncFutureSnapshot)
    return await _waited(step, calls)


async def _called(step: AsyncFunctionSnapshot, calls: Calls) -> AsyncSnapshot:
    if (
        step.is_os_function
    ):  # files, environment, imports: the sandbox says itself that there are none
        return await step.resume_not_handled()
    name = str(step.function_name)
    if step.object_id is not None or not calls.has(name):
        return await step.resume({"exception": calls.unknown(name)})
    try:
        args, kwargs = step.args, step.kwargs
    except (ValueError, TypeError, OverflowError) as error:  # such as a number of 5,000 digits
        return await step.resume({"exception": ValueError(str(error))})
    calls.begin(step.call_id, name, args, kwargs)
    position = step.position
    if step.allow_eager_await or calls.is_awaited(position.filename, position.start):
        return await step.resume({"future": ...})
    return await step.resume(await calls.answer(step.call_id))


async def _waited(step: AsyncFutureSnapshot, calls: Calls) -> AsyncSnapshot:
    return await step.resume(await calls.answers(step.pending_call_ids))


def _stub(name: str) -> object:
    """What stands in the sandbox for a tool: its name counts, it is never called here."""

    def stub() -> None:
        return None

    stub.__name__ = name
    return stub
