"""Symbols and abbreviations, each used only where a vocabulary counts fewer tokens for it.

A sign that looks short may cost more than its word: that is measured here and nowhere assumed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.prose_spans import NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.model.protocols import TokenCounter


class Symbol(NamedTuple):
    """A sign or an abbreviation, and the words that it can take the place of."""

    sign: str
    phrase: str
    is_before_number: bool = False
    """Only where a number follows: `more than 5` as `>5`."""


class Measured(NamedTuple):
    """A symbol with its cost inside a sentence, by one vocabulary."""

    symbol: Symbol
    phrase_tokens: int
    sign_tokens: int

    @property
    def gain(self) -> int:
        """Tokens saved at each use; the symbol is used only if this is more than 0."""
        return self.phrase_tokens - self.sign_tokens


SYMBOLS: tuple[Symbol, ...] = (
    Symbol("→", "leads to"),
    Symbol("→", "maps to"),
    Symbol("→", "is converted to"),
    Symbol("=", "is equal to"),
    Symbol("=", "equals"),
    Symbol(">", "more than", is_before_number=True),
    Symbol(">", "greater than", is_before_number=True),
    Symbol("<", "less than", is_before_number=True),
    Symbol("<", "fewer than", is_before_number=True),
    Symbol("≥", "at least", is_before_number=True),
    Symbol("≤", "at most", is_before_number=True),
    Symbol("≤", "up to", is_before_number=True),
    Symbol("≥", "greater than or equal to"),
    Symbol("≤", "less than or equal to"),
    Symbol("&", "and"),
    Symbol("w/", "with"),
    Symbol("w/o", "without"),
    Symbol("∴", "therefore"),
    Symbol("∵", "because"),
    Symbol("✓", "completed"),
    Symbol("e.g.", "for example"),
    Symbol("i.e.", "that is"),
    Symbol("vs", "versus"),
    Symbol("cfg", "configuration"),
    Symbol("impl", "implementation"),
    Symbol("perf", "performance"),
    Symbol("env vars", "environment variables"),
    Symbol("env var", "environment variable"),
    Symbol("PR", "pull request"),
    Symbol("PRs", "pull requests"),
    Symbol("repo", "repository"),
    Symbol("DB", "database"),
    Symbol("deps", "dependencies"),
    Symbol("docs", "documentation"),
    Symbol("params", "parameters"),
    Symbol("args", "arguments"),
    Symbol("auth", "authentication"),
    Symbol("prod", "production"),
    Symbol("CLI", "command-line interface"),
    Symbol("CLI", "command line interface"),
    Symbol("UI", "user interface"),
    Symbol("OS", "operating system"),
    Symbol("CI", "continuous integration"),
    Symbol("E2E", "end-to-end"),
    Symbol("cwd", "current working directory"),
    Symbol("cwd", "working directory"),
)
"""Every entry that was considered; `measured` says which are worth it."""


def measured(counter: TokenCounter) -> list[Measured]:
    """Each symbol with its cost and that of its phrase, after a space as inside a sentence."""
    return [
        Measured(
            one, counter.count(_in_place(one, one.phrase)), counter.count(_in_place(one, one.sign))
        )
        for one in SYMBOLS
    ]


def _in_place(symbol: Symbol, words: str) -> str:
    """As it stands in a sentence; `>5` is written without a space between."""
    if not symbol.is_before_number:
        return f" {words}"
    return f" {words}5" if words == symbol.sign else f" {words} 5"


def with_symbols(counter: TokenCounter) -> Callable[[str], str]:
    """A step that writes the symbols that gain, in a paragraph whose spans are hidden.

    Never as its first word: a `>` there is a quotation.
    """
    gaining = {one.symbol.phrase: one.symbol for one in measured(counter) if one.gain > 0}
    if not gaining:
        return lambda text: text
    words = "|".join(re.escape(one) for one in sorted(gaining, key=len, reverse=True))
    pattern = re.compile(rf"(?<=\S )({words})(?![\w'\u2019-])( ?)(?=({NUMBER})?)")

    def signed(found: re.Match[str]) -> str:
        symbol = gaining[found[1]]
        if not symbol.is_before_number:
            return symbol.sign + found[2]
        return symbol.sign if found[2] and found[3] else found[0]

    return lambda text: pattern.sub(signed, text)
