"""What every channel promises."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.alerts.store import OutboxEntry

TIMEOUT_SECONDS = 10.0
"""For every answer of a receiver."""
ATTEMPT_SECONDS = 20.0
"""For a whole attempt, whatever a receiver does: one that says a byte a second never times out."""

BELL, DESKTOP, EMAIL, SLACK, DISCORD, URL = "bell", "desktop", "email", "slack", "discord", "url"
KINDS = (BELL, DESKTOP, EMAIL, SLACK, DISCORD, URL)
REMOTE_KINDS = (EMAIL, SLACK, DISCORD, URL)


class Delivery(NamedTuple):
    """How one attempt went."""

    is_ok: bool
    detail: str
    """Safe to show: holds no secret."""
    is_retryable: bool = False


class Channel(Protocol):
    """One way to a person."""

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Try once, within `ATTEMPT_SECONDS`. Never raises."""
