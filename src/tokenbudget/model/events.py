"""What a source reads out of one stretch of one file, as frozen values.

A stretch is the unit in which files are read, sent between processes and committed. Positions are
byte offsets of a line's first byte; sizes are bytes of the JSON text as it stands in the file, so
that they need no decoding; hashes are 64-bit and compare equal text within one ledger only.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.usage import Packed


def text_sum(data: bytes) -> int:
    """A 64-bit sum of a JSON text as it stands in a line: equal text, equal number."""
    return (zlib.crc32(data) << 31) ^ zlib.adler32(data)


class Problem(NamedTuple):
    """A line that could not be read, or a fact about one that a person should know."""

    offset: int
    reason: str


class SessionFact(NamedTuple):
    """What a stretch tells of one session: its place, time span and titles."""

    session: str
    cwd: str
    git_branch: str
    version: str
    first_at: str
    last_at: str
    title: str


class ToolCall(NamedTuple):
    """The agent asked for a tool. `target` is what it acts on: a path, a skill, an agent type."""

    tool_use_id: str
    response_key: str
    name: str
    target: str
    input_bytes: int
    input_hash: int
    called_at_ms: int
    offset: int


class ToolResult(NamedTuple):
    """A tool answered. `duration_ms` is None where the client did not say."""

    tool_use_id: str
    result_bytes: int
    result_hash: int
    is_error: int
    duration_ms: int | None
    answered_at_ms: int
    offset: int


class Content(NamedTuple):
    """A block of words: `kind` is prompt, notice, summary, image, text or thinking."""

    uuid: str
    position: int
    response_key: str
    kind: str
    size_bytes: int
    at_ms: int
    session: str
    offset: int


class Attachment(NamedTuple):
    """Text that the client injected; `size_bytes` is what the model was shown of it, if known."""

    uuid: str
    kind: str
    size_bytes: int
    at_ms: int
    session: str
    offset: int


class Compaction(NamedTuple):
    """The history was replaced by a summary (`compact`) or thinned in place (`microcompact`)."""

    uuid: str
    kind: str
    trigger: str
    pre_tokens: int | None
    post_tokens: int | None
    saved_tokens: int | None
    at_ms: int
    session: str
    offset: int


class Detail(NamedTuple):
    """Everything in a stretch that is not usage."""

    tool_calls: list[ToolCall]
    tool_results: list[ToolResult]
    contents: list[Content]
    attachments: list[Attachment]
    compactions: list[Compaction]


class LineCounts(NamedTuple):
    """Lines of a stretch, and how many of them are special; `docs/schema.md` says in what way."""

    lines: int
    blank_lines: int
    malformed_lines: int
    repaired_lines: int
    synthetic_lines: int


class Stretch(NamedTuple):
    """What was read from `start` to `end` of one file, and what stands at its edges."""

    start: int
    end: int
    size_bytes: int
    is_last: bool
    fingerprint: tuple[int, int]
    cwd: str
    """The first working directory that a line names; '' where none does."""
    line_counts: LineCounts
    problems: list[Problem]
    sessions: list[SessionFact]
    responses: list[Packed]
    detail: Detail | None


class ReadPlan(NamedTuple):
    """Where to begin in a file, and whether everything is wanted or usage alone.

    Lines are counted and their problems reported by the pass that wants everything.
    """

    path: str
    session: str
    start: int
    with_detail: bool


def pack(stretch: Stretch) -> tuple[object, ...]:
    """The stretch as plain tuples and lists, which is all that `marshal` takes."""
    detail = stretch.detail
    return (
        *stretch[:6],
        tuple(stretch.line_counts),
        [tuple(problem) for problem in stretch.problems],
        [tuple(fact) for fact in stretch.sessions],
        stretch.responses,
        None if detail is None else [[tuple(event) for event in kind] for kind in detail],
    )


def unpack(packed: tuple[Any, ...]) -> Stretch:
    """The inverse of `pack`."""
    *scalars, line_counts, problems, sessions, responses, detail = packed
    kinds: list[Any] = [ToolCall, ToolResult, Content, Attachment, Compaction]
    return Stretch._make(
        [
            *scalars,
            LineCounts(*line_counts),
            [Problem(*problem) for problem in problems],
            [SessionFact(*fact) for fact in sessions],
            responses,
            None
            if detail is None
            else Detail._make(
                [kind(*event) for event in events]
                for kind, events in zip(kinds, detail, strict=True)
            ),
        ]
    )
