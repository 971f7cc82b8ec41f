"""Words of a source text: which are names made for programs, and which a line defines."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

words_of = re.compile(r"[^\W\d]\w{3,}").findall
"""Identifiers and words of four characters or more."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
LEAST_PLAIN_LETTERS = 6
_DEFINES = re.compile(
    r"\b(?:def|class|func|function|fn|fun|const|let|var|val|type|interface|struct|enum|trait"
    r"|record|protocol|extension|namespace|module|object|macro|alias|CREATE TABLE)\b"
    r"(?:\s*\([^()]{0,200}\))?\s+[*&]?([^\W\d]\w{3,})"
    r"|^\s*[\"']?([^\W\d][\w-]{3,})[\"']?\s*(?::(?!:)|=(?!=)|\()"
)
"""A word behind a keyword of some language, or at the head of a line: a key, a variable."""
_KEYWORDS = frozenset(
    (
        "async", "await", "begin", "break", "case", "catch", "class", "const", "continue",
        "default", "defer", "elif", "else", "elsif", "enum", "except", "export", "extends",
        "finally", "foreach", "from", "func", "function", "goto", "impl", "import", "include",
        "interface", "lambda", "match", "module", "package", "pass", "private", "protected",
        "public", "raise", "range", "require", "return", "select", "self", "static", "struct",
        "super", "switch", "then", "this", "throw", "trait", "type", "typeof", "unless", "until",
        "using", "void", "when", "where", "while", "with", "yield",
    )
)  # fmt: skip
"""Words of languages that stand where a name could: `import (`, `return (`."""


def plain_words_of(text: str) -> Iterator[str]:
    """The words of six letters or more, in lower case, that names are made of: `fileFilters`."""
    for part in _PARTS.findall(text):
        if len(part) >= LEAST_PLAIN_LETTERS:
            yield part.lower()


def is_coined(word: str) -> bool:
    """Whether a word is made for programs: `read_all`, `readAll`, `utf8`."""
    return "_" in word or not word.isalpha() or word[1:] != word[1:].lower()


def defined_in(line: str) -> Iterator[str]:
    """The names that a line of source seems to define."""
    for found in _DEFINES.finditer(line[:500]):
        name = found[1] or found[2]
        if name not in _KEYWORDS:
            yield name
