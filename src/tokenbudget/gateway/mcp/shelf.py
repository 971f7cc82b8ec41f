"""What is known of the tools behind the gateway: from the cache at once, from servers as they come.

Read by whoever answers the client, written to by the loop that starts servers; a view is never
changed, only replaced.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from tokenbudget.gateway.mcp.directory import Directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
    from tokenbudget.gateway.mcp.finding import Finder
    from tokenbudget.gateway.mcp.server_config import ServerConfig
    from tokenbudget.gateway.mcp.values import Catalogue, Tool


class Known(NamedTuple):
    """What is known at one moment."""

    directory: Directory
    waiting: tuple[str, ...]
    """Servers that have not listed their tools yet, and may still do so."""
    troubles: Mapping[str, str]
    """Servers that could not be started, and why."""


class Shelf:
    """The catalogues of the configured servers."""

    def __init__(
        self,
        configs: Sequence[ServerConfig],
        fingerprints: Mapping[str, str],
        cache: CatalogueCache,
        uses: Mapping[str, int],
    ) -> None:
        """`fingerprints` by server; `uses` by alias, and it may grow meanwhile."""
        self.configs = tuple(configs)
        self._modes = {config.name: config.mode for config in configs}
        self._cache = cache
        self._uses = uses
        self._turn = threading.Lock()
        self._catalogues: dict[str, Catalogue] = {}
        self._troubles = {config.name: config.trouble for config in configs if config.trouble}
        for name, fingerprint in fingerprints.items():
            catalogue = cache.get(name, fingerprint)
            if catalogue is not None:
                self._catalogues[name] = catalogue
        self._known = self._seen()
        self._finder: tuple[Known, Finder] | None = None

    @property
    def known(self) -> Known:
        """What is known now."""
        return self._known

    @property
    def servers(self) -> list[str]:
        """The names of all servers that can be started."""
        return [config.name for config in self.configs if not config.trouble]

    def finder(self) -> tuple[Known, Finder]:
        """What finds the tools that are known now."""
        from tokenbudget.gateway.mcp.finding import Finder

        known, made = self._known, self._finder
        if made is None or made[0] is not known:
            finder = Finder(known.directory, self._uses, None, self._cache.index)
            made = self._finder = (known, finder)
        return made

    def learned(self, catalogue: Catalogue) -> bool:
        """A server listed its tools; whether that is anything new."""
        with self._turn:
            is_new = self._catalogues.get(catalogue.server) != catalogue
            is_new = self._troubles.pop(catalogue.server, None) is not None or is_new
            if is_new:
                self._catalogues[catalogue.server] = catalogue
                self._known = self._seen()
        return is_new

    def failed(self, server: str, reason: str) -> None:
        """A server could not be started."""
        with self._turn:
            self._troubles[server] = reason
            self._known = self._seen()

    def catalogue(self, server: str) -> Catalogue | None:
        """What a server listed last."""
        return self._catalogues.get(server)

    def offering(self, capability: str) -> list[str]:
        """The servers that said they have it, in their order."""
        return [name for name, one in self._ordered() if capability in one.offers]

    def alias_of(self, tool: Tool) -> str:
        """The name of a tool as the agent knows it; '' of one that is not there any more."""
        try:
            return self._known.directory.alias_of(tool)
        except KeyError:
            return ""

    def mode_of(self, server: str) -> str:
        """How a server's tools are offered."""
        return self._modes.get(server, "code")

    def is_waiting_to_list(self) -> bool:
        """Whether a server whose tools are listed to the client has not told them yet."""
        return any(self.mode_of(server) != "code" for server in self._known.waiting)

    def _seen(self) -> Known:
        waiting = tuple(
            config.name
            for config in self.configs
            if config.name not in self._catalogues and config.name not in self._troubles
        )
        return Known(Directory(one for _, one in self._ordered()), waiting, dict(self._troubles))

    def _ordered(self) -> list[tuple[str, Catalogue]]:
        found = ((config.name, self._catalogues.get(config.name)) for config in self.configs)
        return [(name, one) for name, one in found if one is not None]
