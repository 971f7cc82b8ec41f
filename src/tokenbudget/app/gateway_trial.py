"""Start every server behind the gateway once, and have it list its tools; they are kept."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tokenbudget.config.settings import process_environment
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.taken import FOLDER, catalogues_path
from tokenbudget.gateway.mcp.values import CallFailed, CallRefused
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.values import Catalogue
    from tokenbudget.model.protocols import Clock

CHECK_SECONDS = 60.0


def tried(
    settings: Settings, clock: Clock, configs: Sequence[ServerConfig]
) -> dict[str, Catalogue | str]:
    """Each server: what it lists, or why it does not."""
    return asyncio.run(_tried(settings, clock, configs))


class _NoClient:
    """Nobody stands before the gateway while it is only tried.

    It says that it can what Claude Code can, for by that some servers choose what they list.
    """

    def __init__(self, folder: str) -> None:
        self._uri = Path(os.path.abspath(folder or os.sep)).as_uri()

    def capabilities(self) -> Mapping[str, object]:
        return {"roots": {}, "elicitation": {}}

    async def sample(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        raise CallRefused("nobody is there to answer")

    async def elicit(self, server: str, params: Mapping[str, object]) -> Mapping[str, object]:
        raise CallRefused("nobody is there to answer")

    async def roots(self) -> Mapping[str, object]:
        return {"roots": [{"uri": self._uri}]}

    def notify(self, server: str, method: str, params: Mapping[str, object]) -> None:
        return

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        return


async def _tried(
    settings: Settings, clock: Clock, configs: Sequence[ServerConfig]
) -> dict[str, Catalogue | str]:
    """Each server: what it lists when it is started, or why it does not start."""
    from tokenbudget.gateway.mcp.hub import Hub
    from tokenbudget.gateway.mcp.hub_values import HubLimits

    folder = os.path.join(settings.data_dir, FOLDER)
    make_private(folder)
    hub = Hub(
        configs,
        CatalogueCache(catalogues_path(settings.data_dir)),
        _NoClient(settings.working_dir),
        clock,
        HubLimits(),
        environment=process_environment(),
        log_folder=os.path.join(folder, "logs"),
    )

    async def listed(name: str) -> Catalogue | str:
        try:
            return await asyncio.wait_for(hub.catalogue(name, fresh=True), CHECK_SECONDS)
        except (CallFailed, CallRefused) as wrong:
            return str(wrong)
        except TimeoutError:
            return f"does not list its tools within {CHECK_SECONDS:g} s"

    try:
        found = await asyncio.gather(*(listed(config.name) for config in configs))
    finally:
        await hub.close()
    return dict(zip((config.name for config in configs), found, strict=True))
