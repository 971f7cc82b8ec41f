"""What servers ask of and tell to the client: to which client it goes, and in whose name.

With one client there is no question. With several (over HTTP) it is the one whose request is
running on that server, else the one that came last.
"""

from __future__ import annotations

from tokenbudget.gateway.mcp.signature_text import cut, quoted
from tokenbudget.gateway.mcp.values import CallRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.client import Client
    from tokenbudget.gateway.mcp.values import Catalogue

LOGGED = "notifications/message"
MOST_SAMPLES = 16
"""Requests to the client's model that may wait at once, of all servers."""
MOST_DEPTH, MOST_FIELDS, MOST_WORDS_CHARS = 8, 100, 500
"""Of a form that a server shows."""
_WORDS, _LABELS = ("title", "description"), "enumNames"


class Passage:
    """A `ToClient` over the clients that are there."""

    def __init__(self, learned: Callable[[Catalogue], None]) -> None:
        """`learned` is told what a server lists, new or not."""
        self._learned = learned
        self._clients: dict[Client, None] = {}
        self._running: dict[str, list[Client]] = {}
        self._samples = 0

    @property
    def clients(self) -> list[Client]:
        """All that are there, the latest last."""
        return list(self._clients)

    def seen(self, client: Client) -> None:
        """A client said something."""
        self._clients.pop(client, None)
        self._clients[client] = None

    def gone(self, client: Client) -> None:
        """It will not say anything more."""
        self._clients.pop(client, None)

    def called(self, server: str, client: Client) -> None:
        """A call of this client begins on a server."""
        self._running.setdefault(server, []).append(client)

    def returned(self, server: str, client: Client) -> None:
        """And is over."""
        running = self._running.get(server, [])
        if client in running:
            running.remove(client)

    # ── ToClient ──────────────────────────────────────────────────────────────────────────────────

    def capabilities(self) -> Mapping[str, object]:
        """What the latest client announced."""
        return next(reversed(self._clients)).capabilities if self._clients else {}

    async def sample(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """`sampling/createMessage`. Raises CallRefused."""
        client = self._client(server)
        if "sampling" not in client.capabilities:
            raise CallRefused("the client does not lend its model")
        if self._samples >= MOST_SAMPLES:
            raise CallRefused("too many requests to the client's model wait already")
        self._samples += 1
        try:
            return await client.ask("sampling/createMessage", params)
        finally:
            self._samples -= 1

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """`elicitation/create`, in the server's name. Raises CallRefused.

        Without the name a server could ask in ours: "tokenbudget: allow github.delete_repo?".
        """
        client = self._client(server)
        if "elicitation" not in client.capabilities:
            raise CallRefused("the client cannot ask the person")
        text = params.get("message")
        said = cut(quoted(text), 2_000) if isinstance(text, str) else ""
        named = {**params, "message": f"{cut(quoted(server), 60)} asks: {said}"}
        if "requestedSchema" in params:
            named["requestedSchema"] = _shown(params["requestedSchema"], 0)
        return await client.ask("elicitation/create", named)

    async def roots(self) -> Mapping[str, object]:
        """`roots/list`. Raises CallRefused."""
        client = self._client("")
        if "roots" not in client.capabilities:
            raise CallRefused("the client has no roots")
        return await client.ask("roots/list", {})

    def notify(self, server: str, method: str, params: Mapping[str, object]) -> None:
        """Pass a server's notification on to every client."""
        said = dict(params)
        if method == LOGGED:
            logger = said.get("logger")
            name = cut(quoted(server), 60)
            said["logger"] = f"{name}/{logger}" if isinstance(logger, str) else name
        for client in self.clients:
            client.notify(method, said)

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        """A server was started or changed its tools."""
        self._learned(catalogue)

    def _client(self, server: str) -> Client:
        running = self._running.get(server)
        if running:
            return running[-1]
        if not self._clients:
            raise CallRefused("no client is there")
        return next(reversed(self._clients))


def _shown(schema: object, depth: int) -> object:
    """A form as a person may see it: its words on one line each; what is answered stays exact."""
    if depth > MOST_DEPTH:
        return {}
    if isinstance(schema, list):
        return [_shown(one, depth + 1) for one in schema[:MOST_FIELDS]]
    if not isinstance(schema, dict):
        return schema
    return {key: _part(key, value, depth) for key, value in list(schema.items())[:MOST_FIELDS]}


def _part(key: str, value: object, depth: int) -> object:
    if key in _WORDS and isinstance(value, str):
        return cut(quoted(value), MOST_WORDS_CHARS)
    if key == _LABELS and isinstance(value, list):
        return [cut(quoted(str(one)), MOST_WORDS_CHARS) for one in value[:MOST_FIELDS]]
    return _shown(value, depth + 1)
