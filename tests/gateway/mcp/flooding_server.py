"""An MCP server that answers, and beside it says without end what nobody asked for.

python -IS flooding_server.py notes|progress|pings|answers|changes|last

`changes` tells of 5,000 changes of a resource before it answers, and then no more; `last` says
20,000 things, answers and is gone.
"""

import json
import os
import sys
import threading
from typing import Any

WAY = sys.argv[1]
OUT = sys.stdout.buffer
turn = threading.Lock()
said = {"count": 0}
asked: dict[str, Any] = {"token": 0}


def send(message: Any) -> None:
    with turn:
        OUT.write(json.dumps(message).encode() + b"\n")
        OUT.flush()


def piece() -> bytes:
    """Fifty valid messages."""
    method, params, number = "notifications/message", '{"level":"info","data":"hello"}', ""
    if WAY == "progress":
        method, params = "notifications/progress", f'{{"progressToken":{asked["token"]},"p":1}}'
    elif WAY == "pings":
        method, params, number = "ping", "{}", '"id":7,'
    line = f'{{"jsonrpc":"2.0",{number}"method":"{method}","params":{params}}}\n'
    if WAY == "answers":
        line = '{"jsonrpc":"2.0","id":99999,"result":{}}\n'
    return line.encode() * 50


def flood() -> None:
    while True:
        with turn:
            OUT.write(piece())
        said["count"] += 50


def burst() -> None:
    """What comes before an answer."""
    if WAY == "changes":
        for number in range(5_000):
            params = {"uri": "note://one", "number": number}
            method = "notifications/resources/updated"
            send({"jsonrpc": "2.0", "method": method, "params": params})
    elif WAY == "last":
        for _ in range(400):
            OUT.write(piece())


def take(message: dict[str, Any]) -> None:
    method, number = message.get("method"), message.get("id")
    if method == "initialize":
        info = {"name": "flood", "version": "1"}
        result: Any = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
        send({"jsonrpc": "2.0", "id": number, "result": {**result, "serverInfo": info}})
    elif method == "tools/list":
        tools = [{"name": "go", "inputSchema": {"type": "object"}}]
        send({"jsonrpc": "2.0", "id": number, "result": {"tools": tools}})
    elif method == "tools/call":
        asked["token"] = message["params"].get("_meta", {}).get("progressToken", 0)
        text = json.dumps({"said": said["count"]})
        content = [{"type": "text", "text": text}]
        burst()
        send({"jsonrpc": "2.0", "id": number, "result": {"content": content}})
        if WAY == "last":
            os._exit(0)
        if WAY != "changes" and not said["count"]:
            said["count"] = 1
            threading.Thread(target=flood, daemon=True).start()


for line in sys.stdin.buffer:
    take(json.loads(line))
