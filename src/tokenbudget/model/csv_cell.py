r"""Hostile text as it may stand in a CSV file: no spreadsheet runs it, no terminal obeys it.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is a formula to spreadsheets,
also after white space, quotes or unseen signs, in full width, and in the middle of a text
where another language's separator (`;`, a tab, a line break) would begin a cell. Such a place gets
a `'` before it. What would move a cursor, reverse text or be no Unicode (controls, NUL,
bidirectional marks, lone surrogates) is written as `\u{1b}`.

Both can be taken back exactly (`original`):

1. take away one `'` at the beginning and after each `;`, tab and line feed, where one stands there;
2. replace each `\u{…}` by the character with this hexadecimal number.
"""

from __future__ import annotations

import re

from tokenbudget.model.spelled import spelled, unspelled

FORMULA_SIGNS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"
SEPARATORS = ";\t\n"

_UNSEEN = (
    "\x00-\x08\x0b-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff"
)
"""What a spreadsheet may pass over before it looks for a formula; after a separator it begins anew,
so none is in here (and a long row of them is looked at once)."""

_SIGNS = re.escape(FORMULA_SIGNS)
_BEGINS = re.compile(f"(?:^|(?<=[{SEPARATORS}]))(?='|[{_UNSEEN}\"]*[{_SIGNS}])")
"""A quotation mark is passed over too: doubled, as CSV has it, it is an empty text to whoever takes
another separator, and what comes after it begins the cell."""
_GUARDED = re.compile(f"(?:^|(?<=[{SEPARATORS}]))'")


def cell(value: object) -> str:
    """A value as a CSV writer may quote it: a text guarded, a number as it is, None empty."""
    if isinstance(value, str):
        return guarded(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def guarded(text: str) -> str:
    """The text, with `'` and `\\u{…}` where it needs them; `original` takes them back."""
    if text.isidentifier() and text.isascii():  # most ids and names: nothing to look for
        return text
    return _BEGINS.sub("'", spelled(text))


def original(text: str) -> str:
    """The text that `guarded` was given."""
    return unspelled(_GUARDED.sub("", text))
