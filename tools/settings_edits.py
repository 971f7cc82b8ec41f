"""Settings files as people write and change them, and our edits of them, made at random.

What an edit and its undo should come to is said a second time here, in plain Python, so that tests
and `tools/undo_check.py` can compare.
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any, NamedTuple

from tokenbudget.model.actions import SettingEdit


class Manner(NamedTuple):
    """How a file is written."""

    step: str
    line_break: str
    has_mark: bool
    has_final_break: bool
    has_comments: bool
    has_trailing_commas: bool

    @classmethod
    def random(cls, rng: random.Random) -> Manner:
        """Any manner."""
        step = rng.choice(["", "  ", "    ", "\t", " "])
        return cls(step, rng.choice(["\n", "\r\n"]), *(rng.random() < 0.5 for _ in range(4)))


def written(document: Any, manner: Manner, rng: random.Random) -> str:
    """The document as JSON, written in this manner; comments stand wherever they may."""
    body = _value(document, manner, rng, manner.line_break)
    head = f"// first{manner.line_break}" if manner.has_comments and rng.random() < 0.5 else ""
    tail = manner.line_break if manner.has_final_break else ""
    return ("\ufeff" if manner.has_mark else "") + head + body + tail


def _value(value: Any, manner: Manner, rng: random.Random, margin: str) -> str:
    if not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=rng.random() < 0.5)
    inner = margin + manner.step if manner.step else rng.choice(["", " "])
    if isinstance(value, dict):
        gap = rng.choice([": ", ":", " : "])
        parts = [json.dumps(k) + gap + _value(v, manner, rng, inner) for k, v in value.items()]
    else:
        parts = [_value(one, manner, rng, inner) for one in value]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    text = opening
    for number, part in enumerate(parts):
        comma = "," if number + 1 < len(parts) or (manner.has_trailing_commas) else ""
        text += inner + _comment(manner, rng, inner) + part + comma + _remark(manner, rng)
    if not parts:
        return text + rng.choice(["", _comment(manner, rng, margin)]) + closing
    return text + (margin if manner.step else "") + closing


def _comment(manner: Manner, rng: random.Random, margin: str) -> str:
    if not manner.has_comments or rng.random() < 0.7:
        return ""
    return rng.choice(["/* why */ ", f'// why, "so"{margin if manner.step else manner.line_break}'])


def _remark(manner: Manner, rng: random.Random) -> str:
    if not manner.has_comments or not manner.step or rng.random() < 0.7:
        return ""
    return rng.choice([" // the last word", " /* it, and } */"])


def edits_for(document: Any, rng: random.Random) -> tuple[SettingEdit, ...]:
    """Edits that the document takes: into lists and objects that are there, or are not."""
    edits: list[SettingEdit] = []
    for _ in range(rng.randint(1, 4)):
        keys = _way(document, rng)
        there = value_at(document, keys)
        if isinstance(there, list) or (there is GONE and rng.random() < 0.6):
            edits.append(SettingEdit(keys, rng.choice(["ours", "Read(./ours)", 7]), True))
        elif there is GONE or not isinstance(there, dict):
            edits.append(SettingEdit(keys, rng.choice(["ours", True, 0.75, None]), False))
        document = model_edited(document, edits[-1:])
    return tuple(edits)


def _way(document: Any, rng: random.Random) -> tuple[str, ...]:
    keys: list[str] = []
    node = document
    while True:
        has_more = isinstance(node, dict) and node
        keys.append(
            rng.choice([*node, "new"]) if has_more else rng.choice(["new", "other", "deny"])
        )
        node = node.get(keys[-1], GONE) if isinstance(node, dict) else GONE
        if not isinstance(node, dict) and (node is not GONE or rng.random() < 0.6):
            return tuple(keys)
        if len(keys) > 6:
            return tuple(keys)


# ── the same in plain Python, to compare with ────────────────────────────────────────────────────

GONE = object()


def value_at(document: Any, keys: tuple[str, ...]) -> Any:
    """What stands at the end of the way, or `GONE`."""
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return GONE
        document = document[key]
    return document


def is_same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from true and from 1.0, and takes members in any order."""
    if one is GONE or other is GONE:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def model_edited(document: Any, edits: list[SettingEdit] | tuple[SettingEdit, ...]) -> Any:
    """The document with these edits."""
    document = copy.deepcopy(document)
    for edit in edits:
        node = document
        for key in edit.keys[:-1]:
            node = node.setdefault(key, {})
        if not edit.is_member:
            node[edit.keys[-1]] = edit.value
        elif not any(is_same(edit.value, one) for one in node.setdefault(edit.keys[-1], [])):
            node[edit.keys[-1]].append(edit.value)
    return document


