"""All tools of all servers under one flat name each, and back from any spelling of it.

An alias is a Python identifier, `server_tool`, so that code can call it. Where a tool's name
already begins with its server's, the server is not said twice. Where two tools would have one
alias, none has it: each gets a longer one, at last one with its own check sum, so that a tool that
appears later never takes over a name that an agent has already learnt for another.
"""

from __future__ import annotations

import re
from collections import Counter
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.gateway.mcp.values import Catalogue, Tool

MOST_ALIAS_CHARS = 80
LEAST_LIKENESS = 0.25
_OTHER = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CLIENT_PREFIX = "mcp__"
_SERVER_WORDS = frozenset({"mcp", "server"})
"""Said in every second server's name, and nothing by them."""


class Directory:
    """The tools of some catalogues by alias."""

    def __init__(self, catalogues: Iterable[Catalogue]) -> None:
        self.catalogues = tuple(catalogues)
        self.tools: tuple[Tool, ...] = tuple(
            tool for catalogue in self.catalogues for tool in catalogue.tools
        )
        self._by_alias = _aliases(self.tools)
        self._alias = {(tool.server, tool.name): a for a, tool in self._by_alias.items()}
        self._by_spelling: dict[str, Tool | None] = {}

    def alias_of(self, tool: Tool) -> str:
        """The name under which code calls it. Raises KeyError for a tool of another directory."""
        return self._alias[tool.server, tool.name]

    def tool(self, spelling: str) -> Tool | None:
        """The tool of an alias or any usual spelling of its name; None where it is not one tool's.

        `server_tool`, `server.tool`, `server/tool`, `mcp__server__tool`, or the bare name where
        only one server has it.
        """
        if spelling in self._by_alias:
            return self._by_alias[spelling]
        if not self._by_spelling:
            self._by_spelling = _spellings(self._by_alias)
        return self._by_spelling.get(_bare(spelling.strip().removeprefix(_CLIENT_PREFIX)))

    def similar(self, spelling: str, limit: int = 3) -> list[str]:
        """The aliases that look most like a name that is none."""
        wanted = _triples(plain(spelling.removeprefix(_CLIENT_PREFIX)))
        likeness = {
            alias: len(wanted & own) / (len(wanted | own) or 1)
            for alias in self._by_alias
            if wanted & (own := _triples(alias))
        }
        best = sorted(likeness, key=lambda alias: (-likeness[alias], alias))
        return [alias for alias in best if likeness[alias] >= LEAST_LIKENESS][:limit]


def _spellings(by_alias: Mapping[str, Tool]) -> dict[str, Tool | None]:
    """Every usual spelling of every tool; None for one that several tools share."""
    found: dict[str, Tool | None] = {}
    for alias, tool in by_alias.items():
        for spelling in {_bare(alias), _bare(tool.name), _bare(f"{tool.server} {tool.name}")}:
            if found.setdefault(spelling, tool) is not tool:
                found[spelling] = None
    return found


def _triples(name: str) -> set[str]:
    """The runs of three characters of a name."""
    return {name[at : at + 3] for at in range(max(1, len(name) - 2))}


def plain(text: str) -> str:
    """A name as words in lower case with underscores between: what an identifier may be of."""
    return _OTHER.sub("_", _CAMEL.sub("_", text[:400]).lower()).strip("_")


def _bare(text: str) -> str:
    """A name without whatever stands between its words."""
    return plain(text).replace("_", "")


def _aliases(tools: Sequence[Tool]) -> dict[str, Tool]:
    """Every tool under the shortest of its names that no other tool wants as well."""
    wished = [wishes(tool) for tool in tools]
    wanted = Counter(wish for several in wished for wish in set(several))
    found: dict[str, Tool] = {}
    for tool, several in zip(tools, wished, strict=True):
        own = next((wish for wish in several if wanted[wish] == 1), "")
        if not own:
            own = f"{several[-1]}_{_sum(tool)}"
            while own in wanted or own in found:  # the sum is easily forged
                own += "_"
        found[own] = tool
    return found


def wishes(tool: Tool) -> tuple[str, str]:
    """The short and the full name of a tool; both are identifiers with an underscore inside."""
    server, name = plain(tool.server) or "tool", plain(tool.name) or _sum(tool)
    words = [word for word in server.split("_") if word not in _SERVER_WORDS]
    short = "_".join(words) or server
    bare = name
    for prefix in (server, short, f"mcp_{short}"):
        bare = bare.removeprefix(f"{prefix}_")
    return _identifier(f"{short}_{bare}", tool), _identifier(f"{server}_{name}", tool)


def _identifier(alias: str, tool: Tool) -> str:
    if len(alias) > MOST_ALIAS_CHARS:
        alias = f"{alias[: MOST_ALIAS_CHARS - 9]}_{_sum(tool)}"
    return alias if alias[0].isalpha() else f"s{alias}"


def _sum(tool: Tool) -> str:
    whole = "\0".join((tool.server, tool.name))
    return f"{crc32(whole.encode('utf-8', 'surrogatepass')):08x}"
