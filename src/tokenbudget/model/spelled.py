r"""Characters that a file cannot or should not hold, written out so that they can be had back.

`\u{1b}` is the character with this hexadecimal number; a `\u{` of the text itself becomes
`\u{5c}u{`. So `unspelled` gives the exact text again, whichever of the two wrote it.
"""

from __future__ import annotations

import re

_MARK = r"|\\(?=u\{)"
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]" + _MARK
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]" + _MARK)
_SPELLED = re.compile(r"\\u\{((?:10|[0-9a-f])?[0-9a-f]{1,4})\}")


def spelled(text: str) -> str:
    """The text without controls (but tabs and line feeds), bidirectional marks, lone surrogates."""
    return _UNSAFE.sub(_number, text)


def storable(text: str) -> str:
    """The text without what no database takes as text: NUL and lone surrogates."""
    return _UNSTORABLE.sub(_number, text)


def unspelled(text: str) -> str:
    """The text that `spelled` or `storable` was given."""
    return _SPELLED.sub(lambda found: chr(int(found[1], 16)), text)


def _number(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found[0]):x}}}"
