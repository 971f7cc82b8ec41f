"""Hostile text as it may stand in a Markdown table: shown letter by letter, never obeyed.

Titles and names can hold a table's bars, emphasis, code, links, HTML, mentions, formulas and what
template engines of static sites run. Whatever could mean something is escaped or replaced, in a way
that CommonMark, GitHub and the older dialects read alike.
"""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line

_INERT = {
    **{ord(sign): f"\\{sign}" for sign in "\\`*_~#[]$!"},
    **{ord(sign): f"&#{ord(sign)};" for sign in "|{}"},  # no dialect splits or runs these
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("@"): "\uff20",  # full width: an escaped one would still call people
}


def cell(text: str) -> str:
    """The text in one line, for a cell of a table or a line of prose that begins with other words.

    Addresses are broken as in `https:/[/]example.org`, since many renderers link them unasked.
    """
    plain = one_line(text).replace("//", "/[/]").replace("www.", "www[.]")
    return plain.translate(_INERT)
