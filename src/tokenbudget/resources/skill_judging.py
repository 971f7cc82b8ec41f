"""What of a skill an agent must have read before it begins, and what it can look up on its way.

A judgement by words and shape, in steps of urgency: what says when the skill is meant and what is
never to be done first, then the steps, then what explains them; examples, code, long tables and
background last. Orders in capitals, and what only the client can fill in, are never moved.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.resources.skill_parts import (
    BLANK,
    CODE,
    HEADING,
    ITEM,
    PROSE,
    QUOTE,
    TABLE,
    TAGGED,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.resources.skill_parts import Part

MUST, WHEN, ORDER, LEAD, FIRM, BODY, MORE, ASIDE = range(8)
"""Urgency, the highest first. ASIDE is looked up: it stays only where nothing is won by moving."""

SHORT_CODE_TOKENS = 40
"""A command or two: an agent that has to fetch them pays more than they weigh."""
SHORT_TABLE_TOKENS = 160
"""A table to decide by; longer ones are looked up in."""
LONGEST_LEAD, LEAST_REST = 240, 60
"""Characters of first words, and of what they stand for: a short part is shown whole or not."""
SENTENCE_TOKENS = 40
"""A part of one sentence counts as first words do."""

_WHEN = re.compile(
    r"\b(?:when (?:not )?to|use (?:this|when|cases?)|purpose|overview|scope|triggers?|goals?|about"
    r"|introduction|summary|mission|objective)\b"
)
_ORDERS = re.compile(
    r"\b(?:rules?|must|never|always|principles?|best practices?|constraints?|guidelines?|pitfalls?"
    r"|anti-?patterns?|mistakes?|red flags?|warnings?|cautions?|security|safety|do'?s|don'?ts?"
    r"|gotchas?|failure modes?|requirements?|iron law|gates?|important|critical|checklists?"
    r"|key|core|verification|boundaries|limits?|decisions?|common issues)\b"
)
_STEPS = re.compile(
    r"\b(?:steps?|process|workflows?|procedures?|quick ?start|how to|instructions|phases?|usage"
    r"|protocol|ladder|sequence|getting started|method)\b|^\d+[.)]"
)
_LISTS_FILES = re.compile(
    r"\W*(?:\w+ )?(?:references?|resources|files|reading|see also|assets|scripts)\W*"
)
_FILE = re.compile(
    r"(?:references?|scripts?|assets|resources|templates?|examples?)/[\w.-]|\]\((?!#|\w+:)"
)
_ASIDE = re.compile(
    r"\b(?:examples?|samples?|templates?|background|why|rationale|history|advanced|variants?"
    r"|alternatives?|appendix|troubleshooting|faq|cookbook|references?|resources|see also|related"
    r"|further|details?|case stud(?:y|ies)|glossary|benchmarks?|detailed|recipes?|snippets?)\b"
)
_LOUD = re.compile(
    r"(?<![\w`])(?:MUST|NEVER|ALWAYS|NOT|DON'T|IMPORTANT|CRITICAL|WARNING|REQUIRED|FORBIDDEN"
    r"|STOP|MANDATORY|ONLY|CAUTION|DANGER)(?![\w`-])"
)
_FIRM = re.compile(
    r"\b(?:must|never|always|do not|don['\u2019]t|required?|mandatory|only (?:if|when|after)"
    r"|avoid|cannot|forbidden|ensure|make sure|instead of|important|critical)\b",
    re.IGNORECASE,
)
_CLIENTS = re.compile(r"\$ARGUMENTS|\$\{CLAUDE_|!`[^`\n]+`|^```!", re.MULTILINE)
_IMPORT = re.compile(r"(?:^|\s)@[\w.~-]*/?[\w./~-]*\.(?:md|txt)\b")
_POSITION = re.compile(r"\$[0-9]\b")
_LOUD_TAG = re.compile(
    r"<[\w-]*(?:gate|import|critical|must|rule|warn|never|require)", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.!?](?:\*\*|[\"')\]])?(?=\s+\S)")
_SHORTENED = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|no|approx|fig|Dr|Mr|Ms|St)\.$", re.IGNORECASE)
_BOLD_LEAD = re.compile(
    r"\s*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:\[[ xX]\] )?\*\*[^*]{1,200}\*\*[.:]?(?=\s)"
)


class Judged(NamedTuple):
    """How urgent a part is."""

    whole: int
    lead: int
    """Of its first words alone; `ASIDE` where they would say nothing."""
    words: str
    """Those first words, as they stand there."""


def judged(parts: Sequence[Part], tokens: Sequence[int], has_arguments: bool) -> list[Judged]:
    """The urgency of each part; `has_arguments`: the skill takes some, so `$1` is one."""
    found: list[Judged] = []
    for index, part in enumerate(parts):
        if part.kind in (HEADING, BLANK):
            found.append(Judged(ASIDE, ASIDE, ""))
            continue
        role = role_of(parts, part)
        is_first = index > 0 and parts[index - 1].kind == HEADING
        whole = _urgency(part, role, tokens[index], is_first)
        if _is_never_moved(parts, index, tokens[index], has_arguments):
            whole = MUST
        words = lead_of(part) if part.kind in (PROSE, ITEM) else ""
        lead = _lead_urgency(part, role, whole, is_first) if words else ASIDE
        found.append(Judged(whole, lead, words))
    return found


def role_of(parts: Sequence[Part], part: Part) -> str:
    """What the headings above say that it is: one of `_ROLES`, `files`, or ''."""
    for at in reversed(part.above):
        title = parts[at].title.lower()
        if at == part.above[0] and parts[at].level == 1 and len(part.above) > 1:
            break  # the title of the whole skill says nothing of a part
        if _LISTS_FILES.fullmatch(title):
            return "files"
        for role, words in _ROLES:
            if words.search(title):
                return role
    return ""


_ROLES = (("aside", _ASIDE), ("when", _WHEN), ("steps", _STEPS), ("orders", _ORDERS))


def is_loud(text: str) -> bool:
    """Whether it holds an order in capitals."""
    return _LOUD.search(_without_code(text)) is not None


def _is_never_moved(parts: Sequence[Part], index: int, tokens: int, has_arguments: bool) -> bool:
    part = parts[index]
    is_filled_in = _CLIENTS.search(part.text) or (has_arguments and _POSITION.search(part.text))
    if is_filled_in or (part.kind != CODE and _IMPORT.search(part.text)):
        return True  # the client fills these in where they stand in SKILL.md, and nowhere else
    if part.kind == CODE:
        return tokens <= SHORT_CODE_TOKENS and _is_shouted(part.text)
    if part.kind == TAGGED:
        return _LOUD_TAG.match(part.text.lstrip()) is not None
    if part.kind == TABLE:
        return False
    is_intro = (
        index <= 2
        and len(part.above) < 2
        and not any(one.kind in (PROSE, ITEM) for one in parts[:index])
    )
    return is_intro or is_loud(part.text)


def _is_shouted(code: str) -> bool:
    """A law in a box: words in capitals, no program."""
    inner = "".join(code.split("\n")[1:-1])
    letters = [sign for sign in inner if sign.isalpha()]
    return len(letters) > 12 and sum(map(str.isupper, letters)) > 0.7 * len(letters)


def _urgency(part: Part, role: str, tokens: int, is_first: bool) -> int:
    if part.kind == CODE:
        is_short = tokens <= SHORT_CODE_TOKENS and role != "aside"
        return MORE if is_short else ASIDE
    if part.kind == TABLE:
        is_short = tokens <= SHORT_TABLE_TOKENS and role != "aside"
        return (BODY if role in ("when", "orders") else MORE) if is_short else ASIDE
    if part.kind not in (PROSE, ITEM, QUOTE):
        return ASIDE
    is_firm = _FIRM.search(_without_code(part.text)) is not None
    if role == "when":
        return WHEN
    if role == "files":
        return ORDER if _FILE.search(part.text) else ASIDE
    if role == "aside":
        return MORE if is_firm else ASIDE
    if tokens <= SENTENCE_TOKENS and (is_firm or is_first or role):
        return ORDER if role and is_firm else LEAD
    if is_firm:
        return FIRM
    return BODY if role or is_first else MORE


def _lead_urgency(part: Part, role: str, whole: int, is_first: bool) -> int:
    if whole <= ORDER or role in ("aside", "files"):
        return ASIDE
    if role in ("steps", "orders"):
        return ORDER if whole == FIRM or part.kind == ITEM or is_first else LEAD
    return LEAD if is_first or part.kind == ITEM or whole <= BODY else MORE


# ── first words ──────────────────────────────────────────────────────────────────────────────────


def lead_of(part: Part) -> str:
    """Its first sentence, or what is bold at its beginning; '' where there is little more."""
    text = part.text
    bold = _BOLD_LEAD.match(text)
    end = bold.end() if bold and _is_title(text, bold.end()) else _end_of_sentence(text)
    words = text[:end].rstrip()
    is_fair = 0 < end <= LONGEST_LEAD and len(text) - end >= LEAST_REST
    return words if is_fair and _is_whole(words) else ""


def _is_title(text: str, end: int) -> bool:
    """Whether bold words are a title of what follows, and do not go on in it."""
    rest = text[end:].lstrip()
    return (
        text[:end].rstrip("*")[-1] in ".:!?"
        or text[end - 1] in ".:"
        or (not rest[:1].islower() and rest[:1] != ",")
    )


def _end_of_sentence(text: str) -> int:
    for found in _SENTENCE.finditer(text[: LONGEST_LEAD + 2]):
        head = text[: found.end()]
        is_number = re.fullmatch(r"\s*\d{1,9}\.", head) is not None
        if not is_number and not _SHORTENED.search(head):
            return found.end()
    return 0


def _is_whole(words: str) -> bool:
    """Nothing is open at their end: no code, no bold words, no bracket."""
    pairs = (("(", ")"), ("[", "]"))
    is_paired = all(words.count(one) == words.count(other) for one, other in pairs)
    is_closed = words.count("`") % 2 == 0 and words.count("**") % 2 == 0
    return is_paired and is_closed and "\n\n" not in words


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", " ", text)
