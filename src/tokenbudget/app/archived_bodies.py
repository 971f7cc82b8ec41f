"""The words of sessions that are archived: read from the archive where the transcript is gone.

A transcript that is in its place is read there, and nothing of the archive is loaded. Else the
ledger's index says which archive has it; the session's files are unpacked, checked by their hashes,
into a private folder that is removed at the end of the process. An archive that cannot be read
makes the words unknown; `faults` says so.
"""

from __future__ import annotations

import errno
import os

from tokenbudget.model.errors import TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenbudget.ledger.archive_index import ArchivedSession
    from tokenbudget.model.protocols import BodyStore, StudySource
    from tokenbudget.model.window import LineFacts, Placed, RebuiltRequest


class ArchivedBodies:
    """A `BodyStore` of live transcripts, and behind it one of archived ones.

    `find` says which archived session had a file at a path; it is asked where nothing is there.
    """

    def __init__(self, live: BodyStore, find: Callable[[str], ArchivedSession | None]) -> None:
        self._live = live
        self._find = find
        self._copies: dict[str, str] = {}
        self._tried: set[tuple[str, str, str]] = set()
        self._removals: list[Callable[[], object]] = []
        self.faults: list[str] = []
        """A sentence for each archive that could not be read."""

    def line(self, path: str, offset: int) -> bytes | None:
        """The line that begins at `offset`, without its end; None when it is not to be had."""
        found = self._live.line(path, offset)
        if found is not None or os.path.lexists(path):
            return found
        copy = self._copy_of(path)
        return None if copy is None else self._live.line(copy, offset)

    def is_archived(self, path: str) -> bool:
        """Whether the file is gone from its place, and the index knows an archive of it."""
        return not os.path.lexists(path) and self._find(path) is not None

    def place_of(self, path: str) -> str:
        """Where the bytes of a transcript can be read: in its place, or in a passing copy.

        Raises:
            FileNotFoundError: neither is to be had.
        """
        if os.path.lexists(path):
            return path
        copy = self._copy_of(path)
        if copy is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return copy

    def close(self) -> None:
        """Remove the copies; they are made again where they are wanted again."""
        for remove in self._removals:
            remove()
        self._removals.clear()
        self._copies.clear()
        self._tried.clear()

    def _copy_of(self, path: str) -> str | None:
        if path not in self._copies and (found := self._find(path)) is not None:
            self._unpack(found)
        return self._copies.get(path)

    def _unpack(self, found: ArchivedSession) -> None:
        key = (found.folder, found.archive_file, found.session)
        if key in self._tried:
            return
        self._tried.add(key)
        from tokenbudget.archive.reading import copied_session

        try:
            copies = copied_session(*key[:2], found.session, self._new_folder())
        except (TokenBudgetError, OSError) as wrong:
            what = wrong.strerror if isinstance(wrong, OSError) else wrong
            self.faults.append(f"the transcript is archived and cannot be read: {what}")
        else:
            self._copies.update(copies)

    def _new_folder(self) -> str:
        """A folder of nobody else's, which goes when this object or the process ends."""
        import shutil
        import tempfile
        import weakref

        folder = tempfile.mkdtemp(prefix="tokens-archived-")
        self._removals.append(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
        return folder


class ArchivedWindows:
    """A `WindowSource` that finds archived transcripts too."""

    def __init__(self, source: StudySource, bodies: ArchivedBodies) -> None:
        self._source = source
        self._bodies = bodies

    def window(self, path: str, since: int = 0) -> Iterator[Placed]:
        """Every piece and event of a transcript, in order; see `WindowSource`. Raises OSError."""
        return self._source.window(self._bodies.place_of(path), since)

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        """The request behind a response, if the agent recorded it. Raises OSError."""
        return self._source.rebuilt(self._bodies.place_of(path), response_key)

    def line_facts(self, path: str) -> LineFacts:
        """Where the lines begin, and how much of files was shown. Raises OSError."""
        return self._source.line_facts(self._bodies.place_of(path))

    def fingerprint(self, path: str, end: int) -> tuple[int, int]:
        """Check sums of the bytes at the edges of `[0, end)`. Raises OSError."""
        return self._source.fingerprint(self._bodies.place_of(path), end)
