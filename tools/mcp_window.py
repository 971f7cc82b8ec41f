"""An MCP server on stdio as an agent's client drives it, and what of it enters the agent's window.

Used by `bench_gateway.py`, `bench_gateway_work.py` and the end-to-end tests: all of them look at
the gateway from outside, so nothing of its inside is imported here.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tokenbudget.metering.tokenizer import BytePairCounter

Json = dict[str, Any]

PROTOCOL = "2025-11-25"
ANSWER_SECONDS = 120.0
END_SECONDS = 1.5
"""For each way to end a server: the end of its input, then SIGTERM, then SIGKILL."""
READ_BYTES = 1 << 20
METHOD_NOT_FOUND = -32601


class Broken(Exception):
    """The server did not answer; its last words on standard error are in the message."""


class Client:
    """One MCP server: started, greeted, asked one thing at a time, ended."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path
    ) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                cwd=cwd,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._out, selectors.EVENT_READ)
        self._held, self._number = bytearray(), 0
        self.greeting: Json = {}

    @property
    def process_id(self) -> int:
        """Of the server itself."""
        return self._process.pid

    def greet(self) -> Json:
        """The handshake; what the server says of itself."""
        self.greeting = self.request(
            "initialize",
            {
                "protocolVersion": PROTOCOL,
                "capabilities": {},
                "clientInfo": {"name": "bench", "version": "1"},
            },
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self.greeting

    def tools(self) -> list[Json]:
        """Every page of them."""
        found: list[Json] = []
        params: Json = {}
        while True:
            page = self.request("tools/list", params)
            found += page["tools"]
            if not page.get("nextCursor"):
                return found
            params = {"cursor": page["nextCursor"]}

    def call(self, name: str, arguments: Mapping[str, object]) -> Json:
        """What `tools/call` gives."""
        return self.request("tools/call", {"name": name, "arguments": dict(arguments)})

    def request(self, method: str, params: Mapping[str, object]) -> Json:
        """The result of one request; requests of the server are answered with "no such method"."""
        self._number += 1
        number = self._number
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)})
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            message = json.loads(self._line(until))
            if "method" in message:
                if "id" in message:
                    self._refuse(message["id"])
            elif message.get("id") == number:
                if "error" in message:
                    raise Broken(f"{method}: {message['error']}")
                result: Json = message["result"]
                return result

    def _refuse(self, number: object) -> None:
        error = {"code": METHOD_NOT_FOUND, "message": "not here"}
        self._send({"jsonrpc": "2.0", "id": number, "error": error})

    def _send(self, message: Json) -> None:
        held = memoryview(json.dumps(message).encode() + b"\n")
        while held:
            held = held[os.write(self._in, held) :]

    def _line(self, until: float) -> bytes:
        scanned = 0
        while (end := self._held.find(b"\n", scanned)) < 0:
            scanned = len(self._held)
            if not self._selector.select(max(0.0, until - time.monotonic())):
                raise Broken(f"no answer in {ANSWER_SECONDS:.0f} s; {self._last_words()}")
            part = os.read(self._out, READ_BYTES)
            if not part:
                raise Broken(f"it ended; {self._last_words()}")
            self._held += part
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line

    def _last_words(self) -> str:
        return self._log.read_bytes()[-1500:].decode("utf-8", "replace")

    def close(self) -> None:
        """End its input, then the server."""
        self._selector.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Client:
        """Greeted."""
        self.greet()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def text_of(result: Mapping[str, Any]) -> str:
    """What of a result a client shows to the model: its `structuredContent`, else its texts.

    Claude Code hands over one of the two, and the structured one where both are there (measured
    with 2.0.76, 2.1.270 and 2.1.329).
    """
    if result.get("structuredContent") is not None:
        return compact(result["structuredContent"])
    blocks = result.get("content") or []
    return "\n".join(one.get("text", "") for one in blocks if one.get("type") == "text")


def compact(value: object) -> str:
    """JSON without spaces, as it is sent to the model."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def api_form(server: str, tools: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Tool definitions as they stand in a request."""
    return [
        {
            "name": f"mcp__{server}__{one['name']}",
            "description": one.get("description") or "",
            "input_schema": one["inputSchema"],
        }
        for one in tools
    ]


class Entry(NamedTuple):
    """Something that entered the window."""

    what: str
    tokens: int
    text: str


class Window:
    """What entered, in order. Tokens are o200k_base, of texts and of compact JSON.

    A call counts with its name, all that the agent wrote as its arguments (code included), and
    the whole of the answer; what frames a message on the wire is left out for everybody.
    """

    def __init__(self) -> None:
        self._counter = BytePairCounter()
        self.entries: list[Entry] = []

    def enter(self, what: str, text: str) -> str:
        """Count a text, under a heading of the table."""
        self.entries.append(Entry(what, self._counter.count(text), text))
        return text

    def call(self, what: str, client: Client, name: str, arguments: Mapping[str, object]) -> str:
        """Call a tool, counting what is asked and what is told."""
        self.enter(what, compact({"name": name, "input": arguments}))
        result = client.call(name, arguments)
        return self.enter(f"{what}, told", text_of(result))

    @property
    def tokens(self) -> int:
        """All of it."""
        return sum(one.tokens for one in self.entries)

    def under(self, what: str) -> int:
        """What entered under one heading, both ways."""
        return sum(one.tokens for one in self.entries if one.what in (what, f"{what}, told"))


def sandboxed(home: Path) -> dict[str, str]:
    """All that a server here is told: a home of its own and the way to programs."""
    home.mkdir(parents=True, exist_ok=True)
    told = {"HOME": str(home), "TOKENS_HOME": str(home / "tokens"), "LANG": "C.UTF-8"}
    told["CLAUDE_CONFIG_DIR"] = str(home / "claude")
    return {**told, "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
