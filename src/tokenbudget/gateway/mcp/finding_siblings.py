"""Which tools of one server are used together: told by their names, parameters and descriptions.

A tool that names another in its description wants it called, too. One that requires an id needs
whatever finds such ids. What is created is filled, and saved.
"""

from __future__ import annotations

import json
import re

from tokenbudget.gateway.mcp.finding_words import stem, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.gateway.mcp.values import Tool

NAMED, GIVES, FOLLOWS = 0.7, 0.7, 0.5
"""How much of a tool's score another gets that it names, that gives what it requires, and that
comes before or after it in the life of one thing."""
LEAST_NAME_CHARS = 8
MOST_TEXT_CHARS = 20_000
MOST_TOOLS = 600
"""Every tool of a server is held against every other: that many, and no more."""

_OTHER = re.compile(r"[^a-z0-9]+")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][\w-]{6,100}")


def _stems(said: str) -> frozenset[str]:
    return frozenset(map(stem, said.split()))


_FINDS = _stems("search find list query resolve lookup get load create open")
_STAGES = (
    _stems("create new open start init generate"),
    _stems("add insert write append"),
    _stems("save export"),
)
_KEYS = _stems("id ids code key ref uuid handle name slug number index path")


def siblings_of(tools: Sequence[Tool]) -> dict[str, list[float]]:
    """By the number of a tool: the number of one that belongs to it, how much, the next, …"""
    several = tools[:MOST_TOOLS]
    known = [frozenset(words(tool.name)) for tool in several]
    stages = [_stage(name) for name in known]
    by_name = {
        _bare(tool.name): number
        for number, tool in enumerate(several)
        if len(_bare(tool.name)) >= LEAST_NAME_CHARS
    }
    found: dict[str, list[float]] = {}
    for number, tool in enumerate(several):
        related: dict[int, float] = {}
        for other, much in (
            *_named(tool, by_name),
            *_giving(tool, several, known),
            *_following(number, stages, known),
        ):
            if other != number:
                related[other] = max(related.get(other, 0.0), much)
        if related:
            found[str(number)] = [part for pair in related.items() for part in pair]
    return found


def _named(tool: Tool, by_name: Mapping[str, int]) -> Iterator[tuple[int, float]]:
    """Those that the tool's own description or schema names."""
    text = tool.description + json.dumps(tool.input_schema)
    for word in dict.fromkeys(_IDENTIFIER.findall(text[:MOST_TEXT_CHARS])):
        number = by_name.get(_bare(word))
        if number is not None:
            yield number, NAMED


def _bare(name: str) -> str:
    return _OTHER.sub("", name.lower())


def _giving(
    tool: Tool, tools: Sequence[Tool], known: Sequence[frozenset[str]]
) -> Iterator[tuple[int, float]]:
    """Those that find what the tool requires a key of."""
    for parameter in _required(tool):
        parts = words(parameter)
        things = frozenset(parts[:-1])
        if not things or parts[-1] not in _KEYS:
            continue
        for number, other in enumerate(known):
            shared = things & other
            if shared and other & _FINDS and parameter not in _required(tools[number]):
                yield number, round(GIVES * len(shared) / len(things), 2)


def _following(
    number: int, stages: Sequence[int | None], known: Sequence[frozenset[str]]
) -> Iterator[tuple[int, float]]:
    """Those that create, fill or save the same kind of thing."""
    own = stages[number]
    if own is None:
        return
    for other, stage in enumerate(stages):
        if stage is not None and stage != own:
            yield other, round(FOLLOWS / max(1, len(known[other]) - 1), 2)


def _stage(name: frozenset[str]) -> int | None:
    return next((number for number, stage in enumerate(_STAGES) if name & stage), None)


def _required(tool: Tool) -> list[str]:
    required = tool.input_schema.get("required")
    several = required if isinstance(required, list) else []
    return [one for one in several if isinstance(one, str)][:20]
