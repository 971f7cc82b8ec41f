"""What of a paragraph no rule may touch: hidden while the rules work, and put back after them.

Each protected span becomes one private-use character. Words that carry a condition, an order or a
negation stay visible, because the grammar needs them; whether they all survived is checked after
each step (`guarded`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FIRST, FIRST_NEGATION, FIRST_NUMBER, LAST = 0xF0000, 0xF8000, 0x100000, 0x10FFFD
"""The private-use characters that stand for spans, those from the second on for negations in
capitals, from the third on for numbers; a text that uses them itself is not rewritten."""
PLANE = 0x8000

SPAN = f"[{chr(FIRST)}-{chr(LAST)}]"
NAMED = f"[{chr(FIRST)}-{chr(FIRST_NUMBER - 1)}]"
NEGATION = f"[{chr(FIRST_NEGATION)}-{chr(FIRST_NUMBER - 1)}]"
NUMBER = f"[{chr(FIRST_NUMBER)}-{chr(LAST)}]"

_IN_USE = re.compile(SPAN)

_MARKED = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"  # code
    r"|!?\[[^\[\]\n]*\]\([^()\n]*\)"  # links
    r"|!?\[[^\[\]\n]{1,200}\](?:\[[^\[\]\n]*\])?"  # references, places to fill in
    r"|<[^<>\n]{1,200}>"  # tags, addresses
    r"|(?<![a-zA-Z+.-])[a-zA-Z][a-zA-Z+.-]{0,20}://[^\s)>\]]+"
    r"|\{\{[^{}\n]{1,200}\}\}|\$?\{[^{}\n]{1,200}\}"
    r"|\"[^\"\n]{1,300}\"|\u201c[^\u201d\n]{1,300}\u201d"  # what is quoted is meant word by word
    r"|(?<!\w)'[^'\n]{1,200}'(?!\w)"
    r"|(?<![\w*])\*{1,2}[./][\w./*{},-]+"  # file patterns
    r"|\\."
)
_RUN = re.compile(rf"[^\s*`\"\u201c\u201d\[\]<>|{SPAN[1:-1]}]+")
_TECHNICAL = re.compile(
    r"\d|[_/\\@#$=+~^&%]|\w[.:]\w|[a-z][A-Z]|[A-Z]{2}|^--?\w|\(\)|[^\x00-\x7f\u2013\u2014\u2019\u2018]"
)
_NAME = re.compile(rf"(?<=[a-z,;){SPAN[1:-1]}] )[A-Z][\w\u2019'-]*(?: [A-Z][\w\u2019'-]*)*")
"""Capitals inside a sentence."""

_NEGATIONS = re.compile(r"\b(?:NOT|NO|NEVER|NONE|NOR|CANNOT|WITHOUT|NOTHING)\b|N['\u2019]T\b")

_GUARD_WORDS = """
not no never none nothing nobody neither nor without cannot don't doesn't didn't isn't aren't
wasn't weren't won't wouldn't shouldn't couldn't can't mustn't hasn't haven't hadn't must shall
should may might can could only unless except until before after if when while whether whenever
once always all any every each both either or first then next last again instead rather optional
optionally required mandatory forbidden prohibited
"""
GUARD_WORDS = frozenset(_GUARD_WORDS.split())
"""A rewriting that loses or moves one of these is taken back."""


class Hidden(NamedTuple):
    """A paragraph whose protected spans are one character each."""

    text: str
    spans: tuple[str, ...]

    def in_order(self) -> tuple[str, ...]:
        """The spans as they follow each other in the text."""
        return tuple(map(self.shown, _IN_USE.findall(self.text)))

    def shown(self, text: str) -> str:
        """A rewritten text with the spans in their places."""
        return _IN_USE.sub(lambda found: self.spans[(ord(found[0]) - FIRST) % PLANE], text)


def hidden(text: str) -> Hidden | None:
    """The paragraph for the rules; None where it cannot be told apart from our characters."""
    if _IN_USE.search(text) or len(text) > PLANE:
        return None
    spans: list[str] = []

    def hide(span: str) -> str:
        spans.append(span)
        return chr(_first_for(span) + len(spans) - 1)

    text = _MARKED.sub(lambda found: hide(found[0]), text)
    text = _RUN.sub(lambda found: _hidden_run(found[0], hide), text)
    text = _NAME.sub(lambda found: hide(found[0]), text)
    return Hidden(text, tuple(spans))


def _first_for(span: str) -> int:
    if span[0].isdigit():
        return FIRST_NUMBER
    return FIRST_NEGATION if _NEGATIONS.search(span) else FIRST


def _hidden_run(run: str, hide: Callable[[str], str]) -> str:
    """A run without spaces: its technical kernel is hidden, the punctuation around it is not."""
    kernel = run.lstrip("('")
    before = run[: len(run) - len(kernel)]
    kernel = kernel.rstrip(".,;:!?)'")
    while kernel.count("(") > kernel.count(")") and run[len(before) + len(kernel) :][:1] == ")":
        kernel += ")"
    after = run[len(before) + len(kernel) :]
    is_free = kernel in ("e.g", "i.e") or not _TECHNICAL.search(kernel)
    return run if is_free else f"{before}{hide(kernel)}{after}"


def guarded(text: str) -> list[str]:
    """The spans and the guard words of a hidden paragraph, in order."""
    plain = _SAME.sub(lambda found: SAME[found[0].lower()], text)
    return [found[0].lower() for found in _GUARDED.finditer(plain)]


def free_parts(text: str) -> list[str]:
    """What a hidden paragraph holds beside spans and guard words: what the rules may touch.

    A protected word takes the space before it along, as the vocabularies do.
    """
    return [part for part in _PROTECTED.split(text) if part]


SAME = {
    "prior to": "before",
    "subsequent to": "after",
    "in the event that": "if",
    "in the event of": "if",
    "provided that": "if",
    "on condition that": "if",
    "as soon as": "once",
    "at all times": "always",
    "whether or not": "whether",
    "is able to": "can",
    "are able to": "can",
    "has the ability to": "can",
    "have the ability to": "can",
    "with the exception of": "except",
    "it is necessary to": "must",
    "it is possible to": "can",
    "it is not possible to": "cannot",
    "at any time": "any time",
    "until such time as": "until",
    "in the first place": "",
    "first and foremost": "first",
    "each and every": "every",
}
"""Phrases that say what one guard word says; the guard takes them for that word."""

_SAME = re.compile(rf"\b(?:{'|'.join(sorted(SAME, key=len, reverse=True))})\b", re.IGNORECASE)
_GUARDS = "|".join(sorted(GUARD_WORDS, key=len, reverse=True))
_GUARDED = re.compile(rf"{SPAN}|(?<![\w'\u2019-])(?:{_GUARDS})(?![\w'\u2019])", re.IGNORECASE)
_PROTECTED = re.compile(rf" ?(?:{_GUARDED.pattern})", re.IGNORECASE)
