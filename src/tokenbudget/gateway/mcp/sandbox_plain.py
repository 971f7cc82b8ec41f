"""What code hands to a tool, as the JSON that its server can read. Walked without recursion.

The sandbox has values that JSON has not, and values that are no tree: deep, endless, huge. All of
them come to the gateway from code that nobody has checked.
"""

from __future__ import annotations

import math

MOST_DEPTH = 64
MOST_NODES = 500_000
MOST_CHARS = 16_000_000
MOST_INT = 1 << 64
"""Larger whole numbers are no JSON that servers can read."""


_KINDS = {
    "MontyClassProxy": "object",
    "MontyClassTypeProxy": "class",
    "MontyStdTypeProxy": "function",
}


class Unplain(ValueError):
    """The value cannot be handed over; the message says why, to the code."""


def clean(text: str) -> str:
    """Without the halves of characters that no encoding can carry."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def plain(value: object) -> object:
    """The value as JSON holds it: tuples and sets are lists, dates and paths are texts.

    Raises:
        Unplain: it is too deep, too large, or of no such kind.
    """
    top: list[object] = [value]
    waiting: list[list[object] | dict[str, object]] = [top]
    nodes = chars = 0
    for _ in range(MOST_DEPTH):
        below: list[list[object] | dict[str, object]] = []
        for container in waiting:
            chars += _made_plain(container, below)
            nodes += len(container)
            if nodes > MOST_NODES or chars > MOST_CHARS:
                raise Unplain("an argument is too large")
        if not below:
            return top[0]
        waiting = below
    raise Unplain(f"an argument is nested deeper than {MOST_DEPTH} levels")


def _made_plain(
    container: list[object] | dict[str, object], below: list[list[object] | dict[str, object]]
) -> int:
    """Make what a container holds plain, in place; its containers go to `below`. Gives its size."""
    chars = 0

    def known(one: object) -> object:
        nonlocal chars
        made = _plain_one(one)
        if isinstance(made, (list, dict)):
            below.append(made)
        chars += len(made) if isinstance(made, str) else 8
        return made

    if isinstance(container, dict):
        for key, one in container.items():
            container[key] = known(one)
    else:
        container[:] = map(known, container)
    return chars


def _plain_one(value: object) -> object:
    """One value, its own contents not yet looked at; containers are new ones."""
    if value is None or isinstance(value, (bool, str)):
        return clean(value) if isinstance(value, str) else value
    if isinstance(value, int):
        if abs(value) > MOST_INT:
            raise Unplain("a number in the arguments has more than 64 bits")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unplain("nan and inf are no JSON: leave the value out or give None")
        return float(value)
    if isinstance(value, dict):
        return {_key(key): one for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return _text(value)


def _text(value: object) -> str:
    """Values that have one usual spelling."""
    kind = type(value).__name__
    if kind in {"date", "datetime", "time"} and hasattr(value, "isoformat"):
        return str(value.isoformat())
    if kind in {"Decimal", "PurePosixPath", "PosixPath", "UUID"}:
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Unplain("bytes that are no UTF-8: hand over base64 text") from None
    raise Unplain(f"a value of type {_KINDS.get(kind, kind)[:60]} cannot be an argument of a tool")


def _key(key: object) -> str:
    if isinstance(key, str):
        return clean(key)
    if key is None or isinstance(key, bool):
        return {True: "true", False: "false", None: "null"}[key]
    if isinstance(key, (int, float)):
        return str(key)
    raise Unplain("the keys of an argument must be texts")
