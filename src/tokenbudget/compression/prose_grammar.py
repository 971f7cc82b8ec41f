"""The telegraphic rules, by classes of words, over a paragraph whose protected spans are hidden.

Each step is a function from text to text. None of them may drop a guard word; whoever applies them
checks that (`prose.rewritten`) and takes a step back that did, or that cost tokens.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.prose_articles import (
    without_a,
    without_a_after_preposition,
    without_the,
    without_your,
)
from tokenbudget.compression.prose_phrases import FILLERS
from tokenbudget.compression.prose_spans import NAMED, NEGATION, SPAN, guarded
from tokenbudget.compression.prose_verbs import CLEAR, PROGRESSIVE, STATES, THIRD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _one_of(words: set[str] | frozenset[str] | list[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


_ANY = rf"(?:[A-Za-z][\w'\u2019-]*|{SPAN})"
STATE = (
    rf"(?:(?:[a-z]+ed|{_one_of(STATES)})(?:(?=[.,;:)]|$)|"
    r"(?= (?:in|on|at|by|from|to|for|with|as|when|if|unless|until|before|after|because|via|through|"
    r"under|per|and|or|but|only|into|during|against|over|so|than|without|using|within|across|inside|"
    r"every)\b))|(?:in|on|at|under|inside|outside|within|behind|above|below)\b)"
)
"""A predicate that ends here, or that only a circumstance follows: no noun that it belongs to."""
AMBIGUOUS = r"(?!(?:run|set|read|put|cut|hit|let|split|shut|spread|asked|requested|called)\b)"
"""Words that would be taken for the verb of a sentence without its copula."""
PERSON = "".join(
    rf"(?<!\b{one})(?<!\b{one}s)"
    for one in (
        *("user", "human", "partner", "maintainer", "developer", "agent", "team", "author"),
        *("owner", "reviewer", "customer", "person", "caller", "client", "server", "model"),
    )
)
"""Not after who acts: `the user is asked` without its copula turns round who asks."""
PLAIN = (
    r"(?!(?:what|which|who|how|where|why|that|it|this|there|these|those|they|he|she|we|you|and|or|"
    r"not|as|here|must|should|may|can|will|to|of|in|on|by|from|with|for|at|is|are|be)\b)" + _ANY
)
"""A word of a short subject: no pronoun, no preposition, nothing that begins another clause."""
START = r"(?:^|(?<=[.!?:;\u2014\u2013(] )|(?<=\()|(?<=\*\*)|(?<=- ))"
"""Where a sentence or a part of one begins."""


class Step(NamedTuple):
    """One rule of the grammar."""

    name: str
    rewrite: Callable[[str], str]
    is_balanced: bool
    """Whether it is used at `balanced`; at `compressed` all are."""


def _capital(text: str) -> str:
    """The text with a capital where a sentence now begins; a span stays as it is."""
    return text[:1].upper() + text[1:]


def dropped(pattern: str, flags: int = re.IGNORECASE) -> Callable[[str], str]:
    """A step that drops what the pattern finds, which takes the space after it along.

    The word after it gets no capital: it may be a name that is written small.
    """
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.sub("", text)


def replaced(pattern: str, by: str | Callable[[re.Match[str]], str]) -> Callable[[str], str]:
    """A step that puts something in the place of what the pattern finds, with its capital."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def replace(found: re.Match[str]) -> str:
        new = found.expand(by) if isinstance(by, str) else by(found)
        return _capital(new) if found[0][:1].isupper() else new

    return lambda text: compiled.sub(replace, text)


_SENTENCES = re.compile(r"(?<=[.!?;]) ")
_NEGATION = re.compile(
    rf"\b(?:not|no|never|none|nor|cannot|without|nothing)\b|n['\u2019]t\b|{NEGATION}", re.IGNORECASE
)


def where_affirmed(step: Callable[[str], str]) -> Callable[[str], str]:
    """The step, in sentences without a negation: `not with simply a list` is about `simply`."""

    def rewrite(text: str) -> str:
        parts = _SENTENCES.split(text)
        return " ".join(one if _NEGATION.search(one) else step(one) for one in parts)

    return rewrite


# ── layout ────────────────────────────────────────────────────────────────────────────────────────

_LABEL = re.compile(
    rf"^\*\*([^*\n]+?)\*\*(?=:|$| [-\u2013\u2014(]|\s*\(|\.$|\s{SPAN}?$)|^\*\*([^*\n]+?:)\*\*"
)
_STRONG = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_LEANING = re.compile(r"(?<![\w*])\*(?=[A-Za-z])([^*\n]+?)(?<=\S)\*(?![\w*])")


def without_label_marks(text: str) -> str:
    """`**Source**: x` as `Source: x`: its place says that it is a label."""
    return _LABEL.sub(lambda found: found[1] or found[2], text)


def without_plain_emphasis(text: str) -> str:
    """No stars around words that are no warning: `**never**` keeps its own."""
    return _STRONG.sub(lambda found: found[0] if guarded(found[1]) else found[1], text)


def without_emphasis(text: str) -> str:
    """No stars around words; what is in capitals stays so."""
    return _LEANING.sub(r"\1", _STRONG.sub(r"\1", text))


# ── words ─────────────────────────────────────────────────────────────────────────────────────────

