"""A server behind an address: the official SDK's transports, bounded, in one task for their life.

The SDK enters and leaves a transport in the same task or not at all, so each lives in a task of
its own, and messages cross by its streams. What comes is cut off at the longest message; an
answer that sends the client to a log-in is told as such: the gateway signs in nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import NamedTuple

from tokenbudget.gateway.mcp import hub_stateless as stateless
from tokenbudget.gateway.mcp.hub_held import HeldChanges
from tokenbudget.gateway.mcp.hub_lines import message_in
from tokenbudget.gateway.mcp.hub_peer import RequestRefused, SessionGone
from tokenbudget.gateway.mcp.hub_sieve import UNASKED_HTTP_SECONDS, Sieve
from tokenbudget.gateway.mcp.values import CallFailed
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    import httpx2
    from mcp.client._transport import TransportStreams

    from tokenbudget.gateway.mcp.hub_output import Arrivals
    from tokenbudget.gateway.mcp.server_config import ServerConfig

CONNECT_SECONDS = 30.0
VERSION_HEADER = "mcp-protocol-version"
_UNREAD, _TOO_LONG = "Failed to parse", re.compile(r"more than [0-9,]+ bytes")
_STAND_INS = frozenset({"Server returned an error response", "Not Found", "Session terminated"})
"""The SDK's words where an answer has none of its own."""
_NEEDS_EXTRA = "servers behind an address need the extra `mcp`: pip install 'tokenbudget[mcp]'"


class HttpLimits(NamedTuple):
    """How much and how long."""

    message_bytes: int
    quiet_seconds: float


