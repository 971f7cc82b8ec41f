"""A sandbox with a few tools behind it, driven from plain tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.sandbox import Sandbox
from tokenbudget.gateway.mcp.sandbox_tools import ToolFunctions
from tokenbudget.gateway.mcp.sandbox_values import Limits, Outcome
from tokenbudget.gateway.mcp.values import Answer, CallFailed, CallRefused, Tool
from tokenbudget.system.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path
    from typing import Any, TypeVar

    Result = TypeVar("Result")

LIMITS = Limits(memory_mb=96, run_seconds=0.6, whole_seconds=20.0, calls=50)
TEXT = {"type": "string"}
ANY_TOOL = {"type": "object", "additionalProperties": True}


def tool(name: str, required: Mapping[str, object], **optional: object) -> dict[str, object]:
    return {
        "name": name,
        "description": f"The tool {name}.",
        "inputSchema": {
            "type": "object",
            "properties": {**required, **optional},
            "required": list(required),
            "additionalProperties": False,
        },
    }


CATALOGUE = catalogue_of(
    "files",
    {"serverInfo": {"name": "files", "version": "1"}},
    [
        tool("read", {"path": TEXT}, limit={"type": "integer"}),
        tool("delete", {"path": TEXT}),
        tool("fail", {}),
        tool("hang", {}),
        tool("breakdown", {}),
        tool("ended", {}),
        tool("fault", {}),
        {"name": "echo", "inputSchema": ANY_TOOL},
        {"name": "say", "inputSchema": ANY_TOOL},
    ],
)


class Behind:
    """The servers behind: remembers what reached them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self.answer: object = None
        """What `say` answers, as structured content."""
        self.slowness_seconds = 0.0
        self.hanging = asyncio.Semaphore(0)
        """Released once by every call that hangs."""
        self.go = asyncio.Event()
        """What hangs waits for it."""
        self.asked_seconds = 0.0
        """For how long a person was asked."""
        self.running = 0
        self.most_running = 0
        self.cancelled = 0

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        if tool.name == "delete":
            raise CallRefused("files_delete is denied by a rule")
        self.calls.append((tool.name, arguments))
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            return await self._answered(tool, arguments)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _answered(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        await asyncio.sleep(self.slowness_seconds)
        match tool.name:
            case "hang":
                self.hanging.release()
                await self.go.wait()
            case "breakdown":
                raise CallFailed("the server files ended during the call")
            case "ended":
                raise asyncio.CancelledError
            case "fault":
                raise ZeroDivisionError("a fault\ud800")
            case "fail":
                return Answer([{"type": "text", "text": "ENOENT: no such file"}], None, True)
            case "echo":
                return Answer([], dict(arguments), False)
            case "say":
                return Answer([], self.answer, False)
            case _:
                pass
        path = arguments.get("path")
        return Answer([{"type": "text", "text": f"text of {path}"}], None, False)


class Room:
    """A sandbox, its tools and the loop that they live in."""

    def __init__(self, folder: Path, limits: Limits = LIMITS) -> None:
        self.behind = Behind()
        self.functions = ToolFunctions(Directory([CATALOGUE]), self.behind)
        self.sandbox = Sandbox(str(folder), SystemClock(), limits)
        self._runner = asyncio.Runner()

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def run(self, code: str) -> Outcome:
        return self.do(self.sandbox.run(code, self.functions))

    def value(self, code: str) -> str:
        outcome = self.run(code)
        assert outcome.error == "", outcome
        return outcome.value

    def worker(self) -> int:
        """The process that holds the variables now."""
        session = self.sandbox._session
        assert session is not None
        assert session.pid is not None
        return session.pid

    def restart(self) -> None:
        """A new session without any variables."""
        self.do(self.sandbox.close())
        self.sandbox._kept = None

    def close(self) -> None:
        self.do(self.sandbox.close())
        self._runner.close()
