"""Say one text in fewer tokens for whoever asks: by which rules, and where its original is."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from tokenbudget.compression.handles import handle_of
from tokenbudget.compression.passage import VERBOSE, Origin, Passage
from tokenbudget.compression.receipts import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.archive.spill import Spill
    from tokenbudget.model.protocols import TokenCounter

AUTO, PROSE, RESULT = "auto", "prose", "result"
KINDS = (AUTO, PROSE, RESULT)
PROSE_ENDINGS = (".md", ".markdown", ".mdc", ".rst", ".txt")
"""Memory files, skills, instructions and notes; a text from a pipe is a result."""
OUTPUT_ENDINGS = (".log", ".out", ".err", ".txt", ".html", ".htm")
"""What a command or a site gave, and somebody kept: nobody edits it by what is shown of it."""
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Wish(NamedTuple):
    """What is to be done with a text."""

    level: str
    kind: str = AUTO
    origin: Origin = Origin()


class Compressed(NamedTuple):
    """A text in fewer tokens, or as it was, and the account of it."""

    text: str
    kind: str
    codec: str
    """What shortened it; '' where nothing did."""
    before_bytes: int
    after_bytes: int
    before_tokens: int
    after_tokens: int
    is_lossless: bool
    handle: str = ""
    """Where the original is kept; '' where the text itself is enough."""
    removed: tuple[Removed, ...] = ()
    glossary: tuple[tuple[str, str], ...] = ()
    """What the symbols of prose stand for."""
    within_tokens: int = 0
    """By so much `before_tokens` may be off; 0 where the text was counted whole."""

    @property
    def saved_tokens(self) -> int:
        """Never less than 0."""
        return self.before_tokens - self.after_tokens


def text_of(content: bytes) -> str:
    """The text that these bytes are; what is no UTF-8 in it comes through unchanged."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                break
    return content.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes of a text that `text_of` made, or that was made of one."""
    return text.encode("utf-8", "surrogateescape")


def kind_of(wish: Wish) -> str:
    """Whether a text is prose to be rewritten or a result to be shortened."""
    if wish.kind != AUTO:
        return wish.kind
    is_prose = not wish.origin.tool and wish.origin.path.lower().endswith(PROSE_ENDINGS)
    return PROSE if is_prose else RESULT


def compressed(content: bytes, wish: Wish, counter: TokenCounter, spill: Spill) -> Compressed:
    """The text in as few tokens as the level allows; what cannot be made smaller stays as it is.

    Raises:
        ProjectUnusable, Refused: the original cannot be kept, so nothing was shortened.
    """
    kind = kind_of(wish)
    made = _prose if kind == PROSE else _result
    return made(content, wish, counter, spill)


def _prose(content: bytes, wish: Wish, counter: TokenCounter, spill: Spill) -> Compressed:
    from tokenbudget.compression.prose import rewritten

    text = text_of(content)
    if wish.level == VERBOSE:
        return _unchanged(content, text, PROSE, counter)
    found = rewritten(text, wish.level, counter)
    if found.saved_tokens <= 0:
        return _unchanged(content, text, PROSE, counter)
    after = bytes_of(found.text)
    return Compressed(
        found.text,
        PROSE,
        "prose",
        len(content),
        len(after),
        found.before_tokens,
        found.after_tokens,
        is_lossless=False,
        handle=spill.keep(content, label_of(wish)),
        glossary=found.glossary,
    )


def _result(content: bytes, wish: Wish, counter: TokenCounter, spill: Spill) -> Compressed:
    from tokenbudget.compression.shortening import shorten

    text = text_of(content)
    passage = Passage(text, _result_origin(wish.origin))
    found = shorten(passage, wish.level, counter, handle_of(content))
    if found is None:
        return _unchanged(content, text, RESULT, counter)
    receipt = found.receipt
    handle = "" if receipt.is_lossless else spill.keep(content, label_of(wish))
    if handle not in ("", handle_of(content)):  # the way back that the text tells is another's
        return _unchanged(content, text, RESULT, counter)
    return Compressed(
        found.text,
        RESULT,
        receipt.codec,
        len(content),
        len(bytes_of(found.text)),
        receipt.before_tokens,
        receipt.after_tokens,
        receipt.is_lossless,
        handle,
        receipt.removed,
    )


def _result_origin(origin: Origin) -> Origin:
    """Where a result comes from; a file that holds some output counts as that output."""
    is_output = not origin.tool and origin.path.lower().endswith(OUTPUT_ENDINGS)
    return origin._replace(path="") if is_output else origin


def _unchanged(content: bytes, text: str, kind: str, counter: TokenCounter) -> Compressed:
    tokens = counter.count(text)
    size = len(content)
    return Compressed(text, kind, "", size, size, tokens, tokens, is_lossless=True)


def label_of(wish: Wish) -> str:
    """What the original is listed as."""
    origin = wish.origin
    return " ".join(part for part in (origin.tool, origin.command or origin.path) if part)
