"""What `tokens gateway install` would do, as values."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.actions import UNKNOWN_WEIGHT, Weight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app.gateway_errand import GatewayErrand
    from tokenbudget.app.gateway_weights import ServerWeight
    from tokenbudget.gateway.mcp.taken import Record
    from tokenbudget.model.actions import Step
    from tokenbudget.resources.mcp_deferral import Deferral


class ServerRow(NamedTuple):
    """One server, and what becomes of it."""

    name: str
    change: str
    """`take`, `there` (behind the gateway already) or `skip`."""
    mode: str
    how: str
    """What the gateway will start or call, as far as it may be shown."""
    note: str
    weight: ServerWeight | None
    """None: it was never listed, so nobody knows."""

    @property
    def is_changed(self) -> bool:
        """Whether one that is behind the gateway is offered in another way now."""
        return self.change == "there" and bool(self.note)


class GatewayPlan(NamedTuple):
    """What would be done."""

    errand: GatewayErrand
    project: str
    """'' for the person's own servers everywhere."""
    rows: tuple[ServerRow, ...]
    record: Record
    """What is behind the gateway then."""
    record_path: str
    steps: tuple[Step, ...]
    definitions: tuple[bytes, ...]
    """To be kept before the steps that name them by their hash."""
    client_version: str
    deferral: Deferral
    notes: tuple[str, ...]
    is_record_due: bool

    @property
    def is_any(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.steps) or self.is_record_due

    @property
    def taken(self) -> list[ServerRow]:
        """What goes behind the gateway now."""
        return [row for row in self.rows if row.change == "take"]

    @property
    def freed(self) -> Weight:
        """What each request is spared, as far as it is known; the gateway's own cost apart."""
        known = [row.weight for row in self.taken if row.weight]
        if self.deferral == "unknown" or len(known) < len(self.taken):
            return UNKNOWN_WEIGHT
        is_deferred = self.deferral == "on"
        tokens = sum(one.name_tokens if is_deferred else one.schema_tokens for one in known)
        return Weight(tokens, 0, "estimated")
