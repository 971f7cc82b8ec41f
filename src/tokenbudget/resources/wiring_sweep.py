"""Take out of a settings file whatever of ours stands in it, found by its mark alone.

For what no journal knows of: a lost ledger, a file that came from another machine, a hook that
somebody moved. Pure, as `wiring` is.
"""

from __future__ import annotations

from tokenbudget.config.edit_json import cut_out, with_value
from tokenbudget.config.json_text import is_blank, last, scanned
from tokenbudget.resources.wiring import (
    BOM,
    ENABLED_KEY,
    HOOKS,
    HOOKS_KEY,
    MARKED_PARTS,
    MARKETPLACES_KEY,
    PLUGIN,
    STATUSLINE,
    STATUSLINE_KEY,
    seen_in,
    table_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.config.json_text import Node
    from tokenbudget.model.actions import Json
    from tokenbudget.resources.wiring import Marks, Seen


def swept(text: str, marks: Marks, parts: Sequence[str] = MARKED_PARTS) -> str:
    """The text without anything of ours, however it came there; every other byte stays.

    Another tool's status line that ours had behind it is alone again. A group, list or object that
    held nothing but ours goes with it.

    Raises:
        NotEditable, ValueError: as by `seen_in`; or it cannot be taken out alone.
    """
    mark = BOM if text.startswith(BOM) else ""
    plain = text.removeprefix(mark)
    seen = seen_in(plain, marks)
    if STATUSLINE in parts and seen.statusline:
        plain = _without_statusline(plain, seen)
    if HOOKS in parts:
        while (smaller := _without_one_hook(plain, marks)) is not None:
            plain = smaller
    if PLUGIN in parts and seen.has_plugin:
        plain = _without_member(plain, ENABLED_KEY, marks.plugin)
        plain = _without_member(plain, MARKETPLACES_KEY, marks.marketplace)
    return mark + plain


def _without_statusline(text: str, seen: Seen) -> str:
    if seen.other_statusline:
        return with_value(text, (STATUSLINE_KEY, "command"), seen.other_statusline)
    return _cut(text, [scanned(text)], [STATUSLINE_KEY])


def _without_one_hook(text: str, marks: Marks) -> str | None:
    """The text without the first hook of ours, and what then holds nothing; None: there is none."""
    if is_blank(text):
        return None
    top = scanned(text)
    hooks = last(top, HOOKS_KEY)
    for event in hooks.node.items if hooks is not None and hooks.node.kind == "{" else ():
        for number, group in enumerate(event.node.items if event.node.kind == "[" else ()):
            inner = last(group.node, "hooks") if group.node.kind == "{" else None
            for at, hook in enumerate(inner.node.items if inner and inner.node.kind == "[" else ()):
                if inner and hooks and marks.is_hook(table_of(hook.node.value)):
                    nodes = [top, hooks.node, event.node, group.node, inner.node]
                    return _cut(text, nodes, [HOOKS_KEY, event.key, number, "hooks", at])
    return None


def _without_member(text: str, key: str, name: str) -> str:
    top = scanned(text)
    item = last(top, key)
    if item is None or item.node.kind != "{" or last(item.node, name) is None:
        return text
    return _cut(text, [top, item.node], [key, name])


def _cut(text: str, nodes: Sequence[Node], way: Sequence[str | int]) -> str:
    """Cut out what the way ends at, with each container around it that holds nothing else.

    A group of hooks holds nothing else where its list would be empty, whatever it matches.
    """
    depth = len(way) - 1
    while depth and (len(nodes[depth].items) == 1 or _is_group(way, depth)):
        depth -= 1
    at = way[depth]
    place = nodes[depth]
    number = at if isinstance(at, int) else [item.key for item in place.items].index(at)
    return cut_out(text, place, number, _less(nodes[0].value, way[: depth + 1]))


def _is_group(way: Sequence[str | int], depth: int) -> bool:
    return way[depth] == "hooks" and depth == 3


def _less(document: Json, way: Sequence[str | int]) -> Json:
    """The document without what the way ends at."""
    first, rest = way[0], way[1:]
    if isinstance(document, list) and isinstance(first, int):
        inner = [_less(document[first], rest)] if rest else []
        return [*document[:first], *inner, *document[first + 1 :]]
    found = dict(table_of(document))
    if rest:
        found[str(first)] = _less(found[str(first)], rest)
    else:
        del found[str(first)]
    return found