def model_undone(now: Any, before: Any, edits: tuple[SettingEdit, ...]) -> Any:
    """The document of now without our edits; what cannot be taken out stays."""
    now = copy.deepcopy(now)
    stages = [before]
    for edit in edits:
        stages.append(model_edited(stages[-1], [edit]))
    for edit, stage, after in reversed(list(zip(edits, stages, stages[1:], strict=False))):
        if is_same(stage, after):
            continue
        if edit.is_member:
            _model_member_out(now, edit)
        else:
            _model_value_out(now, edit, value_at(stage, edit.keys), value_at(before, edit.keys))
        _model_empties_out(now, stage, edit)
    return now


def _model_member_out(now: Any, edit: SettingEdit) -> None:
    there = value_at(now, edit.keys)
    if isinstance(there, list):
        ours = [n for n, one in enumerate(there) if is_same(one, edit.value)]
        if ours:
            del there[ours[-1]]


def _model_value_out(now: Any, edit: SettingEdit, old: Any, first: Any) -> None:
    there, holder = value_at(now, edit.keys), value_at(now, edit.keys[:-1])
    if not is_same(there, edit.value) or is_same(there, first):
        return
    if old is GONE:
        del holder[edit.keys[-1]]
    else:
        holder[edit.keys[-1]] = old


def _model_empties_out(now: Any, stage: Any, edit: SettingEdit) -> None:
    for count in range(len(edit.keys) + edit.is_member - 1, 0, -1):
        way = edit.keys[:count]
        there = value_at(now, way)
        if value_at(stage, way) is not GONE or there not in ({}, [], GONE):
            return
        if there is not GONE:
            del value_at(now, way[:-1])[way[-1]]


def pruned(node: Any) -> Any:
    """Without what is empty: a comment in it keeps it."""
    if isinstance(node, list):
        return [one for one in map(pruned, node) if one not in ({}, [])]
    if isinstance(node, dict):
        inner = {key: pruned(one) for key, one in node.items()}
        return {key: one for key, one in inner.items() if one not in ({}, [])}
    return node


def a_persons_edit(document: Any, rng: random.Random) -> tuple[Any, list[str]]:
    """Members and items put in, taken out and moved; the names of what was put in."""
    document, marks = copy.deepcopy(document), []
    for number in range(rng.randint(1, 5)):
        node = rng.choice(_containers(document))
        act = rng.choice(["insert", "insert", "delete", "move"])
        if act == "insert":
            marks.append(f"theirs-{number}")
            if isinstance(node, list):
                node.insert(rng.randint(0, len(node)), marks[-1])
            else:
                node[marks[-1]] = marks[-1]
        elif act == "delete" and node:
            del node[rng.choice(list(node) if isinstance(node, dict) else range(len(node)))]
        elif act == "move":
            _shuffled(node, rng)
    return document, [mark for mark in marks if mark in json.dumps(document)]


def _containers(node: Any) -> list[Any]:
    inner = node.values() if isinstance(node, dict) else node
    found = [node]
    for one in inner:
        if isinstance(one, dict | list):
            found += _containers(one)
    return found


def _shuffled(node: Any, rng: random.Random) -> None:
    if isinstance(node, list):
        rng.shuffle(node)
        return
    order = list(node.items())
    rng.shuffle(order)
    node.clear()
    node.update(order)
