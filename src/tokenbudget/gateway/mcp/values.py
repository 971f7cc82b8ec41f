"""What the gateway knows of the servers behind it, and what a call gives back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Tool(NamedTuple):
    """One tool as its server lists it; every word of it is the server's, so hostile."""

    server: str
    """The name in `mcpServers`, not what the server calls itself."""
    name: str
    title: str
    description: str
    input_schema: Mapping[str, object]
    output_schema: Mapping[str, object] | None
    annotations: Mapping[str, object]
    """`readOnlyHint`, `destructiveHint`, `idempotentHint`, `openWorldHint`: hints, not promises."""


class Catalogue(NamedTuple):
    """The last answer of one server to `tools/list`, and what it said of itself."""

    server: str
    version: str
    """Name and version of `serverInfo`; '' where it was never started."""
    instructions: str
    tools: tuple[Tool, ...]
    offers: frozenset[str]
    """Its capabilities by name: `resources`, `prompts`, `completions`, `logging`."""


class Answer(NamedTuple):
    """What a tool gave back."""

    content: Sequence[Mapping[str, object]]
    """The content blocks as they came over the wire."""
    structured: object
    """`structuredContent`, or None."""
    is_error: bool


class CallRefused(Exception):
    """The call was not carried out; the message is one sentence for the agent."""


class CallFailed(Exception):
    """The server broke down, hung or answered nonsense; one sentence for the agent."""


class Caller(Protocol):
    """Carries a call to the server behind."""

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """One call of one tool.

        Raises:
            CallRefused: a rule or the person said no.
            CallFailed: the server did not answer, or not in a way that can be read.
        """
