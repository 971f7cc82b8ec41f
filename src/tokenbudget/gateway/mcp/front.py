"""One conversation with a client: JSON-RPC messages in, messages out, as plain objects.

What can be said from memory (the handshake, lists, finding, describing) is said at once, with the
standard library alone. What needs a server or the sandbox is handed to the engine and answered
when it is done. Whatever comes, the conversation goes on.
"""

from __future__ import annotations

import json
import threading

from tokenbudget.gateway.mcp.client import Client, Request
from tokenbudget.gateway.mcp.front_answers import FrontAnswers, Later, Rejected
from tokenbudget.gateway.mcp.pass_through import Nobody
from tokenbudget.gateway.mcp.signature_text import cut, quoted
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

    from tokenbudget.gateway.mcp.backroom import Backroom
    from tokenbudget.gateway.mcp.client import Message, Told
    from tokenbudget.gateway.mcp.engine import Engine
    from tokenbudget.gateway.mcp.front_answers import Desk

    Work = Callable[[Backroom], Coroutine[object, object, object]]

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR = -32602, -32603
MOST_REASON_CHARS = 400


class Front:
    """The conversation with one client."""

    def __init__(self, desk: Desk, engine: Engine, send: Told) -> None:
        """`send` is called from any thread, one message at a time."""
        self.client = Client(send)
        self._engine = engine
        self._send = send
        self._answers = FrontAnswers(desk, self.client)
        self._is_prepared = False
        self._turn = threading.Lock()
        self._running: dict[str | int, Future[object] | None] = {}
        self._are_all_answered = threading.Condition(self._turn)

    def take_line(self, line: bytes) -> None:
        """One message as bytes; what is no JSON is answered as the protocol says."""
        if not line.strip():
            return
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self._refuse(None, PARSE_ERROR, "this is not JSON")
            return
        self.take(message)

    def take(self, message: object) -> None:
        """One message: a request, a notification, or the answer to a request of ours."""
        if not isinstance(message, dict):
            self._refuse(None, INVALID_REQUEST, "a message is an object; batches are not taken")
            return
        method, number = message.get("method"), message.get("id")
        params = message.get("params")
        given = params if isinstance(params, dict) else {}
        if method is None and number is not None and ("result" in message or "error" in message):
            self.client.answered(message)
        elif not isinstance(method, str):
            self._refuse(None, INVALID_REQUEST, "a message has a method, or is an answer")
        elif "id" not in message:
            self._notified(method, given)
        elif isinstance(number, bool) or not isinstance(number, (str, int)):
            self._refuse(None, INVALID_REQUEST, "the id of a request is a text or a number")
        else:
            self._asked(number, method, given)

    def wait(self, seconds: float) -> bool:
        """Wait until everything is answered; whether it is."""
        with self._turn:
            return self._are_all_answered.wait_for(lambda: not self._running, seconds)

    def cancel_all(self) -> None:
        """What is still running is not wanted any more."""
        with self._turn:
            running = [future for future in self._running.values() if future is not None]
        for future in running:
            future.cancel()

    def close(self) -> None:
        """The client is gone: nothing is answered any more."""
        self.cancel_all()
        if self._engine.is_started:
            self._in_background(lambda: self._engine.submit(lambda room: room.left(self.client)))

    # ── requests ──────────────────────────────────────────────────────────────────────────────────

    def _asked(self, number: str | int, method: str, params: Message) -> None:
        try:
            answer = self._answers.to(method, params)
        except Rejected as exc:
            self._refuse(number, exc.code, str(exc))
            return
        except Exception as exc:  # noqa: BLE001 - the client is told, and the next request is taken
            self._refuse(number, INTERNAL_ERROR, _fault(exc))
            return
        if isinstance(answer, Later):
            self._answer_later(number, answer, params)
        else:
            self._send({"jsonrpc": "2.0", "id": number, "result": answer})
            self._after(method)

    def _answer_later(self, number: str | int, later: Later, params: Message) -> None:
        meta = params.get("_meta")
        token = meta.get("progressToken") if isinstance(meta, dict) else None
        is_token = isinstance(token, (str, int)) and not isinstance(token, bool)
        request = Request(self.client, token if is_token else None)
        with self._turn:
            if number in self._running:
                number_is_free = False
            else:
                number_is_free, self._running[number] = True, None
        if not number_is_free:
            self._refuse(number, INVALID_REQUEST, "a request with this id is still running")
            return
        try:
            future = self._submitted(lambda room: later.work(room, request))
        except Exception as exc:  # noqa: BLE001 - as above
            self._over(number)
            self._refuse(number, INTERNAL_ERROR, _fault(exc))
            return
        with self._turn:
            self._running[number] = future
        future.add_done_callback(lambda done: self._done(number, done))

    def _done(self, number: str | int, future: Future[object]) -> None:
        """Answer with what came of it; of what was cancelled nothing is said."""
        try:
            if not future.cancelled():
                self._tell(number, future)
        finally:
            self._over(number)

    def _tell(self, number: str | int, future: Future[object]) -> None:
        fault = future.exception()
        if fault is None:
            self._send({"jsonrpc": "2.0", "id": number, "result": future.result()})
        elif isinstance(error := getattr(fault, "error", None), dict) and "code" in error:
            self._send({"jsonrpc": "2.0", "id": number, "error": error})  # the server's own refusal
        elif isinstance(fault, (CallRefused, CallFailed, Nobody)):
            self._refuse(number, INVALID_PARAMS, str(fault))
        else:
            self._refuse(number, INTERNAL_ERROR, _fault(fault))

    def _over(self, number: str | int) -> None:
        with self._turn:
            self._running.pop(number, None)
            if not self._running:
                self._are_all_answered.notify_all()

    def _after(self, method: str) -> None:
        """Who has found something will run something: make ready while the agent thinks."""
        if method == "tools/call" and not self._is_prepared:
            self._is_prepared = True
            self._in_background(lambda: self._submitted(lambda room: room.prepared(self.client)))

    def _submitted(self, work: Work) -> Future[object]:
        """Have work done in the loop, where this client is known from then on."""

        async def done(room: Backroom) -> object:
            room.came(self.client)
            return await work(room)

        return self._engine.submit(done)

    # ── notifications ─────────────────────────────────────────────────────────────────────────────

    def _notified(self, method: str, params: Message) -> None:
        if method == "notifications/cancelled":
            number = params.get("requestId")
            if isinstance(number, bool) or not isinstance(number, (str, int)):
                return
            with self._turn:
                future = self._running.get(number)
            if future is not None:
                future.cancel()
        elif method == "notifications/initialized":
            if self._answers.is_anything_unknown():
                self._in_background(lambda: self._submitted(lambda room: room.settled(0.0)))
        elif method == "notifications/roots/list_changed" and self._engine.is_started:
            self._in_background(
                lambda: self._submitted(lambda room: room.hub.notify(method, params))
            )

    def _in_background(self, do: Callable[[], object]) -> None:
        """Do what nobody waits for; the reader of messages does not wait for the loop either."""

        def quietly() -> None:
            try:
                do()
            except Exception:  # noqa: BLE001 - nobody waits for it, so nobody can be told
                return

        threading.Thread(target=quietly, daemon=True).start()

    def _refuse(self, number: str | int | None, code: int, reason: str) -> None:
        error = {"code": code, "message": cut(quoted(reason), MOST_REASON_CHARS)}
        self._send({"jsonrpc": "2.0", "id": number, "error": error})


def _fault(exc: BaseException) -> str:
    return f"the gateway failed at this ({type(exc).__name__}: {exc}); other requests go on"
