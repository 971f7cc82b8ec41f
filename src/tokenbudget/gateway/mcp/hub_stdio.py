"""A server as a program of its own: its three pipes, its process group, its end.

The SDK's own reader takes more than half a minute for a line of 50 MB, keeps a line without an end
whole, and loses the session at a byte that is no UTF-8; so the pipes are read here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from functools import partial

from tokenbudget.gateway.mcp.hub_lines import (
    line_of,
)
from tokenbudget.gateway.mcp.hub_output import Errors, Output
from tokenbudget.gateway.mcp.server_environment import environment_of
from tokenbudget.gateway.mcp.values import CallFailed
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.hub_keeper import Keeper
    from tokenbudget.gateway.mcp.hub_log import ServerLog
    from tokenbudget.gateway.mcp.hub_output import Arrivals
    from tokenbudget.gateway.mcp.server_config import ServerConfig

END_SECONDS = 0.3
"""How long a program that closed its output is given to tell how it ended."""
_LOOK_SECONDS = 0.005


class StdioServer:
    """One running program. Made by `started`, ended by `close`."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], keeper: Keeper) -> None:
        self._name = one_line(name)
        self._process = process
        self._keeper = keeper
        self._pipes: list[asyncio.BaseTransport] = []
        self._input = _Input(self._end)
        self._arrivals: Arrivals | None = None
        self._output: Output | None = None
        self._log: ServerLog | None = None
        self._ending: asyncio.Task[None] | None = None
        self._is_gone = False

    async def open(self, arrivals: Arrivals, log: ServerLog, longest_bytes: int) -> None:
        """Begin to read and write."""
        loop = asyncio.get_running_loop()
        process = self._process
        self._arrivals, self._log = arrivals, log
        self._output = output = Output(self._name, arrivals, longest_bytes, self._end)
        for pipe, protocol, connect in (
            (process.stdin, self._input, loop.connect_write_pipe),
            (process.stdout, output, loop.connect_read_pipe),
            (process.stderr, Errors(log), loop.connect_read_pipe),
        ):
            transport, _ = await connect(partial(_same, protocol), pipe)
            self._pipes.append(transport)

    async def send(self, message: Mapping[str, object]) -> None:
        """Write one message; waits while the server does not read. Raises CallFailed."""
        try:
            line = line_of(message)
        except (ValueError, TypeError, RecursionError):
            raise CallFailed("the arguments cannot be written as JSON") from None
        await self._input.has_room.wait()
        if self._input.transport is not None:  # else its end is told in a moment
            self._input.transport.write(line)

    async def close(self, patience_seconds: float) -> None:
        """End its input, then send TERM, then KILL: it is gone after this."""
        self._input.close()
        try:
            if not await self._has_ended(patience_seconds):
                self._signal(signal.SIGTERM)
                await self._has_ended(patience_seconds)
        finally:
            self.kill()
            await asyncio.shield(self._clear_away())

    def kill(self) -> None:
        """End it and all that it started, at once; from any thread."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Have it end, while the keeper sees to it that it does; from any thread.

        A server that is killed cannot end a browser that it started.
        """
        self._signal(signal.SIGTERM if self._keeper.is_there else signal.SIGKILL)

    async def _clear_away(self) -> None:
        await self._has_ended(2.0)
        self._is_gone = True  # from now on its number may be another's
        self._keeper.forget(self._process.pid)
        if self._ending is not None:
            self._ending.cancel()
        self._input.abort()
        for pipe in self._pipes:
            pipe.close()
        await asyncio.sleep(0)  # they close their files in the next round
        for file in (self._process.stdin, self._process.stdout, self._process.stderr):
            if file is not None:
                file.close()

    def _end(self, why: str) -> None:
        """Its input or output is gone, or it is not to go on."""
        if self._ending is None and self._arrivals is not None and self._log is not None:
            work = self._tell_end(why, self._arrivals, self._log)
            self._ending = asyncio.get_running_loop().create_task(work)

    async def _tell_end(self, why: str, arrivals: Arrivals, log: ServerLog) -> None:
        if why:
            self.kill()
        await self._has_ended(END_SECONDS)
        if not why and self._output is not None:
            await self._output.goes_on.wait()  # what it answered may be unread: a second at most
        await asyncio.sleep(_LOOK_SECONDS)  # its last words are on the way
        arrivals.lose(f"{self._name} {why or self._how_ended()}{log.last_words()}")

    def _how_ended(self) -> str:
        code = self._process.poll()
        if code is None:
            return "closed its input or output"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

    async def _has_ended(self, patience_seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_seconds
        while self._process.poll() is None:
            if loop.time() >= until:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._is_gone:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def started(config: ServerConfig, environment: Mapping[str, str], keeper: Keeper) -> StdioServer:
    """Start the program of a config whose variables are filled in. Raises CallFailed."""
    try:
        process = subprocess.Popen(
            [config.command, *config.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=config.cwd or None,
            env=environment_of(config.env, environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as failure:
        said = failure.strerror if isinstance(failure, OSError) else str(failure)
        shown = one_line(config.command[:200])
        raise CallFailed(f"{one_line(config.name)} cannot be started: {shown}: {said}") from None
    keeper.watch(process.pid)
    return StdioServer(config.name, process, keeper)


class _Input(asyncio.Protocol):
    """The server's input."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended
        self.transport: asyncio.WriteTransport | None = None
        self.has_room = asyncio.Event()
        self.has_room.set()

    def close(self) -> None:
        """End it; what is on the way is written first."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """End it, whatever is on the way."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def pause_writing(self) -> None:
        self.has_room.clear()

    def resume_writing(self) -> None:
        self.has_room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.has_room.set()
        self._ended("")


def _same(protocol: asyncio.Protocol) -> asyncio.Protocol:
    return protocol
