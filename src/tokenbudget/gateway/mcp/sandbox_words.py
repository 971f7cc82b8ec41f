"""Errors of code in few words for the agent: what, where, and what to write instead. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_MESSAGE_CHARS = 600
MOST_SOURCE_CHARS = 80

LOST = "The variables of earlier runs are lost."
UNDONE = "Variables are as they were before this run."

_MISSING_SYNTAX = {
    "yield": "build a list and return it",
    "'del'": "assign None, or use pop()",
    "class inheritance": "use plain classes or dicts; raise ValueError or RuntimeError",
    "method decorators": "use plain methods",
    "async for": "use for over a list",
    "async with": "use plain code",
    "exception groups": "use except",
    "type aliases": "leave the alias out",
    "Wildcard imports": "name what you import",
}
_MISSING_MODULES = {
    "statistics": "sum(x)/len(x), sorted(x)[len(x)//2]",
    "heapq": "sorted(x)[:n]",
    "operator": "lambda",
    "string": "literals",
    "textwrap": "str methods",
    "enum": "constants",
    "uuid": "hashlib",
    "urllib": "str methods",
    "pprint": "return the value, or json.dumps(x, indent=1)",
    "io": "str.splitlines(); csv.reader takes a list of lines",
}
_FORBIDDEN_MODULES = frozenset(
    {"subprocess", "socket", "ctypes", "importlib", "gc", "pickle", "threading", "multiprocessing",
     "requests", "httpx", "http", "shutil", "signal", "sqlite3", "resource", "mmap", "inspect",
     "builtins", "tempfile", "glob", "ssl", "select", "pty", "fcntl", "code", "marshal"}
)  # fmt: skip
MODULES = (
    "json re datetime math random decimal itertools functools collections copy hashlib base64 "
    "bisect csv dataclasses typing time unicodedata asyncio"
)
"""What can be imported and is of use."""

_ASYNCIO = "asyncio has gather and run; calls are limited to some at a time anyway"
_HABITS = {
    "the JSON object must be str": "a call gives the value itself: JSON is read already",
    "unexpected keyword argument 'default'": "leave default= out, or return the value itself",
    "callable replacement": "loop over re.finditer()",
    "object is not an iterator": "generators are lists here: take [0] or loop",
}
_UNSUPPORTED = re.compile(r"The monty syntax parser does not yet support")
_INTERNAL = "Internal error in monty: "
_NO_MODULE = re.compile(r"No module named '([^']{1,80})'")
_NO_NAME = re.compile(r"name '([^']{1,120})' is not defined")
_NO_ATTRIBUTE = re.compile(r"module '(\w+)' has no attribute '(\w+)'")


def bounded(text: str, most: int) -> str:
    """A text on one line, cut where it is too long; the cut shows."""
    line = " ".join(text[: 4 * most + 100].split())
    return line if len(line) <= most else line[: most - 1] + "…"


def error_text(kind: str, message: str, line: int, source: str) -> str:
    """`KeyError: id (line 3: rows[0]["id"])`."""
    if "scheduler stalled" in message:
        message = "a call of an earlier run is awaited"
    plainly = _UNSUPPORTED.sub("not supported here:", message).removeprefix(_INTERNAL)
    said = bounded(plainly, MOST_MESSAGE_CHARS)
    where = f" (line {line}: {bounded(source, MOST_SOURCE_CHARS)})" if line and source else ""
    return f"{kind}: {said}{where}" if said else f"{kind}{where}"


def hint(kind: str, message: str, near: Callable[[str], Sequence[str]]) -> str:
    """What to write instead; '' where there is nothing to say."""
    if "syntax parser does not yet support" in message or message.startswith("Wildcard"):
        return _syntax_hint(message)
    if kind in {"ModuleNotFoundError", "ImportError"}:
        return _module_hint(message, near)
    if kind == "NameError":
        return _name_hint(message, near)
    if "coroutine" in message or "can't be awaited" in message:
        return "await every call whose result you use, or none of them"
    if "scheduler stalled" in message or "call of another run" in message:
        return "await a call in the run that makes it"
    if "cannot suspend in this synchronous context" in message:
        return "call tools in a loop or a comprehension, not as key= or in map()"
    if "os.environ" in message or (kind == "PermissionError" and message.startswith("Permission")):
        return "there are no files and no environment here; call tools"
    if found := _NO_ATTRIBUTE.search(message):
        return _ASYNCIO if found[1] == "asyncio" else ""
    if kind == "KeyError" and message.strip("'") in {"content", "structuredContent"}:
        return "a call gives the value itself, without content blocks"
    return next((advice for words, advice in _HABITS.items() if words in message), "")


def _syntax_hint(message: str) -> str:
    return next((advice for word, advice in _MISSING_SYNTAX.items() if word in message), "")


def _module_hint(message: str, near: Callable[[str], Sequence[str]]) -> str:
    found = _NO_MODULE.search(message)
    if found is None:
        return ""
    name = found[1].split(".")[0]
    if name in _MISSING_MODULES:
        return f"write it without: {_MISSING_MODULES[name]}"
    if name in _FORBIDDEN_MODULES:
        return "no system access here; call tools"
    tools = near(name)
    return f"tools are not imported; call {', '.join(tools)}" if tools else f"there are: {MODULES}"


def _name_hint(message: str, near: Callable[[str], Sequence[str]]) -> str:
    found = _NO_NAME.search(message)
    return near_text(near(found[1])) if found else ""


def near_text(near: Sequence[str]) -> str:
    """The names that look like one that is none."""
    return f"near: {', '.join(near)}" if near else ""


def size_text(size_bytes: int) -> str:
    """`3 MB`, `120 KB`."""
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.0f} KB"
