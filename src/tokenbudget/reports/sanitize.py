"""The one gate between hostile text and a terminal.

Titles, paths, branches and model names come out of transcripts and may hold anything. What moves
the cursor, changes the title, hides or reverses text is dropped: C0 and C1 controls, DEL,
bidirectional overrides, zero-width and line-separating characters, lone surrogates.
"""

from __future__ import annotations

_DROPPED = {
    **dict.fromkeys(range(0x20)),
    **dict.fromkeys(range(0x7F, 0xA0)),
    **dict.fromkeys(range(0x200B, 0x2010)),
    **dict.fromkeys(range(0x2028, 0x202F)),
    **dict.fromkeys(range(0x2060, 0x2070)),
    0xFEFF: None,
    0xAD: None,
    **dict.fromkeys(range(0xD800, 0xE000)),
    0x09: " ",
    0x0A: " ",
}


def one_line(text: str) -> str:
    """The text as it may stand inside a line: no controls; tabs and breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_DROPPED)
