"""What of a text can be looked up in another: its words, numbers and paths."""

from __future__ import annotations

import html
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD = re.compile(r"\w+")
_DECIMAL = re.compile(r"\d+(?:\.\d+)+")
_PATH = re.compile(r"[\w.@~+-]*(?:/[\w.@+-]+)+")
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[@-Z\\-_=>])")
"""The control sequences of a terminal: colours, cursor, titles and links."""
_JSON_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_IN_PATH = frozenset("_.@~+-/")


def bare(line: str) -> str:
    """A line as a terminal shows it in the end: without colours, overwritten parts and end."""
    if "\x1b" in line:
        line = ANSI.sub("", line)
    if "\r" in line:
        line = line.rstrip("\r").rpartition("\r")[2]
    return line.rstrip()


def words(text: str) -> set[str]:
    """Every run of letters, digits and underscores."""
    return set(_WORD.findall(text))


class Lookup:
    """One text, asked for atoms; what it writes in escapes counts as written out."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)
        self._words: set[str] = set()
        self._decimals: set[str] = set()
        for text in self._texts:
            self._take(text)
        self._is_unescaped = False

    def strange(self, text: str, glued: Iterable[str] = ()) -> Iterator[str]:
        """The words, decimals and paths of another text that do not stand in this one.

        `glued` are words that a marker cut short: of these any part of the text will do.
        """
        found = self._missing(text)
        if found and not self._is_unescaped:
            self._unescape()
            found = self._missing(text)
        cut = set(glued)
        for atom in sorted(found):
            if atom not in cut or not any(atom in one for one in self._texts):
                yield atom

    def _missing(self, text: str) -> set[str]:
        found = set(_WORD.findall(text)) - self._words
        found |= set(_DECIMAL.findall(text)) - self._decimals
        found |= {path for path in self._paths(text) if not self._has_path(path)}
        return found

    @staticmethod
    def _paths(text: str) -> set[str]:
        return {path.rstrip(".") for path in _PATH.findall(text)} if "/" in text else set()

    def _has_path(self, path: str) -> bool:
        """Whether it stands there as whole names, maybe inside a longer path."""
        for text in self._texts:
            at = text.find(path)
            while at >= 0:
                if _ends_name(text, at - 1, path[:1]) and _ends_name(text, at + len(path), "/"):
                    return True
                at = text.find(path, at + 1)
        return False

    def _take(self, text: str) -> None:
        self._words.update(_WORD.findall(text))
        self._decimals.update(_DECIMAL.findall(text))

    def _unescape(self) -> None:
        """Read the texts once more as what their escapes stand for."""
        self._is_unescaped = True
        for text in list(self._texts):
            for other in _readings(text):
                if other != text:
                    self._texts.append(other)
                    self._take(other)


def _ends_name(text: str, at: int, edge: str) -> bool:
    """Whether no name goes on at a place; `edge` is what the path itself ends or begins with."""
    if not 0 <= at < len(text) or edge == "/":
        return True
    sign = text[at]
    return not (sign.isalnum() or (sign in _IN_PATH and sign not in "./"))


def _readings(text: str) -> Iterator[str]:
    if "\x1b" in text or "\r" in text:
        yield "\n".join(bare(line) for line in text.split("\n"))
    if "\\" in text:
        once = unescaped(text)
        yield once
        if "\\" in once:  # JSON in a string of JSON
            yield unescaped(once)
    if "&" in text:
        yield html.unescape(text)


def unescaped(text: str) -> str:
    """The text with the escapes of JSON strings undone, wherever they stand."""
    return _JSON_ESCAPE.sub(_letter, text)


def _letter(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _LETTERS.get(code, code)
