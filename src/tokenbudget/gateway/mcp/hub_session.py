"""One session with one server: from its first word to its last, over whatever transport.

What the server asks on its way goes to the client before the gateway; what it says of itself is
passed on, as far as the reader of it (`hub_sieve`) let it through.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple

from tokenbudget import __version__
from tokenbudget.gateway.mcp import hub_stateless as stateless
from tokenbudget.gateway.mcp.catalogue import MOST_TOOLS, catalogue_of
from tokenbudget.gateway.mcp.hub_dropped import DroppedCount
from tokenbudget.gateway.mcp.hub_http import HttpLimits, HttpServer
from tokenbudget.gateway.mcp.hub_log import quoted
from tokenbudget.gateway.mcp.hub_peer import Allowed, Peer, RequestRefused
from tokenbudget.gateway.mcp.hub_rates import at_a_rate
from tokenbudget.gateway.mcp.hub_stdio import StdioServer, started
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.hub_keeper import Keeper
    from tokenbudget.gateway.mcp.hub_log import ServerLog
    from tokenbudget.gateway.mcp.hub_values import HubLimits, Progress, ToClient
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.values import Catalogue

NEWEST_VERSION = "2025-11-25"
VERSIONS = frozenset({"2024-10-07", "2024-11-05", "2025-03-26", "2025-06-18", NEWEST_VERSION})
MOST_PAGES = 100
MOST_LISTED_CHARS = 32_000_000
"""Of all pages together, the last one not counted; the largest of 15 real lists has 0.4 MB."""
STATE_PAUSE_SECONDS = 0.1
CLIENT = {"name": "tokenbudget", "version": __version__}
_PASSED_ON = frozenset(
    {
        "notifications/message",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/prompts/list_changed",
        "notifications/elicitation/complete",
    }
)


class Surroundings(NamedTuple):
    """What every session shares."""

    limits: HubLimits
    environment: Mapping[str, str]
    keeper: Keeper
    passage: ToClient
    starting: asyncio.Semaphore
    """Servers that start at the same time; the others wait, and not on their own time."""
    dropped: Callable[[str, int], None]
    """Told of a server how many of its notifications nobody read."""


class Session:
    """A server that runs. Made by `Session`, begun by `open`, ended by `close`."""

    def __init__(
        self, config: ServerConfig, around: Surroundings, log: ServerLog, *,
        tools_changed: Callable[[], None], lost: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`config` is one whose variables are filled in."""
        self._config = config
        self._around = around
        self._log = log
        self._tools_changed = tools_changed
        self._lost = lost
        self._server: StdioServer | HttpServer | None = None
        self._hello: dict[str, object] = {}
        self.peer = Peer(config.name, self._send, self)
        self.is_lost = False
        self._dropped = DroppedCount(lambda count: around.dropped(config.name, count))
        self._is_open = False
        self._is_stateless = False
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> Catalogue:
        """Start the server, greet it, ask for its tools. Raises CallFailed."""
        limits = self._around.limits
        try:
            async with self._around.starting, asyncio.timeout(limits.start_seconds):
                await self._connect()
                await self._greet()
                catalogue = await self.tools()
        except TimeoutError:
            said = f"was not ready within {limits.start_seconds:g} seconds{self._log.last_words()}"
            raise CallFailed(f"{one_line(self._config.name)} {said}") from None
        self._is_open = True
        return catalogue

    async def request(
        self, method: str, params: Mapping[str, object], progress: Progress | None = None
    ) -> dict[str, object]:
        """The result of one request. Raises CallFailed, RequestRefused."""
        if not self._is_stateless:
            return await self._requested(method, params, progress)
        for _ in range(stateless.MOST_ROUNDS):
            result = await self._requested(method, self._stamped(params), progress)
            questions = stateless.asked_in(result)
            if questions is None:
                return result
            params = stateless.repeated(params, result, await self._inputs(questions))
        raise CallFailed(f"{one_line(self._config.name)} asks again and again for more input")

    async def _requested(
        self, method: str, params: Mapping[str, object], progress: Progress | None
    ) -> dict[str, object]:
        limits = self._around.limits
        quiet = self._config.call_seconds or limits.call_seconds
        quiet = quiet if self._is_open else 2 * limits.start_seconds  # which ends it earlier
        allowed = Allowed(quiet, max(quiet, limits.longest_call_seconds))
        if method == "tools/call":
            # also where nobody listens it shows that it goes on
            progress = at_a_rate(progress, _now) if progress else _unheard
        try:
            return await self.peer.request(method, params, allowed, progress)
        except RequestRefused as refused:
            if isinstance(self._server, HttpServer):
                raise self._server.told_by(refused) from None
            raise

    async def tools(self) -> Catalogue:
        """What the server lists, page by page. Raises CallFailed."""
        found: list[object] = []
        seen: set[str] = set()
        params: dict[str, object] = {}
        size = 0
        for _ in range(MOST_PAGES if self.offers("tools") else 0):
            page = await self.request("tools/list", params)
            tools, cursor = page.get("tools"), page.get("nextCursor")
            found += tools if isinstance(tools, list) else []
            if not isinstance(cursor, str) or cursor in seen or len(found) >= MOST_TOOLS:
                break
            size += len(repr(tools))
            if size >= MOST_LISTED_CHARS:
                break
            seen.add(cursor)
            params = {"cursor": cursor}
        return catalogue_of(self._config.name, self._hello, found)

    def offers(self, capability: str) -> bool:
        """Whether the server announced it."""
        offered = self._hello.get("capabilities")
        return isinstance(offered, dict) and offered.get(capability) is not None

    async def close(self, patience_seconds: float) -> None:
        """End it; it is gone after this."""
        self.is_lost = True
        self._dropped.tell()
        self.peer.lose(f"{one_line(self._config.name)} was stopped")
        if self._server is not None:
            await self._server.close(patience_seconds)
        if self._listening is not None:
            await asyncio.wait([self._listening])

    def terminate(self) -> None:
        """Have it end; from any thread."""
        if self._server is not None:
            self._server.terminate()

    # What arrives of the server.

    def received(self, message: Mapping[str, object]) -> bool:
        """One message; whether somebody waited for it."""
        return self.peer.received(message)

    def dropped(self, count: int) -> None:
        """The server said so much more than anyone reads."""
        self._dropped.add(count)

    def lost_answer(self, number: int | None, why: CallFailed) -> None:
        """A message that could not be kept."""
        self.peer.lost_answer(number, why)

    def lose(self, why: str) -> None:
        """The server is gone."""
        if not self.is_lost:
            self.is_lost = True
            self.peer.lose(why)
            self._lost(why)

    async def asked(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """A request of the server: what the client before the gateway answers."""
        passage, name = self._around.passage, self._config.name
        if method == "ping":
            return {}
        if method == "roots/list":
            return await passage.roots()
        if method == "sampling/createMessage":
            return await passage.sample(name, params)
        if method == "elicitation/create":
            return await passage.elicit(name, params)
        raise LookupError(method)

    def told(self, method: str, params: Mapping[str, object]) -> None:
        """A notification of the server; how often it may say so, the reader of it has seen to."""
        if method == "notifications/tools/list_changed":
            self._tools_changed()
        elif method in _PASSED_ON:
            self._around.passage.notify(self._config.name, method, params)

    async def _connect(self) -> None:
        limits = self._around.limits
        if self._config.transport == "stdio":
            server = started(self._config, self._around.environment, self._around.keeper)
            self._server = server
            await server.open(self, self._log, limits.message_bytes)
            return
        bounds = HttpLimits(limits.message_bytes, limits.longest_call_seconds)
        self._server = HttpServer(self._config, bounds)
        await self._server.open(self)

    async def _greet(self) -> None:
        """Agree on a revision: an older one by a handshake, else the one without."""
        try:
            await self._shake_hands()
        except RequestRefused:
            if not await self._discovered():
                raise

    async def _shake_hands(self) -> None:
        self._hello = await self.request(
            "initialize",
            {
                "protocolVersion": NEWEST_VERSION,
                "capabilities": self._capabilities(),
                "clientInfo": CLIENT,
            },
        )
        version = self._hello.get("protocolVersion")
        if version not in VERSIONS:
            said = f"speaks version {quoted(str(version), 40)} of the protocol, which is not known"
            raise CallFailed(f"{one_line(self._config.name)} {said}")
        if isinstance(self._server, HttpServer):
            self._server.version = str(version)
        self.peer.notify("notifications/initialized", {})

    async def _discovered(self) -> bool:
        """Whether the server speaks the revision without a handshake; from now on we do."""
        if isinstance(self._server, HttpServer):
            self._server.version = stateless.VERSION
        try:
            discovered = await self._requested("server/discover", self._stamped({}), None)
        except RequestRefused:
            return False
        hello = stateless.hello_in(discovered)
        if hello is None:
            return False
        self._hello = hello
        self._is_stateless = True
        self._listening = asyncio.get_running_loop().create_task(self._listen())
        return True

    async def _listen(self) -> None:
        """Hear what changes at the server, which it tells only whoever asked."""
        ever = Allowed(stateless.EVER_SECONDS, stateless.EVER_SECONDS)
        with contextlib.suppress(CallFailed):
            wanted = self._stamped(stateless.WANTED)
            await self.peer.request(stateless.LISTEN, wanted, ever)

    async def _inputs(self, questions: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
        """What a server asked for in its answer; it is asked one after the other."""
        found: dict[str, object] = {}
        for key, question in questions.items():
            method, params = question.get("method"), question.get("params")
            given = params if isinstance(params, dict) else {}
            try:
                found[key] = dict(await self.asked(str(method), given))
            except (LookupError, CallRefused) as refused:
                said = f"{one_line(self._config.name)} asks for what it does not get: {refused}"
                raise CallFailed(said) from None
        if not found:
            await asyncio.sleep(STATE_PAUSE_SECONDS)  # it wants to be asked again later
        return found

    def _stamped(self, params: Mapping[str, object]) -> dict[str, object]:
        return stateless.stamped(params, CLIENT, self._capabilities())

    def _capabilities(self) -> dict[str, object]:
        """What the client before the gateway can be asked for."""
        announced = self._around.passage.capabilities()
        return {k: v for k, v in announced.items() if k in {"roots", "sampling", "elicitation"}}

    async def _send(self, message: Mapping[str, object]) -> None:
        if self._server is None:
            raise CallFailed(f"{one_line(self._config.name)} is not running")
        await self._server.send(message)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _unheard(params: Mapping[str, object]) -> None:
    """Progress that nobody asked for."""
