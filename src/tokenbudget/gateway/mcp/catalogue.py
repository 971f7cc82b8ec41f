"""What a server says of itself and its tools, as bounded values; any JSON in, never an error.

A server may say anything: names that are no strings, schemas that are no objects, a megabyte of
description, ten thousand tools. What cannot be a tool is left out, what is too long is cut, a
schema that is too large is kept as "any object". A catalogue outlives its server in a document
of its own format, which is read as carefully as it was first heard.
"""

from __future__ import annotations

from tokenbudget.gateway.mcp.values import Catalogue, Tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "tokenbudget/catalogue/1"

MOST_TOOLS = 5_000
MOST_NAME_CHARS = 256
"""A longer name is refused: a cut one would be another's."""
MOST_TITLE_CHARS = 500
MOST_DESCRIPTION_CHARS = 16_000
"""The longest description of 1,315 real tools has 6,900."""
MOST_SCHEMA_CHARS = 200_000
MOST_SCHEMA_NODES = 20_000
MOST_DEPTH = 60
"""Of a schema; the deepest of 1,315 real ones has 14."""

ANY_OBJECT: Mapping[str, object] = {
    "type": "object",
    "description": "The schema of this tool was too large or too deep to keep.",
}


def catalogue_of(
    server: str, initialize_result: Mapping[str, object], tools: Sequence[object]
) -> Catalogue:
    """The catalogue of a server from its answers to `initialize` and `tools/list`."""
    said = _object(initialize_result)
    info = _object(said.get("serverInfo"))
    version = f"{_text(info.get('name'), 100)} {_text(info.get('version'), 100)}".strip()
    offers = frozenset(name[:100] for name in list(_object(said.get("capabilities")))[:100] if name)
    instructions = _text(said.get("instructions"), MOST_DESCRIPTION_CHARS)
    return Catalogue(server, version, instructions, _tools(server, tools), offers)


def as_document(catalogue: Catalogue) -> dict[str, object]:
    """The catalogue as JSON can hold it; `from_document` gives it back equal."""
    return {
        "format": FORMAT,
        "server": catalogue.server,
        "version": catalogue.version,
        "instructions": catalogue.instructions,
        "offers": sorted(catalogue.offers),
        "tools": [_as_listed(tool) for tool in catalogue.tools],
    }


def from_document(document: object) -> Catalogue | None:
    """The catalogue that a document holds; None where it is no such document."""
    kept = _object(document)
    if kept.get("format") != FORMAT:
        return None
    server, version = kept.get("server"), kept.get("version")
    instructions, offers = kept.get("instructions"), kept.get("offers")
    if not (isinstance(server, str) and isinstance(version, str) and isinstance(instructions, str)):
        return None
    if not isinstance(offers, list):
        return None
    tools = _tools(server, kept.get("tools"), is_kept=True)
    names = frozenset(name for name in offers if isinstance(name, str))
    return Catalogue(server, version, instructions, tools, names)


def _as_listed(tool: Tool) -> dict[str, object]:
    """As a server would list it."""
    listed: dict[str, object] = {"name": tool.name}
    if tool.title:
        listed["title"] = tool.title
    if tool.description:
        listed["description"] = tool.description
    listed["inputSchema"] = tool.input_schema
    if tool.output_schema is not None:
        listed["outputSchema"] = tool.output_schema
    if tool.annotations:
        listed["annotations"] = tool.annotations
    return listed


def _tools(server: str, listed: object, *, is_kept: bool = False) -> tuple[Tool, ...]:
    """The tools that a call can name; of two with one name the first."""
    if not isinstance(listed, (list, tuple)):
        return ()
    found: dict[str, Tool] = {}
    for one in listed[:MOST_TOOLS]:
        tool = _tool(server, one, is_kept=is_kept)
        if tool is not None:
            found.setdefault(tool.name, tool)
    return tuple(found.values())


def _tool(server: str, one: object, *, is_kept: bool) -> Tool | None:
    if not isinstance(one, dict):
        return None
    name = one.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME_CHARS:
        return None
    keep = _object if is_kept else _schema  # what is read back was bounded before it was written
    output = one.get("outputSchema")
    annotations = keep(one.get("annotations"))
    title = _text(one.get("title"), MOST_TITLE_CHARS)
    return Tool(
        server,
        name,
        title or _text(annotations.get("title"), MOST_TITLE_CHARS),
        _text(one.get("description"), MOST_DESCRIPTION_CHARS),
        keep(one.get("inputSchema")),
        keep(output) if isinstance(output, dict) else None,
        annotations,
    )


def _schema(value: object) -> Mapping[str, object]:
    """A schema as it was given, or that of any object where it is too much of one."""
    given = _object(value)
    return given if _is_bounded(given) else ANY_OBJECT


def _is_bounded(value: object) -> bool:
    """Whether a value is neither too deep nor too large; walked without recursion."""
    nodes = chars = 0
    level: list[object] = [value]
    for _ in range(MOST_DEPTH):
        below: list[object] = []
        for one in level:
            if isinstance(one, str):
                chars += len(one)
            elif isinstance(one, dict):
                chars += sum(map(len, one))
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
        nodes += len(level)
        if nodes > MOST_SCHEMA_NODES or chars > MOST_SCHEMA_CHARS:
            return False
        if not below:
            return True
        level = below
    return False


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object, most: int) -> str:
    """A text, cut where it is too long; the cut shows."""
    if not isinstance(value, str):
        return ""
    return value if len(value) <= most else value[: most - 1] + "…"
