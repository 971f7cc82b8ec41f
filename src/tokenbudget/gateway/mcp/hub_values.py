"""What the hub is told, and what it tells: limits, and the way to the client."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.gateway.mcp.values import Catalogue


class HubLimits(NamedTuple):
    """How long and how much a server may take."""

    start_seconds: float = 30.0
    """From its start to its last page of tools."""
    call_seconds: float = 120.0
    """Without a word of it; progress begins the time anew."""
    longest_call_seconds: float = 1_800.0
    """With progress or without."""
    idle_seconds: float = 600.0
    """A server that is not asked for this long is stopped; 0: never."""
    message_bytes: int = 16_000_000
    """Of one message; of a longer one nothing is kept."""
    log_bytes: int = 1_000_000
    """What is kept of a server's standard error."""
    most_calls: int = 64
    """To one server at a time; more wait."""


def as_told(limits: HubLimits, environment: Mapping[str, str]) -> HubLimits:
    """With the client's own variables, in milliseconds, which a person set for these servers."""
    start, call = environment.get("MCP_TIMEOUT", ""), environment.get("MCP_TOOL_TIMEOUT", "")
    return limits._replace(
        start_seconds=_seconds(start) or limits.start_seconds,
        call_seconds=_seconds(call) or limits.call_seconds,
    )


def _seconds(milliseconds: str) -> float:
    is_number = milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) < 10
    return int(milliseconds) / 1000 if is_number else 0.0


class ToClient(Protocol):
    """The way from a server to the client before the gateway. All in the loop of the hub."""

    def capabilities(self) -> Mapping[str, object]:
        """What the client announced of `sampling`, `elicitation` and `roots`."""

    async def sample(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """`sampling/createMessage`. Raises CallRefused where the client cannot or will not."""

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """`elicitation/create`. Raises CallRefused where the client cannot or will not."""

    async def roots(self) -> Mapping[str, object]:
        """`roots/list`. Raises CallRefused where the client cannot."""

    def notify(self, server: str, method: str, params: Mapping[str, object]) -> None:
        """A notification of a server: logging, resources and prompts that changed.

        Progress does not come here but to the `progress` of its call.
        """

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        """A server was started or changed its tools; it is in the cache already."""


class Progress(Protocol):
    """Told of the progress of one call."""

    def __call__(self, params: Mapping[str, object]) -> None:
        """`params` of `notifications/progress` without the token."""
