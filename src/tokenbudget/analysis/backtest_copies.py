"""Which copies of files in a window are overtaken by later ones: what pruning may let go first."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.replay import Stood

READING = frozenset(("Read", "NotebookRead"))
EDITING = frozenset(("Edit", "MultiEdit", "NotebookEdit"))
_SHOWING = re.compile(r"(?:^|[;&|(]\s*)(?:cat|sed -n|head|tail|nl|bat|type|Get-Content)\s")
WRITING = EDITING | {"Write"}


class _Copy(NamedTuple):
    number: int
    first_line: int
    end_line: float
    is_read: bool
    """What a tool or the client showed, not what the model wrote."""


class Copies:
    """The copies of each file, in the order in which they came into the window."""

    def __init__(self) -> None:
        self._copies: dict[str, list[_Copy]] = {}
        self._overtaken: set[int] = set()
        self._touched: dict[str, int] = {}
        self._edited: set[str] = set()

    def take(self, piece: Stood, request: int) -> None:
        """A piece comes in: a file that was read, written or edited overtakes what it covers."""
        path = path_of(piece)
        if not path or piece.has_failed:
            return
        if piece.name in (READING | WRITING) or piece.kind == window.FILE:
            self._touched[path] = request
        if piece.name in WRITING or piece.kind == window.FILE:
            self._edited.add(path)
        made = _copy_of(piece)
        if made is None:
            return
        before = self._copies.setdefault(path, [])
        if made.is_read or piece.name == "Write":
            covered = [one for one in before if _covers(made, one)]
            self._overtaken.update(one.number for one in covered)
            before[:] = [one for one in before if one not in covered]
        before.append(made)

    def is_overtaken(self, number: int) -> bool:
        """Whether a later copy tells all that this one does, as the file is now."""
        return number in self._overtaken

    def touched(self, path: str) -> int:
        """The request at which a file was last read, written or edited."""
        return self._touched.get(path, 0)

    def is_worked_on(self, path: str) -> bool:
        """Whether a file was edited or written, or the person showed it."""
        return path in self._edited


def path_of(piece: Stood) -> str:
    """The file that a piece is about; ''."""
    if piece.kind == window.FILE:
        return piece.target
    path = piece.arguments.get("file_path") or piece.arguments.get("notebook_path")
    return path if isinstance(path, str) else ""


def shows_a_file(piece: Stood) -> bool:
    """Whether a shell command put out a file or a part of one."""
    command = piece.arguments.get("command")
    is_result = piece.kind == window.TOOL_RESULT and isinstance(command, str)
    return is_result and _SHOWING.search(str(command)) is not None


def is_copy(piece: Stood) -> bool:
    """Whether it shows, or wrote, a file or a part of one."""
    return _copy_of(piece) is not None


def _copy_of(piece: Stood) -> _Copy | None:
    if not path_of(piece):
        return None
    if piece.kind == window.FILE:
        return _Copy(piece.number, 0, 0, is_read=True)  # of its beginning, or of what changed
    if piece.kind == window.TOOL_RESULT and piece.name in READING:
        first, count = piece.arguments.get("offset"), piece.arguments.get("limit")
        start = first if isinstance(first, int) else 1
        end = start + count if isinstance(count, int) else float("inf")
        return _Copy(piece.number, start, end, is_read=True)
    if piece.kind == window.TOOL_USE and piece.name in WRITING:
        return _Copy(piece.number, 1, float("inf"), is_read=False)
    return None


def _covers(new: _Copy, old: _Copy) -> bool:
    if new.end_line == 0:
        return False
    return new.first_line <= max(old.first_line, 1) and old.end_line <= new.end_line
