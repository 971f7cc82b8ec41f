"""Hubs over real small servers, and a client before them that remembers what it is told."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.hub import Hub
from tokenbudget.gateway.mcp.hub_values import HubLimits
from tokenbudget.gateway.mcp.server_config import ServerConfig, configs_from
from tokenbudget.gateway.mcp.values import CallRefused, Catalogue, Tool

Value = TypeVar("Value")

HERE = Path(__file__).parent
QUICK = HubLimits(start_seconds=5, call_seconds=5, idle_seconds=0)
ENVIRONMENT = {"PATH": os.defpath, "HOME": "/nonexistent"}


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def now_ms(self) -> int:
        return int(self.now * 1_000)

    def monotonic_seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Client:
    """The client before the gateway."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Mapping[str, object]]] = []
        self.changed: list[Catalogue] = []
        self.asked: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def capabilities(self) -> Mapping[str, object]:
        return {"roots": {"listChanged": True}, "elicitation": {"form": {}}, "secret": 1}

    async def sample(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append((server, "sample"))
        raise CallRefused("the client does not sample")

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append((server, "elicit"))
        await self.gate.wait()
        return {"action": "accept", "content": {"seen": dict(params)}}

    async def roots(self) -> Mapping[str, object]:
        return {"roots": [{"uri": "file:///project"}]}

    def notify(self, server: str, method: str, params: Mapping[str, object]) -> None:
        self.told.append((server, method, params))

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        self.changed.append(catalogue)


class Case:
    """A hub over servers of one folder, and what stands around it."""

    def __init__(self, folder: Path, hub: Hub, client: Client, clock: ManualClock) -> None:
        self.folder = folder
        self.hub = hub
        self.client = client
        self.clock = clock

    def pids(self) -> list[int]:
        """The fault servers that were ever started, by their process."""
        return sorted(int(path.name) for path in (self.folder / "starts").iterdir())

    def log(self) -> str:
        """What all servers wrote to their standard error."""
        logs = sorted((self.folder / "logs").glob("*.log"))
        return "".join(path.read_text("utf-8", "replace") for path in logs)


def fault(name: str, folder: Path) -> dict[str, object]:
    """The entry of a fault server; its starts are counted in the folder."""
    (folder / "starts").mkdir(exist_ok=True)
    script = str(HERE / "fault_server.py")
    return {"command": sys.executable, "args": ["-IS", script, name, str(folder / "starts")]}


def configs(folder: Path, *faults: str) -> tuple[ServerConfig, ...]:
    return configs_from({"mcpServers": {name: fault(name, folder) for name in faults}})


@asynccontextmanager
async def hub_over(
    folder: Path,
    servers: tuple[ServerConfig, ...],
    limits: HubLimits = QUICK,
    environment: Mapping[str, str] = ENVIRONMENT,
    client: Client | None = None,
    dropped: Callable[[str, int], None] = lambda server, count: None,
) -> AsyncIterator[Case]:
    client, clock = client or Client(), ManualClock()
    cache = CatalogueCache(str(folder / "catalogues"))
    hub = Hub(
        servers, cache, client, clock, limits,
        environment=environment, log_folder=str(folder / "logs"), dropped=dropped,
    )  # fmt: skip
    try:
        yield Case(folder, hub, client, clock)
    finally:
        await hub.close()


def run(work: Callable[[], Awaitable[Value]]) -> Value:
    """Run it in a loop of its own; a hang is a failure."""

    async def bounded() -> Value:
        async with asyncio.timeout(30):
            return await work()

    return asyncio.run(bounded())


def tool(server: str, name: str = "go") -> Tool:
    return Tool(server, name, "", "", {"type": "object"}, None, {})


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(holds: Callable[[], bool]) -> None:
    """Look until it holds."""
    while not holds():  # noqa: ASYNC110 - what it looks at is another process
        await asyncio.sleep(0.005)
