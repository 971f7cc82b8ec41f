"""What markers inside values claim, counted again: folded strings, rows and elements of JSON."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from tokenbudget.analysis.fidelity_atoms import unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.fidelity_marks import Sight

_EDGE_CHARS = 40
_CELL_END = re.compile(r'[\t"]')


def folded(sight: Sight) -> str:
    """So many characters of a line lie between what stands before the marker and after it."""
    count = sight.claimed.count
    for line in sight.hidden():
        for text in (line, unescaped(line)):
            if _lies_between(text, sight.before, sight.after, count):
                return ""
    return f"no {count} characters lie between what is shown of it"


def _lies_between(text: str, before: str, after: str, count: int) -> bool:
    """Judged by the longest edges that stand in the text: a value is set anew in its line."""
    inside = (_CELL_END.split(before)[-1], _CELL_END.split(after)[0])
    cell = (inside[0].rsplit(",", 1)[-1], inside[1].split(",", 1)[0])
    for head, tail in ((before, after), inside, cell):
        head, tail = head[-_EDGE_CHARS:], tail[:_EDGE_CHARS]
        if head in text and tail in text:
            return _is_apart(text, head, tail, count)
    return False


def _is_apart(text: str, head: str, tail: str, count: int) -> bool:
    if not head and not tail:
        return len(text) >= count
    at = text.find(head)
    while at >= 0:
        end = at + len(head) + count
        if end <= len(text) and text.startswith(tail, end):
            return True
        at = text.find(head, at + 1)
    return False


def rows(sight: Sight) -> str:
    """A list (or, of keyed rows, an object) of the original has so many parts."""
    told = sight.claimed.count
    records = len([line for line in sight.hidden() if line.strip()])
    parts = set(_parts_in("\n".join(sight.hidden()))) | {records}
    if told not in parts:
        parts |= set(_parts_in("\n".join(sight.lines)))
    return "" if told in parts else f"{told} told, nothing has so many"


def items(sight: Sight) -> str:
    """So many elements stand in the ranges, or some list of the original has more than these."""
    told = sight.claimed.count
    hidden = "\n".join(sight.hidden()).strip().rstrip(",")
    whole = _value(f"[{hidden}]")
    if isinstance(whole, list) and len(whole) == told:
        return ""
    lines = [line for line in sight.hidden() if line.strip()]
    if len(lines) == told and len(lines) < len(sight.lines):
        return ""
    longest = max((*_parts_in(hidden), *_parts_in("\n".join(sight.lines))), default=0)
    return "" if told <= longest else f"{told} told, {longest} at most"


@lru_cache(maxsize=16)
def _value(text: str) -> object:
    """The JSON value of a text, also where it is a member (`"key": value,`); None where none is."""
    member = re.sub(r'^\s*"(?:[^"\\]|\\.)*"\s*:', "", text.rstrip().rstrip(","))
    for one in (text, member):
        try:
            found: object = json.loads(one, strict=False)
        except (ValueError, RecursionError):
            continue
        return found
    return None


@lru_cache(maxsize=16)
def _parts_in(text: str) -> tuple[int, ...]:
    """How many parts each list and each object in a JSON text has, or in lines of JSON."""
    value = _value(text)
    lines = [_value(line) for line in text.split("\n") if line.strip()] if value is None else []
    left: list[object] = [value] if value is not None else [lines]
    found: set[int] = set()
    while left:
        one = left.pop()
        if isinstance(one, list | dict):
            found.add(len(one))
            left += one.values() if isinstance(one, dict) else one
    return tuple(sorted(found))
