"""The tools of a thread by day, and what reading whole files would have added."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.study import ToolDay
from tokenbudget.analysis.study_view import standing_at_once
from tokenbudget.analysis.window_pieces import READING_TOOLS
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.analysis.study_calls import Use
    from tokenbudget.analysis.thread_view import Call, ThreadView
    from tokenbudget.model.window import LineFacts


MOST_LINES, MOST_TOKENS = 2_000, 25_000
"""What one read gives at most: the client's `Read` stops behind so many lines, and refuses what is
more than so many tokens."""


class WholeFiles(NamedTuple):
    """What reads of a range would have added, had they read their files whole."""

    tokens: int
    sent_tokens: int
    unsized_range_reads: int


def tool_days(
    view: ThreadView, calls: Iterable[Call], day_of: Callable[[int], int]
) -> tuple[ToolDay, ...]:
    """The owned ones of `calls` by day and tool; a re-run is one of any earlier call."""
    earlier = _first_calls(view)
    sums: dict[tuple[int, str, str], list[int]] = {}
    for call in calls:
        turn = view.turns[call.turn]
        if not turn.is_owned:
            continue
        row = sums.setdefault((day_of(turn.at_ms), call.name, call.server), [0] * 7)
        is_rerun = bool(call.input_hash) and earlier[call.name, call.input_hash] < call.number
        is_timed = call.duration_ms is not None
        written = 0 if call.use is None else call.use.tokens
        added = 0 if call.result is None else call.result.tokens
        amounts = (1, call.is_error, is_rerun, is_timed, call.duration_ms or 0, written, added)
        for place, amount in enumerate(amounts):
            row[place] += int(amount)
    return tuple(ToolDay(*key, *sums[key]) for key in sorted(sums))


def _first_calls(view: ThreadView) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for call in view.calls:
        found.setdefault((call.name, call.input_hash), call.number)
    return found


def whole_files(view: ThreadView, calls: Iterable[Call]) -> WholeFiles:
    """Of the reads of a range among these calls.

    Each file counts once: whoever has read it whole need not read its ranges. Of a long file, the
    naive way has no more than one read gives.
    """
    wholes: dict[str, tuple[float, float]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    unsized = 0
    for call in calls:
        if call.name not in READING_TOOLS or call.result is None or not _is_range(call):
            continue
        if not view.turns[call.turn].is_owned:
            continue
        if not call.file_lines or not call.shown_lines:
            unsized += 1
            continue
        tokens, sent = call.result.tokens, call.result.sent_tokens
        factor = max(1.0, _times_more(call.file_lines, call.shown_lines, tokens))
        wholes.setdefault(call.target, (tokens * factor, sent * factor))
        before = ranges.get(call.target, (0, 0))
        ranges[call.target] = (before[0] + tokens, before[1] + sent)
    more = [
        (max(0.0, whole[0] - ranges[path][0]), max(0.0, whole[1] - ranges[path][1]))
        for path, whole in wholes.items()
    ]
    return WholeFiles(
        round(sum(tokens for tokens, _ in more)), round(sum(sent for _, sent in more)), unsized
    )


def _times_more(file_lines: int, shown_lines: int, tokens: int) -> float:
    lines = min(file_lines, MOST_LINES) / shown_lines
    return min(lines, MOST_TOKENS / tokens) if tokens else lines


def _is_range(call: Call) -> bool:
    return any(call.arguments.get(name) is not None for name in ("offset", "limit"))


def deferred_tools(view: ThreadView) -> int:
    """How many tools were offered by name only, at most at one time."""
    return standing_at_once(
        (piece.entered, piece.left, _names(piece.text.splitlines()))
        for piece in view.seen
        if piece.kind == window.DEFERRED_NAMES
    )


def agents_of(uses: Iterable[Use], facts: LineFacts) -> tuple[tuple[str, str], ...]:
    """(thread, type) of the subagents that these calls started, where the client says which."""
    found: dict[str, str] = {}
    for use in uses:
        told = None if use.call is None else facts.agents.get(use.call.tool_use_id)
        if told is not None:
            found[told[0]] = told[1] or use.row.target
    return tuple(found.items())


def _names(lines: Sequence[str]) -> int:
    return sum(1 for line in lines if (name := line.strip().strip("-*` ")) and " " not in name)
