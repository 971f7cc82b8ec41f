"""Servers that hang, fail and come back, as whoever waits for their tools meets them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.mcp.hubs import ManualClock

from tokenbudget.gateway.mcp import backroom
from tokenbudget.gateway.mcp.audit import Audit
from tokenbudget.gateway.mcp.backroom import RETRY_SECONDS, Backroom, Furniture
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.client import Client, Message
from tokenbudget.gateway.mcp.kept_lists import KeptLists
from tokenbudget.gateway.mcp.passage import Passage
from tokenbudget.gateway.mcp.rules import Rules
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.shelf import Shelf
from tokenbudget.gateway.mcp.uses import Uses
from tokenbudget.gateway.mcp.values import CallFailed, Catalogue

TOOL = {"name": "go", "inputSchema": {"type": "object"}}


class Hub:
    """Servers that answer as a test says."""

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.ways: dict[str, Callable[[], Awaitable[Catalogue]]] = {}
        self.ends: list[str] = []

    async def catalogue(self, server: str) -> Catalogue:
        self.starts.append(server)
        return await self.ways[server]()

    async def close(self) -> None:
        self.ends.append("closed")

    def kill(self) -> None:
        self.ends.append("killed")


async def lists() -> Catalogue:
    return catalogue_of("good", {}, [TOOL])


async def hangs() -> Catalogue:
    await asyncio.Event().wait()
    raise AssertionError


async def fails() -> Catalogue:
    raise CallFailed("it ended at once")


class Scene:
    def __init__(self, folder: Path, mode: str = "code", **ways: Any) -> None:
        self.hub, self.clock = Hub(), ManualClock()
        self.hub.ways = ways
        servers = {name: {"command": "x"} for name in ways}
        modes: Any = dict.fromkeys(ways, mode)
        cache = CatalogueCache(str(folder))
        self.shelf = Shelf(configs_from({"mcpServers": servers}, modes), {}, cache, {})
        self.passage = Passage(lambda _: None)
        made: Any = {
            "shelf": self.shelf,
            "hub": self.hub,
            "passage": self.passage,
            "guard": None,
            "rules": Rules(),
            "results": None,
            "sandbox": None,
            "lists": KeptLists(cache, {}),
            "uses": Uses(str(folder / "uses.json")),
            "audit": Audit(str(folder), self.clock),
            "clock": self.clock,
        }
        self.room = Backroom(Furniture(**made))


def test_all_servers_are_started_at_once_and_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path, good=lists, broken=fails)
    asyncio.run(scene.room.settled(5))
    assert scene.hub.starts == ["good", "broken"]
    assert [tool.name for tool in scene.shelf.known.directory.tools] == ["go"]
    assert scene.shelf.known.troubles == {"broken": "it ended at once"}
    assert scene.shelf.known.waiting == ()


def test_a_server_that_hangs_holds_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backroom, "SETTLE_SECONDS", 0.02)
    scene = Scene(tmp_path, good=lists, slow=hangs)

    async def searches() -> None:
        await scene.room.settled(5)
        assert scene.shelf.known.waiting == ("slow",)
        scene.clock.now += 1
        before = asyncio.get_running_loop().time()
        for _ in range(50):
            await scene.room.settled(5)
        assert asyncio.get_running_loop().time() - before < 0.5
        for task in scene.room._gathering.values():
            task.cancel()

    asyncio.run(searches())
    assert scene.hub.starts == ["good", "slow"]


def test_a_server_that_failed_is_tried_again_after_a_while(tmp_path: Path) -> None:
    scene = Scene(tmp_path, good=fails)

    async def searches() -> None:
        await scene.room.settled(5)
        await scene.room.settled(5)
        assert scene.hub.starts == ["good"]
        scene.hub.ways["good"] = lists
        scene.clock.now += RETRY_SECONDS + 1
        await scene.room.settled(5)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(searches())
    assert scene.hub.starts == ["good", "good"]
    assert scene.shelf.known.troubles == {}
    assert len(scene.shelf.known.directory.tools) == 1


@pytest.mark.parametrize(("mode", "told"), [("code", 0), ("compact", 1), ("direct", 1)])
def test_a_client_hears_of_tools_that_it_lists_itself(tmp_path: Path, mode: str, told: int) -> None:
    scene = Scene(tmp_path, mode, good=lists)
    said: list[Message] = []

    def send(message: Message) -> bool:
        said.append(message)
        return True

    scene.room.came(Client(send))
    asyncio.run(scene.room.settled(5))
    asyncio.run(scene.room.settled(5))
    assert [one["method"] for one in said] == ["notifications/tools/list_changed"] * told


def test_the_end_ends_the_servers(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    asyncio.run(scene.room.close())
    scene.room.kill()
    assert scene.hub.ends == ["closed", "killed"]
