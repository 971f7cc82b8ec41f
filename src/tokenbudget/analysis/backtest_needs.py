"""What an agent must have had before it to do what it did."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.thread_view import Call

EDIT = "edit"
"""The text that an edit replaces; other kinds are named in `fidelity_use`."""
READING = frozenset(("Read", "NotebookRead"))


class Need(NamedTuple):
    """A span that an answer took from the window."""

    request: int
    """The request whose answer needs it."""
    kind: str
    span: str
    holders: tuple[int, ...]
    """The numbers of the pieces that told it, as the session was; the latest first."""
    by_call: int
    """The number of the call that needs it."""


def old_strings(call: Call) -> list[str]:
    """The texts that an editing call replaces; empty ones are none."""
    arguments = call.arguments
    found = [arguments.get("old_string")]
    edits = arguments.get("edits")
    if isinstance(edits, list):
        found += [one.get("old_string") for one in edits if isinstance(one, dict)]
    return [text for text in found if isinstance(text, str) and text.strip()]
