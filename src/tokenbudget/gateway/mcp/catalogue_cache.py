"""Catalogues on disk, so that finding a tool needs no server and no time.

    <folder>/<server>-<check sum>.json     one catalogue and the fingerprint it was taken under
    <folder>/<server>-<check sum>.index    the index of its tools (`finding_index`)

A fingerprint says how the server is started. Another one, a damaged file, a file that is too
large: all are as good as none. Writing never fails the caller: a cache that cannot be written
costs a start, nothing else.
"""

from __future__ import annotations

import json
import os
from zlib import crc32

from tokenbudget.gateway.mcp.catalogue import as_document, from_document
from tokenbudget.gateway.mcp.finding_index import as_bytes, from_bytes, index_of
from tokenbudget.system.atomic import write_atomic
from tokenbudget.system.private_folder import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.finding_index import ServerIndex
    from tokenbudget.gateway.mcp.values import Catalogue

MOST_BYTES = 64_000_000
FILE, INDEX = ".json", ".index"


class CatalogueCache:
    """The catalogues below one folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, server: str, fingerprint: str) -> Catalogue | None:
        """What this server last listed, started in this way."""
        try:
            kept = json.loads(_read(self.path_of(server)))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(kept, dict) or kept.get("fingerprint") != fingerprint:
            return None
        catalogue = from_document(kept.get("catalogue"))
        return catalogue if catalogue is not None and catalogue.server == server else None

    def put(self, catalogue: Catalogue, fingerprint: str) -> bool:
        """Keep a catalogue and its index; whether that could be done."""
        kept = {"fingerprint": fingerprint, "catalogue": as_document(catalogue)}
        try:
            data = json.dumps(kept, separators=(",", ":")).encode("ascii")
            if len(data) > MOST_BYTES:
                return False
            index = as_bytes(index_of(catalogue), _sum(catalogue))
            make_private(self.folder)
            write_atomic(self.path_of(catalogue.server, INDEX), index)
            write_atomic(self.path_of(catalogue.server), data)
        except (OSError, ValueError, TypeError, RecursionError):
            return False
        return True

    def index(self, catalogue: Catalogue) -> ServerIndex | None:
        """The index that was kept with exactly this catalogue."""
        try:
            return from_bytes(_read(self.path_of(catalogue.server, INDEX)), _sum(catalogue))
        except (OSError, ValueError, RecursionError):
            return None

    def path_of(self, server: str, ending: str = FILE) -> str:
        """The file of one server; every server has one of its own, whatever its name."""
        sum_ = crc32(server.encode("utf-8", "surrogatepass"))
        plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in server[:60])
        return os.path.join(self.folder, f"{plain}-{sum_:08x}{ending}")


def _read(path: str) -> bytes:
    """The bytes of a file. Raises OSError, and ValueError where they are too many."""
    with open(path, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(path)
    return data


def _sum(catalogue: Catalogue) -> str:
    """Tells whether an index belongs to a catalogue: its tools in their order, names and texts."""
    said = "\n".join(f"{tool.name}\t{tool.description}" for tool in catalogue.tools)
    return f"{crc32(said.encode('utf-8', 'surrogatepass')):08x}-{len(catalogue.tools)}"
