"""The steps that make a paragraph terser still, after those of the grammar.

Tried and left out, because a reader may take the result for something else: `A/B/C` for a series
(it reads like a path), names of things without their prepositions, `this` before an object.
"""

from __future__ import annotations

import re

from tokenbudget.compression.prose_grammar import (
    AMBIGUOUS,
    PERSON,
    PLAIN,
    START,
    STATE,
    STEPS,
    Step,
    dropped,
    replaced,
    where_affirmed,
)
from tokenbudget.compression.prose_notes import NOTES
from tokenbudget.compression.prose_spans import PLANE, SPAN
from tokenbudget.compression.prose_verbs import THIRD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.compression.prose_spans import Hidden

_THIRD = "|".join(sorted(THIRD, key=len, reverse=True))

_owner = dropped(r"(?<![\w'\u2019-])(?<!\bwith )its (?!(?:own|first|next|last)\b)(?=[a-z])")
_possessive = replaced(
    r"(?<![\w'\u2019-])(?!(?:it|that|what|there|here|who|let|he|she|how|where|when|one|this|name|"
    r"everything|nobody|nothing|user|human|partner|maintainer|developer|agent|team|author|owner|"
    r"reviewer|customer|person|caller|client)['\u2019])(?<!\bthis )(?<!\bthat )(?<!\beach )"
    r"(?<!\bevery )([a-z]+|" + SPAN + r")['\u2019]s "
    r"(?=[a-z" + SPAN[1:-1] + r"])(?!(?:not|been|being|a|an|the|to|in|on|now|also|still|already|"
    r"only|never|always|no|own|so|as|for|why|what|how)\b|[a-z]+(?:ing|ed|ly)\b)",
    r"\1 ",
)
_this_subject = dropped(
    rf"(?:^|(?<=[.!?] ))this (?=(?:file|document|guide|repo|repository|project|codebase|directory|"
    rf"folder|package|plugin|skill|app|library|tool) (?:{_THIRD}|is|has|can|may|must)\b)"
)
_this_is = dropped(rf"{START}(?:this|it) is (?=(?:an?|the) )")
_copulas = replaced(
    rf"({START}|\b(?:if|when|unless|until|because|once|while|whether|but|so) )"
    rf"((?:{PLAIN} ){{0,4}}{PLAIN}(?: \([^()]{{1,60}}\))?){PERSON} "
    rf"(?:is|are|was|were|has been|have been) (?:being |been )?"
    rf"(?=(?:(?:not|only|always|never|[a-z]+ly) )?{AMBIGUOUS}{STATE})"
    r"(?![^.;:]{0,90} and )",  # what is joined to it would lose its subject
    r"\1\2 ",
)
_note = dropped(rf"{START}note: ")
_comma_clause = replaced(
    r"(?<=[\w)`" + SPAN[1:-1] + r"]), (so|but|because|even if|even when|"
    r"even though) (?!that\b)",
    r" \1 ",
)
_KINDS = {
    "file": ".",
    "files": ".",
    "directory": "/",
    "folder": "/",
    "directories": "/",
    "folders": "/",
    "flag": "--",
    "option": "--",
    "function": "()",
    "method": "()",
}
_ONE = {"file", "directory", "folder", "flag", "option", "function", "method"}
_KIND = re.compile(rf"({SPAN}) ({'|'.join(_KINDS)})(?=[.,;:)]|$| [a-z])")


def without_kinds(spans: Hidden) -> Callable[[str], str]:
    """A step that drops what a span says by itself: `docs/` directory, `a.py` file, `--x` flag."""

    def shorter(found: re.Match[str]) -> str:
        name = spans.shown(found[1]).strip("`")
        is_many = found[2] not in _ONE  # `README.md` files are several: only a pattern says so
        is_said = _is_of_kind(name, _KINDS[found[2]]) and (not is_many or "*" in name)
        return found[1] if is_said else found[0]

    return lambda text: _KIND.sub(shorter, text)


def _is_of_kind(name: str, kind: str) -> bool:
    if kind == ".":
        return bool(re.search(r"[\w*]\.[a-z]{1,4}$", name))
    if kind == "--":
        return bool(re.match(r"--?[a-z][\w-]*$", name))
    return name.endswith(kind) and len(name) > len(kind)


_LINK = re.compile(r"\[`?([^\[\]`]+)`?\]\(((?:https?://|[A-Za-z0-9./])[\w./:#@-]*)\)")
_ALONE = re.compile(rf"(?<![\w!*]){SPAN}(?![\w(\[:*])")


def without_link_marks(spans: Hidden) -> Hidden:
    """`[docs/a.md](docs/a.md)` as `docs/a.md`: a link that shows the place that it leads to."""
    alone = {ord(found) % PLANE for found in _ALONE.findall(spans.text)}
    return spans._replace(
        spans=tuple(_bare(one) if at in alone else one for at, one in enumerate(spans.spans))
    )


def _bare(span: str) -> str:
    link = _LINK.fullmatch(span)
    if not link or "__" in link[2] or not f"/{link[2]}".endswith(f"/{link[1]}"):
        return span
    return link[2]


TERSE: tuple[Step, ...] = (
    Step("its", _owner, False),
    Step("possessive", _possessive, True),
    Step("this before a subject", _this_subject, False),
    Step("this is the", _this_is, False),
    Step("copulas before a state", _copulas, False),
    Step("note:", _note, True),
    Step("comma before a clause", where_affirmed(_comma_clause), True),
)
_AT = [step.name for step in STEPS].index("your, our")
EVERY_STEP: tuple[Step, ...] = (*STEPS[:_AT], *TERSE[:5], *STEPS[_AT:], *TERSE[5:], *NOTES)
"""In the order in which they are applied: what needs its articles and stars goes before them."""
