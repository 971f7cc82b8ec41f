"""Read a transcript from any position, in bounded memory, as stretches that can be committed.

Lines are decoded where they lie in one re-used buffer: that keeps the bytes in the processor's
cache: 0.165 s for 309 MB, against 0.235 s for reading whole files and splitting them.
"""

from __future__ import annotations

import os

from tokenbudget.model.events import LineCounts, Problem, ReadPlan, SessionFact, Stretch
from tokenbudget.sources.claude_code.decoder import (
    REJECTED,
    Line,
    Malformed,
    NotAnObject,
    repaired_line,
    typed_line,
)
from tokenbudget.sources.claude_code.details import DetailTable
from tokenbudget.sources.claude_code.paths import fingerprint
from tokenbudget.sources.claude_code.usage import ResponseTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BUFFER_BYTES = 1 << 19
STRETCH_BYTES = 1 << 24
"""A file is committed in pieces of about this size: what a kill can make us read again."""

LONGEST_LINE_BYTES = 1 << 26
"""A longer line is passed over and reported. The longest real one seen has 2.1 MB."""

KEPT_PROBLEMS = 100
"""Problems remembered per stretch; all are counted."""

_BOM = b"\xef\xbb\xbf"


class _SessionNote:
    """What the lines of one session say about it, the last word winning."""

    __slots__ = ("cwd", "first_at", "git_branch", "last_at", "title", "version")

    def __init__(self, stamp: str) -> None:
        self.cwd = self.git_branch = self.version = self.title = ""
        self.first_at = self.last_at = stamp

    def take(self, line: Line) -> None:
        """Take one line's facts in."""
        stamp = line.timestamp
        if stamp is not None:
            if stamp > self.last_at:
                self.last_at = stamp
            if stamp < self.first_at or not self.first_at:
                self.first_at = stamp
        self.version = line.version or self.version
        self.git_branch = line.git_branch or self.git_branch
        self.cwd = self.cwd or line.cwd or ""
        self.title = line.custom_title or line.ai_title or self.title

    def fact(self, session: str) -> SessionFact:
        """All of it as a value."""
        return SessionFact(
            session,
            self.cwd,
            self.git_branch,
            self.version,
            self.first_at,
            self.last_at,
            self.title,
        )


class _Collected:
    """What has been read since the last stretch was given out."""

    def __init__(self, plan: ReadPlan) -> None:
        self.plan = plan
        self.begin(plan.start)

    def begin(self, start: int) -> None:
        """Forget everything: the next stretch begins at `start`."""
        plan = self.plan
        self.start = start
        self.cwd = ""
        self.lines = self.blank = self.malformed = self.repaired = 0
        self.problems: list[Problem] = []
        self.responses = ResponseTable(plan.session)
        self.details = DetailTable(plan.session) if plan.with_detail else None
        self.sessions: dict[str, _SessionNote] = {}

    def take(self, line: Line, offset: int) -> None:
        """Take one line in, wherever it leads."""
        self.cwd = self.cwd or line.cwd or ""
        kind = line.type
        key = None
        if kind == "assistant":
            key = self.responses.add_assistant(line, offset)
        elif kind == "progress":
            key = self.responses.add_progress(line, offset)
        self._note(line)
        if self.details is not None:
            self.details.add(line, offset, key)

    def take_usage(self, line: Line, offset: int) -> None:
        """Take one line in where usage alone is wanted."""
        if not self.cwd:
            self.cwd = line.cwd or ""
        responses = self.responses
        known = len(responses.found)
        if line.type == "assistant":
            responses.add_assistant(line, offset)
        elif line.type == "progress":
            responses.add_progress(line, offset)
        if len(responses.found) > known:  # the second pass notes the lines between
            self._note(line)

    def _note(self, line: Line) -> None:
        name = line.session
        if name is not None:
            note = self.sessions.get(name)
            if note is None:
                note = self.sessions[name] = _SessionNote(line.timestamp or "")
            note.take(line)

    def take_rejected(self, data: bytes, offset: int) -> None:
        """Take a line in that the typed decoder refused, if anything can be made of it."""
        try:
            self.take(repaired_line(data), offset)
        except NotAnObject as exc:
            self._report(offset, f"not an object but {exc}")
        except Malformed as exc:
            if data.strip():
                self._report(offset, f"not JSON: {exc}")
            else:
                self.blank += 1
        else:
            self.repaired += 1

    def take_unended(self, data: bytes, offset: int) -> None:
        """Take a last line in that has no end yet, without counting it: it will be read again."""
        synthetic = self.responses.synthetic_lines
        with_problem = len(self.problems), self.malformed, self.repaired
        self.take_rejected(data, offset)
        self.responses.synthetic_lines = synthetic
        del self.problems[with_problem[0] :]
        self.malformed, self.repaired = with_problem[1:]

    def pass_over(self, offset: int) -> None:
        """Count a line that is too long to be read."""
        self.lines += 1
        self._report(offset, f"line longer than {LONGEST_LINE_BYTES >> 20} MiB")

    def _report(self, offset: int, reason: str) -> None:
        self.malformed += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(Problem(offset, reason[:200]))

    def line_counts(self) -> LineCounts:
        """How many lines there were; zeros where usage alone was wanted and lines were skipped."""
        if self.details is None:
            return LineCounts(0, 0, 0, 0, 0)
        synthetic = self.responses.synthetic_lines
        return LineCounts(self.lines, self.blank, self.malformed, self.repaired, synthetic)

    def stretch(self, descriptor: int, end: int, is_last: bool) -> Stretch:
        """Everything since `start`, as one value."""
        return Stretch(
            start=self.start,
            end=end,
            size_bytes=os.fstat(descriptor).st_size,
            is_last=is_last,
            fingerprint=fingerprint(descriptor, end),
            cwd=self.cwd,
            line_counts=self.line_counts(),
            problems=[] if self.details is None else self.problems,
            sessions=[note.fact(name) for name, note in self.sessions.items()],
            responses=[response.packed() for response in self.responses.found.values()],
            detail=None if self.details is None else self.details.detail(),
        )


