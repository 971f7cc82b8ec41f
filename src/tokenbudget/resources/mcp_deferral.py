"""Whether a client keeps the schemas of MCP tools out of its requests by itself.

Seen in the requests of three releases (docs/gateway.md has the table). The model never matters:
the release does, its ENABLE_TOOL_SEARCH, and for one of them whether it speaks to the API itself.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from tokenbudget.resources.client_features import version_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Deferral: TypeAlias = Literal["on", "off", "unknown"]
SEARCH, ADDRESS = "ENABLE_TOOL_SEARCH", "ANTHROPIC_BASE_URL"
OFFICIAL = "https://api.anthropic.com"

WITH_ANY_ADDRESS = (2, 1, 329)
WITH_THE_OFFICIAL = (2, 1, 270)
LAST_WITHOUT = (2, 0, 76)
"""Between these three nobody has looked."""
_ON, _OFF = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def deferral_of(version: str, variables: Mapping[str, str]) -> Deferral:
    """Whether this release sends names alone under these variables."""
    parts = version_parts(version)
    if parts is None:
        return "unknown"
    if parts <= LAST_WITHOUT:
        return "off"  # asked to, it sends every schema all the same, and the API hides it
    if parts < WITH_THE_OFFICIAL:
        return "unknown"
    wished = variables.get(SEARCH, "").strip().lower()
    if wished in _OFF and wished:
        return "off"
    if wished in _ON:
        return "on"
    if wished:  # auto:N, a share of the window: it depends on how many tools there are
        return "unknown"
    if parts >= WITH_ANY_ADDRESS:
        return "on"
    address = variables.get(ADDRESS, "").rstrip("/")
    if parts > WITH_THE_OFFICIAL:
        return "on" if address in ("", OFFICIAL) else "unknown"
    return "on" if address in ("", OFFICIAL) else "off"
