"""A small MCP server on the standard library, over stdio, with one fault of its choice.

    python -IS fault_server.py FAULT [FOLDER]

Every start leaves a file in FOLDER, named after its process.
"""

import json
import os
import signal
import sys
import time
from typing import Any

FAULT = sys.argv[1]
OUT = sys.stdout.buffer
BIG = 50_000_000
state: dict[str, Any] = {"page": 0, "call": None, "changed": False}


def send(message: Any) -> None:
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    OUT.write(data + b"\n")
    OUT.flush()


def tell(method: str, **params: Any) -> None:
    send({"jsonrpc": "2.0", "method": method, "params": params})


def note(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def answer(number: Any, result: Any) -> None:
    send({"jsonrpc": "2.0", "id": number, "result": result})


def text(said: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said}], **more}


def hello(number: Any) -> None:
    if FAULT == "mute":
        note("thinking about it")
        return
    version = "1999-01-01" if FAULT == "version" else "2025-11-25"
    offers = {"tools": {"listChanged": True}, "logging": {}, "resources": {}}
    info = {"name": FAULT, "version": "1"}
    answer(number, {"protocolVersion": version, "capabilities": offers, "serverInfo": info})


def tools(number: Any) -> None:
    state["page"] += 1
    one: dict[str, Any] = {"name": "go", "inputSchema": {"type": "object"}}
    if FAULT == "pages":
        name = f"t{state['page']}"
        answer(number, {"tools": [{**one, "name": name}], "nextCursor": str(state["page"])})
        return
    if FAULT == "schema":
        one["inputSchema"] = "nonsense"
    if FAULT == "lie":
        one["outputSchema"] = {"type": "object", "required": ["n"]}
    several = [one, {"noname": 1}, "text"] if FAULT == "tools" else [one]
    if state["changed"]:
        several.append({"name": "more", "inputSchema": {"type": "object"}})
    answer(number, "none" if FAULT == "notools" else {"tools": several})


def call(number: Any, params: dict[str, Any]) -> None:  # noqa: C901 - a table, one fault a row
    state["call"] = number
    token = (params.get("_meta") or {}).get("progressToken")
    given = params.get("arguments") or {}
    if FAULT == "big":
        answer(number, text("x" * BIG))
    elif FAULT == "flood":
        while True:
            OUT.write(b"x" * 65_536)
    elif FAULT == "junk":
        while True:
            OUT.write(b"this is no message\n" * 4_000)
    elif FAULT == "die":
        note("out of cheese")
        os._exit(3)
    elif FAULT == "hang":
        note("never")
    elif FAULT == "deaf":
        deaf()
    elif FAULT == "slow":
        for step in range(given.get("steps", 4)):
            time.sleep(0.1)  # noqa: TID251 - a server of its own
            tell("notifications/progress", progressToken=token, progress=step, total=4)
        answer(number, text("done"))
    elif FAULT == "environment":
        answer(number, text(json.dumps(dict(os.environ))))  # noqa: TID251 - a server of its own
    elif FAULT == "wrongid":
        answer(9_999, text("ok"))
    elif FAULT == "textid":
        answer(str(number), text("ok"))
    elif FAULT == "twice":
        answer(number, text("first"))
        answer(number, text("second"))
    elif FAULT == "weird":
        answer(number, {"content": [{"type": "hologram", "x": 1}, 7], "extra": True})
    elif FAULT == "nocontent":
        answer(number, {})
    elif FAULT == "noresult":
        answer(number, "a text")
    elif FAULT == "error":
        error = {"code": -32602, "message": "no\x1b[2J such\nthing", "data": {"a": 1}}
        send({"jsonrpc": "2.0", "id": number, "error": error})
    elif FAULT == "lie":
        answer(number, text("ok", structuredContent={"n": "no number"}))
    elif FAULT == "surrogate":
        send(
            b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"\\ud800\xff"}],'
            b'"structuredContent":{"n":NaN}}}' % number
        )
    elif FAULT == "deep":
        send(
            b'{"jsonrpc":"2.0","id":%d,"result":' % number + b"[" * 100_000 + b"]" * 100_000 + b"}"
        )
    elif FAULT == "chatty":
        for step in range(5_000):
            tell("notifications/message", level="info", data=step)
        answer(number, text("ok"))
    elif FAULT == "changes":
        state["changed"] = True
        for _ in range(50):
            tell("notifications/tools/list_changed")
        answer(number, text("ok"))
    elif FAULT == "asks":
        for method in given["methods"]:
            send({"jsonrpc": "2.0", "id": f"s-{method}", "method": method, "params": {"a": 1}})
    elif FAULT == "asksmuch":
        for one in range(100):
            send({"jsonrpc": "2.0", "id": one, "method": "elicitation/create", "params": {}})
        answer(number, text("ok"))
    else:
        answer(number, text(json.dumps(given), structuredContent=given, _meta={"kept": 1}))


