"""An HTML page as its words; not a page that was read as a file, which is about to be edited."""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.receipts import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

_PAGE = re.compile(
    r"\s*(?:<\?xml[^<>]*>\s*)?(?:<!--[^<>]*-->\s*)?<(?:!doctype\s+html|html|head|body)\b"
)


def detects(passage: Passage) -> bool:
    """Whether it begins as a page does and was not read from a file."""
    return not passage.origin.path and _PAGE.match(passage.head[:2_000].lower()) is not None


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """What a reader of the page sees; at `compressed` without the places that its links lead to."""
    if level == VERBOSE:
        return None
    from tokenbudget.compression.markup import words_of  # a millisecond of HTML's named characters

    words = words_of(passage.text, has_links=level != COMPRESSED)
    if not words or marks.opening in words:  # `[<b>~</b>` must not become a marker
        return None
    gone = Removed("markup", 0, ((0, len(passage.lines)),))
    return Draft(f"{marks.mark('HTML as text')}\n{words}", (gone,))


CODEC = Codec("html", detects, shorten)
