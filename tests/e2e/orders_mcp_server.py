"""An MCP server on stdin and stdout whose one tool answers a short question with many rows.

    python tests/e2e/orders_mcp_server.py

Standard library only, so that a client can start it with any Python.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

JsonObject = dict[str, Any]

LIST_ORDERS: JsonObject = {
    "name": "list_orders",
    "description": "List the orders of a shop.",
    "inputSchema": {
        "type": "object",
        "properties": {"count": {"type": "integer", "description": "How many."}},
        "required": ["count"],
    },
}


def orders(count: int) -> str:
    """So many orders, as such a server prints them."""
    rows = [
        {
            "id": 7_000 + number,
            "customer": f"customer {number % 37}",
            "total_cents": 199 * (number % 50 + 1),
            "is_paid": number % 3 == 0,
        }
        for number in range(count)
    ]
    return json.dumps(rows)


def _initialize(asked: JsonObject) -> JsonObject:
    return {
        "protocolVersion": asked.get("protocolVersion", "2025-06-18"),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "shop", "version": "1"},
    }


def _tools(asked: JsonObject) -> JsonObject:
    return {"tools": [LIST_ORDERS]}


def _call(asked: JsonObject) -> JsonObject:
    return {"content": [{"type": "text", "text": orders(int(asked["arguments"]["count"]))}]}


_METHODS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "initialize": _initialize,
    "tools/list": _tools,
    "tools/call": _call,
}


def answer_to(message: JsonObject) -> JsonObject | None:
    """The answer to a request; nothing to a notification."""
    if "id" not in message:
        return None
    known: JsonObject = {"jsonrpc": "2.0", "id": message["id"]}
    method = _METHODS.get(message["method"])
    if method is None:
        return {**known, "error": {"code": -32601, "message": "no such method"}}
    return {**known, "result": method(message.get("params") or {})}


def main() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        answer = answer_to(json.loads(line))
        if answer is not None:
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
