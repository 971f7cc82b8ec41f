"""What the person's own texts name: it may be used in ways that no transcript tells.

A memory file says which agent to start, a hook calls a server's tool, an agent brings its skills
and servers along (`skills`, `mcpServers`, `tools`). What these name is not switched off unasked.
Texts of skills and agents count where they are used themselves, are new, or are named in turn:
of a collection that nobody uses each names the next.
"""

from __future__ import annotations

import json
import re
from functools import cached_property

from tokenbudget.resources.definitions import agents_in, skills_in
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.looking import text_at
from tokenbudget.resources.memory_loading import loaded
from tokenbudget.resources.unused import unused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tokenbudget.resources.agent_settings import Said
    from tokenbudget.resources.definitions import Definition
    from tokenbudget.resources.evidence import Evidence, Use
    from tokenbudget.resources.kind import Place

MOST_CHARACTERS = 200_000
"""Of one text; and of one text so much is looked at only."""
_WORD = re.compile(r"\w[\w.:-]*")
_KINDS = frozenset(
    kind + end
    for kind in ("agent", "subagent", "skill", "server", "command", "mcp")
    for end in ("", "s")
)
_MARKS, _BLANKS = "`\"'@*", " \t\r\n`\"'*"
_LONGEST_GAP = 4
_PLAIN = re.compile(r"[A-Za-z]+")
_BROUGHT_ALONG = ("skills", "mcpServers", "agent", "tools", "allowed-tools")
_MCP, _AGENT = "mcp__", "agent-"


class Mentions:
    """The names in a project's texts, which are read when the first is asked for."""

    def __init__(self, place: Place, said: Said, evidence: Evidence) -> None:
        self._place = place
        self._said = said
        self._evidence = evidence

    def where(self, *names: str) -> str:
        """Where one of these names stands, as a person calls it; '' for nowhere."""
        return next((self._places[name] for name in names if name in self._places), "")

    @cached_property
    def _places(self) -> Mapping[str, str]:
        place, found = self._place, dict[str, str]()
        for file in loaded(place, self._said).files:
            _note(found, names_in(file.sent), place.name_of(file.path))
        for path, part in self._said.hooks.items():
            _note(found, names_in(json.dumps(part)), place.name_of(path))
        waiting = [*skills_in(place, 0), *agents_in(place)]
        while in_force := [one for one in waiting if _is_in_force(one, found, self._evidence)]:
            waiting = [one for one in waiting if one not in in_force]
            for one in in_force:
                text = text_at(one.path, (place.project, place.home, *place.claude_dirs)) or ""
                own = {one.name, *one.other_names}
                _note(found, names_in(text) - own, place.name_of(one.path))
        return found


def names_in(text: str) -> frozenset[str]:
    """The words of a text that name a thing: odd ones as they are, plain ones where it is meant."""
    text = text[:MOST_CHARACTERS]
    found = set(_meant_words(text))
    matter = front_matter(text)
    found |= {item for key in _BROUGHT_ALONG for item in matter.items(key)}
    found |= {word.split("__")[1] for word in found if word.startswith(_MCP)}
    found |= {word.removeprefix(_AGENT) for word in found}
    return frozenset(found)


def _meant_words(text: str) -> Iterator[str]:
    """Odd words, and plain ones as in `wiki`, /wiki, @wiki, "the wiki server"; in one pass."""
    last, last_end, is_last_kind = "", 0, False
    for match in _WORD.finditer(text):
        begin, word = match.start(), match[0].rstrip(".:-")
        gap = text[last_end:begin] if begin - last_end <= _LONGEST_GAP else "-"
        is_beside = not gap.strip(_BLANKS)
        is_kind = word.lower() in _KINDS
        if is_kind and is_beside and last:
            yield last
        if not _PLAIN.fullmatch(word) or (is_last_kind and is_beside) or _is_marked(text, match):
            yield word
        last, last_end, is_last_kind = word, begin + len(word), is_kind


def _is_marked(text: str, match: re.Match[str]) -> bool:
    begin = match.start()
    if text[match.end() : match.end() + 1] == "/":
        return False  # the first part of a path
    before = text[max(0, begin - 2) : begin]
    return (
        before[-1:] in (*_MARKS,) or before == "/" or (before[1:] == "/" and before[0] in _BLANKS)
    )


def _note(found: dict[str, str], names: frozenset[str], where: str) -> None:
    for name in names:
        found.setdefault(name, where)


def _is_in_force(one: Definition, found: Mapping[str, str], evidence: Evidence) -> bool:
    """Whether it is used, may be, or is named by something that is."""
    names = {one.name, *one.other_names}
    if not names.isdisjoint(found):
        return True
    verdict = unused(evidence, _use(evidence, names), one.changed_ms)
    return verdict is None or not verdict.is_sure


def _use(evidence: Evidence, names: set[str]) -> Use | None:
    return next(_uses(evidence, names), None)


def _uses(evidence: Evidence, names: set[str]) -> Iterator[Use]:
    for uses in (evidence.skills, evidence.agents):
        for name, use in uses.items():
            if name in names or name.rpartition(":")[2] in names:
                yield use
