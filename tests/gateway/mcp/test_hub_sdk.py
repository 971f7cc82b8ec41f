"""The hub over a server of the official SDK, by each way to reach one."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.gateway.mcp.hubs import QUICK, Case, Client, hub_over, run, tool

from tokenbudget.gateway.mcp.server_config import ServerConfig, configs_from
from tokenbudget.gateway.mcp.values import CallFailed
from tokenbudget.system.clock import SystemClock

SCRIPT = str(Path(__file__).with_name("sdk_server.py"))
LIMITS = QUICK._replace(start_seconds=20, call_seconds=20)
ENVIRONMENT = {"PATH": os.defpath, "NO_PROXY": "127.0.0.1"}


class Agreeing(Client):
    """A person who agrees."""

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        self.asked.append((server, str(params["message"])))
        return {"action": "accept", "content": {"yes": True}}


@contextlib.contextmanager
def served(way: str) -> Iterator[tuple[ServerConfig, ...]]:
    """The configuration of the server; one that listens is started."""
    if way == "stdio":
        entry: dict[str, object] = {"command": sys.executable, "args": [SCRIPT, "stdio"]}
        yield configs_from({"mcpServers": {"orders": entry}})
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, SCRIPT, way, str(port)]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            path = "sse" if way == "sse" else "mcp"
            kind = "sse" if way == "sse" else "http"
            entry = {"type": kind, "url": f"http://127.0.0.1:{port}/{path}"}
            yield configs_from({"mcpServers": {"orders": entry}})
        finally:
            process.kill()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    clock = SystemClock()
    until = clock.monotonic_seconds() + 20
    while clock.monotonic_seconds() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None
        clock.sleep(0.02)
    raise AssertionError("the server does not listen")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["stdio", "streamable-http", "sse"])
def test_everything_passes_through(tmp_path: Path, way: str) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, servers, LIMITS, ENVIRONMENT, Agreeing()) as case:
            catalogue = await case.hub.catalogue("orders")
            assert [one.name for one in catalogue.tools] == ["add", "steps", "ask", "fail"]
            assert catalogue.instructions == "Ask for orders."
            assert {"tools", "resources", "prompts", "completions"} <= catalogue.offers
            await calls(case)
            await requests(case)

    with served(way) as servers:
        run(work)


async def calls(case: Case) -> None:
    """Tools: values, progress, a question to the person, an error."""
    hub = case.hub
    answer = await hub.call(tool("orders", "add"), {"first": 2, "second": 3})
    assert answer.structured == {"result": 5}
    seen: list[object] = []
    answer = await hub.call(
        tool("orders", "steps"), {}, progress=lambda one: seen.append(one.get("message"))
    )
    assert (answer.structured, seen) == ({"result": ["a", "b"]}, ["step 0", "step 1", "step 2"])
    assert [(method, params["data"]) for _, method, params in case.client.told] == [
        ("notifications/message", "half way")
    ]
    answer = await hub.call(tool("orders", "ask"), {})
    assert answer.structured == {"result": "accept: yes=True"}
    assert case.client.asked == [("orders", "Sure?")]
    answer = await hub.call(tool("orders", "fail"), {})
    assert answer.is_error
    assert "fail" in str(answer.content[0]["text"])


async def requests(case: Case) -> None:
    """Resources, prompts and completion, as the server gives them."""
    ask = case.hub.request
    read = await ask("orders", "resources/read", {"uri": "orders://7"})
    assert "order 7" in str(read["contents"])
    prompt = await ask("orders", "prompts/get", {"name": "greet", "arguments": {"name": "Ann"}})
    assert "Hello Ann" in str(prompt["messages"])
    completed = await ask(
        "orders",
        "completion/complete",
        {
            "ref": {"type": "ref/prompt", "name": "greet"},
            "argument": {"name": "name", "value": "o"},
        },
    )
    assert completed["completion"] == {"values": ["one", "two"]}
    with pytest.raises(CallFailed, match="orders says: "):
        await ask("orders", "prompts/get", {"name": "none"})
