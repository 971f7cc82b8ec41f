"""Code of the agent, run in a process of its own that has no files, no network, no environment.

One session for the gateway: variables live on from run to run, `last` is the value of the last
run. Runs wait for each other. Whatever a run does, it ends that run only: after a crash, a limit
or a cancellation the next one finds a new worker with the variables as they were before, or is
told that they are lost.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tokenbudget.gateway.mcp import sandbox_words as words
from tokenbudget.gateway.mcp.sandbox_calls import Calls, CallsEnded, TooManyCalls
from tokenbudget.gateway.mcp.sandbox_code import read
from tokenbudget.gateway.mcp.sandbox_launcher import keep_descriptors
from tokenbudget.gateway.mcp.sandbox_outcomes import (
    Run,
    error_of,
    listed,
    outcome_of,
    refused,
)
from tokenbudget.gateway.mcp.sandbox_patience import patience
from tokenbudget.gateway.mcp.sandbox_session import (
    CodeFailed,
    Printed,
    SessionLost,
    WorkerCrashed,
)
from tokenbudget.gateway.mcp.sandbox_shown import (
    PRELUDE,
    show_code,
    shown_directly,
    shown_of,
    taken,
    without,
)
from tokenbudget.gateway.mcp.sandbox_starting import SandboxMissing, started, strength_here
from tokenbudget.gateway.mcp.sandbox_values import Functions, Limits, NoFunctions, Outcome
from tokenbudget.gateway.mcp.stores import Stores

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.sandbox_code import Reading
    from tokenbudget.gateway.mcp.sandbox_session import Session
    from tokenbudget.model.protocols import Clock

_MOST_FEEDS = 200
"""Feeds whose positions are remembered; functions of older ones get their answers at once."""
_CLOSING = "the gateway is closing"


class _Kept(NamedTuple):
    """The variables as they were after the last run that the worker survived."""

    state: bytes
    feeds: int


class Sandbox:
    """One session: variables live on from run to run; runs wait for each other."""

    def __init__(self, folder: str, clock: Clock, limits: Limits | None = None) -> None:
        """`folder` is ours (0700): the launcher and an empty folder for the worker go there."""
        self._folder = folder
        self._clock = clock
        self._limits = limits or Limits()
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._kept: _Kept | None = None
        kept_mb = min(self._limits.kept_mb, self._limits.memory_mb // 4)
        self._stores = Stores(kept_mb * 1_000_000)
        self._readings: dict[str, Reading] = {}
        self._running: Run | None = None
        self._is_closing = False

    async def prepare(self) -> None:
        """Start the worker before the first run needs it; a fault is told by that run."""
        async with self._turn:
            try:
                await self._ready([])
            except SandboxMissing:
                return

    async def run(self, code: str, functions: Functions) -> Outcome:
        """What became of the code; raises nothing but CancelledError."""
        async with self._turn:
            begun_seconds = self._clock.monotonic_seconds()
            if len(code) > self._limits.code_chars:
                return refused(f"the code has {len(code)} of {self._limits.code_chars} characters")
            awaited = {feed: one.awaited for feed, one in self._readings.items()}
            calls = Calls(functions, self._limits, awaited)
            run = Run(read(code), calls, Printed(self._limits.output_chars))
            if name := taken(run.reading.assigned):
                return refused(f"the name {words.bounded(name, 60)} is taken; use another")
            self._running = run
            try:
                await self._guarded(run, awaited)
            finally:
                self._running = None
                await calls.cancel()
            took_ms = 1_000 * (self._clock.monotonic_seconds() - begun_seconds)
            return outcome_of(run, self._stores, took_ms)

    async def close(self) -> None:
        """End the worker, and the runs that there are. A later run begins anew."""
        self._is_closing = True
        if self._running is not None:
            await self._running.calls.cancel()
            self.kill()
        async with self._turn:
            await self._end_session()
            self._is_closing = False

    def strength(self) -> tuple[str, ...]:
        """What holds the worker here: `process`, `limits`, `memory`, `network`, `privileges`.

        Tried out, which takes some milliseconds; nothing where code cannot be run.
        """
        return strength_here(self._folder, self._limits)

    def kill(self) -> None:
        """End the worker at once, from any thread: for signal handlers."""
        session = self._session
        if session is not None:
            session.kill()

    async def _guarded(self, run: Run, awaited: dict[str, frozenset[int]]) -> None:
        """Carry the run out; every fault but a cancellation becomes its error."""
        limits = self._limits
        try:
            async with patience(limits.whole_seconds, self._clock, run.calls.paused_seconds):
                await self._tried(run, awaited)
                await self._keep(run)
        except CodeFailed as failed:
            run.error = error_of(failed, run, self._readings)
        except SandboxMissing as missing:
            run.error = str(missing)
        except CallsEnded:
            await self._lose(run, _CLOSING)
        except TooManyCalls as many:
            await self._lose(run, f"{many} in one run")
        except TimeoutError:
            await self._lose(run, f"the run took longer than {limits.whole_seconds:g} s")
        except SessionLost as lost:
            await self._lose(run, str(lost))
        except asyncio.CancelledError:
            await run.calls.cancel()
            await self._end_session()
            raise

    async def _tried(self, run: Run, awaited: dict[str, frozenset[int]]) -> None:
        """The run; a second time where the worker was found dead before it called anything."""
        for attempt in (1, 2):
            session = await self._ready(run.notes)
            awaited[session.next_feed] = run.reading.awaited
            self._readings[session.next_feed] = run.reading
            try:
                await self._fed(session, run)
            except WorkerCrashed:
                if attempt == 2 or run.calls.count or run.printed.total:
                    raise
                await self._end_session()
            else:
                return

    async def _fed(self, session: Session, run: Run) -> None:
        try:
            output = await session.feed(run.reading.fed, run.calls, run.printed)
            if not run.reading.is_read:
                run.shown = shown_directly(output(), self._limits.output_chars)
            unawaited = await run.calls.finish()
            if unawaited:
                calls = "call was" if unawaited == 1 else "calls were"
                run.notes.append(f"{unawaited} {calls} made but never awaited.")
        except CodeFailed as failed:
            run.error = error_of(failed, run, self._readings)
            await run.calls.cancel()
        await self._show(session, run, has_value=run.reading.has_value and not run.error)

    async def _show(self, session: Session, run: Run, *, has_value: bool) -> None:
        most = self._limits.output_chars
        code = show_code(most, run.reading.assigned, has_value=has_value)
        try:
            answer = (await session.feed(code, self._no_calls(), Printed(0)))()
            read_out = shown_of(answer, most)
        except CodeFailed as failed:
            if failed.kind == "MemoryError":  # what the code left takes all of it
                raise SessionLost(
                    f"the code needed more than {self._limits.memory_mb} MB"
                ) from None
            read_out = None
        if read_out is None:
            raise SessionLost("the code changed names that the gateway needs")
        shown, sizes = read_out
        run.shown = shown if has_value else run.shown
        run.sizes = {name: size for name, size in sizes.items() if not run.calls.has(name)}
        self._stores.seen(run.sizes, (*run.reading.assigned, *run.reading.used, "last"))

    async def _keep(self, run: Run) -> None:
        """Hold the variables, so that a crash of a later run does not take them along."""
        session = self._session
        if session is None:
            return
        try:
            state = await self._light_state(session, run)
        except (CodeFailed, SessionLost):
            await self._end_session()
            run.notes.append(f"Too much to keep: {words.UNDONE}")
            return
        if len(state) > self._stores.most_bytes:  # what the code itself left: begin anew
            await self._end_session()
            self._forget(run.notes)
            return
        self._kept = _Kept(state, session.feeds)
        for feed in list(self._readings)[:-_MOST_FEEDS]:
            del self._readings[feed]

    async def _light_state(self, session: Session, run: Run) -> bytes:
        """The state of the session, after the oldest variables were let go if it is too much.

        What is too large by estimate is never read: reading it may end the worker.
        """
        await self._let_go(session, run, sum(run.sizes.values()))
        state = await session.state()
        if len(state) <= self._stores.most_bytes:
            return state
        await self._let_go(session, run, len(state))
        return await session.state()

    async def _let_go(self, session: Session, run: Run, total_bytes: int) -> None:
        gone = self._stores.too_much(total_bytes, run.sizes)
        if not gone:
            return
        await session.feed(without(gone), self._no_calls(), Printed(0))
        self._stores.let_go(gone)
        for name in gone:
            run.sizes.pop(name, None)
        most = words.size_text(self._stores.most_bytes)
        run.notes.append(f"Let go, now None: {listed(gone)} (at most {most} are kept).")

    async def _ready(self, notes: list[str]) -> Session:
        """The session, started anew where there is none.

        Raises:
            SandboxMissing: it cannot be started.
        """
        if self._is_closing:
            raise SandboxMissing(_CLOSING)
        if self._session is None:
            keep_descriptors()
            kept = self._kept
            try:
                self._session = await started(self._folder, self._limits, *(kept or (None, 0)))
            except SessionLost:
                self._forget(notes)
                self._session = await started(self._folder, self._limits, None, 0)
            if not self._session.feeds:
                await self._session.feed(PRELUDE, self._no_calls(), Printed(0))
        return self._session

    def _no_calls(self) -> Calls:
        """For code of our own: it calls nothing."""
        return Calls(NoFunctions(), self._limits, {})

    async def _lose(self, run: Run, why: str) -> None:
        """The run ends, and with it its worker."""
        run.error = run.error or why
        await run.calls.cancel()
        await self._end_session()
        if self._kept is not None:
            run.notes.append(words.UNDONE)
        else:
            self._forget(run.notes)

    def _forget(self, notes: list[str]) -> None:
        if self._stores.names:
            notes.append(words.LOST)
        self._kept = None
        self._stores.clear()

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.end()
