"""The words of an HTML page, without its tags, styles and scripts.

One pass from left to right with plain searches, so that no page takes longer than its length: an
HTML parser that builds a tree is slower, and a page that was cut off has no tree.
"""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)([^<>]*)>")
_ATTRIBUTE = re.compile(r"(?<![a-zA-Z-])([a-zA-Z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")

LONGEST_TAG = 4_000
"""Characters of attributes that are looked through; the search may go over them twice."""

_UNSEEN = frozenset(("script", "style", "svg", "noscript", "template", "iframe", "canvas"))
_WITHIN_LINES = frozenset(
    (
        *("a", "abbr", "b", "bdi", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img"),
        *("input", "ins", "kbd", "label", "mark", "meta", "q", "s", "samp", "small", "span"),
        *("strong", "sub", "sup", "td", "th", "time", "tt", "u", "var", "wbr"),
    )
)
"""Any other tag begins a line."""
_KEPT_WHOLE = frozenset(("input", "meta"))
"""What a page asks and says of itself stands in attributes: these tags stay as they are."""
_NOWHERE = ("#", "javascript:", "data:")
_TOLD_BY_META = re.compile(r"description|title|robots|refresh|canonical", re.IGNORECASE)


def words_of(page: str, has_links: bool) -> str:
    """What a reader sees, each block on its own line; links behind their words in parentheses."""
    reader = _Reader(page, has_links)
    return reader.text()


class _Reader:
    def __init__(self, page: str, has_links: bool) -> None:
        self._page = page
        self._small = page.lower()
        if len(self._small) != len(page):  # `İ` is longer in small letters: then compare as it is
            self._small = page
        self._has_links = has_links
        self._lines: list[str] = []
        self._line: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._preformatted = 0

    def text(self) -> str:
        at = 0
        while at < len(self._page):
            tag = self._page.find("<", at)
            if tag < 0:
                break
            self._say(self._page[at:tag])
            at = self._past(tag)
        self._say(self._page[at:] if at < len(self._page) else "")
        self._break()
        return "\n".join(self._lines)

    def _past(self, at: int) -> int:
        """Behind the tag that begins here; a bracket that begins none is a word."""
        if self._page.startswith("<!--", at):
            return self._behind("-->", at)
        if self._page[at + 1 : at + 2] in ("!", "?"):
            return self._behind(">", at)
        tag = _TAG.match(self._page, at)
        if not tag:
            self._say("<")
            return at + 1
        name = tag[2].lower()
        if name in _UNSEEN and not tag[1] and not tag[3].endswith("/"):
            return self._behind(">", self._behind(f"</{name}", tag.end()) - 1)
        self._tag(name, bool(tag[1]), tag)
        return tag.end()

    def _behind(self, end: str, at: int) -> int:
        found = self._small.find(end, at)
        return len(self._page) if found < 0 else found + len(end)

    def _tag(self, name: str, is_closing: bool, tag: re.Match[str]) -> None:
        if name in ("td", "th") and not is_closing:
            self._line.append(" | " if self._line else "")
            return
        if name in ("td", "th"):
            return
        if name not in _WITHIN_LINES:
            self._break()
        if name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if is_closing else 1))
        elif name == "a":
            self._link(is_closing, tag[3])
        elif name in _KEPT_WHOLE and (name != "meta" or _TOLD_BY_META.search(tag[3])):
            self._line.append(f" {tag[0]} ")
        elif name == "img":
            self._say(_attribute(tag[3], "alt"))

    def _link(self, is_closing: bool, attributes: str) -> None:
        if not is_closing:
            self._links.append((_attribute(attributes, "href"), len(self._line)))
        elif self._links:
            place, start = self._links.pop()
            is_told = "".join(self._line[start:]).strip() == place
            if place and self._has_links and not is_told and not place.startswith(_NOWHERE):
                self._line.append(f" ({place})")

    def _say(self, words: str) -> None:
        if not words:
            return
        words = unescape(words)
        self._line.append(words if self._preformatted else _BLANKS.sub(" ", words))

    def _break(self) -> None:
        line = "".join(self._line)
        self._line = []
        if self._preformatted:
            self._lines.extend(one.rstrip() for one in line.strip("\n").split("\n") if line.strip())
        elif line.strip(" |"):
            self._lines.append(_BLANKS.sub(" ", line).strip())


def _attribute(attributes: str, wanted: str) -> str:
    for name, double, single, bare in _ATTRIBUTE.findall(attributes[:LONGEST_TAG]):
        if name.lower() == wanted:
            return unescape(double or single or bare)
    return ""
