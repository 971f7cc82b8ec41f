"""An MCP server on stdin and stdout with the tools of a recorded catalogue and invented results.

    python -IS tools/catalogue_server.py CATALOGUE.json [ROWS]

A tool whose name says that it changes something answers with one object, every other one with ROWS
(50) of them, about 150 tokens each. A tool with an output schema answers with `structuredContent`
as FastMCP wraps a text, the way the recorded servers do. Standard library only.
"""

import json
import re
import sys
from typing import Any

Json = dict[str, Any]

CHANGING = re.compile(r"(?i)(?:^|[_-])(add|create|delete|move|patch|post|put|remove|set|update)")
WORDS = "Long text about the change, as people write it in a tracker. "
MODULES, PEOPLE = 7, 9


def row(number: int) -> Json:
    """One merge request, issue, page or file: all of them look like this."""
    who = f"user{number % PEOPLE}"
    return {
        "id": 1000 + number,
        "iid": number,
        "title": f"Fix issue {number} in module {number % MODULES}",
        "state": "opened" if number % 3 else "merged",
        "author": {
            "id": number % PEOPLE,
            "username": who,
            "name": f"User {number % PEOPLE}",
            "web_url": f"https://example.invalid/{who}",
        },
        "created_at": f"2026-11-{1 + number % 28:02d}T10:00:00Z",
        "labels": ["bug", f"p{number % 4}"],
        "web_url": f"https://example.invalid/item/{number}",
        "description": WORDS * 5,
    }


def result_of(tool: Json, rows: int) -> Json:
    """What a call of a tool gives."""
    told: object = [row(number) for number in range(rows)]
    if CHANGING.search(tool["name"]):
        told = {"id": 4711, "url": "https://example.invalid/item/4711"}
    text = json.dumps(told)
    result: Json = {"content": [{"type": "text", "text": text}]}
    if tool.get("outputSchema"):
        result["structuredContent"] = {"result": text}
    return result


def answer(asked: Json, catalogue: Json, rows: int) -> Json | None:
    """The result of a request; None where there is no such method."""
    params = asked.get("params") or {}
    if asked["method"] == "initialize":
        told = {"name": catalogue["server"], "version": catalogue.get("version") or "1"}
        version = min(params["protocolVersion"], "2025-11-25")
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": told}
    if asked["method"] == "tools/list":
        return {"tools": catalogue["tools"]}
    if asked["method"] == "tools/call":
        tool = next(one for one in catalogue["tools"] if one["name"] == params["name"])
        return result_of(tool, rows)
    return {} if asked["method"] == "ping" else None


def main() -> None:
    """Answer line by line until the input ends."""
    with open(sys.argv[1], encoding="utf-8") as file:
        catalogue = json.load(file)
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if "id" not in asked or "method" not in asked:
            continue
        told: Json = {"jsonrpc": "2.0", "id": asked["id"]}
        result = answer(asked, catalogue, rows)
        if result is None:
            told["error"] = {"code": -32601, "message": "no such method"}
        else:
            told["result"] = result
        sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
