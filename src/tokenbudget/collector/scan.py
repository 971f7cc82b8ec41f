"""Compare what is on disk with what the ledger has read: what is new, grown, rewritten or gone."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.ledger.files import FileToRead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.ledger.files import FileState
    from tokenbudget.model.events import ReadPlan
    from tokenbudget.model.files import FoundFile
    from tokenbudget.model.protocols import Source


class Scan(NamedTuple):
    """The work that a refresh has to do, before it is decided how much of it is done at once."""

    changed: list[tuple[FoundFile, FileState | None, bool]]
    """Found file, what the ledger knows of it, and whether its old bytes are void."""
    lagging: list[tuple[FoundFile, FileState]]
    """Files whose usage is read and whose other events are not."""
    gone_ids: list[int]


def compare(
    source: Source, found: Sequence[FoundFile], known: Mapping[str, FileState], tops: Sequence[str]
) -> Scan:
    """Sort the found files into changed and lagging ones, and find those that are missing."""
    changed: list[tuple[FoundFile, FileState | None, bool]] = []
    lagging: list[tuple[FoundFile, FileState]] = []
    for file in found:
        state = known.get(file.path)
        if state is None:
            changed.append((file, None, False))
        elif state[2:5] != file[1:] or state.is_gone:  # size, mtime, inode
            changed.append((file, state, _is_rewritten(source, file, state)))
        elif state.detail_offset < state.usage_offset:
            lagging.append((file, state))
    return Scan(changed, lagging, _gone_ids(found, known, tops))


def _is_rewritten(source: Source, file: FoundFile, state: FileState) -> bool:
    """Whether the file is anything else than the old one with more behind it.

    A file of the same size with another time is read again as well: what changed may lie between
    the edges that the fingerprint covers.
    """
    if state.usage_offset == 0:
        return False
    if file.size_bytes < state.usage_offset or file.size_bytes == state.size_bytes:
        return True
    try:
        return source.fingerprint(file.path, state.usage_offset) != (state.head_sum, state.tail_sum)
    except OSError:
        return False  # reading it will say what is wrong


def _gone_ids(
    found: Sequence[FoundFile], known: Mapping[str, FileState], tops: Sequence[str]
) -> list[int]:
    present = {file.path for file in found}
    prefixes = tuple(os.path.join(top, "") for top in tops)
    return [
        state.id
        for path, state in known.items()
        if path not in present
        and not state.is_gone
        and path.startswith(prefixes)
        and _is_missing(path)
    ]


def _is_missing(path: str) -> bool:
    """Only a clear answer counts: a folder that may not be listed hides its files, no more."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def to_read(
    source: Source, file: FoundFile, state: FileState | None, is_reset: bool, with_detail: bool
) -> FileToRead:
    """How a found file will be read."""
    return FileToRead(
        path=file.path,
        agent=source.agent,
        session=session_name(source, file.path),
        is_subagent=source.is_subagent_file(file.path),
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        inode=file.inode,
        known=state,
        is_reset=is_reset,
        with_detail=with_detail,
    )


def session_name(source: Source, path: str) -> str:
    """The session by a file's place, as text that can be stored: a name may be no UTF-8."""
    return source.session_of(path).encode("utf-8", "backslashreplace").decode()


def start_of(file: FileToRead) -> int:
    """Where to begin: behind what has been read, or at 0 where that is void."""
    if file.known is None or file.is_reset:
        return 0
    return file.known.detail_offset if file.with_detail else file.known.usage_offset


def plan_of(file: FileToRead) -> ReadPlan:
    """How the source is asked to read the file."""
    from tokenbudget.model.events import ReadPlan

    return ReadPlan(file.path, file.session, start_of(file), file.with_detail)


def bytes_to_read(file: FileToRead) -> int:
    """How much there is to read, for shares and progress."""
    return max(0, file.size_bytes - start_of(file))
