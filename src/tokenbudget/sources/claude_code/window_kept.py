"""Transcripts read on from where they were read to, for whoever looks at them again and again.

The lines before are not read again. What later lines may refer to is remembered in 24 bytes a line
(`system.remembered`), and the last tool calls by name. A file that no longer begins with what was
read is read from its beginning.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.sources.claude_code.window import WindowReader, read_window
from tokenbudget.system.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tokenbudget.model.window import Placed, RebuiltRequest

RECENT_CALLS = 512
"""A result comes soon after its call; of older calls only is known that there were some."""
RECORD_MARK = b"requestRef"
"""With it an answer names the client's own record of its request."""
CHUNK_BYTES = 1 << 20


class CallIsForgotten(Exception):
    """A result answers a call that stands too far back."""


class RecentCalls(dict[str, tuple[str, str]]):
    """Tool and target of the last calls, by their id."""

    def __init__(self) -> None:
        super().__init__()
        self._older = Remembered[int]("q")

    def get(self, link: str, default: tuple[str, str]) -> tuple[str, str]:  # type: ignore[override]
        """What a call was; `default` where there was none.

        Raises:
            CallIsForgotten: there was one.
        """
        found = super().get(link)
        if found is None and link in self._older:
            raise CallIsForgotten
        return default if found is None else found

    def shorten(self) -> None:
        """Forget what the older ones were."""
        for link in list(self)[: max(0, len(self) - RECENT_CALLS)]:
            self._older.add(link)
            del self[link]


class KeptReader(WindowReader):
    """A reader that can go on later."""

    def __init__(self) -> None:
        super().__init__()
        self._places = Remembered[int]("q")
        self._tools = self._calls = RecentCalls()

    def shorten(self) -> None:
        """Keep little until it goes on."""
        self._calls.shorten()


class _Seen(NamedTuple):
    """How far a transcript was looked through, and check sums of what stands before."""

    offset: int
    sums: tuple[int, int]


class KeptTranscripts(ClaudeCode):
    """A `StudySource` that reads each transcript on from where it was read to last."""

    def __init__(self, home: str) -> None:
        super().__init__(home)
        self._readers: dict[str, tuple[_Seen, KeptReader]] = {}
        self._unrecorded: dict[str, _Seen] = {}
        """Transcripts in which the client has recorded no request so far."""

    def keep_only(self, paths: Collection[str]) -> None:
        """Forget all others."""
        for path in self._readers.keys() - paths:
            del self._readers[path]
        for path in self._unrecorded.keys() - paths:
            del self._unrecorded[path]

    def window(self, path: str, since: int = 0) -> Iterator[Placed]:
        """What the transcript shows from `since` on, and at times what stands before."""
        seen, reader = self._readers.pop(path, (None, KeptReader()))  # until all of it was taken
        if seen is not None and seen.offset <= since and self._is_as_it_was(path, seen):
            try:
                further = list(read_window(path, reader, seen.offset))
            except CallIsForgotten:
                pass
            else:
                yield from further
                self._keep(path, reader, further[-1])
                return
        reader = KeptReader()
        for placed in read_window(path, reader):
            yield placed
        self._keep(path, reader, placed)

    def rebuilt(self, path: str, response_key: str) -> RebuiltRequest | None:
        """As any other source has it, but a transcript without records is not read again for it."""
        seen = self._unrecorded.pop(path, None)
        if seen is not None and not self._is_as_it_was(path, seen):
            seen = None
        end = _end_without_record(path, 0 if seen is None else seen.offset)
        if end is None:
            return super().rebuilt(path, response_key)
        self._unrecorded[path] = _Seen(end, self.fingerprint(path, end))
        return None

    def _keep(self, path: str, reader: KeptReader, end: Placed) -> None:
        reader.shorten()
        self._readers[path] = _Seen(end.offset, self.fingerprint(path, end.offset)), reader

    def _is_as_it_was(self, path: str, seen: _Seen) -> bool:
        return self.fingerprint(path, seen.offset) == seen.sums


def _end_without_record(path: str, start: int) -> int | None:
    """Where a file ends that has no mark of a record behind `start`; None where it has one."""
    overlap = len(RECORD_MARK) - 1
    end = max(0, start - overlap)
    kept = b""
    with open(path, "rb") as handle:
        handle.seek(end)
        while chunk := handle.read(CHUNK_BYTES):
            kept += chunk
            if RECORD_MARK in kept:
                return None
            kept = kept[-overlap:]
            end += len(chunk)
    return end
