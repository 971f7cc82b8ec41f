"""The one gate between hostile text and whatever shows it.

Titles, paths, branches and model names come out of transcripts and may hold anything. What moves
the cursor, changes the title, hides or reverses text is dropped: C0 and C1 controls, DEL,
bidirectional marks and overrides, zero-width, filling, tag and line-separating characters,
variation selectors, lone surrogates. A sink with a trap of its own (mail, chat, HTML) adds to it.
"""

from __future__ import annotations

_DROPPED = {
    **dict.fromkeys(range(0x20)),
    **dict.fromkeys(range(0x7F, 0xA0)),
    0xAD: None,
    0x034F: None,
    0x061C: None,
    **dict.fromkeys(range(0x115F, 0x1161)),
    **dict.fromkeys(range(0x17B4, 0x17B6)),
    **dict.fromkeys(range(0x180B, 0x1810)),
    **dict.fromkeys(range(0x200B, 0x2010)),
    **dict.fromkeys(range(0x2028, 0x202F)),
    **dict.fromkeys(range(0x2060, 0x2070)),
    0x2800: None,
    0x3164: None,
    **dict.fromkeys(range(0xD800, 0xE000)),
    **dict.fromkeys(range(0xFE00, 0xFE10)),
    0xFEFF: None,
    0xFFA0: None,
    **dict.fromkeys(range(0xFFF9, 0xFFFC)),
    **dict.fromkeys(range(0x1BCA0, 0x1BCA4)),
    **dict.fromkeys(range(0x1D173, 0x1D17B)),
    **dict.fromkeys(range(0xE0000, 0xE1000)),
    0x09: " ",
    0x0A: " ",
}


def one_line(text: str) -> str:
    """The text as it may stand inside a line: no controls; tabs and breaks become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_DROPPED)