def read_stretches(plan: ReadPlan) -> Iterator[Stretch]:
    """Read from `plan.start` to the end of the file as it is now; at least one stretch.

    A last line without a line end is taken in if it is a whole object, which a longer line can
    never begin with, but stays uncounted and will be read again. A half one is left alone.

    Raises:
        OSError: the file vanished or cannot be read.
    """
    descriptor = os.open(plan.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield from _stretches(descriptor, plan)
    finally:
        os.close(descriptor)


def _stretches(descriptor: int, plan: ReadPlan) -> Iterator[Stretch]:
    collected = _Collected(plan)
    position = plan.start
    for block, base, stop in _blocks(descriptor, plan.start, collected):
        _take_lines(collected, block, base, stop)
        position = base + stop
        if position - collected.start >= STRETCH_BYTES:
            yield collected.stretch(descriptor, position, is_last=False)
            collected.begin(position)
    yield collected.stretch(descriptor, position, is_last=True)


def _take_lines(collected: _Collected, block: bytearray, base: int, stop: int) -> None:
    """Take every whole line of `block[:stop]` in. The hot loop."""
    wants_all = collected.details is not None
    find = block.find
    take = collected.take if wants_all else collected.take_usage
    decode = typed_line
    at = len(_BOM) if base == 0 and block.startswith(_BOM) else 0
    with memoryview(block) as view:
        while at < stop:
            end = find(b"\n", at, stop)
            if (
                wants_all
                or end - at < _WORTH_A_LOOK_BYTES
                or not collected.cwd  # the first line that names one decides, in either pass
                or not is_user_line(block, at, end)
            ):
                try:
                    line = decode(view[at:end])
                except REJECTED:
                    collected.take_rejected(bytes(view[at:end]), base + at)
                else:
                    take(line, base + at)
                    del line  # its undecoded parts point into the buffer
            at = end + 1
    if wants_all:
        collected.lines += block.count(b"\n", 0, stop)


_USER = b'"type":"user"'
_BACKSLASH = ord("\\")
_EDGE_BYTES = 512
_WORTH_A_LOOK_BYTES = 2048
"""A shorter line is decoded in the time that the look at it would take."""


def is_user_line(block: bytearray, begin: int, end: int) -> bool:
    """Whether `block[begin:end]` surely is a line of type user, seen without decoding it.

    Most bytes of a transcript are tool results in such lines, and they carry no usage. The key is
    looked for near both ends of the line, where clients write it. It is the line's own, and not one
    of an inner object, if no other bracket stands between it and that end; and it is no part of a
    string, in which its quotes would be escaped. Anything unclear is False: decode it. Only a line
    with two keys named type could deceive it, and no client writes one.
    """
    count = block.count
    found = block.find(_USER, begin, begin + _EDGE_BYTES)
    if 0 <= found < end:
        return (
            count(b"{", begin, found) == 1
            and count(b"[", begin, found) == 0
            and block[found - 1] != _BACKSLASH
        )
    found = block.rfind(_USER, max(begin, end - _EDGE_BYTES), end)
    return (
        found > begin
        and block[found - 1] != _BACKSLASH  # the first quote ends no key like "x\"type"
        and count(b"}", found, end) == 1
        and block[end - 2 : end].rstrip().endswith(b"}")
        and not count(b"{", found, end)
        and not count(b"[", found, end)
        and not count(b"]", found, end)
    )


def _blocks(
    descriptor: int, start: int, collected: _Collected
) -> Iterator[tuple[bytearray, int, int]]:
    """Yield (buffer, position of its first byte, end of its last whole line).

    The buffer is re-used: what is wanted of a block must be taken before the next one.
    """
    remaining = max(0, os.fstat(descriptor).st_size - start)
    block = bytearray(min(BUFFER_BYTES, remaining + 1))
    base, filled = start, 0
    while True:
        with memoryview(block) as view:
            got = os.preadv(descriptor, [view[filled:]], base + filled)
        if got == 0:
            break
        filled += got
        stop = block.rfind(b"\n", 0, filled) + 1
        if stop:
            yield block, base, stop
            block[: filled - stop] = block[stop:filled]
            base, filled = base + stop, filled - stop
        elif filled == len(block):
            if filled >= LONGEST_LINE_BYTES:
                behind = _pass_over(descriptor, base, collected)
                if behind == base:
                    return
                base, filled = behind, 0
                yield block, base, 0
            else:
                block.extend(bytes(len(block)))
    if filled:
        _take_unended(collected, bytes(block[:filled]), base)


def _pass_over(descriptor: int, start: int, collected: _Collected) -> int:
    """Skip a line that is too long for anything; returns the position behind it."""
    position = start
    while data := os.pread(descriptor, BUFFER_BYTES, position):
        end = data.find(b"\n")
        if end >= 0:
            collected.pass_over(start)
            return position + end + 1
        position += len(data)
    return start  # it has no end yet: try again when it has


def _take_unended(collected: _Collected, data: bytes, offset: int) -> None:
    if data.rstrip().endswith(b"}"):
        collected.take_unended(data, offset)
