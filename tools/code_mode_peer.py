"""FastMCP's own CodeMode in front of servers; what a client of it sees goes out as JSON.

    VENV/bin/python tools/code_mode_peer.py PLAN.json

Run by `bench_gateway.py --peer` with the Python of another environment, which holds
`fastmcp[code-mode]`; this project never depends on it. PLAN is {"servers": {name: [argv]},
"searches": [text], "tools": [name], "code": text}. Nothing of this project is imported here.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
import time
from typing import Any

Json = dict[str, Any]


class Peer:
    """The client of one CodeMode server, with what each call took and told."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[Json] = []

    async def call(self, name: str, arguments: Json) -> None:
        """One call, timed."""
        began = time.perf_counter()
        result = await self._client.call_tool(name, arguments, raise_on_error=False)
        took = (time.perf_counter() - began) * 1000
        text = "\n".join(one.text for one in result.content if one.type == "text")
        told = {"name": name, "input": arguments, "text": text, "ms": took}
        self.calls.append({**told, "is_error": result.is_error})


async def run(plan: Json, search: Any | None) -> Json:
    """The whole task with one way of searching."""
    fastmcp = importlib.import_module("fastmcp")
    server = importlib.import_module("fastmcp.server")
    transports = importlib.import_module("fastmcp.client.transports")
    code_mode = importlib.import_module("fastmcp.experimental.transforms.code_mode")
    gateway = fastmcp.FastMCP("gw")
    async with contextlib.AsyncExitStack() as stack:
        for name, argv in plan["servers"].items():
            transport = transports.StdioTransport(argv[0], argv[1:], keep_alive=True)
            client = await stack.enter_async_context(fastmcp.Client(transport))
            gateway.mount(server.create_proxy(client), namespace=name)
        tools = [search, code_mode.GetSchemas()] if search else None
        gateway.add_transform(code_mode.CodeMode(discovery_tools=tools))
        async with fastmcp.Client(gateway) as client:
            return await task(plan, client)


async def task(plan: Json, client: Any) -> Json:
    """Search, describe, run."""
    listed = [
        one.model_dump(by_alias=True, exclude_none=True, mode="json")
        for one in await client.list_tools()
    ]
    peer = Peer(client)
    for text in plan["searches"]:
        await peer.call("search", {"query": text})
    await peer.call("get_schema", {"tools": plan["tools"]})
    await peer.call("execute", {"code": plan["code"]})
    return {"tools": listed, "calls": peer.calls}


async def main(plan: Json) -> None:
    """Its default search, and one that shows ten."""
    code_mode = importlib.import_module("fastmcp.experimental.transforms.code_mode")
    told = {
        "default": await run(plan, None),
        "limit 10": await run(plan, code_mode.Search(default_limit=10)),
        "version": importlib.import_module("fastmcp").__version__,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asyncio.run(main(json.load(file)))
