"""Change one key of a TOML text by lines, so that comments and order stay.

The standard library reads TOML and does not write it. So every way to make the change that comes to
mind is tried, and only a text that parses to exactly what was wanted is given back.
"""

from __future__ import annotations

import copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_VALUE_LINES = 200

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class NotEditable(Exception):
    """No line edit gives what is wanted; the message says what to do by hand."""


def with_value(text: str, path: Sequence[str], value: object) -> str:
    """The text with `value` at a path of one to three names.

    Raises:
        NotEditable: it cannot be done by lines.
        ValueError: the text is no TOML.
    """
    import tomllib

    wanted = copy.deepcopy(tomllib.loads(text))
    _put(wanted, path, value)
    for candidate in _settings_of(text, path, literal(value)):
        if _says(candidate, wanted):
            return candidate
    raise _by_hand(path, value)


def _by_hand(path: Sequence[str], value: object) -> NotEditable:
    return NotEditable(f"write this into it by hand: {_dotted(path)} = {literal(value)}")


def without(text: str, path: Sequence[str]) -> str:
    """The text without what stands at this path; the text itself where nothing stands there.

    Raises:
        NotEditable: it cannot be done by lines.
        ValueError: the text is no TOML.
    """
    import tomllib

    found = tomllib.loads(text)
    emptied, dropped = copy.deepcopy(found), copy.deepcopy(found)
    if not _take(emptied, path, drops_tables=False):
        return text
    _take(dropped, path, drops_tables=True)
    for begin, end, _ in _assignments(text, path):
        lines = text.splitlines(keepends=True)
        candidate = "".join(lines[:begin] + lines[end:])
        if _says(candidate, emptied) or _says(candidate, dropped):
            return candidate
    raise NotEditable(f"take {_dotted(path)} out of it by hand")


def literal(value: object) -> str:
    """A value as TOML writes it: true, 0.5, "text", ["a", "b"]."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def _quoted(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, once surrogates are gone and DEL is escaped."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _quoted(name)


def _dotted(path: Sequence[str]) -> str:
    return ".".join(map(_key, path))


def _settings_of(text: str, path: Sequence[str], value: str) -> Iterator[str]:
    """Every candidate, the most natural first."""
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for begin, end, head in _assignments(text, path):
        tail = _after_value("".join(lines[begin:end])[len(head) :])
        yield "".join([*lines[:begin], f"{head} {value}{tail}", *lines[end:]])
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    *table, key = path
    if table:
        for at in _section_ends(lines, table):
            yield "".join([*lines[:at], f"{_key(key)} = {value}{newline}", *lines[at:]])
    at = _top_end(lines)
    gap = newline if at < len(lines) and lines[at].strip() else ""
    top = [*lines[:at], f"{_dotted(path)} = {value}{newline}", gap, *lines[at:]]
    if not table:
        yield "".join(top)
        return
    blank = newline if lines and lines[-1].strip() else ""
    yield "".join([*lines, blank, f"[{_dotted(table)}]{newline}{_key(key)} = {value}{newline}"])
    yield "".join(top)


def _assignments(text: str, path: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Lines that may assign the path: first and last + 1, and what stands up to the `=`."""
    lines = text.splitlines(keepends=True)
    section: list[str] | None = []
    for at, line in enumerate(lines):
        if line.lstrip().startswith("["):
            section = _names_of(line)
            continue
        head, equals, rest = line.partition("=")
        names = _names_of(f"[{head}]") if equals else None
        if names is None or section is None or [*section, *names] != list(path):
            continue
        for end in range(at + 1, min(len(lines), at + LONGEST_VALUE_LINES) + 1):
            if _is_toml("x =" + rest + "".join(lines[at + 1 : end])):
                yield at, end, head + equals
                break


def _names_of(header: str) -> list[str] | None:
    """The names in `[a."b"]`; None where it is no header of a table."""
    import tomllib

    try:
        found = tomllib.loads(header)
    except (ValueError, RecursionError):
        return None
    names: list[str] = []
    inner: object = found
    while isinstance(inner, dict) and len(inner) == 1:
        [(name, inner)] = inner.items()
        names.append(name)
    return names if inner == {} and names else None


def _after_value(rest: str) -> str:
    """What follows a value to its line's end: a comment, and the line break."""
    body = rest.rstrip("\r\n")
    for at, character in enumerate(body):
        if character == "#" and _is_toml("x =" + body[:at]):
            kept = body[:at]
            return kept[len(kept.rstrip()) :] + rest[at:]
    return rest[len(body) :]


def _section_ends(lines: Sequence[str], table: Sequence[str]) -> Iterator[int]:
    """Where a line may be added to a table: after its last line that is not blank."""
    for at, line in enumerate(lines):
        if not line.lstrip().startswith("[") or _names_of(line) != list(table):
            continue
        end = at + 1
        while end < len(lines) and not lines[end].lstrip().startswith("["):
            end += 1
        while end > at + 1 and not lines[end - 1].strip():
            end -= 1
        while end > at + 1 and end < len(lines) and lines[end - 1].startswith("#"):
            end -= 1  # a comment at the end belongs to the next table
        while end > at + 1 and not lines[end - 1].strip():
            end -= 1
        yield end


def _top_end(lines: Sequence[str]) -> int:
    """Where a line may be added before the first table, and before the comment above that."""
    end = 0
    while end < len(lines) and not lines[end].lstrip().startswith("["):
        end += 1
    if end < len(lines):
        while end and lines[end - 1].lstrip().startswith("#"):
            end -= 1
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def _put(table: dict[str, object], path: Sequence[str], value: object) -> None:
    """Set a value inside nested tables; what is no table on the way gives no candidate a chance."""
    *above, key = path
    for name in above:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            raise _by_hand(path, value)
        table = inner
    table[key] = value


def _take(table: dict[str, object], path: Sequence[str], drops_tables: bool) -> bool:
    name, *rest = path
    if name not in table:
        return False
    if not rest:
        del table[name]
        return True
    inner = table[name]
    if not isinstance(inner, dict) or not _take(inner, rest, drops_tables):
        return False
    if drops_tables and not inner:
        del table[name]
    return True


def _is_toml(text: str) -> bool:
    import tomllib

    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _says(text: str, wanted: dict[str, object]) -> bool:
    """Whether a text parses to exactly this, kinds included: 1 is not true, nor 1.0."""
    import tomllib

    try:
        return same(tomllib.loads(text), wanted)
    except (ValueError, RecursionError):
        return False


def same(one: object, other: object) -> bool:
    """Equality that tells the kinds of numbers apart; NaN equals nothing."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
