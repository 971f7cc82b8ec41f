"""Edits of an agent's settings file: made with every other byte as it was, and taken out again.

Taking out looks at what is there now. Our own member leaves the list wherever it stands; a key gets
its old value back if it still has ours; what we made for it and is empty goes too. Where somebody
has changed the very value, theirs stays and is told as a conflict.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from tokenbudget.config.edit_json import (
    dotted,
    with_item,
    with_value,
    without_item,
    without_key,
)
from tokenbudget.config.edit_toml import NotEditable, same
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tokenbudget.config.json_text import Node
    from tokenbudget.model.actions import Json, SettingEdit

BOM = "\ufeff"
LONGEST_SHOWN = 120
_BEARER = re.compile(r"(Bearer )[^\s\"]+")
"""A secret that a hook over HTTP shows; a message shows it to nobody."""


class TakenOut(NamedTuple):
    """A settings file without our edits, as far as they could be taken out."""

    text: str
    conflicts: tuple[str, ...]
    """One sentence for each edit that stays, with both values."""
    left: tuple[int, ...] = ()
    """The places of these in the list of edits."""


class _Gone:
    """Stands for a value that is not there: JSON's null is one that is."""


_GONE = _Gone()


def edited(text: str, edits: Sequence[SettingEdit]) -> str:
    """The text of a settings file with these edits; '' is a file that is not there.

    Raises:
        NotEditable: a place holds another type, or a name on the way to it stands there twice.
        ValueError: it is no JSON object (comments apart).
    """
    return [text, *_stages(text, edits)][-1]


def is_made(text: str, edits: Sequence[SettingEdit]) -> bool:
    """Whether a settings file says all of this; False where it cannot be read."""
    try:
        return edited(text, edits) == text
    except (ValueError, NotEditable):
        return False


def taken_out(
    now: str, before: str, edits: Sequence[SettingEdit], only: Collection[int] | None = None
) -> TakenOut:
    """The text of now without what these edits made of the text before.

    `only` are those that were `left` an earlier time: the others have been taken out, and whatever
    looks like them now is somebody else's.

    Raises:
        ValueError, NotEditable: the text before is not one that was edited so.
    """
    stages = [before, *_stages(before, edits)]
    text, conflicts = now, {}
    for number in reversed(range(len(edits))):
        if only is not None and number not in only:
            continue
        try:
            text = _without(text, stages[number], before, edits[number])
        except _Conflict as conflict:
            conflicts[number] = str(conflict)
        except (ValueError, NotEditable) as wrong:
            conflicts[number] = f"{dotted(edits[number].keys)} cannot be taken out: {wrong}"
    if is_blank(before) and "".join(text.removeprefix(BOM).split()) == "{}":
        text = before
    left = sorted(conflicts)
    return TakenOut(text, tuple(conflicts[number] for number in left), tuple(left))


def differences(now: str, after: str, edits: Sequence[SettingEdit]) -> list[str]:
    """What one text loses and the other gets of these edits, a line each.

    Nothing else of the file is told: beside our own edits it may hold somebody's secrets.
    """
    lines: list[str] = []
    for edit in edits:
        there, then = (_plain_value_at(text, edit.keys) for text in (now, after))
        if edit.is_member:
            is_lost = _has(there, edit.value) and not _has(then, edit.value)
            lines += [f"-{dotted(edit.keys)}: {shown(edit.value)}"] if is_lost else []
        elif edit.is_gone:  # what stands there may hold secrets, and is told by its name alone
            sign = "+" if isinstance(there, _Gone) else "-"
            lines += [] if _is_same(there, then) else [f"{sign}{dotted(edit.keys)}"]
        elif not _is_same(there, then):
            lines += [f"-{dotted(edit.keys)}: {shown(there)}"]
            lines += [] if isinstance(then, _Gone) else [f"+{dotted(edit.keys)}: {shown(then)}"]
    return list(dict.fromkeys(lines))


def _plain_value_at(text: str, keys: Sequence[str]) -> Json | _Gone:
    try:
        return _value_at(text.removeprefix(BOM), keys)
    except (ValueError, NotEditable):
        return _GONE


def _has(values: Json | _Gone, value: Json) -> bool:
    return isinstance(values, list) and any(same(one, value) for one in values)


class _Conflict(Exception):
    pass


def _stages(text: str, edits: Sequence[SettingEdit]) -> list[str]:
    """The text after each edit."""
    mark = BOM if text.startswith(BOM) else ""
    plain = text.removeprefix(mark)
    found = []
    for edit in edits:
        plain = _with(plain, edit)
        found.append(mark + plain)
    return found


