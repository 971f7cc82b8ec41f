"""The words of one server's tools, weighed by where they stand, and which tools go together.

Made once when a server has listed its tools, and kept beside the catalogue: making it takes longer
than a start may take.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple
from zlib import crc32

from tokenbudget.gateway.mcp.finding_siblings import siblings_of
from tokenbudget.gateway.mcp.finding_words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.gateway.mcp.values import Catalogue, Tool

FORMAT = "tokenbudget/finding-index/2"

NAME, TITLE, SERVER, FIRST, REST, PARAMETERS = 65, 20, 20, 20, 10, 6
"""How much a word counts in a tool's name, its title, its server's name, the beginning of its
description, the rest of it, and the names of its parameters."""
FIRST_CHARS, REST_CHARS, MOST_PARAMETERS = 160, 500, 30
MOST_REMEMBERED = 50_000
_SATURATION, _LENGTH_SHARE = 2.4, 0.5


class ServerIndex(NamedTuple):
    """What is known of one server's tools by their place in the catalogue."""

    holders: Mapping[str, Sequence[int]]
    """By term: the number of a tool, its weight there, the number of the next, …"""
    lengths: Sequence[float]
    """How much each tool says."""
    names: Sequence[Sequence[str]]
    """The terms of each tool's name."""
    siblings: Mapping[str, Sequence[float]]
    """By number (in digits): a tool that belongs to it, how much, the next, …"""


def index_of(catalogue: Catalogue) -> ServerIndex:
    """The index of a server's tools."""
    holders: dict[str, list[int]] = {}
    lengths = []
    for number, tool in enumerate(catalogue.tools):
        weights = _weights(tool)
        lengths.append(round(math.sqrt(sum(weights.values())), 1))
        for term, weight in weights.items():
            holders.setdefault(term, []).extend((number, weight))
    names = [list(dict.fromkeys(words(tool.name))) for tool in catalogue.tools]
    return ServerIndex(holders, lengths, names, siblings_of(catalogue.tools))


def as_bytes(index: ServerIndex, of: str) -> bytes:
    """The index with a check sum, as a file may hold it; `of` says of what it is the index."""
    body = json.dumps(index, separators=(",", ":")).encode("ascii")
    return f"{FORMAT} {of} {crc32(body):08x}\n".encode("ascii") + body


def from_bytes(data: bytes, of: str) -> ServerIndex | None:
    """The index that `as_bytes` was given, and nothing else; None for any other bytes."""
    head, _, body = data.partition(b"\n")
    if head != f"{FORMAT} {of} {crc32(body):08x}".encode("ascii"):
        return None
    return ServerIndex(*json.loads(body))


def _weights(tool: Tool) -> dict[str, int]:
    found: dict[str, int] = {}
    for text, weight in _fields(tool):
        for term in words(text):
            found[term] = found.get(term, 0) + weight
    return found


def _fields(tool: Tool) -> Iterator[tuple[str, int]]:
    yield tool.name, NAME
    yield tool.title, TITLE
    yield tool.server, SERVER
    said = " ".join(tool.description[: 3 * REST_CHARS].split())
    yield said[:FIRST_CHARS], FIRST
    yield said[FIRST_CHARS:REST_CHARS], REST
    properties = tool.input_schema.get("properties")
    if isinstance(properties, dict):
        yield " ".join(list(properties)[:MOST_PARAMETERS]), PARAMETERS


class Index:
    """The indexes of some servers as one; a tool is known by its number over all of them."""

    def __init__(self, parts: Sequence[ServerIndex]) -> None:
        self._parts: list[tuple[int, ServerIndex]] = []
        self.size = 0
        for part in parts:
            self._parts.append((self.size, part))
            self.size += len(part.lengths)
        self.names = [name for part in parts for name in part.names]
        lengths = [length for part in parts for length in part.lengths]
        mean = (sum(lengths) / len(lengths) if lengths else 0.0) or 1.0
        self._norms = [
            10 * _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / mean)
            for length in lengths
        ]
        self._rarities: dict[str, float] = {}
        self.unknown = self._rarity(0)
        """The rarity of a word that no tool has."""

    def _rarity(self, held: int) -> float:
        return math.log(1 + (self.size - held + 0.5) / (held + 0.5))

    def rarity(self, term: str) -> float:
        """How much a term tells tools apart (inverse document frequency); 0 where none has it."""
        found = self._rarities.get(term)
        if found is None:
            held = sum(len(part.holders.get(term, ())) for _, part in self._parts) // 2
            found = self._rarity(held) if held else 0.0
            if len(self._rarities) < MOST_REMEMBERED:
                self._rarities[term] = found
        return found

    def scores(self, query: Mapping[str, float]) -> dict[int, float]:
        """The BM25 score of every tool that has one of these terms, given with their rarities."""
        found: dict[int, float] = {}
        norms = self._norms
        for term, weight in query.items():
            for start, part in self._parts:
                held = part.holders.get(term)
                if held:
                    for at in range(0, len(held), 2):
                        number, count = start + held[at], held[at + 1]
                        score = weight * count / (count + norms[number])
                        found[number] = found.get(number, 0.0) + score
        return found

    def siblings(self, number: int) -> Iterator[tuple[int, float]]:
        """The tools of the same server that belong to a tool, and how much."""
        for start, part in reversed(self._parts):
            if number >= start:
                pairs = part.siblings.get(str(number - start), ())
                for at in range(0, len(pairs), 2):
                    yield start + int(pairs[at]), pairs[at + 1]
                return
