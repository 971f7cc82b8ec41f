"""A real server that says without end what nobody asked for: its calls work, and it has to wait.

How much it could say is bounded by the time that passed, however fast or slow the machine is.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.mcp.hubs import HERE, hub_over, run, tool

from tokenbudget.gateway.mcp.hub_rates import MOST_NOTES_AT_ONCE
from tokenbudget.gateway.mcp.hub_values import HubLimits
from tokenbudget.gateway.mcp.server_config import ServerConfig, configs_from

LIMITS = HubLimits(start_seconds=20, call_seconds=20, idle_seconds=0)
FLOOD_SECONDS = 1.0
READ_A_SECOND = 12_500
"""Lines that are dropped in a second, if they weigh nothing: `hub_sieve.DROPPED_SECONDS`."""
IN_PIPES = 20_000
"""Lines of 25 bytes at the least that lie in two pipes' and the readers' buffers."""


def flood_of(way: str) -> tuple[ServerConfig, ...]:
    script = str(HERE / "flooding_server.py")
    entry = {"command": sys.executable, "args": ["-IS", script, way]}
    return configs_from({"mcpServers": {"flood": entry}})


def said_by(answer: Any) -> int:
    return int(json.loads(answer.content[0]["text"])["said"])


@pytest.mark.parametrize("way", ["notes", "progress", "pings", "answers"])
def test_a_flooding_server_waits_and_its_calls_work(tmp_path: Path, way: str) -> None:
    told: list[tuple[str, int]] = []

    async def flooded() -> None:
        async with hub_over(
            tmp_path,
            flood_of(way),
            LIMITS,
            dropped=lambda server, count: told.append((server, count)),
        ) as case:
            await case.hub.call(tool("flood"), {})
            started, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(FLOOD_SECONDS)
            spent = time.thread_time() - cpu
            said = 0
            for _ in range(3):
                said = said_by(await case.hub.call(tool("flood"), {}, progress=lambda _: None))
            took = time.perf_counter() - started
            assert said <= IN_PIPES + READ_A_SECOND * took
            assert spent < 0.5 * (time.perf_counter() - started)  # without the wait it is all
            assert len(case.client.told) <= MOST_NOTES_AT_ONCE + 20 * (took + 1)

    run(flooded)
    dropped = sum(count for _, count in told)
    assert {server for server, _ in told} <= {"flood"}
    assert (dropped > 1_000) == (way in ("notes", "progress"))


def test_the_last_change_of_a_flood_is_told(tmp_path: Path) -> None:
    async def changed() -> int:
        async with hub_over(tmp_path, flood_of("changes"), LIMITS) as case:
            await case.hub.call(tool("flood"), {})
            told = case.client.told
            while not told or told[-1][2]["number"] != 4_999:  # noqa: ASYNC110 - others tell it
                await asyncio.sleep(0.05)
            return len(told)

    assert run(changed) < 5_000


def test_who_answers_and_ends_behind_a_flood_is_heard(tmp_path: Path) -> None:
    async def answered() -> int:
        async with hub_over(tmp_path, flood_of("last"), LIMITS) as case:
            return said_by(await case.hub.call(tool("flood"), {}))

    assert run(answered) == 0


@pytest.mark.parametrize("way", ["notes", "pings"])
def test_one_that_is_held_up_can_be_ended(tmp_path: Path, way: str) -> None:
    async def ended() -> int:
        async with hub_over(tmp_path, flood_of(way), LIMITS) as case:
            await case.hub.call(tool("flood"), {})
            await asyncio.sleep(0.3)
            await case.hub.close()
            return len(asyncio.all_tasks())

    assert run(ended) == 1  # the test itself