def _with(text: str, edit: SettingEdit) -> str:
    there = _value_at(text, edit.keys)
    if not edit.keys:
        raise NotEditable("the file as a whole is no setting")
    if edit.is_member:
        if isinstance(there, list) and any(same(one, edit.value) for one in there):
            return text
        return with_item(text, edit.keys, edit.value)
    if edit.is_gone:
        return text if isinstance(there, _Gone) else without_key(text, edit.keys)
    if not isinstance(there, _Gone):
        if same(there, edit.value):
            return text
        if _kind(there) != _kind(edit.value):
            raise NotEditable(
                f"{dotted(edit.keys)} is {shown(there)}, of another kind than what is to be set;"
                " change it by hand"
            )
    return with_value(text, edit.keys, edit.value)


def _without(now: str, stage: str, before: str, edit: SettingEdit) -> str:
    """`stage` is the text that the edit was made of, `before` what all of them were made of."""
    mark = BOM if now.startswith(BOM) else ""
    plain, old = now.removeprefix(mark), stage.removeprefix(BOM)
    if _with(old, edit) == old:
        return now  # it was so already: nothing of it is ours
    if edit.is_member:
        plain = _without_member(plain, edit)
    elif not _is_same(_value_at(plain, edit.keys), _value_at(before.removeprefix(BOM), edit.keys)):
        plain = _without_value(plain, old, edit)
    return mark + _without_empties(plain, old, edit)


def _without_member(text: str, edit: SettingEdit) -> str:
    there = _value_at(text, edit.keys)
    if not isinstance(there, list):
        return text  # the list is gone, and our member with it
    ours = [at for at, one in enumerate(there) if same(one, edit.value)]
    return without_item(text, edit.keys, ours[-1]) if ours else text


def _without_value(text: str, before: str, edit: SettingEdit) -> str:
    there, old = _value_at(text, edit.keys), _value_at(before, edit.keys)
    if edit.is_gone and not isinstance(there, _Gone):
        raise _Conflict(f"{dotted(edit.keys)} was written anew since we took it away; it is left")
    if not edit.is_gone and not _is_same(there, edit.value):
        raise _Conflict(
            f"{dotted(edit.keys)} was {shown(old)}, we set it to {shown(edit.value)}, and it is"
            f" {shown(there)} now; it is left so"
        )
    if isinstance(old, _Gone):
        return without_key(text, edit.keys)
    node = _node_at(before, edit.keys)
    raw = before[node.start : node.end] if node else ""
    return with_value(text, edit.keys, old, raw=raw)


def _without_empties(text: str, before: str, edit: SettingEdit) -> str:
    """Without the containers on the way that were not there before and hold nothing now."""
    ways = [edit.keys[:count] for count in range(len(edit.keys) + edit.is_member - 1, 0, -1)]
    for way in ways:
        if not isinstance(_value_at(before, way), _Gone):
            break
        there = _value_at(text, way)
        if isinstance(there, _Gone):
            continue
        node = _node_at(text, way)
        if there not in ({}, []) or (node and not _is_bare(text, node)):
            break
        text = without_key(text, way)
    return text


def _is_bare(text: str, node: Node) -> bool:
    """Whether an empty object or list holds no comment either."""
    return is_blank(text[node.start + 1 : node.end - 1])


def _value_at(text: str, keys: Sequence[str]) -> Json | _Gone:
    node = _node_at(text, keys)
    return _GONE if node is None else node.value


def _node_at(text: str, keys: Sequence[str]) -> Node | None:
    """The value at the end of the way; None where it is not there.

    Raises:
        NotEditable: a name on the way stands there twice: which one counts is the reader's choice.
        ValueError: it is no JSON object.
    """
    if is_blank(text):
        return None
    node = scanned(text)
    if node.kind != "{":
        raise ValueError("it is no object")
    for key in keys:
        if node.kind != "{":
            return None
        if sum(item.key == key for item in node.items) > 1:
            raise NotEditable(f"{shown(key)} stands there twice; remove one of them")
        item = last(node, key)
        if item is None:
            return None
        node = item.node
    return node


def _is_same(one: Json | _Gone, other: Json | _Gone) -> bool:
    return same(one, other) if one is not _GONE else other is _GONE


def _kind(value: Json) -> str:
    return "object" if isinstance(value, dict) else "list" if isinstance(value, list) else "plain"


def without_secrets(text: str) -> str:
    """The text as it may be shown: what a hook over HTTP proves itself with is left out."""
    return _BEARER.sub(r"\1…", text)


def shown(value: Json | _Gone) -> str:
    """A value as a message may show it, whoever wrote it."""
    if isinstance(value, _Gone):
        return "not set"
    text = without_secrets(one_line(json.dumps(value, ensure_ascii=False)))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
