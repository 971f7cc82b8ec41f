"""A real `tokens gateway` process over small real servers, and a client that talks to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SMALL_SERVER = Path(__file__).parent / "small_server.py"
SOURCE = Path(__file__).parents[3] / "src"
SECONDS = 20
CAPABILITIES: dict[str, Any] = {"elicitation": {"form": {}}, "roots": {"listChanged": True}}
ACCEPTED = {"action": "accept", "content": {"allow": True}}


def small(*arguments: str) -> dict[str, Any]:
    """The definition of a small server."""
    return {"command": sys.executable, "args": ["-IS", str(SMALL_SERVER), *arguments]}


class Place:
    """A home, a data folder and a config of servers, all of their own."""

    def __init__(self, folder: Path, servers: dict[str, Any] | None = None) -> None:
        self.folder = folder
        self.data = folder / "tokens"
        self.config = folder / "servers.json"
        self.serves(servers if servers is not None else {"notes": small()})

    def serves(self, servers: dict[str, Any]) -> None:
        self.config.write_text(json.dumps({"mcpServers": servers}))

    def settings(self, toml: str) -> None:
        self.data.mkdir(exist_ok=True)
        (self.data / "config.toml").write_text(toml)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "TOKENS_HOME": str(self.data),
            "CLAUDE_CONFIG_DIR": str(self.folder / "claude"),
            "PATH": os.defpath,
            "PYTHONPATH": str(SOURCE),
            "CLAUDE_CODE_SESSION_ID": "session-1",
        }

    def command(self, *arguments: str) -> list[str]:
        told = ["-P", "-m", "tokenbudget", "gateway", "--config", str(self.config)]
        return [sys.executable, *told, *arguments]

    def audit(self, event: str) -> list[dict[str, Any]]:
        text = (self.data / "gateway" / "audit.jsonl").read_text()
        rows = [json.loads(line) for line in text.splitlines()]
        return [row for row in rows if row["event"] == event]


class Talk:
    """One conversation over the standard streams of a gateway."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.number = 0
        self.told: list[dict[str, Any]] = []
        """Notifications and requests of the gateway, as they came."""
        self.answer_to: Callable[[dict[str, Any]], Any] = lambda _: {"action": "cancel"}

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def say(self, **message: Any) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the gateway has closed its end"
        message: dict[str, Any] = json.loads(line)
        return message

    def asked(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to a request; what comes before it is answered or remembered."""
        self.number += 1
        self.say(id=self.number, method=method, params=params)
        return self.awaited(self.number)

    def awaited(self, number: object) -> dict[str, Any]:
        while True:
            message = self.heard()
            if "method" not in message and message.get("id") == number:
                return message
            self.told.append(message)
            if "id" in message and "method" in message:
                self.say(id=message["id"], result=self.answer_to(message))

    def result(self, method: str, **params: Any) -> Any:
        answer = self.asked(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def call(self, name: str, /, **arguments: Any) -> tuple[str, bool]:
        """Text and whether it is an error of a tool."""
        params = {"name": name, "arguments": arguments, "_meta": {"progressToken": "p1"}}
        result = self.result("tools/call", **params)
        return result["content"][0].get("text", ""), result["isError"]

    def run(self, code: str) -> tuple[str, bool]:
        return self.call("run_code", code=code)

    def greet(self, **capabilities: Any) -> dict[str, Any]:
        info = {"name": "client", "version": "9"}
        greeting: dict[str, Any] = self.result(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities=capabilities,
            clientInfo=info,
        )
        self.say(method="notifications/initialized")
        return greeting


@contextmanager
def talking(place: Place, *arguments: str, greets: bool = True) -> Iterator[Talk]:
    """A gateway of its own process; it is gone afterwards, whatever happens."""
    process = subprocess.Popen(
        place.command(*arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=place.environment,
        cwd=place.folder,
        start_new_session=True,
    )
    watch = threading.Timer(SECONDS, process.kill)  # a hang becomes a failure, not a standstill
    watch.start()
    try:
        talk = Talk(process)
        if greets:
            talk.greet(**CAPABILITIES)
        yield talk
    finally:
        watch.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # lines that the process did not wait for
                    stream.close()
