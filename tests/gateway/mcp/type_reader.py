"""Reads a signature back into a schema, without a word of the code that wrote it."""

import json
import re

_TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|</.*?/>|<[^>]*>|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[A-Za-z_]\w*\??|->|…(?:\+\d+)?|.)'
)
SCALARS = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "None": "null",
    "any": "any",
}  # fmt: skip


class Reader:
    """A recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        assert not wanted or token == wanted, (wanted, self._tokens[self._at :])
        self._at += 1
        return token

    def call(self) -> dict[str, tuple[object, bool]]:
        """Parameters by name: type, and whether it is required."""
        self.take()
        self.take("(")
        return self._members(")", is_call=True)

    def _members(self, end: str, *, is_call: bool = False) -> dict[str, tuple[object, bool]]:
        found: dict[str, tuple[object, bool]] = {}
        while self.peek() != end:
            name = self.take()
            is_optional = name.endswith("?") and not name.startswith('"')
            name = json.loads(name) if name.startswith('"') else name.removesuffix("?")
            if self.peek() == "?":
                is_optional = bool(self.take())
            self.take(":")
            kind = self.type()
            if is_call and self.peek() == "=":
                self.take()
                self._literal()
                is_optional = True
            found[name] = (kind, not is_optional)
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return found

    def type(self) -> object:
        """A type as a comparable value; a union is a set."""
        several = {self._one()}
        while self.peek() == "|":
            self.take()
            several.add(self._one())
        return frozenset(several)

    def _one(self) -> object:
        token = self.peek()
        if token == "[":
            self.take()
            inner = self.type()
            self.take("]")
            return ("list", inner)
        if token == "{":
            self.take()
            if self.peek() == "str":
                self.take()
                self.take(":")
                inner = self.type()
                self.take("}")
                return ("map", inner)
            return ("object", tuple(sorted(self._members("}").items())))
        if token in SCALARS:
            self.take()
            facet = self.take() if self.peek().startswith("<") else ""
            return SCALARS[token] + facet
        return ("value", self._literal())

    def _literal(self) -> str:
        token = self.take()
        if token in {"[", "{"}:
            depth, said = 1, token
            while depth:
                token = self.take()
                depth += (token in "[{") - (token in "]}")
                said += token
            return said
        return token
