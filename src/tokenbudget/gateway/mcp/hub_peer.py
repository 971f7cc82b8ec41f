"""One side of JSON-RPC: what was asked is matched with what is answered. No I/O.

Messages are plain dicts and stay what they are, so a field that we do not know survives. The
other side may answer twice, never, with a wrong id or with nonsense: each call ends, in one way.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from tokenbudget.gateway.mcp.hub_log import quoted
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from tokenbudget.gateway.mcp.hub_values import Progress

MOST_ASKED_AT_A_TIME = 16
"""Requests of a server that are being answered; it is told to wait with more."""
MOST_WAITING = 1_000
"""Messages that wait for the server to read."""
SAID_CHARS = 500

METHOD_NOT_FOUND, INTERNAL_ERROR, REFUSED, BUSY = -32601, -32603, -1, -32000


class RequestRefused(CallFailed):
    """The server answered with an error of its own."""

    def __init__(self, server: str, error: Mapping[str, object]) -> None:
        said = error.get("message")
        text = quoted(said, SAID_CHARS) if isinstance(said, str) else "no reason given"
        super().__init__(f"{one_line(server)} says: {text}")
        self.error = error


class SessionGone(CallFailed):
    """The server no longer knows the session and did nothing with the request: to be repeated."""


class Allowed(NamedTuple):
    """How long an answer may take."""

    quiet_seconds: float
    """Without a word about it."""
    longest_seconds: float


class Handler(Protocol):
    """What the other side asks and says of itself."""

    async def asked(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """Answer a request. Raises LookupError: no such method; CallRefused: will not."""

    def told(self, method: str, params: Mapping[str, object]) -> None:
        """A notification; never raises."""


class _Pending(NamedTuple):
    answer: asyncio.Future[dict[str, object]]
    scope: asyncio.Timeout
    allowed: Allowed
    until: float
    progress: Progress | None


class Peer:
    """The gateway's side towards one server."""

    def __init__(
        self, server: str, send: Callable[[dict[str, object]], Awaitable[None]], handler: Handler
    ) -> None:
        self._server = server
        self._send = send
        self._handler = handler
        self._next_id = 0
        self._pending: dict[int, _Pending] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._asked: dict[int | str, asyncio.Task[None]] = {}
        self._lost = ""

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._pending)

    async def request(
        self,
        method: str,
        params: Mapping[str, object],
        allowed: Allowed,
        progress: Progress | None = None,
    ) -> dict[str, object]:
        """The `result` of one request.

        Raises:
            RequestRefused: the server answered with an error.
            CallFailed: it did not answer in time, was lost, or its answer is none.
        """
        if self._lost:
            raise CallFailed(self._lost)
        loop = asyncio.get_running_loop()
        number = self._next_id = self._next_id + 1
        until = loop.time() + allowed.longest_seconds
        scope = asyncio.timeout_at(min(until, loop.time() + allowed.quiet_seconds))
        pending = _Pending(loop.create_future(), scope, allowed, until, progress)
        message: dict[str, object] = {"jsonrpc": "2.0", "id": number, "method": method}
        message["params"] = _with_token(params, number) if progress else dict(params)
        self._pending[number] = pending
        try:
            async with scope:
                await self._send(message)
                return _result(self._server, await pending.answer)
        except TimeoutError:
            if not scope.expired():
                raise CallFailed(f"{one_line(self._server)} could not be reached") from None
            self._cancel(number, method, "timed out")
            said = f"{one_line(self._server)} did not answer {method}"
            raise CallFailed(f"{said} within {_waited(pending)}") from None
        except asyncio.CancelledError:
            self._cancel(number, method, "no longer needed")
            raise
        finally:
            del self._pending[number]
            if not pending.answer.cancel() and not pending.answer.cancelled():
                pending.answer.exception()  # seen: it came when nobody waited any more

    def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Tell the server something; lost with the server, or where it reads nothing any more."""
        if len(self._working) >= MOST_WAITING:
            return
        self._in_background(
            self._quietly({"jsonrpc": "2.0", "method": method, "params": dict(params)})
        )

    def received(self, message: Mapping[str, object]) -> bool:
        """Take one message of the server; whether it is an answer that is awaited. Never raises."""
        method, number = message.get("method"), message.get("id")
        if isinstance(method, str):
            given = message.get("params")
            params = given if isinstance(given, dict) else {}
            if "id" not in message:
                self._told(method, params)
            elif isinstance(number, (int, str)):
                self._take_request(number, method, params)
        elif (pending := self._pending.get(_number(number))) and not pending.answer.done():
            pending.answer.set_result(dict(message))
            return True
        return False

    def lost_answer(self, number: int | None, why: CallFailed) -> None:
        """An answer came that cannot be read: of this request, or (None) of any."""
        for pending in [p for n, p in self._pending.items() if number in (n, None)]:
            if not pending.answer.done():
                pending.answer.set_exception(why)

    def lose(self, why: str) -> None:
        """The server is gone: every request fails with this sentence, now and later."""
        self._lost = self._lost or why
        self.lost_answer(None, CallFailed(self._lost))
        for task in list(self._working):
            task.cancel()

    def _told(self, method: str, params: Mapping[str, object]) -> None:
        if method == "notifications/cancelled":
            number = params.get("requestId")
            if isinstance(number, (int, str)) and number in self._asked:
                self._asked[number].cancel()
            return
        if method != "notifications/progress":
            self._handler.told(method, params)
            return
        pending = self._pending.get(_number(params.get("progressToken")))
        if pending is not None and pending.progress is not None:
            _renew(pending)
            pending.progress({k: v for k, v in params.items() if k != "progressToken"})

    def _take_request(self, number: int | str, method: str, params: Mapping[str, object]) -> None:
        if number in self._asked:
            return  # asked twice, answered once
        if len(self._asked) >= MOST_ASKED_AT_A_TIME:
            if len(self._working) < MOST_WAITING:  # one that asks and never reads is not answered
                said = {"code": BUSY, "message": "too many requests at a time"}
                self._in_background(self._quietly({"jsonrpc": "2.0", "id": number, "error": said}))
            return
        task = self._in_background(self._answer(number, method, params))
        if task is not None:
            self._asked[number] = task
            task.add_done_callback(lambda _: self._asked.pop(number, None))

    async def _answer(self, number: int | str, method: str, params: Mapping[str, object]) -> None:
        """Answer a request of the server; meanwhile it need not answer ours."""
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.scope.reschedule(pending.until)
        message: dict[str, object] = {"jsonrpc": "2.0", "id": number}
        try:
            message["result"] = dict(await self._handler.asked(method, params))
        except LookupError:
            message["error"] = {"code": METHOD_NOT_FOUND, "message": f"no {one_line(method[:80])}"}
        except CallRefused as refused:
            message["error"] = {"code": REFUSED, "message": str(refused)}
        except Exception:  # noqa: BLE001 - the server must not wait for ever, whatever it is
            message["error"] = {"code": INTERNAL_ERROR, "message": "the gateway failed"}
        finally:
            for pending in self._pending.values():
                _renew(pending)
        await self._quietly(message)

    def _cancel(self, number: int, method: str, reason: str) -> None:
        if method != "initialize":  # which must not be cancelled
            self.notify("notifications/cancelled", {"requestId": number, "reason": reason})

    async def _quietly(self, message: dict[str, object]) -> None:
        try:
            await self._send(message)
        except CallFailed:
            return

    def _in_background(self, work: Coroutine[object, object, None]) -> asyncio.Task[None] | None:
        if self._lost:
            work.close()  # nobody will await it
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task


def _with_token(params: Mapping[str, object], number: int) -> dict[str, object]:
    meta = params.get("_meta")
    known = meta if isinstance(meta, dict) else {}
    return {**params, "_meta": {**known, "progressToken": number}}


def _renew(pending: _Pending) -> None:
    """It was heard of: its quiet time begins anew."""
    if not pending.answer.done():
        now = asyncio.get_running_loop().time()
        pending.scope.reschedule(min(pending.until, now + pending.allowed.quiet_seconds))


def _waited(pending: _Pending) -> str:
    is_longest = (pending.scope.when() or 0.0) >= pending.until
    allowed = pending.allowed
    return f"{allowed.longest_seconds if is_longest else allowed.quiet_seconds:g} seconds"


def _number(value: object) -> int:
    """The number of a request; a server that makes a text of it is understood."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _result(server: str, message: Mapping[str, object]) -> dict[str, object]:
    error, result = message.get("error"), message.get("result")
    if isinstance(error, dict):
        raise RequestRefused(server, error)
    if not isinstance(result, dict):
        raise CallFailed(f"{one_line(server)} answered with something that is no result")
    return result
