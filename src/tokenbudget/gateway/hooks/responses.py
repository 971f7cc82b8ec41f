"""The text in a tool's response, and the same response with another text in its place.

The agent's client takes a replacement only in the very shape of the tool's own response
(docs/trim.md has what was seen of each): so it is copied, and only the text is another one. What
has another shape than these is left alone.
"""

from tokenbudget.gateway.statusline_values import Table, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    TextOf = Callable[[object], "str | None"]
    WithText = Callable[[object, str], object]

MCP = "mcp__"
LEAST_CHARS = 240
"""Shorter ones are never looked at: less than the least that is worth a marker."""


def text_of(tool: str, response: object) -> "str | None":
    """What of a response is text for the agent and may be shortened; None where nothing is."""
    shape = _shape_of(tool)
    text = None if shape is None else shape[0](response)
    return text if text is not None and len(text) >= LEAST_CHARS else None


def with_text(tool: str, response: object, text: str) -> object:
    """The response with this text in the place of its own; only where `text_of` found one."""
    shape = _shape_of(tool)
    return response if shape is None else shape[1](response, text)


def _shape_of(tool: str) -> "tuple[TextOf, WithText] | None":
    return SHAPES.get("mcp" if tool.startswith(MCP) else tool)


def _table(response: object) -> Table:
    return table({"": response}, "")


def _text(told: Table, name: str) -> "str | None":
    value = told.get(name)
    return value if isinstance(value, str) else None


# ── a shell ───────────────────────────────────────────────────────────────────────────────────────

_NOT_WHOLE = ("isImage", "interrupted", "backgroundTaskId", "persistedOutputPath")
"""What says that the response is an image, is cut off, comes later, or was put into a file."""


def _put_out(response: object) -> "str | None":
    told = _table(response)
    if any(told.get(name) for name in _NOT_WHOLE):
        return None
    out, error = _text(told, "stdout"), _text(told, "stderr")
    if out is None or error is None:
        return None
    return f"{out.rstrip()}\n{error}" if out and error else out or error


def _with_output(response: object, text: str) -> object:
    return {**_table(response), "stdout": text, "stderr": ""}


# ── files ─────────────────────────────────────────────────────────────────────────────────────────


def _file_content(response: object) -> "str | None":
    told = _table(response)
    return _text(table(told, "file"), "content") if told.get("type") == "text" else None


def _with_content(response: object, text: str) -> object:
    told = _table(response)
    lines = text.count("\n") + 1
    return {**told, "file": {**table(told, "file"), "content": text, "numLines": lines}}


def _found(response: object) -> "str | None":
    told = _table(response)
    if told.get("mode") == "content":
        return _text(told, "content")
    return _names(response) if told.get("mode") == "files_with_matches" else None


def _with_found(response: object, text: str) -> object:
    told = _table(response)
    if told.get("mode") == "content":
        return {**told, "content": text}
    return _with_names(response, text)


def _names(response: object) -> "str | None":
    names = _table(response).get("filenames")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        return None
    return None if any("\n" in one for one in names) else "\n".join(names)


def _with_names(response: object, text: str) -> object:
    return {**_table(response), "filenames": text.split("\n")}


# ── what comes from elsewhere ─────────────────────────────────────────────────────────────────────


def _page(response: object) -> "str | None":
    return _text(_table(response), "result")


def _with_page(response: object, text: str) -> object:
    return {**_table(response), "result": text}


def _longest_block(response: object) -> int:
    """Which block of a list is text and the longest; -1 where none is."""
    blocks = response if isinstance(response, list) else []
    longest, at = 0, -1
    for number, block in enumerate(blocks):
        told = _table(block)
        text = _text(told, "text") if told.get("type") == "text" else None
        if text is not None and len(text) > longest:
            longest, at = len(text), number
    return at


def _block_text(response: object) -> "str | None":
    if isinstance(response, str):
        return response
    at = _longest_block(response)
    return _text(response[at], "text") if isinstance(response, list) and at >= 0 else None


def _with_block_text(response: object, text: str) -> object:
    if not isinstance(response, list):
        return text
    at = _longest_block(response)
    return [{**one, "text": text} if n == at else one for n, one in enumerate(response)]


SHAPES: "dict[str, tuple[TextOf, WithText]]" = {
    "Bash": (_put_out, _with_output),
    "Read": (_file_content, _with_content),
    "Grep": (_found, _with_found),
    "Glob": (_names, _with_names),
    "WebFetch": (_page, _with_page),
    "mcp": (_block_text, _with_block_text),
}
"""By tool; `mcp` is any of an MCP server."""
