"""Frames of stack traces: which lines they take, and which are of a library."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_CHARS = 1_000

_PYTHON = re.compile(r'(?P<indent>\s*)File "(?P<path>[^"]+)", line \d+, in .+')
_GO_PLACE = re.compile(r"\t(?P<path>/?\S+\.go):\d+(?: \+0x[0-9a-f]+)?")
_RUST = re.compile(r"\s*\d+: +(?:0x[0-9a-f]+ - )?(?P<path>[\w<][\w:<>{}#&\s,\[\]*]*)")
_AT = re.compile(r"\s+at (?P<path>\S.*)")

_LIBRARY = re.compile(
    r"site-packages|dist-packages|lib/python3|lib\\python3|Lib\\site|<frozen |importlib"
    r"|node_modules|node:|\(internal/|\(native\)|^<anonymous>$|^internal/"
    r"|^(?:async )?(?:java|javax|jdk|sun|kotlin|scala|groovy|clojure|System|Microsoft)\."
    r"|^(?:org\.(?:springframework|junit|apache|gradle|hibernate|eclipse)|io\.netty"
    r"|com\.(?:sun|google\.common)|reactor|akka)\."
    r"|^java\.base/|/go/src/|/pkg/mod/|/libexec/src/|^/usr/(?:local/)?go/"
    r"|^(?:std|core|alloc|tokio|backtrace)::|^<(?:std|core|alloc)::|/rustc/|\.cargo/registry"
)


class Frame(NamedTuple):
    """One call of a trace."""

    start: int
    end: int
    is_of_library: bool


def frames_of(lines: Sequence[str]) -> list[Frame]:
    """The frames in the text, in order."""
    frames: list[Frame] = []
    at = 0
    while at < len(lines):
        frame = _frame_at(lines, at)
        if frame is None:
            at += 1
        else:
            frames.append(frame)
            at = frame.end
    return frames


def is_frame(line: str) -> bool:
    """Whether a line alone tells that it belongs to a stack trace."""
    return len(line) <= LONGEST_CHARS and (
        _PYTHON.fullmatch(line) is not None
        or (line[:1] in " \t" and _AT.fullmatch(line) is not None)
        or _GO_PLACE.fullmatch(line) is not None
    )


def _frame_at(lines: Sequence[str], at: int) -> Frame | None:
    line = lines[at]
    if len(line) > LONGEST_CHARS:
        return None
    found = _PYTHON.fullmatch(line)
    if found:
        return Frame(at, _python_end(lines, at, len(found["indent"])), _is_library(found["path"]))
    found = _AT.fullmatch(line)
    if found:
        return Frame(at, at + 1, _is_library(found["path"]))
    after = lines[at + 1] if at + 1 < len(lines) else ""
    found = _GO_PLACE.fullmatch(after) if len(after) <= LONGEST_CHARS else None
    if found and line and not line[0].isspace() and line.endswith((")", "0x1")):
        return Frame(at, at + 2, _is_library(found["path"]))
    found = _RUST.fullmatch(line)
    if found:
        end = at + 1 + bool(_AT.fullmatch(after))
        return Frame(at, end, _is_library(found["path"])) if end > at + 1 else None
    return None


def _python_end(lines: Sequence[str], at: int, indent: int) -> int:
    """After the source line and its carets, which stand deeper than the frame."""
    end = at + 1
    while end < len(lines) and end < at + 8:
        line = lines[end]
        if not line.startswith(" " * (indent + 2)) or _PYTHON.fullmatch(line[:LONGEST_CHARS]):
            break
        end += 1
    return end


def _is_library(path: str) -> bool:
    place = path[path.rfind("(") + 1 :] if "(" in path else path
    return _LIBRARY.search(path) is not None or _LIBRARY.search(place) is not None
