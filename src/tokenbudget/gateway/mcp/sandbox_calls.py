"""The calls that one run of code makes: counted, side by side up to a limit, ended with the run."""

from __future__ import annotations

import asyncio

from tokenbudget.gateway.mcp.sandbox_plain import clean
from tokenbudget.gateway.mcp.sandbox_values import ToolFailed
from tokenbudget.gateway.mcp.sandbox_words import bounded, near_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_monty import ExternalSettledResult

    from tokenbudget.gateway.mcp.sandbox_values import Functions, Limits

MOST_ERROR_CHARS = 4_000
"""Of what a server says of an error, inside of the code."""
_END_SECONDS = 5.0
_BEYOND = 500
"""Calls beyond the limit that are answered with an error, before the run is ended."""


class TooManyCalls(Exception):
    """The code goes on calling after it was told that it may not."""


class CallsEnded(Exception):
    """The calls of a run were ended from outside, so the run cannot go on."""


class Calls:
    """What one run calls."""

    def __init__(
        self, functions: Functions, limits: Limits, awaited: Mapping[str, frozenset[int]]
    ) -> None:
        """`awaited`: by name of a feed, where in it the calls begin that are awaited later."""
        self._functions = functions
        self._limits = limits
        self._awaited = awaited
        self._gate = asyncio.Semaphore(limits.concurrent_calls)
        self._tasks: dict[int, asyncio.Task[ExternalSettledResult]] = {}
        self.count = 0

    def has(self, name: str) -> bool:
        """Whether a name is that of a tool."""
        return self._functions.has(name)

    def near(self, name: str) -> Sequence[str]:
        """The tools that look like a name that is none."""
        return self._functions.near(name)

    def paused_seconds(self) -> float:
        """For how long a person has been asked."""
        return self._functions.paused_seconds()

    def unknown(self, name: str) -> Exception:
        """What the code is told that calls something which is not there."""
        near = near_text(self._functions.near(name))
        return NameError(
            bounded(f"no function or tool {name}" + (f"; {near}" if near else ""), 400)
        )

    def is_awaited(self, feed: str, start: int) -> bool:
        """Whether a call is awaited later, by where it stands."""
        return start in self._awaited.get(feed, ())

    def begin(
        self, call_id: int, name: str, args: Sequence[object], kwargs: dict[str, object]
    ) -> None:
        """Start a call. Raises TooManyCalls."""
        self.count += 1
        if self.count > self._limits.calls + _BEYOND:
            raise TooManyCalls(f"more than {self._limits.calls} calls")
        self._tasks[call_id] = asyncio.create_task(self._made(name, args, kwargs))

    async def answer(self, call_id: int) -> ExternalSettledResult:
        """The answer of a call, when it is there."""
        task = self._tasks[call_id]
        await asyncio.wait([task])
        self._tasks.pop(call_id, None)
        return _settled(task)

    async def answers(self, call_ids: Sequence[int]) -> dict[int, ExternalSettledResult]:
        """The answers that are there, at least one."""
        waiting = [self._tasks[one] for one in call_ids if one in self._tasks]
        if waiting:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not self._tasks:
                raise CallsEnded
            done = [one for one in call_ids if one in self._tasks and self._tasks[one].done()]
            return {one: _settled(self._tasks.pop(one)) for one in done}
        return {one: {"exception": RuntimeError("a call of another run")} for one in call_ids}

    async def finish(self) -> int:
        """Wait for calls that the code started and never awaited; gives how many."""
        left = list(self._tasks.values())
        self._tasks.clear()
        if left:
            await asyncio.wait(left)
        return len(left)

    async def cancel(self) -> None:
        """End all calls; none goes on after the run."""
        left = list(self._tasks.values())
        self._tasks.clear()
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_END_SECONDS)

    async def _made(
        self, name: str, args: Sequence[object], kwargs: dict[str, object]
    ) -> ExternalSettledResult:
        """One call as the sandbox is told of it; raised is only that the call itself is ended."""
        if self.count > self._limits.calls:
            most = self._limits.calls
            return {"exception": RuntimeError(f"{name}: more than {most} calls in one run")}
        try:
            async with self._gate:
                return {"return_value": await self._functions.call(name, args, kwargs)}
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return {"exception": RuntimeError(f"{name}: the call was ended")}  # behind us, not here
        except ToolFailed as failed:
            return {"exception": RuntimeError(f"{name}: {_cut(failed)}")}
        except (PermissionError, TypeError, ValueError, RuntimeError) as error:
            kind = next(k for k in (PermissionError, TypeError, ValueError, RuntimeError)
                        if isinstance(error, k))  # fmt: skip
            return {"exception": kind(_cut(error))}
        except Exception as error:  # noqa: BLE001 - a fault of ours ends this call, not the run
            fault = f"{name}: the gateway failed: {type(error).__name__}: {_cut(error)}"
            return {"exception": RuntimeError(fault)}


def _settled(task: asyncio.Task[ExternalSettledResult]) -> ExternalSettledResult:
    if task.cancelled():
        raise CallsEnded
    return task.result()


def _cut(error: Exception) -> str:
    """What an error says, as the sandbox can take it; what is cut shows."""
    said = clean(str(error))
    return said if len(said) <= MOST_ERROR_CHARS else said[: MOST_ERROR_CHARS - 1] + "…"
