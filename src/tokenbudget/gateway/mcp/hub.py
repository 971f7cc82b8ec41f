"""All servers behind the gateway: each started when it is first needed, and once.

One client for each server lives as long as the server does. All of it runs in one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib

from tokenbudget.gateway.mcp.hub_keeper import Keeper
from tokenbudget.gateway.mcp.hub_server import Server
from tokenbudget.gateway.mcp.hub_session import Surroundings
from tokenbudget.gateway.mcp.hub_values import HubLimits, as_told
from tokenbudget.gateway.mcp.values import Answer, CallFailed
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
    from tokenbudget.gateway.mcp.hub_values import Progress, ToClient
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.values import Catalogue, Tool
    from tokenbudget.model.protocols import Clock

CLOSE_SECONDS = 0.3
"""How long a server may take to end by the end of its input, and again by TERM, when we end."""
LOOK_SECONDS = 30.0
MOST_STARTING = 4
"""Servers that start at a time: each may take a second of a core."""


class Hub:
    """The servers behind the gateway."""

    def __init__(
        self,
        configs: Sequence[ServerConfig],
        cache: CatalogueCache,
        passage: ToClient,
        clock: Clock,
        limits: HubLimits = HubLimits(),  # noqa: B008 - a frozen value
        *,
        environment: Mapping[str, str],
        log_folder: str = "",
        dropped: Callable[[str, int], None] = lambda server, count: None,
    ) -> None:
        """`environment` is the gateway's own; servers get of it what `server_environment` says.

        `log_folder` takes what servers write to their standard error; '' throws it away.
        `dropped` is told now and then how many notifications of a server nobody read.
        """
        limits = as_told(limits, environment)
        self._keeper = Keeper()
        starting = asyncio.Semaphore(MOST_STARTING)
        around = Surroundings(limits, environment, self._keeper, passage, starting, dropped)
        self._servers = {
            config.name: Server(config, around, cache, clock, log_folder) for config in configs
        }
        self._limits = limits
        self._watch: asyncio.Task[None] | None = None

    async def call(
        self, tool: Tool, arguments: Mapping[str, object], *, progress: Progress | None = None
    ) -> Answer:
        """One call of one tool; a call that is cancelled is cancelled at the server too.

        Raises:
            CallFailed: see `values.Caller`.
        """
        params = {"name": tool.name, "arguments": dict(arguments)}
        result = await self._server(tool.server).request("tools/call", params, progress)
        return _answer(tool, result)

    async def catalogue(self, server: str, *, fresh: bool = False) -> Catalogue:
        """What a server lists: kept in the cache, else (or `fresh`) asked of the server itself.

        Raises:
            CallFailed: it is not known, or cannot be started.
        """
        return await self._server(server).catalogue(fresh=fresh)

    async def catalogues(self) -> tuple[Catalogue, ...]:
        """The catalogues of all servers that have one or can be started, all at once."""
        found = await asyncio.gather(*map(self.catalogue, self._servers), return_exceptions=True)
        return tuple(one for one in found if isinstance(one, tuple))

    async def request(
        self, server: str, method: str, params: Mapping[str, object]
    ) -> dict[str, object]:
        """Any other request of the protocol, as it is: resources, prompts, completion, logging.

        Raises:
            CallFailed: see `values.Caller`; the server's own refusal too.
        """
        return await self._server(server).request(method, params)

    async def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Tell every server that runs: `notifications/roots/list_changed`."""
        for server in self._servers.values():
            server.notify(method, params)

    def states(self) -> dict[str, str]:
        """Each server: `stopped`, `starting`, `running` or why it cannot run."""
        return {name: server.state for name, server in self._servers.items()}

    async def close(self) -> None:
        """End every server; returns when they are gone, after two seconds at the latest."""
        if self._watch is not None:
            self._watch.cancel()
        servers = self._servers.values()
        await asyncio.gather(*(server.close(CLOSE_SECONDS) for server in servers))
        self._keeper.close()

    def kill(self) -> None:
        """Have every server end, from any thread and without waiting: before the process exits.

        Each gets a TERM now; what is left of them is killed within a second after our own end.
        """
        for server in self._servers.values():
            server.terminate()

    async def stop_idle(self) -> None:
        """End the servers that nobody asked for long enough; it is done now and then anyway."""
        await asyncio.gather(*(server.stop_if_idle() for server in self._servers.values()))

    def _server(self, name: str) -> Server:
        server = self._servers.get(name)
        if server is None:
            raise CallFailed(f"there is no server {one_line(name[:100])!r}")
        if self._watch is None and self._limits.idle_seconds:
            self._watch = asyncio.get_running_loop().create_task(self._stop_idle_servers())
        return server

    async def _stop_idle_servers(self) -> None:
        while True:
            await asyncio.sleep(min(self._limits.idle_seconds / 4, LOOK_SECONDS))
            with contextlib.suppress(CallFailed):
                await self.stop_idle()


def _answer(tool: Tool, result: Mapping[str, object]) -> Answer:
    """The answer in a result. Raises CallFailed: there is none."""
    content, structured = result.get("content"), result.get("structuredContent")
    if not isinstance(content, list):
        if structured is None or content is not None:
            said = "answered without content, so it cannot be read"
            raise CallFailed(f"{one_line(tool.server)}: {one_line(tool.name)} {said}")
        content = []
    blocks = [block for block in content if isinstance(block, dict)]
    return Answer(blocks, structured, result.get("isError") is True)
