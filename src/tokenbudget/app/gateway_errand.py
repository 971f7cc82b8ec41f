"""What `tokens gateway install` was asked for."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.gateway.mcp.taken import PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class GatewayErrand(NamedTuple):
    """What was asked for."""

    scope: str = PROJECT
    is_shared: bool = False
    names: tuple[str, ...] = ()
    """The servers to take; none: all that can be."""
    modes: Mapping[str, str] = {}
