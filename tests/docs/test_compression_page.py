"""docs/compression.md names every codec and every kind of marker that anything counts again."""

from __future__ import annotations

import re
from pathlib import Path

from tokenbudget.analysis.fidelity_counts import RECOUNTS
from tokenbudget.compression import codecs
from tokenbudget.compression.codecs import CODECS
from tokenbudget.compression.passage import LEVELS

PAGE = (Path(__file__).parents[2] / "docs" / "compression.md").read_text("utf-8")
ONLY_STREAMED = {"like"}
"""What was shortened as a stream has no original at hand to count again in."""
SOURCES = sorted(Path(codecs.__file__).parents[1].rglob("*.py"))
KIND = re.compile(r"\b(?:Removed|Cut|_tell)\(\s*\"([a-z]+)\"")
FIRST_CELLS = {
    name
    for cell in re.findall(r"(?m)^\| (`[^|]*) \|", PAGE)
    for name in re.findall("`([^`]+)`", cell)
}


def test_every_codec_and_level_has_its_row() -> None:
    assert {codec.name for codec in CODECS} | set(LEVELS) <= FIRST_CELLS


def test_every_kind_that_is_told_is_counted_again() -> None:
    section = PAGE.split("## Markers")[1].split("\n## ")[0]
    told = set(re.findall(r"(?m)^\| `([a-z]+)` \|", section))
    assert told - ONLY_STREAMED <= set(RECOUNTS)
    assert {kind for path in SOURCES for kind in KIND.findall(path.read_text("utf-8"))} <= told
