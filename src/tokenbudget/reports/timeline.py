"""The window over the life of a session: a stacked chart, then what each turn added and why."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.model import window as window_kinds
from tokenbudget.model.figures import counted, short_count, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.table import Column, render
from tokenbudget.reports.timeline_cleanups import (
    SIGN,
    answer,
    cleanup_lines,
    cleanup_rows,
    cleanups_of,
    placed,
)
from tokenbudget.reports.window import WIDTH, fields_of, headed, heading, note_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_replay import Moment
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.control import Receipt
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

CHART_ROWS = 12
MARKED_ROWS = 3
WIDEST_COLUMN = 6
AXIS_WIDTH = 8
SHOWN_TURNS = 15
BACKSLASH = "\\"

BANDS = (
    ("system", "░", (window_pieces.HIDDEN, window_pieces.SYSTEM_PROMPT, window_pieces.SYSTEM_TOOLS,
                     window_pieces.MEMORY_FILES)),
    ("MCP, skills, agents", "▒", (window_pieces.MCP_TOOLS, window_pieces.SKILLS,
                                  window_pieces.AGENTS)),
    ("files", "▓", (window_pieces.CONTEXT_FILES,)),
    ("messages", "█", (window_pieces.MESSAGES,)),
)  # fmt: skip
"""Bands of the chart from the bottom up: a name, the sign that draws it, its components."""

_EVENT_SIGNS = {
    "compaction": "C",
    "rewound": "R",
    "cleared": "c",
    "retold": "t",
    "model switch": "M",
}


class Turn(NamedTuple):
    """One request as a row: what it added and why."""

    number: int
    moment: Moment
    change_tokens: int
    """Against the request before; negative where something was taken out."""
    why: str


def timeline_lines(
    window: SessionWindow,
    moments: Sequence[Moment],
    facts: SessionRow,
    style: Style,
    zone: Zone,
    shows_all: bool = False,
    receipts: Sequence[Receipt] = (),
) -> list[str]:
    """Chart and turns; with the clean-ups of the controller where it made any."""
    width = min(style.width, WIDTH)
    turns = turns_of(moments)
    known = [turn.moment for turn in turns]
    title = "The window over time"
    lines = [style.bold(headed(title, heading(facts, window), width)), style.faint("─" * width)]
    if not known:
        return [*lines, "  No request reported its usage yet.", *note_lines(window, width)]
    cleanups = cleanups_of(receipts)
    marks = placed(cleanups, known)
    if cleanups:
        said = answer(cleanups, known, window.size.usable_tokens)
        lines += [*(f"  {line}" for line in wrapped(said, width - 2)), ""]
    lines += chart_lines(known, window.size.tokens, width, zone, marks)
    if cleanups:
        lines += ["", style.bold("What the controller took out"), ""]
        lines += cleanup_lines(cleanups, style, zone, width)
    shown = turns if shows_all else largest(turns)
    what = f"The {len(shown)} largest steps of {len(turns)}: what they added, and why"
    if len(shown) == len(turns):
        what = "Every request: what it added, and why"
    lines += ["", style.bold(what), ""]
    lines += _turn_lines(shown, style, width, zone)
    lines += ["", *note_lines(window, width)] if window.notes else []
    return [line.rstrip() for line in lines]


def chart_lines(
    moments: Sequence[Moment],
    size_tokens: int | None,
    width: int,
    zone: Zone,
    cleanups: Container[int] = (),
) -> list[str]:
    """A column per request (wider where there are few), or per run of requests.

    `cleanups` are the indexes of the requests before which the controller cleaned up.
    """
    columns = max(8, width - AXIS_WIDTH - 2)
    runs = _runs(moments, columns)
    cells = max(1, min(WIDEST_COLUMN, columns // len(runs)))
    scale = scale_of(max(sum(moment.groups.values()) for moment in moments), size_tokens)
    stacks = [_stack(run[-1], scale) for run in runs]
    lines = []
    for level in reversed(range(CHART_ROWS)):
        is_marked = (level + 1) % MARKED_ROWS == 0
        mark = short_count(round(scale * (level + 1) / CHART_ROWS)) if is_marked else ""
        drawn = "".join(stack[level] * cells for stack in stacks)
        lines.append(f"{mark:>{AXIS_WIDTH - 2}} │{drawn}")
    lines.append(f"{0:>{AXIS_WIDTH - 2}} └" + "─" * len(runs) * cells)
    events = "".join(_event_sign(run).ljust(cells) for run in runs)
    marks = "".join(sign.ljust(cells) for sign in _cleanup_signs(runs, cleanups))
    lines += [" " * AXIS_WIDTH + row for row in (marks, events) if row.strip()]
    lines.append(_time_axis(moments, len(runs) * cells, zone))
    legend = [f"{sign} {name}" for name, sign, _ in reversed(BANDS)]
    used = {_event_sign([moment]): moment.cause for moment in moments if moment.cause}
    legend += [f"{sign} {name}" for sign, name in sorted(used.items()) if sign.strip()]
    legend += [f"{SIGN} clean-up"] if marks.strip() else []
    lines += ["", *_legend_lines(legend, width)]
    if size_tokens:
        share = f", {scale / size_tokens:.0%} of which is drawn" if scale < size_tokens else ""
        lines.append(f"  The window holds {size_tokens:,} tokens{share}.")
    return lines


def _legend_lines(entries: Sequence[str], width: int) -> list[str]:
    """Entries side by side, none of them broken."""
    lines = [""]
    for entry in entries:
        if lines[-1] and text_width(lines[-1]) + 2 + text_width(entry) > width:
            lines.append("")
        lines[-1] += f"  {entry}"
    return lines


def scale_of(top: float, size_tokens: int | None) -> float:
    """The height of the chart in tokens: round, and the window itself once it is half full."""
    if size_tokens and top >= size_tokens / 2:
        return float(max(size_tokens, top))
    power = 10 ** (len(str(int(max(1.0, top)))) - 1)
    return float(next(step * power for step in (1, 2, 4, 6, 8, 10, 20) if step * power >= top))


def _runs(moments: Sequence[Moment], columns: int) -> list[Sequence[Moment]]:
    """Neighbours in equal runs, as many as there are columns; a run holds one at least."""
    count = min(columns, len(moments))
    edges = [len(moments) * number // count for number in range(count + 1)]
    return [moments[start:end] for start, end in pairwise(edges)]


def _stack(moment: Moment, scale: float) -> list[str]:
    """The signs of one column from the bottom up."""
    cells: list[str] = []
    height = 0.0
    for _, sign, groups in BANDS:
        height += sum(max(0.0, moment.groups[group]) for group in groups)
        filled = min(CHART_ROWS, round(height / scale * CHART_ROWS))
        cells += [sign] * (filled - len(cells))
    return cells + [" "] * (CHART_ROWS - len(cells))


def _event_sign(run: Sequence[Moment]) -> str:
    signs = [_EVENT_SIGNS.get(moment.cause, "") for moment in run]
    return next((sign for sign in sorted(signs, key="CMRct".find) if sign), " ")


def _cleanup_signs(runs: Sequence[Sequence[Moment]], cleanups: Container[int]) -> list[str]:
    """For each run, whether a clean-up came before one of its requests."""
    signs: list[str] = []
    first = 0
    for run in runs:
        is_any = any(number in cleanups for number in range(first, first + len(run)))
        signs.append(SIGN if is_any else " ")
        first += len(run)
    return signs


def _time_axis(moments: Sequence[Moment], columns: int, zone: Zone) -> str:
    def at(moment: Moment) -> str:
        at_ms = moment.request.started_at_ms
        return zone.local(at_ms).strftime("%m-%d %H:%M") if at_ms else "?"

    first, last = at(moments[0]), f"{at(moments[-1])}, {counted(len(moments), 'request')}"
    room = columns - len(first) - len(last)
    return " " * AXIS_WIDTH + first + " " * max(2, room) + last


def turns_of(moments: Sequence[Moment]) -> list[Turn]:
    """Every request that reported its usage, against the one before it."""
    turns: list[Turn] = []
    before = 0
    for number, moment in enumerate(moments, start=1):
        now = moment.request.prompt_tokens
        if not now:
            continue
        turns.append(Turn(number, moment, now - before, why_of(moment)))
        before = now
    return turns


def largest(turns: Sequence[Turn]) -> list[Turn]:
    """The steps that changed most, in their order; the first request is always among them."""
    by_size = sorted(turns[1:], key=lambda turn: -abs(turn.change_tokens))[: SHOWN_TURNS - 1]
    return [*turns[:1], *sorted(by_size, key=lambda turn: turn.number)]


def why_of(moment: Moment) -> str:
    """What happened to the window with a request, and what it added, the largest first."""
    named = [(tokens, _label(label)) for label, tokens in moment.added_labels.items()]
    if abs(moment.unexplained_tokens) > moment.band_tokens:
        named.append((moment.unexplained_tokens, "unseen"))
    by_size = sorted(named, key=lambda pair: -abs(pair[0]))
    parts = [f"{label} {short_count(round(n))}" for n, label in by_size[:3] if abs(n) >= 1]
    return ", ".join([moment.cause, *parts] if moment.cause else parts)


def _label(label: str) -> str:
    """The words for a kind and name of pieces."""
    kind, _, name = label.partition(" ")
    if kind == window_kinds.FILE:
        return "changed file" if name == "edited_text_file" else "attached file"
    if kind == window_kinds.MEMORY_FILE:
        return f"memory file {name.replace(BACKSLASH, '/').rpartition('/')[2]}"
    return f"{kind.replace('_', ' ')} {name}".rstrip()


def _turn_lines(turns: Sequence[Turn], style: Style, width: int, zone: Zone) -> list[str]:
    columns = [
        Column("#"),
        Column("Time", is_text=True, may_cut=False),
        Column("Change"),
        Column("Window"),
        Column("Why", is_text=True, keeps_start=True, enough=width),
    ]
    rows: list[list[Cell]] = [
        [
            turn.number,
            _clock(turn.moment, zone),
            f"{turn.change_tokens:+,}",
            f"{turn.moment.request.prompt_tokens:,}",
            one_line(turn.why),
        ]
        for turn in turns
    ]
    return render(columns, rows, None, style._replace(width=width))


def _clock(moment: Moment, zone: Zone) -> str:
    at_ms = moment.request.started_at_ms
    return zone.local(at_ms).strftime("%m-%d %H:%M:%S") if at_ms else "?"


def timeline_document(
    window: SessionWindow,
    moments: Sequence[Moment],
    facts: SessionRow,
    zone: Zone,
    receipts: Sequence[Receipt] = (),
) -> str:
    """Every request as `tokenbudget/timeline/1`; the `…_tokens` of a row add up to its prompt."""
    rows = []
    for number, moment in enumerate(moments, start=1):
        request = moment.request
        stamp = zone.stamp(request.started_at_ms) if request.started_at_ms else None
        rows.append(
            {
                "request": number,
                "at": stamp,
                "model": request.model,
                "prompt_tokens": request.prompt_tokens,
                "output_tokens": request.output_tokens,
                "used_share": _used_share(request.prompt_tokens, window.size.tokens),
                "event": moment.cause or None,
                "unexplained_tokens": round(moment.unexplained_tokens),
                **{f"{name}_tokens": round(n) for name, n in moment.groups.items()},
                "added": {label: round(n) for label, n in moment.added_labels.items()},
            }
        )
    fields = {
        **fields_of(window, facts),
        "rows": rows,
        "cleanups": cleanup_rows(cleanups_of(receipts), zone),
        "notes": list(window.notes),
    }
    return document("timeline", 1, fields)


def _used_share(prompt_tokens: int | None, size_tokens: int | None) -> float | None:
    return prompt_tokens / size_tokens if prompt_tokens and size_tokens else None
