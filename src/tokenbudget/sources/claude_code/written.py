"""What a tool call wrote into a file, as its line in a transcript tells it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 1 << 22
"""A longer line wrote a whole file; the words of that say nothing about where in it."""


class Written(NamedTuple):
    """One replacement in a file."""

    old: str
    new: str


def written_by(line: bytes, tool_use_id: str) -> Sequence[Written]:
    """The replacements of an `Edit` or `MultiEdit`, in order; nothing of any other call.

    Nothing also where the line is damaged, or is not of this call.
    """
    if len(line) > MOST_BYTES:
        return ()
    from tokenbudget.sources.claude_code.decoder import decode_line
    from tokenbudget.sources.claude_code.details import blocks_of

    try:
        message = decode_line(line).message
    except ValueError:
        return ()
    blocks = [] if message is None else blocks_of(message.content)
    given = next((bytes(one.input) for one in blocks if one.id == tool_use_id), b"")
    return _replacements(given)


def _replacements(given: bytes) -> Sequence[Written]:
    import json

    try:
        arguments = json.loads(given)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(arguments, dict):
        return ()
    several = arguments.get("edits")
    parts = [arguments, *(several if isinstance(several, list) else [])]
    pairs = [
        (part.get("old_string"), part.get("new_string")) for part in parts if isinstance(part, dict)
    ]
    return [
        Written(old, new) for old, new in pairs if isinstance(old, str) and isinstance(new, str)
    ]
