"""Change one place of a JSON text; every other byte stays as it is.

The agent's settings file belongs to the agent: its order, its indentation, its comments and what we
do not know of it are kept. A text that does not then say exactly what was wanted is not given back.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from tokenbudget.config.edit_toml import NotEditable, same
from tokenbudget.config.json_text import BLANK, gap_end, is_blank, last, scanned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn

    from tokenbudget.config.json_text import Node
    from tokenbudget.model.actions import Json

STEP = "  "
"""Indentation where the file shows none."""

_REST_OF_LINE = re.compile(r"(?:[ \t]*(?://[^\n\r]*|/\*[^\n\r]*?\*/))*")
"""Comments behind a value, on its line: they speak of it, so nothing is put before them."""


class _Place(NamedTuple):
    """A value on the way to another, and the white space that its line begins with."""

    node: Node
    margin: str


# ── tokenManagement: a table and a key ───────────────────────────────────────────────────────────


def with_member(text: str, table: str, key: str, value: object) -> str:
    """The text with `value` under `table` and `key`; an empty text becomes an object.

    Raises:
        NotEditable: what stands under `table` is no object.
        ValueError: the text is no JSON object.
    """
    if not is_blank(text):
        inner = parsed(text).get(table, {})
        if not isinstance(inner, dict):
            raise NotEditable(f'write "{table}": {{"{key}": {json.dumps(value)}}} into it by hand')
    return with_value(text, (table, key), value)  # type: ignore[arg-type]


def without_member(text: str, table: str, key: str) -> str:
    """The text without `key`, and without the table once that is empty; else the text itself.

    Raises:
        ValueError: the text is no JSON object.
    """
    inner = parsed(text).get(table)
    if not isinstance(inner, dict) or key not in inner:
        return text
    return without_key(text, (table, key) if len(inner) > 1 else (table,))


def parsed(text: str) -> dict[str, object]:
    """A JSON object, as the agent reads it: no NaN, no Infinity, no comments.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# ── any place ────────────────────────────────────────────────────────────────────────────────────


def with_value(text: str, keys: Sequence[str], value: Json, *, raw: str = "") -> str:
    """The text with `value` at the end of the way `keys`; objects on the way are made.

    `raw` is how the value is written, where somebody wrote it before.

    Raises:
        NotEditable: what stands on the way is no object.
        ValueError: the text is no JSON object, comments apart.
    """
    if is_blank(text):
        return text_of(_nested(keys, value), "\n", STEP) + "\n"
    way = _way(text, keys)
    top = way[0].node
    missing = keys[len(way) - 1 :]
    if way[-1].node.kind != "{" and missing:
        raise NotEditable(f"{dotted(keys[: len(way) - 1])} is no object; change it by hand")
    if not missing:
        node = way[-1].node
        new = raw or text_of(value, way[-1].margin, _step(text, top))
        return _first_that_says([text[: node.start] + new + text[node.end :]], top, keys, value)
    margin, step = _inner_margin(text, way[-1], top), _step(text, top)
    written = (
        raw if raw and len(missing) == 1 else text_of(_nested(missing[1:], value), margin, step)
    )
    block = f"{_dumped(missing[0])}: {written}"
    return _first_that_says([_added(text, way[-1], block, margin, top)], top, keys, value)


def with_item(text: str, keys: Sequence[str], value: Json) -> str:
    """The text with one more item at the end of the list at `keys`; the list is made if need be.

    Raises:
        NotEditable: what stands there is no list, or something on the way is no object.
        ValueError: the text is no JSON object, comments apart.
    """
    way = [] if is_blank(text) else _way(text, keys)
    if len(way) <= len(keys):
        return with_value(text, keys, [value])
    place, top = way[-1], way[0].node
    if not isinstance(place.node.value, list):
        raise NotEditable(f"{dotted(keys)} is no list; change it by hand")
    margin = _inner_margin(text, place, top)
    if not margin and len(place.node.items) == 1:
        margin = " "
    block = text_of(value, margin, _step(text, top))
    wanted = [*place.node.value, value]
    return _first_that_says([_added(text, place, block, margin, top)], top, keys, wanted)


def without_key(text: str, keys: Sequence[str]) -> str:
    """The text without the member at the end of the way, which has to be there.

    Raises:
        NotEditable: it is written in such a way that it cannot be taken out alone.
    """
    way = _way(text, keys)
    outer = way[-2].node
    at = max(n for n, item in enumerate(outer.items) if item.key == keys[-1])
    wanted = {key: value for key, value in _dict(outer.value).items() if key != keys[-1]}
    return _first_that_says(_cuts(text, outer, at), way[0].node, keys[:-1], wanted)


def without_item(text: str, keys: Sequence[str], at: int) -> str:
    """The text without one item of the list at `keys`. Raises NotEditable as above."""
    way = _way(text, keys)
    place = way[-1].node
    wanted: list[Json] = [item.node.value for n, item in enumerate(place.items) if n != at]
    return _first_that_says(_cuts(text, place, at), way[0].node, keys, wanted)


def cut_out(text: str, place: Node, at: int, wanted: Json) -> str:
    """The text without one item of this list or object, such that the whole says `wanted`.

    Raises:
        NotEditable: it is written in such a way that it cannot be taken out alone.
    """
    return _first_that_says(_cuts(text, place, at), scanned(text), (), wanted)


