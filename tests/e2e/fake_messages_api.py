"""A stateless Messages API for tests: answers from scripts and records what it billed.

    python -m tests.e2e.fake_messages_api --scripts FILE --records DIR [--window TOKENS]

It listens on a free loopback port and prints that number, alone on a line, once it is ready.
Every request becomes one file in DIR, written before the answer leaves: method, path, headers,
body, when it had come (`at_ms`, of a clock that only ever goes forward), and for an answered
message its kind and what was billed for it.
"""

import argparse
import gzip
import itertools
import json
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.conversation import answer_to, kind_of
from tests.e2e.scripted_answers import (
    JsonObject,
    Scripts,
    Step,
    default_usage,
    load_scripts,
    stream_events,
)

from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()
MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
_NO_HEADERS: Mapping[str, str] = {}


class FakeMessagesApi(ThreadingHTTPServer):
    """The server: its scripts, the folder of its records, and what fits into its window."""

    daemon_threads = True

    def __init__(self, scripts: Scripts, records: Path, window_tokens: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scripts = scripts
        self.window_tokens = window_tokens
        self._records = records
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def record(self, exchange: JsonObject) -> None:
        """Write one request, numbered in the order of answers, whole or not at all."""
        with self._lock:
            name = f"{next(self._numbers):05d}.json"
        draft = self._records / f"{name}.part"
        draft.write_text(json.dumps(exchange), encoding="utf-8")
        draft.rename(self._records / name)


class Handler(BaseHTTPRequestHandler):
    """One connection of the client."""

    server: FakeMessagesApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits up to 40 ms for the client's word on its head
    _at_ms = 0.0

    def do_HEAD(self) -> None:
        self._record({})
        self._send(200, b"")

    def do_GET(self) -> None:
        self._record({})
        self._send_json(404, _api_error(404, "there is nothing here"))

    def do_POST(self) -> None:
        body = _json_object(self._read_body())
        self._at_ms = 1000 * CLOCK.monotonic_seconds()
        match self.path.partition("?")[0]:
            case path if path == MESSAGES:
                self._answer_message(body)
            case path if path == COUNT_TOKENS:
                self._record(body)
                self._send_json(200, {"input_tokens": len(json.dumps(body)) // 4})
            case _:  # telemetry and the like: accepted, recorded, forgotten
                self._record(body)
                self._send_json(200, {})

    def _answer_message(self, body: JsonObject) -> None:
        kind = kind_of(self._lower_case_headers(), body)
        step = refusal_of(body, self.server.window_tokens) or answer_to(
            kind, body, self.server.scripts
        )
        headers = {"request-id": _fresh_id("req"), **step.headers}
        if step.status != 200:
            self._record(body, kind=kind, status=step.status)
            self._send_json(step.status, _api_error(step.status, step.error), headers)
            return
        message = _message(body["model"], step, body)
        billed = {name: message[name] for name in ("id", "model", "usage")}
        self._record(body, kind=kind, status=200, billed=billed, at_ms=self._at_ms)
        if body.get("stream"):
            self._send_events(message, headers)
        else:
            self._send_json(200, message, headers)

    def _record(self, body: JsonObject, **outcome: object) -> None:
        asked = {"method": self.command, "path": self.path, "headers": self._lower_case_headers()}
        self.server.record({**asked, "body": body, **outcome})

    def _lower_case_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(iter(self._read_chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_packed = self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(body) if is_packed else body

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline().partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _send_events(self, message: JsonObject, headers: Mapping[str, str]) -> None:
        events = (
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            for event in stream_events(message)
        )
        stream = "".join(events).encode()
        self._send(200, stream, {"content-type": "text/event-stream", **headers})

    def _send_json(
        self, status: int, body: object, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        encoded = json.dumps(body).encode()
        self._send(status, encoded, {"content-type": "application/json", **headers})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the records tell more."""


def _message(model: str, step: Step, body: JsonObject) -> JsonObject:
    """The API's message object, with ids that no other answer has."""
    content = [_with_own_id(block) for block in step.content]
    usage = step.usage or default_usage(body, content)
    return {
        "id": _fresh_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": step.stop_reason,
        "stop_sequence": None,
        "usage": usage.in_api_words(),
    }


def refusal_of(body: JsonObject, window_tokens: int | None) -> Step | None:
    """The answer to a prompt that is larger than the window; None: it fits, or anything does."""
    prompt_tokens = len(json.dumps(body)) // 4
    if window_tokens is None or prompt_tokens <= window_tokens:
        return None
    words = f"prompt is too long: {prompt_tokens} tokens > {window_tokens} maximum"
    return Step(status=400, error=words)


def _with_own_id(block: JsonObject) -> JsonObject:
    return {**block, "id": _fresh_id("toolu")} if block["type"] == "tool_use" else block


def _fresh_id(prefix: str) -> str:
    return f"{prefix}_01{uuid.uuid4().hex[:22]}"


def _api_error(status: int, message: str) -> JsonObject:
    kinds = {400: "invalid_request_error", 404: "not_found_error", 529: "overloaded_error"}
    return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}


def _json_object(body: bytes) -> JsonObject:
    value = json.loads(body or b"{}")
    return value if isinstance(value, dict) else {"value": value}


def main() -> None:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scripts", type=Path, required=True)
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--window", type=int, metavar="TOKENS")
    options = parser.parse_args()
    scripts = load_scripts(options.scripts)
    with FakeMessagesApi(scripts, options.records, options.window) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