class HttpServer:
    """One connection to a server behind an address. Made by `HttpServer`, begun by `open`."""

    def __init__(self, config: ServerConfig, limits: HttpLimits) -> None:
        """`config` is one whose variables are filled in."""
        self._name = one_line(config.name)
        self._config = config
        self._limits = limits
        self._life: asyncio.Task[None] | None = None
        self._streams: TransportStreams | None = None
        self._arrivals: Arrivals | None = None
        self.refusal = ""
        """What the last response with an HTTP error meant; '' after one without."""
        self.version = ""
        """The negotiated version of the protocol, which every later request names."""

    async def open(self, arrivals: Arrivals) -> None:
        """Connect. Raises CallFailed."""
        self._arrivals = arrivals
        try:
            await asyncio.to_thread(_load)
        except ImportError:
            raise CallFailed(f"{self._name}: {_NEEDS_EXTRA}") from None
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.get_running_loop().create_task(self._live(arrivals, ready))
        await ready

    async def send(self, message: Mapping[str, object]) -> None:
        """Send one message. Raises CallFailed."""
        import anyio
        from mcp.shared.inbound import encode_header_value
        from mcp.shared.message import ClientMessageMetadata, SessionMessage
        from mcp_types import jsonrpc_message_adapter

        if self._streams is None:
            raise CallFailed(f"{self._name} is not connected")
        headers = {VERSION_HEADER: self.version} if self.version else {}
        if self.version == stateless.VERSION:
            told = stateless.headers_of(message)
            headers.update((name, encode_header_value(value)) for name, value in told.items())
        try:
            said = jsonrpc_message_adapter.validate_python(message, by_name=False)
            one = SessionMessage(said, ClientMessageMetadata(headers=headers or None))
            await self._streams[1].send(one)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise CallFailed(f"{self._name} {self.refusal or 'broke the connection'}") from None
        except ValueError:
            raise CallFailed("the arguments cannot be written as JSON") from None

    @property
    def _has_session(self) -> bool:
        return self.version not in ("", stateless.VERSION)

    async def close(self, patience_seconds: float) -> None:
        """End the connection, and the session where the server keeps one."""
        life, self._life = self._life, None
        if life is None:
            return
        for seconds in (patience_seconds + 1, 1):  # first it may say good-bye to the server
            life.cancel()
            await asyncio.wait([life], timeout=seconds)

    def terminate(self) -> None:
        """Nothing of it runs here."""

    def told_by(self, refused: RequestRefused) -> CallFailed:
        """What a refusal means: some are the SDK's words for what it could not read."""
        said = str(refused.error.get("message"))
        if self.refusal and said in _STAND_INS:
            return CallFailed(f"{self._name} {self.refusal}")
        if _UNREAD in said:
            size = _TOO_LONG.search(said)
            why = f"has {size[0]}: ask for less" if size else "is no JSON that can be read"
            return CallFailed(f"{self._name}: the answer {why}")
        return refused

    async def _live(self, arrivals: Arrivals, ready: asyncio.Future[None]) -> None:
        """The whole life of the connection; ends when it is lost or cancelled."""
        why = "broke the connection"
        try:
            async with self._transport() as streams:
                self._streams = streams
                ready.set_result(None)
                sieve = Sieve(asyncio.get_running_loop().time(), UNASKED_HTTP_SECONDS)
                held = HeldChanges(sieve, arrivals)
                with contextlib.closing(held):
                    async for item in streams[0]:
                        if not isinstance(item, Exception):
                            message = item.message.model_dump(by_alias=True, exclude_unset=True)
                            await _handed_on(message, sieve, held, arrivals)
        except asyncio.CancelledError:
            why = "was stopped"
            raise
        except Exception as failure:  # noqa: BLE001 - of any library below, and in groups
            why = _told(failure)
        finally:
            self._streams = None
            said = f"{self._name} {self.refusal or why}"
            if not ready.done():
                ready.set_exception(CallFailed(said))
            arrivals.lose(said)

    @contextlib.asynccontextmanager
    async def _transport(self) -> AsyncIterator[TransportStreams]:
        from mcp.client.sse import sse_client
        from mcp.client.streamable_http import streamable_http_client

        config, most = self._config, self._limits.message_bytes
        transport: AbstractAsyncContextManager[TransportStreams]
        if config.transport == "sse":
            transport = sse_client(
                config.url, dict(config.headers), httpx_client_factory=self._client
            )
            async with transport as streams:
                yield streams
            return
        async with self._client(dict(config.headers)) as client:
            transport = streamable_http_client(
                config.url, http_client=client, max_sse_event_size=most
            )
            async with transport as streams:
                yield streams

    def _client(
        self,
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        import httpx2

        quiet = httpx2.Timeout(CONNECT_SECONDS, read=self._limits.quiet_seconds)
        plain = {"Accept-Encoding": "identity", **(headers or {})}
        hooks = {"response": [self._look_at]}
        return httpx2.AsyncClient(headers=plain, timeout=quiet, auth=auth, event_hooks=hooks)

    async def _look_at(self, response: httpx2.Response) -> None:
        """Bound what comes of a response, and note what its status says.

        A body that is packed although none was asked for is not unpacked: it has no bound.
        """
        self.refusal = _refusal(response.status_code)
        if response.status_code == 404 and self._has_session and self._arrivals is not None:
            said = f"{self._name} ended the session"
            self._arrivals.lost_answer(_number_in(response.request), SessionGone(said))
            self._arrivals.lose(said)
        response.headers.pop("content-encoding", None)
        kind = response.headers.get("content-type", "").lower()
        if not kind.startswith("text/event-stream"):  # whose events are bounded one by one
            response.stream = _bounded(response.stream, self._limits.message_bytes)


async def _handed_on(
    message: dict[str, object], sieve: Sieve, held: HeldChanges, arrivals: Arrivals
) -> None:
    """Hand a message on, as fast as it is worth: meanwhile the server has to wait."""
    loop, before = asyncio.get_running_loop(), sieve.dropped
    sieve.hand_on(message, 0, arrivals, loop.time())
    if sieve.dropped > before:
        arrivals.dropped(1)
        held.look()
    if pause := sieve.pause_seconds(loop.time()):
        await asyncio.sleep(pause)


def _load() -> None:
    """The SDK, which takes half a second to import; it may not write to our standard error."""
    import logging

    import mcp.client.sse
    import mcp.client.streamable_http  # noqa: F401

    for name in ("mcp", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _number_in(request: httpx2.Request) -> int:
    """The number of the request that was sent so; -1 where it was none of ours."""
    message = message_in(request.content) if request.method == "POST" else None
    number = message.get("id") if message else None
    return number if isinstance(number, int) else -1


def _bounded(stream: Any, most_bytes: int) -> Any:
    """The stream of a body that breaks off when it is too long."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size_bytes = 0
            async for piece in stream:
                size_bytes += len(piece)
                if size_bytes > most_bytes:
                    raise httpx2.StreamError(f"more than {most_bytes:,} bytes")
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()


def _refusal(status: int) -> str:
    if status in (401, 403):
        return (
            f"refused the request (HTTP {status}): it wants a key in `headers` or a log-in (OAuth),"
            " which the gateway cannot do"
        )
    return f"answered with HTTP {status}" if status >= 400 else ""


def _told(failure: BaseException) -> str:
    """The innermost failure of a group, in a few words; no address, which may hold a key."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    kind = type(failure).__name__
    if kind == "SSEError":
        return f"sent what cannot be taken: {one_line(str(failure)[:200])}"
    return f"cannot be reached ({kind})"
