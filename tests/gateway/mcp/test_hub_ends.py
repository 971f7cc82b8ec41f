"""No server outlives the gateway, however the gateway ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.mcp.hubs import QUICK, Case, configs, hub_over, is_running, run, tool, until

from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.values import Answer, CallFailed

ROOT = Path(__file__).parents[3]
GATEWAY = """
import asyncio, sys
from pathlib import Path
from tests.gateway.mcp.hubs import configs, hub_over, tool

async def work(folder):
    async with hub_over(folder, configs(folder, "fine", "stubborn", "hang")) as case:
        await asyncio.gather(*map(case.hub.catalogue, ("fine", "stubborn", "hang")))
        print("ready", flush=True)
        await case.hub.call(tool("hang"), {})

asyncio.run(work(Path(sys.argv[1])))
"""
"""A gateway that is busy when it is killed; `stubborn` takes no end of its input and no TERM."""


def pids(folder: Path) -> list[int]:
    return [int(path.name) for path in (folder / "starts").iterdir()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_servers_end_with_a_gateway_that_is_killed(tmp_path: Path, number: int) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    gateway = subprocess.Popen(
        [sys.executable, "-c", GATEWAY, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": path, "PATH": os.defpath, "HOME": str(tmp_path)},
    )
    with gateway:
        assert gateway.stdout is not None
        assert gateway.stdout.readline() == b"ready\n"
        servers = pids(tmp_path)
        gateway.send_signal(number)
    assert len(servers) == 3

    async def work() -> None:
        await until(lambda: not any(map(_runs, servers)))

    run(work)


def test_closing_ends_also_those_that_take_no_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine", "stubborn")) as case:
            await asyncio.gather(*map(case.hub.catalogue, ("fine", "stubborn")))
        assert not any(map(_runs, case.pids()))
        with pytest.raises(CallFailed, match="the gateway is ending"):
            await case.hub.call(tool("fine"), {})

    run(work)


def test_what_a_server_started_ends_with_it(tmp_path: Path) -> None:
    (fine,) = configs(tmp_path, "fine")
    entry = {"command": "sh", "args": ["-c", '"$@"; true', "sh", fine.command, *fine.args]}
    servers = configs_from({"mcpServers": {"fine": entry}})

    async def work() -> None:
        async with hub_over(tmp_path, servers) as case:
            await case.hub.call(tool("fine"), {})
            (pid,) = case.pids()
            case.hub.kill()
            await until(lambda: not _runs(pid))

    run(work)


def test_a_hub_that_is_closed_while_a_server_starts_leaves_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "mute")) as case:
            start = asyncio.ensure_future(case.hub.catalogue("mute"))
            await until(lambda: bool((tmp_path / "starts").exists() and case.pids()))
        with pytest.raises(CallFailed, match="the gateway is ending"):
            await start
        assert not any(map(_runs, case.pids()))

    run(work)


def test_one_who_waits_for_a_start_may_leave_and_the_others_get_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine"), QUICK) as case:
            first = asyncio.ensure_future(case.hub.catalogue("fine"))
            second = asyncio.ensure_future(case.hub.catalogue("fine"))
            await asyncio.sleep(0)
            first.cancel()
            assert len((await second).tools) == 1
            assert len(case.pids()) == 1

    run(work)


def test_nothing_is_left_of_servers_that_are_killed_again_and_again(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(idle_seconds=0)
        async with hub_over(tmp_path, configs(tmp_path, "fine"), limits) as case:
            await killed_under_calls(case)
            before = len(os.listdir("/dev/fd"))
            for _ in range(15):
                await killed_under_calls(case)
            assert len(os.listdir("/dev/fd")) <= before
            assert not any(map(_runs, case.pids()))

    run(work)


async def killed_under_calls(case: Case) -> None:
    """Calls that are under way when their server is killed: each ends, with an answer or not."""
    case.clock.now += 100
    await case.hub.call(tool("fine"), {})
    calls = [asyncio.ensure_future(case.hub.call(tool("fine"), {"n": n})) for n in range(20)]
    await asyncio.sleep(0.001)
    case.hub.kill()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, (Answer, CallFailed)) for one in answers)
    await until(lambda: case.hub.states()["fine"] != "running")
    await until(lambda: not any(map(_runs, case.pids())))


def _runs(pid: int) -> bool:
    """Whether it runs; one that ended and that nobody asked about does not."""
    if not is_running(pid):
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return is_running(pid)
