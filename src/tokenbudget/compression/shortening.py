"""From a text to a shorter one with its receipt: the first codec that saves tokens is taken."""

from __future__ import annotations

from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.receipts import Receipt, Shortened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.codec import Codec, Draft
    from tokenbudget.compression.passage import Passage
    from tokenbudget.model.protocols import TokenCounter


def shorten(
    passage: Passage,
    level: str,
    counter: TokenCounter,
    handle: str = "",
    codecs: Sequence[Codec] = CODECS,
) -> Shortened | None:
    """The shortened text, or None where no codec saves tokens.

    `handle` is where the original can be had back: what is not lossless ends with a marker that
    says so, and is counted with it.
    """
    marks = Marks(passage.text, *(one.text for one in passage.earlier))
    before_tokens = 0
    for codec in codecs:
        if not codec.detects(passage):
            continue
        draft = codec.shorten(passage, marks, level)
        if draft is None or len(draft.text) >= len(passage.text):
            continue
        if draft.text.count(marks.opening) != len(draft.removed):
            continue  # words of the text that came to stand side by side would pass for a marker
        text = _with_way_back(draft, passage, marks, handle)
        before_tokens = before_tokens or counter.count(passage.text)
        after_tokens = counter.count(text)
        if after_tokens < before_tokens:
            receipt = Receipt(
                codec.name,
                len(passage.text.encode("utf-8", "replace")),
                len(text.encode("utf-8", "replace")),
                before_tokens,
                after_tokens,
                draft.is_lossless,
                marks.opening,
                draft.removed,
            )
            return Shortened(text, receipt)
    return None


def _with_way_back(draft: Draft, passage: Passage, marks: Marks, handle: str) -> str:
    if draft.is_lossless or not handle:
        return draft.text
    end = "" if draft.text.endswith("\n") else "\n"
    way_back = marks.mark(f"all {len(passage.lines):,} lines: tokens recall {handle}")
    return f"{draft.text}{end}{way_back}"
