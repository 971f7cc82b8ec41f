"""Small MCP servers on the standard library, over streamable HTTP and SSE on loopback."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import compress

VERSION = "2025-11-25"
SESSION = "s-1"
NOISE = 600
"""Notifications that the fault `noisy` puts before each answer of a call."""


class HttpServer(ThreadingHTTPServer):
    """One server with one fault of its choice; remembers what it was asked."""

    daemon_threads = True
    request_queue_size = 128
    """Of the usual 5 a burst of connections overflows: on a busy machine one of them is reset."""

    def __init__(self, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.fault = fault
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.outbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.sessions = 0
        self.elsewhere = "http://elsewhere.invalid"
        """Where the faults `moved` and `endpoint` send a client."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""


class Exchange(BaseHTTPRequestHandler):
    """One exchange with it."""

    server: HttpServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        message = json.loads(self.rfile.read(length))
        self.note(str(message.get("method", "answer")))
        fault, method, number = self.server.fault, message.get("method"), message.get("id")
        if fault == "locked":
            self.plain(401, b"who are you", {"www-authenticate": "Bearer"})
        elif fault == "moved":
            self.plain(307, b"", {"location": f"{self.server.elsewhere}/mcp"})
        elif number is None or method is None:
            self.plain(202, b"")
        elif self.path.startswith("/messages"):
            self.plain(202, b"")
            self.server.outbox.put({"jsonrpc": "2.0", "id": number, **self.reply(message)})
        else:
            self.answer(str(method), number, message)

    def answer(self, method: str, number: Any, message: dict[str, Any]) -> None:
        fault = self.server.fault
        reply = json.dumps({"jsonrpc": "2.0", "id": number, **self.reply(message)}).encode()
        if method == "initialize":
            self.server.sessions += 1
        is_call = method == "tools/call"
        is_first = fault == "expired" and self.server.sessions == 1
        if is_call and (is_first or fault == "forgetful"):
            self.plain(404, b"no such session")
        elif is_call and fault == "broken":
            self.plain(500, b"<html>oh no</html>", {"content-type": "text/html"})
        elif is_call and fault == "page":
            self.plain(200, b"<html>hello</html>", {"content-type": "text/html"})
        elif is_call and fault == "nojson":
            self.plain(200, b"{", {"content-type": "application/json"})
        elif is_call and fault == "bomb":
            packed = compress(b"x" * 50_000_000)
            self.plain(
                200, packed, {"content-type": "application/json", "content-encoding": "deflate"}
            )
        elif is_call and fault == "cut":
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", "1000")
            self.end_headers()
            self.close_connection = True
        elif is_call and fault == "noisy":
            note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x"}}
            told = b"event: message\ndata: %s\n\n" % json.dumps(note).encode() * NOISE
            told += b"event: message\ndata: %s\n\n" % reply
            self.plain(200, told, {"content-type": "text/event-stream"})
        elif fault in ("events", "bigevent") and method != "initialize":
            progress = {"progressToken": number, "progress": 1}
            note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}
            events = b"event: message\ndata: %s\n\n" * 2 % (json.dumps(note).encode(), reply)
            self.plain(200, events, {"content-type": "text/event-stream"})
        else:
            self.plain(200, reply, {"content-type": "application/json", "mcp-session-id": SESSION})

    def reply(self, message: dict[str, Any]) -> dict[str, Any]:
        method = message["method"]
        if method == "initialize":
            info = {"name": "web", "version": "1"}
            return {
                "result": {
                    "protocolVersion": VERSION,
                    "capabilities": {"tools": {}},
                    "serverInfo": info,
                }
            }
        if method == "tools/list":
            return {"result": {"tools": [{"name": "go"}, {"bad": 1}]}}
        if method == "tools/call":
            big = "big" in self.server.fault
            text = "x" * 50_000_000 if big else json.dumps(message["params"]["arguments"])
            return {"result": {"content": [{"type": "text", "text": text}], "kept": True}}
        return {"error": {"code": -32601, "message": "no"}}

    def do_GET(self) -> None:
        self.note("GET")
        if self.path != "/sse":
            self.plain(405, b"")
            return
        if self.server.fault == "moved":
            self.plain(307, b"", {"location": f"{self.server.elsewhere}/sse"})
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        away = self.server.elsewhere if self.server.fault == "endpoint" else ""
        self.wfile.write(f"event: endpoint\ndata: {away}/messages?sessionId=1\n\n".encode())
        while (message := self.server.outbox.get()) is not None:
            self.wfile.write(b"event: message\ndata: %s\n\n" % json.dumps(message).encode())
            if self.server.fault == "hangup" and "content" in message.get("result", {}):
                return

    def do_DELETE(self) -> None:
        self.note("DELETE")
        self.plain(204, b"")

    def note(self, what: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.path, what, headers))

    def plain(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def http_server(fault: str = "fine") -> Iterator[HttpServer]:
    server = HttpServer(fault)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.outbox.put(None)
        server.shutdown()
        thread.join()
        server.server_close()