def stateless(number: Any, method: str, params: dict[str, Any]) -> None:
    """The revision without a handshake, and no other."""
    meta = params.get("_meta") or {}
    if meta.get("io.modelcontextprotocol/protocolVersion") != "2026-07-28":
        error = {"code": -32022, "message": "unsupported", "data": {"supported": ["2026-07-28"]}}
        send({"jsonrpc": "2.0", "id": number, "error": error})
    elif method == "server/discover":
        info = {"io.modelcontextprotocol/serverInfo": {"name": FAULT, "version": "2"}}
        offers = {"tools": {"listChanged": True}}
        versions = ["1999-01-01"] if FAULT == "future" else ["2026-07-28"]
        answer(number, {"supportedVersions": versions, "capabilities": offers, "_meta": info})
    elif method == "subscriptions/listen":
        state["changed"] = True
        tell("notifications/tools/list_changed", _meta={"subscriptionId": number})
    elif method == "tools/list":
        tools(number)
    elif FAULT == "insisting" or "inputResponses" not in params:
        one = {"method": "elicitation/create", "params": {"message": "Sure?"}}
        asked = {"resultType": "input_required", "inputRequests": {"q": one}, "requestState": "s1"}
        answer(number, asked)
    else:
        answer(number, text(json.dumps([params["inputResponses"], params["requestState"]])))


def deaf() -> None:
    """Read nothing any more."""
    while True:
        time.sleep(60)  # noqa: TID251 - a server of its own


def take(message: dict[str, Any]) -> None:  # noqa: C901 - a table too
    method, number = message.get("method"), message.get("id")
    if method is None:
        said = message.get("result", message.get("error"))
        if FAULT == "asks":
            answer(state["call"], text(json.dumps(said)))
    elif method == "notifications/cancelled":
        note("cancelled " + json.dumps(message["params"]))
    elif number is None:
        return
    elif FAULT in ("stateless", "insisting", "future"):
        stateless(number, method, message.get("params") or {})
    elif method == "initialize":
        hello(number)
    elif method == "tools/list":
        tools(number)
    elif method == "tools/call":
        call(number, message["params"])
    elif method in ("resources/read", "resources/subscribe", "logging/setLevel"):
        answer(number, {"asked": message.get("params"), "method": method})
        if method == "logging/setLevel":
            note(f"level {message['params']['level']}")
    else:
        error = {"code": -32601, "message": "no"}
        send({"jsonrpc": "2.0", "id": number, "error": error})


def main() -> None:
    if len(sys.argv) > 2:
        with open(os.path.join(sys.argv[2], str(os.getpid())), "w", encoding="ascii"):
            pass
    if FAULT == "dead":
        note("no configuration")
        sys.exit(7)
    if FAULT == "noise":
        for line in (b"Starting...", b'{"not":"rpc"}', b"[]", b"", b"\xff\xfe", b"{", b"null"):
            send(line)
    for line in sys.stdin.buffer:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        take(message)
    if FAULT == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)  # noqa: TID251 - a server of its own


main()
