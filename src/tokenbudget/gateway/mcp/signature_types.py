"""The type that a JSON schema describes, in the fewest words that a correct call can be made from.

    str  int  float  bool  None  any          what they are in Python
    "a"|"b"   5                               one of these values
    [T]   {str: T}   {a: T, b?: T}            a list, a map, an object (`?`: may be left out)
    A|B   A&B                                 one of them, both of them
    int<1..100>   str<date-time>              what else is asked of it
    Name                                      a type that is told at the end
    …   |…+12                                 there is more than is shown, and how many

Schemas come from servers: any JSON is one, and whatever makes no sense is `any`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.gateway.mcp.signature_text import CUT, key, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANY = "any"
MOST_NODES = 1_500
"""Types that are written for one tool; references can multiply a small schema without end."""
MOST_HOPS = 20
SHORT_CHARS = 40
"""A type that is told in so little is not worth a name."""
MOST_VALUE_CHARS = 100

_SCALARS = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None",
    "array": "[any]", "object": "dict",
}  # fmt: skip
_FORMAT = re.compile(r"[a-z0-9-]{1,20}")
_PATTERN = re.compile(r"[!-~]{1,24}")
_NAME = re.compile(r"[^A-Za-z0-9]+")
_OPEN: tuple[object, ...] = ({}, True, None)


class Limits(NamedTuple):
    """How much is shown."""

    depth: int
    properties: int
    values: int


class Types:
    """Writes the types of one tool's schema."""

    def __init__(self, root: Mapping[str, object], limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._nodes = 0
        self._active: dict[int, str] = {}
        """Objects that are being written, by identity: the name to use for each inside itself."""
        self._wanted: set[int] = set()
        """Those of them that need their name."""
        self.named: dict[str, str] = {}
        """The types that are told at the end."""
        self._known: dict[int, str] = {}
        self._seen: set[int] = set()
        self._names: set[str] = set()

    def text(self, schema: object, depth: int = 0, wish: str = "") -> str:
        """The type that a schema describes; `wish` is what to call it if it needs a name."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            return CUT
        if schema is False:
            return "never"
        target, name = self.resolved(schema)
        if not isinstance(target, dict):
            return ANY
        mark = id(target)
        if mark in self._known:
            return self._known[mark]
        if mark in self._active:
            self._wanted.add(mark)
            return self._active[mark]
        if depth > self._limits.depth:
            return _shallow(target)
        return self._written(target, name, wish, depth)

    def resolved(self, schema: object) -> tuple[object, str]:
        """What a schema stands for after its references, and the name of the last of them."""
        name = ""
        for _ in range(MOST_HOPS):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return schema, name
            pointer = str(schema["$ref"])
            name = pointer.rpartition("/")[2] or "Self"
            schema = self._pointed(pointer)
        return None, name

    def _written(self, target: dict[str, object], name: str, wish: str, depth: int) -> str:
        mark = id(target)
        own = self._name(name or wish or target.get("title"))
        self._active[mark] = own
        text = self._plain(target, depth)
        del self._active[mark]
        is_repeated = bool(name) and mark in self._seen and len(text) > SHORT_CHARS
        self._seen.add(mark)
        if mark in self._wanted or is_repeated:
            self._wanted.discard(mark)
            self._names.add(own)
            self.named[own] = text
            self._known[mark] = own
            return own
        return text

    def _pointed(self, pointer: str) -> object:
        """What a reference inside the schema points at; None where it points at nothing."""
        if not pointer.startswith("#"):
            return None
        at: object = self._root
        for step in pointer[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict):
                at = at.get(step)
            elif isinstance(at, list) and step.isdecimal() and int(step[:9]) < len(at):
                at = at[int(step[:9])]
            else:
                return None
        return at

    def _name(self, wish: object) -> str:
        """A name for a type that no other has."""
        words = _NAME.sub(" ", wish[:80] if isinstance(wish, str) else "").split()
        name = "".join(word[0].upper() + word[1:] for word in words)[:40]
        if not name or not name[0].isalpha():
            name = f"T{name}"
        own, number = name, 2
        taken = self._names | set(self._active.values())
        while own in taken:
            own, number = f"{name}{number}", number + 1
        return own

    def _plain(self, schema: dict[str, object], depth: int) -> str:
        if "const" in schema:
            return _value(schema["const"])
        values = schema.get("enum")
        if isinstance(values, list) and values:
            return self._values(values)
        for word, joint in (("anyOf", "|"), ("oneOf", "|"), ("allOf", "&")):
            several = schema.get(word)
            if isinstance(several, list) and several and not _is_condition(several, schema):
                return self._joined(several, joint, schema, depth)
        return self._typed(schema, depth)

    def _values(self, values: Sequence[object]) -> str:
        shown = [_value(one) for one in values[: self._limits.values]]
        more = len(values) - len(shown)
        return "|".join([*dict.fromkeys(shown), *([f"{CUT}+{more}"] if more else [])])

    def _joined(
        self, several: Sequence[object], joint: str, schema: dict[str, object], depth: int
    ) -> str:
        most = max(4, self._limits.values)
        texts = dict.fromkeys(self.text(one, depth) for one in several[:most])
        if "properties" in schema:
            texts = dict.fromkeys([self._typed(schema, depth), *texts])
            joint = "&" if joint == "&" or len(texts) == 2 else joint
        if joint == "&" and len(texts) > 1:
            texts.pop(ANY, None)
        if schema.get("nullable") is True and joint == "|":
            texts["None"] = None
        more = len(several) - most
        return joint.join([*texts, *([f"{CUT}+{more}"] if more > 0 else [])])

    def _typed(self, schema: dict[str, object], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kinds = [one for one in kind if isinstance(one, str)][:7]
            texts = [self._of_kind(one, schema, depth) for one in kinds]
            return "|".join(dict.fromkeys(texts)) or ANY
        if not isinstance(kind, str):
            kind = _guessed(schema)
        text = self._of_kind(kind, schema, depth)
        return f"{text}|None" if schema.get("nullable") is True else text

    def _of_kind(self, kind: str, schema: dict[str, object], depth: int) -> str:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._list(schema, depth)
        if kind == "string":
            return f"str{_string_facets(schema)}"
        if kind in {"integer", "number"}:
            return f"{_SCALARS[kind]}{_range(schema)}"
        return _SCALARS.get(kind, ANY)

    def _list(self, schema: dict[str, object], depth: int) -> str:
        first = schema.get("prefixItems")
        items = schema.get("items")
        if isinstance(items, list):
            first, items = items, None
        if isinstance(first, list) and first:
            shown = ", ".join(self.text(one, depth + 1) for one in first[:8])
            return f"[{shown}{f', {CUT}' if len(first) > 8 else ''}]"
        return "[any]" if items in _OPEN else f"[{self.text(items, depth + 1)}]"

    def _object(self, schema: dict[str, object], depth: int) -> str:
        properties = schema.get("properties")
        if not isinstance(properties, dict) or not properties:
            other = schema.get("additionalProperties")
            return "dict" if other in (*_OPEN, False) else f"{{str: {self.text(other, depth + 1)}}}"
        if depth >= self._limits.depth:
            return f"{{{CUT}}}"
        needed = required_of(schema)
        shown = []
        for name in ordered(properties, needed)[: self._limits.properties]:
            optional = "" if name in needed else "?"
            text = self.text(properties.get(name), depth + 1, name)
            shown.append(f"{key(name)}{optional}: {text}")
        more = len(ordered(properties, needed)) - len(shown)
        return f"{{{', '.join([*shown, *([f'{CUT}+{more}'] if more else [])])}}}"


def required_of(schema: Mapping[str, object]) -> dict[str, None]:
    """The names that a schema requires, in order."""
    required = schema.get("required")
    several = required if isinstance(required, list) else []
    return dict.fromkeys(one for one in several if isinstance(one, str))


def ordered(properties: Mapping[str, object], needed: Mapping[str, None]) -> list[str]:
    """The names of an object: what is required, declared or not, then the others."""
    first = [name for name in properties if name in needed]
    undeclared = [name for name in needed if name not in properties]
    return [*first, *undeclared, *(name for name in properties if name not in needed)]


def _shallow(schema: dict[str, object]) -> str:
    """A type that stands too deep to be told in full."""
    kind = schema.get("type")
    if kind == "array":
        return f"[{CUT}]"
    if isinstance(kind, str) and kind in _SCALARS and kind != "object" and "enum" not in schema:
        return _SCALARS[kind]
    return CUT


def _guessed(schema: dict[str, object]) -> str:
    """The type of a schema that does not tell it."""
    if isinstance(schema.get("properties"), dict):
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else ""


def _is_condition(several: Sequence[object], schema: dict[str, object]) -> bool:
    """Whether alternatives say only which properties go together, not what type it is."""
    tells = {"type", "properties", "$ref", "enum", "const", "items", "anyOf", "oneOf", "allOf"}
    own = "type" in schema or "properties" in schema
    return own and not any(isinstance(one, dict) and tells & one.keys() for one in several)


def _value(value: object) -> str:
    text = literal(value)
    return text if len(text) <= MOST_VALUE_CHARS else CUT


def _string_facets(schema: dict[str, object]) -> str:
    form, pattern = schema.get("format"), schema.get("pattern")
    if isinstance(form, str) and _FORMAT.fullmatch(form):
        return f"<{form}>"
    if isinstance(pattern, str) and _PATTERN.fullmatch(pattern):
        return f"</{pattern}/>"
    return ""


def _range(schema: dict[str, object]) -> str:
    low, high = _bound(schema, "minimum", "exclusiveMinimum"), ""
    if low or _bound(schema, "maximum", "exclusiveMaximum"):
        high = _bound(schema, "maximum", "exclusiveMaximum")
        return f"<{low}..{high}>"
    return ""


def _bound(schema: dict[str, object], name: str, exclusive: str) -> str:
    """A bound as text; `!` before one that is itself excluded. The far ends of int64 are none."""
    for word, sign in ((name, ""), (exclusive, "!")):
        value = schema.get(word)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f"{sign}{value!r}" if abs(value) < 2**53 - 1 else ""
    return ""
