"""A JSON list of objects, or objects on lines of their own, as a table: lossless."""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec
from tokenbudget.compression.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.codec import Draft
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

_LIST = re.compile(r"\[\s*\{")
_LINES = re.compile(r"\{[^\n]*\}\n\{")


def detects(passage: Passage) -> bool:
    """Whether it begins and ends like objects in a row."""
    if passage.text[:1] == "[":
        return passage.tail.rstrip()[-1:] == "]" and _LIST.match(passage.head) is not None
    return passage.tail.rstrip()[-1:] == "}" and _LINES.match(passage.head) is not None


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The keys once, then the values of each row."""
    return encode(passage.text, marks, level)


CODEC = Codec("json-rows", detects, shorten)