_fillers = where_affirmed(
    dropped(rf"(?<![\w'\u2019-])(?:{_one_of(list(FILLERS))},? )"),
)
_also = where_affirmed(dropped(r"(?<![\w'\u2019-])(?<!but )also "))
_there = dropped(rf"{START}there(?:'s|\u2019s| is| are) (?=no |not |an? |{_ANY})(?!to\b)")
_WHEN_YOU = re.compile(
    rf"\b(when|whenever|if|before|after|while) (?:you|we) ({_one_of(set(PROGRESSIVE) - {'have'})})"
    r"(?= )(?! (?:to|and|or)\b)"
    # No second verb: `if you change X and run Y`, `when you create or change X`.
    rf"(?![^,.;:]{{0,80}} (?:and|or) {_one_of(list(PROGRESSIVE))}\b)",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"[\W_]*$|[\W_]*(?:(?:always|never|only|do not|don['\u2019]t) )?"
    rf"{_one_of(set(PROGRESSIVE) - THIRD)}\b",
    re.IGNORECASE,
)


def _when_doing(text: str) -> str:
    """`when you change X` as `when changing X`, where who is told to do something is you as well.

    Not in `CI fails if you skip it`: that would be CI that skips.
    """

    def shorter(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - 300) : found.start()]
        sentence = re.split(r"[.!?:;\u2014] ", before)[-1]
        if not _ORDER.match(sentence):
            return found[0]
        return f"{found[1]} {PROGRESSIVE[found[2].lower()]}"

    return _WHEN_YOU.sub(shorter, text)


_following = replaced(r"\bthe following (?=(?:[\w-]+ ){0,2}[\w-]*[^\Wsui]s\b)", "these ")
_relative_state = replaced(
    rf"(?<=[\w)*{SPAN[1:-1]}]) (?:that|which|who) (?:is|are|was|were) "
    rf"(?=(?:not |only |already |currently )?{STATE})",
    " ",
)
_relative_verb = replaced(
    rf"(?<=[a-z){SPAN[1:-1]}])(,?) (?:that|which|who) ({_one_of(CLEAR)})(?= )"
    r"(?![^.;:]{0,80} (?:and|or) )",
    lambda found: f"{found[1]} {PROGRESSIVE[found[2].lower()]}",
)
_it = dropped(rf"{START}(?:it|this|they|we) (?!means )(?=(?:{_one_of(THIRD)})\b)")
_we = dropped(rf"{START}we (?=(?:{_one_of(set(PROGRESSIVE) - {'have', 'do', 'need'})})\b)")
_will_be = replaced(r"\bwill be (?=(?:automatically )?[a-z]+ed\b)", "get ")
_ITEM = rf"(?:[\w*'-]|{SPAN})+"
_series = replaced(
    # An item of at most four words between two commas. What follows is no clause: it would run into
    # the words before it, as in `no reads, and writes are`.
    rf"(?<=, )((?:{_ITEM} ){{0,3}}{_ITEM}), (and|or) (?=[\w*({SPAN[1:-1]}])"
    rf"(?!(?:{_ITEM} ){{1,5}}"
    r"(?:is|are|was|were|will|must|should|can|may|has|have|does|do|gets?)\b)",
    r"\1 \2 ",
)
_it_is_state = replaced(
    r"\b(if|when|whenever|unless|until|while|once|where) "
    r"(?:it is|it's|it\u2019s|they are|they're|it was|they were) "
    rf"(?=(?:not |only |already |currently )?{STATE})",
    r"\1 ",
)
_then_you = replaced(rf"(?<=, )you (?=(?:should|must|can|may|need|have to|will|{SPAN}))", "")
_examples = replaced(
    # Examples that are sentences are not `like` anything.
    r"(?<![\w.])e\.g\.,? ?(?![^().;]{0,90}\b(?:is|are|was|were|has|have|must|should|can|will|do|"
    r"does)\b)",
    "like ",
)
_in_order_to = replaced(
    # `what made a change in order to weigh it` is about no change that weighs.
    r"(\b(?:an?|the|any|no) [a-z-]+ )?\bin order to\b",
    lambda found: found[0] if found[1] else "to",
)
_contractions = replaced(
    rf"({START}|\b(?:because|if|when|so|but|unless|until|while|since) )"
    r"(?:(it) is|(you|they|we) are) (?!not\b)(?=[a-z])",
    lambda found: f"{found[1]}{found[2]}'s " if found[2] else f"{found[1]}{found[3]}'re ",
)
_label_dash = replaced(
    rf"^({NAMED}(?: \([^()]*\))?) (?:-|--|\u2013|\u2014) (?=[A-Za-z{SPAN[1:-1]}])", r"\1: "
)
_last_period = replaced(r"(?<=[\w)])\.$", "")


STEPS: tuple[Step, ...] = (
    Step("marks of labels", without_label_marks, True),
    Step("marks of emphasis", without_plain_emphasis, True),
    Step("dash after a label", _label_dash, True),
    Step("in order to: to", _in_order_to, True),
    Step("e.g.: like", _examples, True),
    Step("fillers", _fillers, True),
    Step("relative clauses of state", _relative_state, True),
    Step("if it is: if", _it_is_state, True),
    Step("when you do: when doing", _when_doing, True),
    Step("comma of a series", _series, True),
    Step("the following: these", _following, True),
    Step("your, our", without_your, True),
    Step("there is", _there, True),
    Step("the", without_the, True),
    Step("a, an", without_a, True),
    Step("a, an after a preposition", without_a_after_preposition, True),
    Step("emphasis", without_emphasis, False),
    Step("relative clauses of action", _relative_verb, True),
    Step("you after a condition", _then_you, False),
    Step("we, it, this before a verb", _it, False),
    Step("we before a verb", _we, False),
    Step("will be done: get done", _will_be, False),
    Step("also", _also, True),
    Step("contractions", _contractions, True),
    Step("last period", _last_period, False),
)
"""In the order in which they are applied; the phrases come before them."""
