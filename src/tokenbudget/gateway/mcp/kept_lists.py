"""What servers listed of resources and prompts, on disk: a client asks for it when it starts.

Without it, every start of a client would start every server that has a prompt. A list may be older
than what the server has by now: it is asked itself as soon as it runs.
"""

from __future__ import annotations

import json

from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
    from tokenbudget.gateway.mcp.client import Message

FORMAT = "tokenbudget/gateway-lists/1"
ENDING = ".lists.json"
MOST_BYTES = 8_000_000


class KeptLists:
    """The lists of all servers, beside their catalogues."""

    def __init__(self, cache: CatalogueCache, fingerprints: Mapping[str, str]) -> None:
        self._cache = cache
        self._fingerprints = fingerprints

    def get(self, server: str, method: str) -> list[Message] | None:
        """What the server last answered, started in the same way; None where it is not known."""
        listed = self._kept(server).get(method)
        if not isinstance(listed, list):
            return None
        return [one for one in listed if isinstance(one, dict)]

    def put(self, server: str, method: str, entries: Sequence[Message]) -> None:
        """Keep an answer; where that cannot be done, the server is asked again next time."""
        fingerprint = self._fingerprints.get(server)
        kept = self._kept(server)
        if fingerprint is None or kept.get(method) == entries:
            return
        whole = {"format": FORMAT, "fingerprint": fingerprint, "lists": {**kept, method: entries}}
        try:
            data = json.dumps(whole, separators=(",", ":")).encode()
            if len(data) <= MOST_BYTES:
                make_private(self._cache.folder)
                write_atomic(self._cache.path_of(server, ENDING), data)
        except (OSError, ValueError, TypeError, RecursionError):
            return

    def _kept(self, server: str) -> dict[str, object]:
        try:
            with open(self._cache.path_of(server, ENDING), "rb") as file:
                whole = json.loads(file.read(MOST_BYTES))
            if whole["format"] == FORMAT and whole["fingerprint"] == self._fingerprints[server]:
                return dict(whole["lists"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            pass
        return {}
