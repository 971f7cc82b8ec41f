"""What a server's tools cost in each request, from the catalogue that the gateway keeps of it."""

from __future__ import annotations

import json
import os
import re
from typing import NamedTuple

from tokenbudget.config.files import read_regular
from tokenbudget.gateway.mcp.catalogue import from_document
from tokenbudget.gateway.mcp.catalogue_cache import MOST_BYTES, CatalogueCache
from tokenbudget.gateway.mcp.taken import catalogues_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.values import Catalogue, Tool
    from tokenbudget.model.protocols import TokenCounter

_OTHER = re.compile(r"[^A-Za-z0-9_-]")


class KeptCatalogue(NamedTuple):
    """What a server listed last, as it is kept."""

    catalogue: Catalogue
    fingerprint: str
    at_ms: int


class ServerWeight(NamedTuple):
    """What one server adds to each request, in tokens of o200k."""

    tools: int
    schema_tokens: int
    """Every definition, as it is sent without deferral; the server's instructions too."""
    name_tokens: int
    """The names alone, as a client that defers lists them; the instructions too."""


def kept_catalogue(data_dir: str, server: str) -> KeptCatalogue | None:
    """The catalogue that is kept of a server, also where it is started in another way by now."""
    path = CatalogueCache(catalogues_path(data_dir)).path_of(server)
    try:
        kept = json.loads(read_regular(path, MOST_BYTES) or b"null")
        at_ms = int(os.stat(path).st_mtime * 1000)
    except (OSError, ValueError, RecursionError):
        return None
    catalogue = from_document(kept.get("catalogue")) if isinstance(kept, dict) else None
    if catalogue is None or catalogue.server != server:
        return None
    return KeptCatalogue(catalogue, str(kept.get("fingerprint")), at_ms)


def weight_of(catalogue: Catalogue, counter: TokenCounter) -> ServerWeight:
    """What its tools add to each request, with deferral and without."""
    told = counter.count(catalogue.instructions) if catalogue.instructions else 0
    names = "\n".join(api_name(tool) for tool in catalogue.tools)
    schemas = json.dumps(
        [definition_of(tool) for tool in catalogue.tools], ensure_ascii=False, separators=(",", ":")
    )
    return ServerWeight(
        tools=len(catalogue.tools),
        schema_tokens=told + (counter.count(schemas) if catalogue.tools else 0),
        name_tokens=told + (counter.count(names) if catalogue.tools else 0),
    )


def definition_of(tool: Tool) -> dict[str, object]:
    """A tool as it is sent to the model."""
    return {
        "name": api_name(tool),
        "description": tool.description,
        "input_schema": tool.input_schema,
    }


def api_name(tool: Tool) -> str:
    """A tool's name as the client makes it."""
    return f"mcp__{_OTHER.sub('_', tool.server)}__{_OTHER.sub('_', tool.name)}"
