"""Articles and possessives: where they go, and where a sentence cannot be read without them."""

from __future__ import annotations

import re

from tokenbudget.compression.prose_spans import NAMED, SPAN
from tokenbudget.compression.prose_verbs import THIRD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_BACK_CHARS = 70

_MODIFIERS = """
blocking building caching calling changing closing comparing containing driving editing ending
exporting failing generating growing hosting importing listening loading logging matching merging
moving opening owning parsing passing polling processing publishing reading receiving recording
rendering reporting running sending serving sharing starting testing tracking training waiting
working writing
"""
_GERUND = (
    rf"(?<!\bwhen )(?<!\bwhile )(?<!\bbefore )(?<!\bafter )(?<!\bwithout )(?<!\bwhenever )"
    rf"(?<!\bif )\b(?:{'|'.join(_MODIFIERS.split())}) "
)
_NEEDED = re.compile(
    # `what the branch changed` would ask which branch; `half the work` is not half work.
    r"(?:\b(?:what|which|whose|half|twice|double) "
    # `makes any omission an error` would be an omission error.
    r"|\b(?:makes?|made|making|calls?|called|renders?|considers?) (?:[\w-]+ ){1,4}"
    # `recording a session depends` would be a session that records.
    rf"|{_GERUND}"
    # `Running your Server`, `Read the Docs` are names.
    rf"|{NAMED} )$",
    re.IGNORECASE,
)


_JOINTS = """
that if when whenever because so and or but while where until unless before after since means once
as than whether ensure ensures verify check confirm in of on for to with from by at via into under
through per is are was were be not only how why using use uses run runs read reads see say says
"""
_GAP = re.compile(
    r"(?:an?|the|your|our) (?:[\w-]+ ){1,2}(?:(?:can|can['\u2019]t|cannot|could|would|will|should|"
    rf"must|may|already|never)\b|(?:{'|'.join(sorted(THIRD))})(?=[.,;:)]|$| \(| [a-z]+ly\b))",
    re.IGNORECASE,
)
_BARE_NOUN = re.compile(rf"(?<![\w'-])(?!(?:{'|'.join(_JOINTS.split())}) )[a-z]{{3,}} $")


def _opens_a_clause(found: re.Match[str], before: str) -> bool:
    """`a commit the request introduces`: without the article, three nouns in a row."""
    return bool(_GAP.match(found.string, found.start()) and _BARE_NOUN.search(before))


def _dropped(pattern: str) -> Callable[[str], str]:
    """A step that drops what the pattern finds, except where its sentence needs it."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def keep(found: re.Match[str]) -> str:
        before = found.string[max(0, found.start() - _LOOK_BACK_CHARS) : found.start()]
        is_needed = _NEEDED.search(before) or _opens_a_clause(found, before)
        return found[0] if is_needed else ""

    return lambda text: compiled.sub(keep, text)


without_a = _dropped(
    r"(?:(?<=[\w,;:)(\"\u201d\u2019*\u2014\u2013] )|(?<=^)|(?<=\()|(?<=\*\*)|(?<=[.!?:/>] ))"
    r"(?<!times )(?<!once )(?<!twice )(?<!\bat )(?<!\bin )(?<!\bas )(?:an? )"
    rf"(?=[A-Za-z*{SPAN[1:-1]}])(?!few\b|little\b|lot\b|bit\b|priori\b|and\b|or\b|to\b|is\b"
    r"|(?:number|variety|range|couple|majority|handful|series) of\b)"
)
without_a_after_preposition = _dropped(
    r"(?<=\bat |\bin |\bas )an? (?!time\b|row\b|few\b|little\b|whole\b|lot\b|bit\b)",
)
without_the = _dropped(
    rf"(?<![\w'\u2019-])the (?=[A-Za-z*({SPAN[1:-1]}])"
    r"(?!(?:more|less|fewer|better|sooner|later|others?|ones?|latter|former)\b)"
    rf"(?!(?:first|next|last) {SPAN})"  # `first git commit` would be a step
)
without_your = _dropped(
    r"(?<=[\w)`,;*] )(?<![\w'\u2019-])(?:your|our) (?!(?:own|first|next|last)\b)"
)
