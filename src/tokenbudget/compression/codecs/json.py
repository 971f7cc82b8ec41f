"""Any other JSON: on one line, the keys of alike objects once, overlong strings folded."""

from __future__ import annotations

from tokenbudget.compression.codec import Codec
from tokenbudget.compression.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.codec import Draft
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

_ENDS = {"{": "}", "[": "]"}


def detects(passage: Passage) -> bool:
    """Whether it begins and ends with the same kind of bracket."""
    end = _ENDS.get(passage.text[:1])
    return end is not None and passage.tail.rstrip()[-1:] == end


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The value without the space between its parts."""
    return encode(passage.text, marks, level)


CODEC = Codec("json", detects, shorten)
