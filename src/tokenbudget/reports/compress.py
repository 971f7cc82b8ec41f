"""The account of a shortened text: as lines and as JSON."""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.app.compressing import Compressed

FORMAT = 1
MOST_SYMBOLS = 40


def receipt_lines(done: Compressed) -> list[str]:
    """What was done, what is no longer there, and how to have it back."""
    return list(_lines(done))


def _lines(done: Compressed) -> Iterator[str]:
    if not done.codec:
        yield f"{done.before_tokens:,} tokens as before: nothing here can be said in fewer"
        return
    share = done.saved_tokens / done.before_tokens
    yield (
        f"{done.codec}: {done.before_tokens:,} tokens before, {done.after_tokens:,} after"
        f" ({share:.0%} saved); {done.before_bytes:,} bytes before, {done.after_bytes:,} after"
    )
    if done.is_lossless:
        yield "without loss: all that was there still is"
    for kind in dict.fromkeys(one.kind for one in done.removed):
        counts = [one.count for one in done.removed if one.kind == kind]
        places = f" in {len(counts):,} places" if len(counts) > 1 else ""
        yield f"left out: {sum(counts):,} {kind}{places}"
    for symbol, phrase in done.glossary[:MOST_SYMBOLS]:
        yield f"{one_line(symbol)} is {one_line(phrase)}"
    if done.handle:
        yield f"the original: tokens recall {done.handle}"


def compress_document(done: Compressed, level: str) -> str:
    """The text and its account as `tokenbudget/compress/1`; lines are counted from 0, ends out."""
    fields = {
        "as": done.kind,
        "level": level,
        "codec": done.codec,
        "before_bytes": done.before_bytes,
        "after_bytes": done.after_bytes,
        "before_tokens": done.before_tokens,
        "after_tokens": done.after_tokens,
        "saved_tokens": done.saved_tokens,
        "within_tokens": done.within_tokens,
        "is_lossless": done.is_lossless,
        "handle": done.handle,
        "removed": [
            {"kind": one.kind, "count": one.count, "ranges": [list(pair) for pair in one.ranges]}
            for one in done.removed
        ],
        "glossary": dict(done.glossary),
        "text": done.text,
    }
    return document("compress", FORMAT, fields)
