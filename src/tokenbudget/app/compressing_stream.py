"""Shorten what is too large to hold: read once, kept and shortened as it passes, memory bounded."""

from __future__ import annotations

import codecs
import re

from tokenbudget.app.compressing import RESULT, Compressed, bytes_of, label_of
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.streaming import StreamShortener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenbudget.app.compressing import Wish
    from tokenbudget.archive.spill import Spill
    from tokenbudget.model.protocols import TokenCounter

CODEC = "stream"
PIECE_CHARS, MOST_PIECE_CHARS = 1 << 20, 1 << 22
_SEAM = re.compile(r"\n(?=[A-Za-z0-9])")
"""No token of the vocabularies that we count by reaches over it: a break ends one, unless more
breaks, blanks or a slash follow, and no word begins with a break."""


class PassingText:
    """Counts the tokens of a text that comes in parts of any length."""

    def __init__(self, counter: TokenCounter) -> None:
        self.tokens = 0
        self.within = 0
        """By so much the count may be off: where no seam was found, a text is cut anywhere."""
        self._counter = counter
        self._held = ""

    def feed(self, text: str) -> None:
        """Take in the next part."""
        self._held += text
        if len(self._held) < PIECE_CHARS:
            return
        end = 0
        for seam in _SEAM.finditer(self._held, PIECE_CHARS // 2):
            end = seam.end()
        if not end and len(self._held) >= MOST_PIECE_CHARS:
            end = len(self._held)
            self.within += 1
        if end:
            self.tokens += self._counter.count(self._held[:end])
            self._held = self._held[end:]

    def finish(self) -> int:
        """The tokens of all of it."""
        self.tokens += self._counter.count(self._held)
        self._held = ""
        return self.tokens


def compressed_stream(
    chunks: Iterable[bytes], wish: Wish, counter: TokenCounter, spill: Spill
) -> Compressed:
    """As `compressing.compressed`, of a result; without a codec `handle` says where it all is.

    Raises:
        ProjectUnusable, Refused: the original cannot be kept, so nothing was shortened.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    shortener, passing = StreamShortener(), PassingText(counter)

    def tell(text: str) -> None:
        shortener.feed(text)
        passing.feed(text)

    def passed() -> Iterator[bytes]:
        for chunk in chunks:
            tell(decoder.decode(chunk))
            yield chunk
        tell(decoder.decode(b"", final=True))

    kept = spill.keep_stream(passed(), label_of(wish))
    before_tokens = passing.finish()
    found = shortener.finish()
    way_back = f"{found.opening} all {found.line_count:,} lines: tokens recall {kept.handle}]"
    text = f"{found.text}\n{way_back}"
    after_tokens = counter.count(text)
    if wish.level == VERBOSE or found.is_whole or after_tokens >= before_tokens:
        size = kept.size_bytes
        return Compressed(
            "", RESULT, "", size, size, before_tokens, before_tokens, True, kept.handle
        )
    return Compressed(
        text,
        RESULT,
        CODEC,
        kept.size_bytes,
        len(bytes_of(text)),
        before_tokens,
        after_tokens,
        is_lossless=False,
        handle=kept.handle,
        removed=found.removed,
        within_tokens=passing.within,
    )
