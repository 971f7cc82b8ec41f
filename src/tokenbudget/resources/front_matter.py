"""The few lines of YAML at the top of a skill, an agent or a rule, read strictly and cheaply.

Only what these files have: `key: words`, quoted words, folded and literal blocks, lists of words.
Anchors, tags and nesting are words like any others, so nothing can be blown up.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_CHARACTERS = 65_536
MOST_LINES = 1_000
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+(.*))?$")
_BLOCK = re.compile(r"[|>][0-9+-]{0,2}[ \t]*$")
_BOM = "\ufeff"


class FrontMatter(NamedTuple):
    """What stands at the top, and where the rest begins."""

    values: Mapping[str, str | tuple[str, ...]]
    body_at: int

    def words(self, key: str) -> str:
        """A value as one text; '' where there is none."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else " ".join(value)

    def items(self, key: str) -> tuple[str, ...]:
        """A value as a list: written as one, or with commas."""
        value = self.values.get(key, ())
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    def is_on(self, key: str) -> bool:
        """Whether it is true."""
        return self.words(key).lower() in ("true", "yes", "on")

    def is_off(self, key: str) -> bool:
        """Whether it is false; what is missing is not."""
        return self.words(key).lower() in ("false", "no", "off")


def front_matter(text: str) -> FrontMatter:
    """The front matter of a text; without one, or with one that has no end, nothing."""
    start = len(_BOM) if text.startswith(_BOM) else 0
    if not text.startswith(("---\n", "---\r\n"), start):
        return FrontMatter({}, 0)
    lines: list[str] = []
    at = text.index("\n", start) + 1
    while at < min(len(text), MOST_CHARACTERS) and len(lines) < MOST_LINES:
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end].rstrip("\r\n")
        at = end
        if line.rstrip() == "---":
            return FrontMatter(_values(lines), at)
        lines.append(line)
    return FrontMatter({}, 0)


def _values(lines: Sequence[str]) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    at = 0
    while at < len(lines):
        key = _KEY.match(lines[at])
        at += 1
        if key is None:
            continue
        begin = at
        while at < len(lines) and (_is_deeper(lines[at])):
            at += 1
        found[key[1]] = _value((key[2] or "").strip(), lines[begin:at])
    return found


def _is_deeper(line: str) -> bool:
    """Whether a line belongs to the key above it."""
    return not line.strip() or line[0] in " \t" or line.startswith("- ")


def _value(first: str, more: Sequence[str]) -> str | tuple[str, ...]:
    inner = [line.strip() for line in more]
    if _BLOCK.match(first):
        return (" " if first[0] == ">" else "\n").join(inner).strip()
    if not first and any(line.startswith("- ") for line in inner):
        return tuple(_plain(line[2:]) for line in inner if line.startswith("- "))
    if first.startswith("[") and first.endswith("]"):
        return tuple(_plain(part) for part in first[1:-1].split(",") if part.strip())
    return _plain(" ".join(filter(None, (first, *inner))))


def _plain(words: str) -> str:
    """Words without quotes around them and a comment behind them."""
    words = words.strip()
    if len(words) >= 2 and words[0] in "\"'" and words[-1] == words[0]:
        inner = words[1:-1]
        return inner.replace("''", "'") if words[0] == "'" else inner.replace('\\"', '"')
    return re.split(r"\s#", words, maxsplit=1)[0].rstrip()
