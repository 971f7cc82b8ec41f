"""An MCP server on stdin and stdout with as many tools as it is told, each described at length.

    python tests/e2e/many_tools_mcp_server.py NAME TOOLS

Nobody calls them: what matters is what their definitions weigh. Standard library only.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

JsonObject = dict[str, Any]

VERBS = ("list", "get", "create", "update", "delete", "search")
THINGS = ("issue", "comment", "label", "milestone", "board", "release", "branch", "webhook")


def tools_of(server: str, count: int) -> list[JsonObject]:
    """So many tools with the wordy definitions that such servers have."""
    names = [f"{verb}_{thing}" for thing in THINGS for verb in VERBS]
    return [_tool(server, name) for name in names[:count]]


def _tool(server: str, name: str) -> JsonObject:
    verb, _, thing = name.partition("_")
    texts = {
        f"{thing}_id": f"The identifier of the {thing}, as {server} shows it in its address bar.",
        "workspace": f"The {server} workspace to work in; the default one where it is left out.",
        "fields": "Which fields the answer holds, separated by commas.",
        "page_token": "Where to go on: the token of the last answer, if there was one.",
        "is_draft": "Whether drafts are meant as well.",
    }
    properties = {key: {"type": "string", "description": said} for key, said in texts.items()}
    return {
        "name": name,
        "description": (
            f"{verb.capitalize()} one or more {thing}s in {server}. Use it when somebody asks about"
            f" a {thing} and its state is not known yet; it needs a {thing} id or a query, and"
            f" answers with one object for each {thing} in the order of the last change."
        ),
        "inputSchema": {"type": "object", "properties": properties, "required": [f"{thing}_id"]},
    }


def _methods(server: str, count: int) -> dict[str, Callable[[JsonObject], JsonObject]]:
    def initialize(asked: JsonObject) -> JsonObject:
        return {
            "protocolVersion": asked.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": server, "version": "1"},
            "instructions": f"Use the {server} tools for everything that is kept in {server}.",
        }

    def call(asked: JsonObject) -> JsonObject:
        return {"content": [{"type": "text", "text": "nothing found"}]}

    return {
        "initialize": initialize,
        "tools/list": lambda asked: {"tools": tools_of(server, count)},
        "tools/call": call,
    }


def main() -> None:
    """Answer line by line until the input ends."""
    methods = _methods(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        known: JsonObject = {"jsonrpc": "2.0", "id": message["id"]}
        method = methods.get(message["method"])
        if method is None:
            answer = {**known, "error": {"code": -32601, "message": "no such method"}}
        else:
            answer = {**known, "result": method(message.get("params") or {})}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
