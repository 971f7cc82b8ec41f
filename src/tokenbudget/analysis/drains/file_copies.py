"""Copies of files in a window: what the reading tool showed, line by line."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tokenbudget.analysis.drains.charges import requests_with
from tokenbudget.analysis.window_pieces import WRITING_TOOLS
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

READER = "Read"
WRITER = "Write"
CHANGED_FILE = "edited_text_file"
_NUMBERED = re.compile(r" *(\d{1,9})(?:→|\t)(.*)")
"""A line as the client shows it, in its older and its newer form."""
_PROSE = (".md", ".mdx", ".mdc", ".rst", ".txt", ".adoc", ".org", ".output", ".log")
_REMINDER = "\n\n<system-reminder>"
"""What older clients put behind a file's lines."""

_CHANGES_FILES = re.compile(
    r"\bgit\s+(?:-\S+\s+\S+\s+)*(?:checkout|switch|pull|merge|rebase|reset|restore|stash|apply|am"
    r"|cherry-pick|revert|clean|mv|rm)\b"
    r"|\b(?:sed|perl)\s+(?:-\S+\s+)*-\w*i|\bpatch\b|\btee\b|\b(?:mv|cp|rm|truncate|dd)\s"
    r"|\b(?:gofmt|goimports|gofumpt|clang-format)\s[^|;&]*-(?:w|i)\b"
    r"|\b(?:prettier|black|isort|rustfmt|autopep8|yapf)\b"
    r"|\b(?:ruff|biome|dprint|deno|cargo|go|dotnet|mix|terraform)\s+(?:format|fmt|fix|generate)\b"
    r"|--fix\b|--write\b|\bformat\b|\bgenerate\b|\bcodegen\b|\bmigrate\b|<<|(?<![0-9&=\-])>>?\s*(?!/dev/|&|\$null)[^\s>]"
    r"|\b(?:Set|Add|Clear)-Content\b|\bOut-File\b|\bWriteAllText\b",
    re.IGNORECASE,
)
"""Shell commands that rewrite files: version control, formatters, stream editors, `>`."""
_COMMIT_MESSAGE = re.compile(
    r"(\bgit\s[^|;&\n]*\bcommit\b[^|;&\n]*?)<<-?\s*['\"]?(\w+)['\"]?\s*\n.*?\n\s*\2\b", re.DOTALL
)
"""A here-document that is read by `git commit` as its message."""


class Copy(NamedTuple):
    """A range of a file, as it stood when it was read or written."""

    call: Call
    piece: Seen
    """That holds its lines: the result of a read, or a call that writes."""
    path: str
    first: int
    """Its first line's number in the file, from 1."""
    lines: tuple[str, ...]

    @property
    def last(self) -> int:
        """Its last line's number."""
        return self.first + len(self.lines) - 1


def reads(view: ThreadView) -> Iterator[tuple[Call, Seen]]:
    """Reads of a text file that brought lines into the window: no errors, pictures or stubs."""
    for call in view.calls:
        result = call.result
        if call.name != READER or result is None or call.is_error or not call.target:
            continue
        if _NUMBERED.match(result.text):
            yield call, result


def shown_text(result: Seen) -> str:
    """What was shown of the file, without what the client says behind it."""
    return result.text.partition(_REMINDER)[0]


def copy_of(call: Call, result: Seen) -> Copy | None:
    """The lines that a read brought in; None where they are not in one run."""
    found = _numbered_lines(shown_text(result))
    return Copy(call, result, call.target, *found) if found is not None else None


def carried_code(
    view: ThreadView, claimed: Set[int], *, least_tokens: int, least_requests: int
) -> Iterator[Copy]:
    """Files of code that were read whole, are so large and were carried by so many requests.

    Left out is what another drain has claimed, by the number of its piece; and prose, which acts
    without a trace.
    """
    for call, result in reads(view):
        if result.tokens < least_tokens or result.number in claimed or is_ranged(call):
            continue
        if is_prose(call.target) or requests_with(view, result) < least_requests:
            continue
        copy = copy_of(call, result)
        if copy is not None:
            yield copy


@lru_cache(maxsize=256)
def _numbered_lines(text: str) -> tuple[int, tuple[str, ...]] | None:
    """The first number and the lines, where all of them are in one run."""
    first = 0
    lines: list[str] = []
    for shown in text.split("\n"):
        found = _NUMBERED.fullmatch(shown)
        if found is None:
            if lines and shown.strip():
                return None
            continue
        number = int(found[1])
        first = first or number
        if number != first + len(lines):
            return None
        lines.append(found[2])
    return (first, tuple(lines)) if lines else None


def written_copy(call: Call) -> Copy | None:
    """The lines of a file that a call wrote whole; None for any other call."""
    content = call.arguments.get("content")
    if call.name != WRITER or call.is_error or call.use is None or not call.target:
        return None
    if not isinstance(content, str) or not content:
        return None
    lines = content.removesuffix("\n").split("\n")
    return Copy(call, call.use, call.target, 1, tuple(lines))


class Attached(NamedTuple):
    """The beginning of a file that the client put into the window because it had changed."""

    piece: Seen
    path: str
    first: int
    lines: tuple[str, ...]

    @property
    def last(self) -> int:
        """Its last line's number."""
        return self.first + len(self.lines) - 1


def attached_files(view: ThreadView) -> Iterator[Attached]:
    """Changed files as the client tells of them, in order."""
    for piece in view.seen:
        if piece.kind == window.FILE and piece.name == CHANGED_FILE and piece.target:
            shown = (_NUMBERED.fullmatch(line) for line in piece.text.split("\n"))
            found = [line for line in shown if line is not None]
            if found and piece.entered < len(view.turns):
                lines = tuple(line[2] for line in found)
                yield Attached(piece, piece.target, int(found[0][1]), lines)


def is_ranged(call: Call) -> bool:
    """Whether a read asked for a part of the file."""
    return any(call.arguments.get(name) is not None for name in ("offset", "limit", "pages"))


def is_in_window(piece: Seen, turn: int) -> bool:
    """Whether request `turn` sent the piece, and so does the next one."""
    return piece.entered <= turn and piece.left > turn + 1


def file_name(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def may_change(call: Call, path: str) -> bool:
    """Whether a call may have changed the file, by its arguments; rather yes than no."""
    if call.name in WRITING_TOOLS:
        return call.target == path
    if call.name in ("Agent", "Task", "Workflow"):
        return True
    if call.command:
        return _may_rewrite_files(call.command)
    if call.server:
        name = file_name(path)
        return any(name in value for value in call.arguments.values() if isinstance(value, str))
    return False


@lru_cache(maxsize=4096)
def _may_rewrite_files(command: str) -> bool:
    words = _COMMIT_MESSAGE.sub(r"\1", command) if "<<" in command else command
    return _CHANGES_FILES.search(words) is not None


def is_prose(path: str) -> bool:
    """Whether a file holds words for people or orders for the agent: these act without a trace."""
    name = file_name(path).lower()
    return name.endswith(_PROSE) or "." not in name
