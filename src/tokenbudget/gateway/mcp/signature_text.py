"""What servers say of their tools, as it may stand in our answers: one line, cut, never our words.

A description is text of somebody else: it may be a megabyte, hold line breaks and controls,
imitate a marker or give orders. It is quoted behind a `#` or a dash on one line, where it cannot
be taken for another tool or for words of ours.
"""

from __future__ import annotations

import json
import re
from keyword import iskeyword

from tokenbudget.model.plain_text import one_line

CUT = "…"
MOST_KEY_CHARS = 120
MOST_READ_CHARS = 4_000
"""Of any text; what comes later is not looked at."""

_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[\u3002\uff01\uff1f])")  # the last are Chinese
_NEXT_LINE = re.compile(r"\n\s*(?=[^\sa-z])")
_SECTION = re.compile(
    r"\s(?:Args|Arguments|Parameters|Params|Returns|Raises|Examples?|Usage|Error Responses):\s"
)
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|incl|approx|no)\.|\b[A-Z]\.)$", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-z/][^<>]{0,40}>|[*`#]{2,}|[\U0001f300-\U0001faff\u2600-\u27bf]+")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")


def quoted(text: str) -> str:
    """A text on one line, without what decorates it or could be read as a marker of ours."""
    said = " ".join(one_line(_MARKUP.sub(" ", text[:MOST_READ_CHARS])).split())
    if not said.isprintable():
        said = "".join(sign for sign in said if sign.isprintable())
    return said.replace("[~", "[ ~")


def first_sentence(text: str, most: int) -> str:
    """The first sentence of a description, or as much of it as there is room for.

    A line ends it, too, where the next does not go on in small letters. A sign that is no ASCII
    costs as many tokens as two or three letters.
    """
    begun = text[:MOST_READ_CHARS].lstrip()
    said = _without_sections(quoted(_NEXT_LINE.split(begun, maxsplit=1)[0]))
    for end in _SENTENCE.finditer(said):
        if end.start() and not _ABBREVIATED.search(said[: end.start()]):
            said = said[: end.start()]
            break
    return cut(said, most if said.isascii() else most // 2).rstrip(".\u3002")


def cut(text: str, most: int) -> str:
    """A text of at most so many characters; where it was cut, it ends with `…`."""
    if len(text) <= most:
        return text
    room = text[: max(0, most - 1)]
    ends = [end.start() for end in _SENTENCE.finditer(room)]
    if ends and ends[-1] >= most // 2:
        return f"{room[: ends[-1]]} {CUT}"
    at = room.rfind(" ")
    return f"{room[:at] if at >= most // 2 else room}{CUT}"


def meaning(description: str, most: int, *, is_documented: bool) -> str:
    """What a description says, without what it repeats of parameters that say it themselves."""
    said = quoted(description)
    return cut(_without_sections(said) if is_documented else said, most)


def key(name: str) -> str:
    """A parameter's name exactly: as it is where code can say it so, else as a string.

    A name without end is not shown at all: a part of it would be another's.
    """
    if _IDENTIFIER.fullmatch(name) and not iskeyword(name):
        return name
    said = literal(name[: MOST_KEY_CHARS + 1])
    return said if len(said) <= MOST_KEY_CHARS else CUT


def literal(value: object) -> str:
    """A JSON value exactly, as Python spells it; a text that cannot be shown is escaped."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable() or one_line(value) != value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(name)}: {literal(one)}' for name, one in value.items())}}}"
    return CUT


def _without_sections(said: str) -> str:
    found = _SECTION.search(f" {said} ")
    return said[: max(0, found.start() - 1)].rstrip() or said if found else said