def dotted(keys: Sequence[str]) -> str:
    """A way as a person names it."""
    return ".".join(keys) or "the file"


def text_of(value: Json, margin: str, step: str) -> str:
    """A value as it is written on a line that begins with `margin`; on one line without a step."""
    if not step or not isinstance(value, dict | list) or not value:
        return _dumped(value)
    inner = margin + step
    if isinstance(value, dict):
        parts = [f"{_dumped(key)}: {text_of(one, inner, step)}" for key, one in value.items()]
        return "{" + ",".join(inner + part for part in parts) + margin + "}"
    return "[" + ",".join(inner + text_of(one, inner, step) for one in value) + margin + "]"


def _dumped(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which no UTF-8 file can hold
        return json.dumps(value)
    return text


def _nested(keys: Sequence[str], value: Json) -> Json:
    for key in reversed(keys):
        value = {key: value}
    return value


def _way(text: str, keys: Sequence[str]) -> list[_Place]:
    """Every value on the way from the top, as far as the text has it."""
    node = scanned(text)
    if node.kind != "{":
        raise ValueError("it is no object")
    way = [_Place(node, _line_break(text))]
    for key in keys:
        item = last(node, key) if node.kind == "{" else None
        if item is None:
            break
        own = _blanks_before(text, item.start)
        node = item.node
        way.append(_Place(node, own if "\n" in own else way[-1].margin))
    return way


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _step(text: str, top: Node) -> str:
    """What the members of the top are indented by; '' where all stands on one line."""
    if not top.items:
        return STEP
    before = _blanks_before(text, top.items[-1].start)
    return before.rpartition("\n")[2] if "\n" in before else ""


def _inner_margin(text: str, place: _Place, top: Node) -> str:
    """The white space before the items of a value: a line break and its indentation, or less."""
    if place.node.items:
        return _blanks_before(text, place.node.items[-1].start)
    step = _step(text, top)
    return place.margin + step if step else ""


def _blanks_before(text: str, at: int) -> str:
    begin = at
    while begin and text[begin - 1] in BLANK:
        begin -= 1
    return text[begin:at]


def _added(text: str, place: _Place, block: str, margin: str, top: Node) -> str:
    """The text with one more item at the end of an object or list."""
    node = place.node
    if not node.items:
        return _filled(text, place, block, margin, top)
    end = node.items[-1].node.end
    comma = gap_end(text, end)
    has_comma = text[comma] == ","
    at = comma + 1 if has_comma else end
    if "\n" in margin:
        at = _REST_OF_LINE.match(text, at).end()  # type: ignore[union-attr] # it matches nothing too
    if has_comma:
        return f"{text[:at]}{margin}{block},{text[at:]}"
    return f"{text[:end]},{text[end:at]}{margin}{block}{text[at:]}"


def _filled(text: str, place: _Place, block: str, margin: str, top: Node) -> str:
    """The text with the first item of an empty object or list; a comment in it stays."""
    node = place.node
    inside = text[node.start + 1 : node.end - 1].rstrip(BLANK)
    close = place.margin if _step(text, top) else ""
    if inside and "\n" not in margin:
        margin = close = place.margin
    return f"{text[: node.start + 1]}{inside}{margin}{block}{close}{text[node.end - 1 :]}"


def _cuts(text: str, place: Node, at: int) -> Iterator[str]:
    """Ways to write an object or list without one of its items; the best one comes first."""
    items, item = place.items, place.items[at]
    start, end = item.start, item.node.end
    begin = start - len(_blanks_before(text, start))
    comma = gap_end(text, end)
    has_comma = text[comma] == ","
    alone = text[end:comma] + text[comma + has_comma :]
    if at + 1 < len(items):
        if is_blank(text[end:comma] + text[comma + 1 : items[at + 1].start]):
            yield text[:start] + text[items[at + 1].start :]
        yield text[:start] + alone
    elif at:
        before = items[at - 1].node.end
        previous = gap_end(text, before)
        if is_blank(text[before:previous] + text[previous + 1 : start]):
            yield text[:before] + text[end:]
        for cut in (begin, start):
            yield (
                text[:cut] + alone
                if has_comma
                else text[:previous] + text[previous + 1 : cut] + text[end:]
            )
    else:
        if is_blank(text[place.start + 1 : start] + alone[: place.end - 1 - end - has_comma]):
            yield text[: place.start + 1] + text[place.end - 1 :]
        for cut in (begin, start):
            yield text[:cut] + alone


def _first_that_says(
    texts: Iterator[str] | list[str], top: Node, keys: Sequence[str], value: Json
) -> str:
    """The first text that differs in this one value alone."""
    wanted = _with(top.value, keys, value)
    for text in texts:
        try:
            if same(scanned(text).value, wanted):
                return text
        except ValueError:
            continue
    raise NotEditable("it is written in an unusual way; change it by hand")


def _with(document: Json, keys: Sequence[str], value: Json) -> Json:
    """The value that the whole has when the place at `keys` has this one."""
    if not keys:
        return value
    changed = dict(_dict(document))
    changed[keys[0]] = _with(changed.get(keys[0], {}), keys[1:], value)
    return changed


def _dict(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
