"""Whether every line of a text is accounted for in what is left of it."""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import BALANCED, UNKNOWN, Origin, Passage

IN_PLACE = ("codes", "rewrites", "folded")
"""Kinds whose lines stay, with something less in them."""

HOSTILE = (
    "",
    "\n",
    "\n" * 5_000,
    "\0" * 3_000,
    "a" * 200_000,
    "\ud800" * 50 + "\nerror: \udfff",
    "\r" * 4_000 + "\r\n" * 4_000,
    "\x1b[31m" * 3_000 + "\x1b]0;" * 1_000,
    "[~ 12 passed lines]\n" * 300,
    "ok ... ok\n" * 2_000 + ":: PASSED" * 200,
    " " * 100_000 + "at x",
    "x::" * 60_000 + " PASSED",
    'File "' * 20_000,
    "1-2-" * 50_000 + "\n" + "a/b-1-" * 50_000,
    "a/b:1:x\n" * 3_000,
    "@@ -1,99999999 +1,99999999 @@\ndiff --git a/x b/x\n@@ -1 +1 @@\n" * 300,
    "2026-01-01 00:00:00 INFO " * 20_000,
    "/".join("ab" for _ in range(30_000)),
    ("a/" * 400 + "b\n") * 40,
)


def drafted(
    codec: Codec, text: str, level: str = BALANCED, origin: Origin = UNKNOWN
) -> Draft | None:
    """What the codec proposes, if it knows the text as its own."""
    passage = Passage(text, origin)
    return codec.shorten(passage, Marks(text), level) if codec.detects(passage) else None


def assert_accounted(text: str, draft: Draft) -> None:
    """Without its markers and their rows, the draft is the text without the lines of the ranges.

    And each marker tells the number in the receipt, in the order of the receipt.
    """
    opening = Marks(text).opening
    marker = re.compile(re.escape(opening) + r" (.*)\]")
    lines = text.split("\n")
    gone = {
        number
        for one in draft.removed
        if one.kind not in IN_PLACE
        for start, end in one.ranges
        for number in range(start, end)
    }
    left = [line for number, line in enumerate(lines) if number not in gone]
    shown: list[str] = []
    told = iter(draft.removed)
    rows = 0
    for line in draft.text.split("\n"):
        found = marker.fullmatch(line)
        if found:
            one = next(told)
            assert f"{one.count:,}" in found[1].split()
            rows = one.count if found[1].endswith(", with") else 0
        elif rows:
            rows -= 1
        else:
            shown.append(line)
    assert next(told, None) is None
    if not any(one.kind in IN_PLACE for one in draft.removed):
        assert shown == left
    else:
        assert len(shown) == len(left)


def assert_survives(codec: Codec, text: str, levels: tuple[str, ...]) -> None:
    """Any text gives a draft that accounts for it, or none."""
    for level in levels:
        draft = drafted(codec, text, level)
        if draft is not None and not draft.is_lossless:
            assert_accounted(text, draft)
