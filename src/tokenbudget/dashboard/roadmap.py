"""A marked block of figures in a ROADMAP.md; nothing outside its markers is ever touched.

The file is somebody's own, in whatever encoding and with whatever line ends it has. So it is
handled as bytes, and where it is not plain where the block begins and ends, it is left alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.dashboard import words
from tokenbudget.dashboard.tracker import stamp
from tokenbudget.model import markdown
from tokenbudget.model.errors import Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.edited_file import edit_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.window_budget import LimitState
    from tokenbudget.dashboard.view_model import Frame, SessionView

BEGIN, END = b"<!-- tokenbudget:begin -->", b"<!-- tokenbudget:end -->"
COPY_SUFFIX = ".bak-tokenbudget"
MOST_ALERTS = 3
UNKNOWN = "unknown"

_MARK = re.compile(rb"tokenbudget:(?:begin|end)")
_CONTAINER = rb"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]*)*"
_FENCE = re.compile(_CONTAINER + rb"(?:(`{3,})[^`]*|(~{3,}).*)$")
_FENCE_END = re.compile(rb"[ \t>]*(`{3,}|~{3,})$")
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_CHANGED = b"| Last change | "


def with_block(content: bytes, frame: Frame) -> bytes:
    """The content with the figures of the frame in its block; without one it is added at the end.

    Where nothing but the time would differ the content is returned as it is.

    Raises:
        Refused: the markers are damaged or in a code block, or it is no text to add to.
    """
    _refuse_other_encodings(content)
    place = block_place(content)
    if place is None:
        end_of_line = _first_line_end(content)
        return content + _gap(content, end_of_line) + block_bytes(frame, end_of_line) + end_of_line
    begin, end = place
    block = block_bytes(frame, _first_line_end(content[begin:]))
    if _without_time(content[begin:end]) == _without_time(block):
        return content
    return content[:begin] + block + content[end:]


def update_roadmap(path: str, frame: Frame, *, may_create: bool = False) -> bool:
    """Bring the block in a file up to date; says whether it had to be written.

    A file without a block is copied beside itself first. Pass `may_create` once, when somebody
    asked for the file: one that is removed later stays away.

    Raises:
        ProjectUnusable: the file is not there, or cannot be read or written.
        Refused: it is nothing to write into, or as by `with_block`.
    """

    def change(content: bytes) -> bytes:
        try:
            return with_block(content, frame)
        except Refused as reason:
            raise Refused(f"'{one_line(path)}' is left as it is: {reason}") from reason

    return edit_file(
        path,
        change,
        COPY_SUFFIX,
        lambda content: block_place(content) is not None,
        may_create=may_create,
    )


def block_place(content: bytes) -> tuple[int, int] | None:
    """Where the block begins and ends, both markers in it; None where there is none.

    Raises:
        Refused: it is not plain where, or where a new one could stand.
    """
    start = len(_BOM) if content.startswith(_BOM) else 0
    marks = _marks(content[start:])
    if not marks:
        return None
    if [mark.bare for mark in marks] != [BEGIN, END]:
        raise _damaged(marks[-1].line_number, "a marker too many, or without its counterpart")
    return start + marks[0].offset, start + marks[1].offset + len(END)


class _Mark(NamedTuple):
    bare: bytes
    """The marker itself."""
    offset: int
    line_number: int


def _marks(content: bytes) -> list[_Mark]:
    """Every marker, each alone on its line and in no code block."""
    found: list[_Mark] = []
    offset, fence = 0, b""
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        bare = line.rstrip(b" \t\r\n")
        if not _MARK.search(line):
            fence = _fence_after(fence, bare)
        elif bare not in (BEGIN, END):
            raise _damaged(number, "a marker that does not stand alone on it")
        elif fence:
            raise _damaged(number, "a marker inside a code block")
        else:
            found.append(_Mark(bare, offset, number))
        offset += len(line)
    if fence and not found:
        raise Refused("a code block is still open at the end of the file; close it first")
    return found


def block_bytes(frame: Frame, end_of_line: bytes = b"\n") -> bytes:
    """The block with both markers, without a line end after it."""
    lines = ["| Token budget | |", "|---|---|"]
    lines += [f"| {_cell(name)} | {_cell(text)} |" for name, text in _rows(frame)]
    lines.append(f"{_CHANGED.decode()}{_minute(frame.made_at_ms, frame)} |")
    table = end_of_line.join(line.encode() for line in lines)
    return end_of_line.join((BEGIN, b"", table, b"", END))


def _rows(frame: Frame) -> list[tuple[str, str]]:
    view = frame.chosen
    if view is None:
        return [("Session", "none is live")]
    burning = [alert for alert in frame.alerts if alert.status.startswith("firing")]
    return [
        ("Session", " · ".join(filter(None, _names(view)))),
        ("Context window", _used(view)),
        ("Health", words.level_words(view.level)),
        ("Burn rate", words.burn_words(view)),
        ("Next", words.next_words(view) or words.clean(view.forecast_reason) or UNKNOWN),
        ("Cost", words.cost_words(view)),
        ("Cache", _cache(view, frame)),
        *[(f"{words.clean(limit.title)} limit", _limit(limit, frame)) for limit in frame.limits],
        ("Alerts", ", ".join(words.clean(one.title) for one in burning[:MOST_ALERTS]) or "none"),
    ]


def _names(view: SessionView) -> tuple[str, str, str]:
    return (
        words.project_name(view.project),
        words.session_name(view),
        words.model_name(view.model),
    )


def _used(view: SessionView) -> str:
    if view.total_tokens is None or not view.window_tokens or view.share is None:
        return words.used_words(view)
    share = words.percent(view.share)
    return f"{view.total_tokens:,} of {view.window_tokens:,} tokens ({share})"


def _cache(view: SessionView, frame: Frame) -> str:
    """With the time at which it is cold, where `words` has the span: a span changes every tick."""
    hit = view.cache.hit_share
    told = UNKNOWN if hit is None else f"hit {words.percent(hit)}"
    cold_at_ms = view.cache.cold_at_ms
    if cold_at_ms is None:
        return told
    return f"{told}, cold from {_minute(cold_at_ms, frame)}"


def _limit(limit: LimitState, frame: Frame) -> str:
    forecast = limit.forecast
    if forecast.used_share is None:
        return UNKNOWN
    told = f"{words.percent(forecast.used_share)} used"
    if forecast.resets_at_ms is None:
        return told
    return f"{told}, resets {_minute(forecast.resets_at_ms, frame)}"


def _cell(text: str) -> str:
    """A cell that can neither leave its table nor look like a marker."""
    return markdown.cell(text).replace("tokenbudget:", "tokenbudget&#58;")


def _minute(at_ms: int, frame: Frame) -> str:
    """A moment to the minute, with its distance from UTC."""
    at = stamp(at_ms, frame)
    return f"{at[:10]} {at[11:16]} {at[19:]}" if at else UNKNOWN


def _without_time(block: bytes) -> bytes:
    """The block without the rest of the line that has the time."""
    before, mark, after = block.partition(_CHANGED)
    ended = after.lstrip(b"0123456789-+: |")
    return before + mark + ended


def _fence_after(fence: bytes, line: bytes) -> bytes:
    """The fence of the code block that is open after this line; b'' where none is."""
    if fence:
        end = _FENCE_END.match(line)
        is_end = end is not None and end[1][:1] == fence[:1] and len(end[1]) >= len(fence)
        return b"" if is_end else fence
    begin = _FENCE.match(line)
    return (begin[1] or begin[2]) if begin else b""


def _gap(content: bytes, end_of_line: bytes) -> bytes:
    """What makes the line before the block a blank one."""
    last = next(iter(content.splitlines(keepends=True)[-1:]), b"\n")
    if not last.endswith(b"\n"):
        return end_of_line * 2
    return end_of_line if last.strip() else b""


def _first_line_end(content: bytes) -> bytes:
    line = next(iter(content.splitlines(keepends=True)), b"")
    return b"\r\n" if line.endswith(b"\r\n") else b"\n"


def _refuse_other_encodings(content: bytes) -> None:
    if b"\0" in content or content.startswith(_OTHER_ENCODINGS):
        raise Refused("the file is no UTF-8 text; convert it, or name another one")


def _damaged(number: int, what: str) -> Refused:
    return Refused(f"line {number} has {what}; put both markers right, or remove them")
