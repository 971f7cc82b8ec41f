"""What a task says about where to look: words by weight, names, places and quoted lines."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.ranking_words import COMMON, IDENTIFIER, terms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TEMPLATE_NOISE = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.|In \[\d+\]:|\$|-->|E |>)\s?")
_CODE_SPAN = re.compile(r"`([^`\n]{1,200})`")
_PLACE = r"([\w./\\~@-]{1,300}\.[A-Za-z]\w{0,7})[:(](\d{1,7})"
_FRAMES = (
    re.compile(r'File "([^"\n]{1,300})", line (\d{1,7})(?:, in ([\w.<>]{1,120}))?'),
    re.compile(r"^File (\S{1,300}?):(\d{1,7}), in ([\w.<>]{1,120})", re.MULTILINE),
    re.compile(r"\bat ([\w.$<>]{1,120}) \(([^():\n]{1,300}):(\d{1,7})"),
    re.compile(r"([\w./\\~@-]{1,300}\.\w{1,8})#L(\d{1,7})()"),
    re.compile(_PLACE + r"(?::\d{1,7}|\))?(?::? in (\w{1,120}))?"),
)
_NAME_FIRST = 2
"""The pattern of `_FRAMES` that has the function before the place."""

QUOTED_CHARS = 12
"""A line of the task this long that stands in a file as well is a quotation."""

PROSE, BLOCK, SPAN, TITLE = 1.0, 0.7, 1.6, 1.8
"""Weights of a word by where it stands; blocks hold output and the reporter's own program too."""


class Frame(NamedTuple):
    """A place that a traceback or a link names."""

    path: str
    line: int
    name: str
    """The function, without its class; '' where none is told."""


class Task(NamedTuple):
    """A task, read once."""

    weights: Mapping[str, float]
    """Of each term; identifiers whole and in parts."""
    names: Mapping[str, float]
    """Identifiers as they are written: 1 where they are marked as code or look like it."""
    frames: tuple[Frame, ...]
    quoted: frozenset[str]
    """Lines of its code blocks, stripped."""


def read_task(text: str) -> Task:
    """What the text of a task says."""
    text = _TEMPLATE_NOISE.sub(" ", text.replace("\r", ""))
    weights: dict[str, float] = {}
    names: dict[str, float] = {}
    quoted: set[str] = set()
    for line, weight in _zones(text):
        if weight == BLOCK:
            stripped = _PROMPT.sub("", line).strip()
            if len(stripped) >= QUOTED_CHARS:
                quoted.add(stripped)
        for span in _CODE_SPAN.findall(line):
            _add(weights, span, SPAN)
            names.update((name, 1.0) for name in IDENTIFIER.findall(span))
        _add(weights, line, weight)
        _add_names(names, line, is_code=weight == BLOCK)
    return Task(weights, names, tuple(_frames(text)), frozenset(quoted))


def _zones(text: str) -> Iterator[tuple[str, float]]:
    """Each line with the weight of its words."""
    is_block, is_title = False, True
    for line in text.split("\n"):
        if _FENCE.match(line):
            is_block = not is_block
            continue
        if not line.strip():
            continue
        is_code = is_block or line.startswith(("    ", "\t", ">>> ")) or 'File "' in line
        yield line, TITLE if is_title else BLOCK if is_code else PROSE
        is_title = False


def _add(weights: dict[str, float], text: str, weight: float) -> None:
    for term in terms(text):
        if term not in COMMON:
            weights[term] = max(weight, weights.get(term, 0.0))


def _add_names(names: dict[str, float], line: str, is_code: bool) -> None:
    for match in IDENTIFIER.finditer(line):
        name = match[0]
        if len(name) < 3 or name.lower() in COMMON:
            continue
        around = line[max(0, match.start() - 1) : match.end() + 1]
        looks_like_code = (
            "_" in name.strip("_")
            or (name[1:].lower() != name[1:] and not name.isupper())
            or around[-1:] == "("
            or around[:1] == "."
        )
        strength = 1.0 if looks_like_code else 0.6 if is_code else 0.3
        names[name] = max(strength, names.get(name, 0.0))


def _frames(text: str) -> Iterator[Frame]:
    for number, pattern in enumerate(_FRAMES):
        for found in pattern.finditer(text):
            if number == _NAME_FIRST:
                name, path, line = found.groups()
            else:
                path, line, name = found.groups()
            yield Frame(path.replace("\\", "/"), int(line), (name or "").rpartition(".")[2])
