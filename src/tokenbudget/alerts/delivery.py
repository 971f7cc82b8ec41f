"""What every channel promises."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.alerts.store import OutboxEntry

TIMEOUT_SECONDS = 10.0

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
        """Try once, within `TIMEOUT_SECONDS` or little more. Never raises."""
