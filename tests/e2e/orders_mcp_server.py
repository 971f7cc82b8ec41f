"""An MCP server on stdin and stdout whose one tool answers a short question with many rows.

    python tests/e2e/orders_mcp_server.py

Standard library only, so that a client can start it with any Python.
"""

import json
import sys
from pathlib import Path
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


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.e2e.echo_mcp_server import serve

    serve({"initialize": _initialize, "tools/list": _tools, "tools/call": _call})
