"""A tiny MCP server on stdin and stdout: one tool that gives back what it is given.

    python tests/e2e/echo_mcp_server.py

Standard library only, so that a client can start it with any Python.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

JsonObject = dict[str, Any]

INSTRUCTIONS = "Use echo to hear a text again."
ECHO: JsonObject = {
    "name": "echo",
    "description": "Give a text back, unchanged.",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "The text."}},
        "required": ["text"],
    },
}


def _initialize(asked: JsonObject) -> JsonObject:
    return {
        "protocolVersion": asked.get("protocolVersion", "2025-06-18"),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "parrot", "version": "1"},
        "instructions": INSTRUCTIONS,
    }


def _tools(asked: JsonObject) -> JsonObject:
    return {"tools": [ECHO, {**ECHO, "name": "shout", "description": "Give it back, louder."}]}


def _call(asked: JsonObject) -> JsonObject:
    return {"content": [{"type": "text", "text": str(asked["arguments"].get("text"))}]}


_METHODS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "initialize": _initialize,
    "tools/list": _tools,
    "tools/call": _call,
}


def answer_to(
    message: JsonObject, methods: Mapping[str, Callable[[JsonObject], JsonObject]]
) -> JsonObject | None:
    """The answer to a request; nothing to a notification."""
    if "id" not in message:
        return None
    known: JsonObject = {"jsonrpc": "2.0", "id": message["id"]}
    method = methods.get(message["method"])
    if method is None:
        return {**known, "error": {"code": -32601, "message": "no such method"}}
    return {**known, "result": method(message.get("params") or {})}


def serve(methods: Mapping[str, Callable[[JsonObject], JsonObject]]) -> None:
    """Answer line by line until the input ends."""
    for line in sys.stdin:
        answer = answer_to(json.loads(line), methods)
        if answer is not None:
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(_METHODS)
