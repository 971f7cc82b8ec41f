"""Smart context put together: files read, counted, and what a task needs of them selected."""

from __future__ import annotations

import os
import stat
import sys
from typing import NamedTuple

from tokenbudget.compression.ranking_recent import NOTHING_RECENT
from tokenbudget.compression.selection import select, share_of
from tokenbudget.compression.selection_telling import Teller
from tokenbudget.model.errors import BadRequest, SourceUnreadable
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tokenbudget.compression.ranking_recent import Recent
    from tokenbudget.compression.selection import Selection
    from tokenbudget.model.protocols import Ranker, TokenCounter

STDIN = "-"
MOST_BYTES = 8_000_000
"""Of all files together: a minute or two of work; a million short lines take longer."""


class Budget(NamedTuple):
    """How much may be shown: so many tokens, or so many per cent of the files'."""

    amount: float
    is_percent: bool


def select_files(
    task: str,
    paths: Sequence[str],
    budget: Budget,
    counter: TokenCounter,
    ranker: Ranker | None = None,
    recent: Recent = NOTHING_RECENT,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Selection:
    """What the task needs of these files, within the budget.

    `recent` is what was edited lately (`app.recent_edits`); `progress` is told bytes, as a share of
    all that the files hold.

    Raises:
        BadRequest: the task is empty, or the files are too large together.
        SourceUnreadable: a file cannot be read.
    """
    if not task.strip():
        raise BadRequest("the task is empty; say in --task what is to be done")
    files = _read(paths)
    tokens = share_of(files, budget.amount, counter) if budget.is_percent else int(budget.amount)
    total = sum(map(len, files.values()))
    tell = Teller(lambda share: progress(round(share * total), total))
    return select(task, files, tokens, counter, ranker, recent, tell)


def text_of(path: str) -> str:
    """The text of a file or of standard input; bytes that are no UTF-8 can be had back.

    Raises:
        SourceUnreadable: it cannot be read.
    """
    return _bytes_of(path, MOST_BYTES).decode("utf-8", "surrogateescape")


def _read(paths: Iterable[str]) -> Mapping[str, str]:
    files: dict[str, str] = {}
    room = MOST_BYTES
    for path in paths:
        if path in files:
            continue
        content = _bytes_of(path, room)
        room -= len(content)
        files[path] = content.decode("utf-8", "surrogateescape")
    return files


def _bytes_of(path: str, most: int) -> bytes:
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(most + 1)
        else:
            content = _file_bytes(path, most)
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise SourceUnreadable(
            f"cannot read {one_line(path)} ({one_line(why)}); name a file that can be read"
        ) from exc
    if len(content) > most:
        raise BadRequest(
            f"the files are larger than {MOST_BYTES // 1_000_000} MB together; name fewer,"
            " or shorten a log with: tokens compress"
        )
    return content


def _file_bytes(path: str, most: int) -> bytes:
    """A regular file's bytes; a folder, a pipe or a device is none."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is no regular file")
        return file.read(most + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    """A named pipe without a writer would let us wait for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
