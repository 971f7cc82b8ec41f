"""The client before the gateway, as the servers behind it see it: asked, told, and may be gone."""

from __future__ import annotations

import itertools
import threading
from typing import NamedTuple, Protocol

from tokenbudget.gateway.mcp.signature_text import cut, quoted
from tokenbudget.gateway.mcp.values import CallRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

Message = dict[str, object]

ANSWER_SECONDS = 600.0
"""A person may have gone for a coffee; the agent's own limit for a call is longer."""
_IDS = "tokenbudget-"


class Request(NamedTuple):
    """What came with one request of the client that is still being answered."""

    client: Client
    token: object
    """Its `progressToken`; None where it wants no progress."""


class Told(Protocol):
    """Sends a message to the client; whether it could be sent."""

    def __call__(self, message: Message) -> bool:
        """From any thread."""


class Client:
    """One client: what it announced, and the questions that it has not answered yet."""

    def __init__(self, send: Told) -> None:
        self._send = send
        self._turn = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[Message]]] = {}
        self.capabilities: Mapping[str, object] = {}
        self.label = ""
        """Name and version as it says them, on one line."""

    def introduced(self, params: Mapping[str, object]) -> None:
        """What `initialize` says of it."""
        capabilities, info = params.get("capabilities"), params.get("clientInfo")
        self.capabilities = capabilities if isinstance(capabilities, dict) else {}
        if isinstance(info, dict):
            parts = [info.get("name"), info.get("version")]
            self.label = cut(quoted(" ".join(p for p in parts if isinstance(p, str))), 80)

    @property
    def can_be_asked(self) -> bool:
        """Whether it shows a person a form."""
        said = self.capabilities.get("elicitation")
        return isinstance(said, dict) and (not said or "form" in said)

    def notify(self, method: str, params: Mapping[str, object] | None = None) -> None:
        """Tell it something; one that is gone is not told."""
        message: Message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = dict(params)
        self._send(message)

    async def ask(self, method: str, params: Mapping[str, object]) -> Message:
        """Its answer to a request.

        Raises:
            CallRefused: it cannot, will not, or did not answer in time.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        number = f"{_IDS}{next(self._numbers)}"
        future: asyncio.Future[Message] = loop.create_future()
        with self._turn:
            self._asked[number] = (loop, future)
        try:
            asked: Message = {"jsonrpc": "2.0", "id": number, "method": method}
            if not self._send({**asked, "params": dict(params)}):
                raise CallRefused("the client cannot be reached")
            return _result(await asyncio.wait_for(future, ANSWER_SECONDS), method)
        except TimeoutError:
            self.notify("notifications/cancelled", {"requestId": number})
            raise CallRefused(f"the client did not answer {method}") from None
        except asyncio.CancelledError:
            self.notify("notifications/cancelled", {"requestId": number})
            raise
        finally:
            with self._turn:
                self._asked.pop(number, None)

    def answered(self, message: Message) -> None:
        """An answer came; one that nobody waits for is dropped."""
        number = message.get("id")
        with self._turn:
            asked = self._asked.pop(number, None) if isinstance(number, str) else None
        if asked is not None:
            loop, future = asked
            _in_loop(loop, lambda: None if future.done() else future.set_result(message))


def _in_loop(loop: asyncio.AbstractEventLoop, do: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(do)
    except RuntimeError:  # it is closed: nobody waits there any more
        return


def _result(message: Message, method: str) -> Message:
    result = message.get("result")
    if isinstance(result, dict):
        return result
    raise CallRefused(f"the client refused {method}")
