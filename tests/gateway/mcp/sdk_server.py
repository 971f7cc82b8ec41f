"""A small MCP server made with the official SDK.

python sdk_server.py stdio
python sdk_server.py streamable-http|sse PORT
"""

import sys

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import Completion
from pydantic import BaseModel

server = MCPServer("orders", instructions="Ask for orders.")


class Agreed(BaseModel):
    """What a person is asked."""

    yes: bool


@server.tool()
def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


@server.tool()
async def steps(context: Context) -> list[str]:
    """Tell of progress and of a log line."""
    for step in range(3):
        await context.report_progress(step, 3, f"step {step}")
    await context.info("half way")
    return ["a", "b"]


@server.tool()
async def ask(context: Context) -> str:
    """Ask the person."""
    answer = await context.elicit("Sure?", Agreed)
    return f"{answer.action}: {getattr(answer, 'data', None)}"


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("no such order")


@server.resource("orders://{number}")
def order(number: str) -> str:
    """One order."""
    return f"order {number}"


@server.prompt()
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello {name}"


@server.completion()  # type: ignore[no-untyped-call, untyped-decorator]
async def complete(ref: object, argument: object, context: object) -> Completion:
    return Completion(values=["one", "two"])


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    elif sys.argv[1] == "sse":
        server.run("sse", port=int(sys.argv[2]))
    else:
        server.run("streamable-http", port=int(sys.argv[2]))
