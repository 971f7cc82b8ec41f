"""Read a transcript from any position, in bounded memory, as stretches that can be committed.

Lines are decoded where they lie in one re-used buffer: that keeps the bytes in the processor's
cache and is 1.4 times as fast as reading whole files and splitting them (docs/benchmarks.md).
"""

from __future__ import annotations

import os

from tokenbudget.model.events import Problem, ReadPlan, SessionFact, Stretch
from tokenbudget.sources.claude_code.decoder import Line, Malformed, NotAnObject, decode_line
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


class _Collected:
    """What has been read since the last stretch was given out."""

    def __init__(self, plan: ReadPlan, start: int) -> None:
        self.plan = plan
        self.start = start
        self.lines = self.blank = self.malformed = self.repaired = 0
        self.problems: list[Problem] = []
        self.responses = ResponseTable(plan.session)
        self.details = DetailTable(plan.session) if plan.with_detail else None
        self.sessions: dict[str, list[str]] = {}

    def take(self, data: memoryview, offset: int, counted: bool) -> None:
        """Take one line in, wherever it leads."""
        try:
            line, was_repaired = decode_line(data)
        except NotAnObject as exc:
            if counted:
                self._report(offset, f"not an object but {exc}")
            return
        except Malformed as exc:
            if counted:
                self._unreadable(data, offset, str(exc))
            return
        if counted:
            self.repaired += was_repaired
        key = self.responses.add(line, offset)
        self._note_session(line)
        if self.details is not None:
            self.details.add(line, offset, key)

    def pass_over(self, offset: int) -> None:
        """Count a line that is too long to be read."""
        if offset >= self.plan.count_from:
            self.lines += 1
            self._report(offset, f"line longer than {LONGEST_LINE_BYTES >> 20} MiB")

    def _unreadable(self, data: memoryview, offset: int, reason: str) -> None:
        if bytes(data).strip():
            self._report(offset, f"not JSON: {reason}")
        else:
            self.blank += 1

    def _report(self, offset: int, reason: str) -> None:
        self.malformed += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(Problem(offset, reason[:200]))

    def _note_session(self, line: Line) -> None:
        name = line.session
        if name is None:
            return
        stamp = line.timestamp or ""
        fact = self.sessions.get(name)
        if fact is None:
            fact = self.sessions[name] = ["", "", "", stamp, stamp, ""]
        if line.cwd and not fact[0]:
            fact[0] = line.cwd
        if line.git_branch:
            fact[1] = line.git_branch
        if line.version:
            fact[2] = line.version
        if stamp:
            if stamp < fact[3] or not fact[3]:
                fact[3] = stamp
            if stamp > fact[4]:
                fact[4] = stamp
        title = line.custom_title or line.ai_title
        if title:
            fact[5] = title

    def stretch(self, descriptor: int, end: int, is_last: bool) -> Stretch:
        """Everything since `start`, as one value."""
        return Stretch(
            start=self.start,
            end=end,
            size_bytes=os.fstat(descriptor).st_size,
            is_last=is_last,
            fingerprint=fingerprint(descriptor, end),
            lines=self.lines,
            blank_lines=self.blank,
            malformed_lines=self.malformed,
            repaired_lines=self.repaired,
            synthetic_lines=self.responses.synthetic_lines,
            problems=self.problems,
            sessions=[SessionFact(name, *fact) for name, fact in self.sessions.items()],
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
    collected = _Collected(plan, plan.start)
    position = plan.start
    for block, base, stop in _blocks(descriptor, plan.start, collected):
        _take_lines(collected, block, base, stop)
        position = base + stop
        if position - collected.start >= STRETCH_BYTES:
            yield collected.stretch(descriptor, position, is_last=False)
            collected = _Collected(plan, position)
    yield collected.stretch(descriptor, position, is_last=True)


def _take_lines(collected: _Collected, block: bytearray, base: int, stop: int) -> None:
    """Take every whole line of `block[:stop]` in."""
    count_from = collected.plan.count_from
    find = block.find
    take = collected.take
    at = 0
    with memoryview(block) as view:
        while at < stop:
            end = find(b"\n", at, stop)
            offset = base + at
            counted = offset >= count_from
            if counted:
                collected.lines += 1
            if offset == 0 and block.startswith(_BOM):
                at = len(_BOM)
            take(view[at:end], offset, counted)
            at = end + 1


def _blocks(
    descriptor: int, start: int, collected: _Collected
) -> Iterator[tuple[bytearray, int, int]]:
    """Yield (buffer, position of its first byte, end of its last whole line).

    The buffer is re-used: what is wanted of a block must be taken before the next one.
    """
    block = bytearray(BUFFER_BYTES)
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
        collected.take(memoryview(data), offset, counted=False)
