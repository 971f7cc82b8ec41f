"""What a thread took from its tools' results: lines that it quoted, files and names it went on to.

A span counts where a result told it before anything else did: not the person, and not the model. It
counts once, when the model first writes it; after that it stands in the model's own words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.analysis.backtest_needs import EDIT, READING, Need, old_strings
from tokenbudget.analysis.drains.identifiers import is_coined, words_of
from tokenbudget.analysis.drains.later_use import LEAST_QUOTED_CHARACTERS, strings_in
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.thread_view import Call, Seen

QUOTED, NAMED = "quoted", "named"
MOST_HOLDERS = 8
"""Places where a span stands that are remembered, the first and the latest ones."""
_PATH = re.compile(r"[\w.@~+-]*(?:/[\w.@+-]+)+")
_COMPARED = re.compile(r"diff --git (a/.+) (b/.+)")
_NUMBERED = re.compile(r"^ {0,9}\d{1,9}(?:→|\t)", re.MULTILINE)


class Span(NamedTuple):
    """Something that one text says and another one says again."""

    kind: str
    """`QUOTED`: a whole line; `NAMED`: a path or a name made for programs."""
    text: str


def read_as(text: str, tool: str) -> str:
    """What a model reads in a result: a file without the numbers before its lines."""
    return _NUMBERED.sub("", text) if tool in READING else text


def is_told_in(text: str, need: Need) -> bool:
    """Whether a text tells what is needed: word for word.

    But for the first line of a difference, where it is quoted: that is told by the two lines which
    it is made of (`--- a/x` and `+++ b/x`), each whole.
    """
    if need.span in text:
        return True
    compared = None if need.kind == EDIT else _COMPARED.fullmatch(need.span)
    if compared is None:
        return False
    lines = {line.strip() for line in text.split("\n")}
    return f"--- {compared[1]}" in lines and f"+++ {compared[2]}" in lines


def spans_in(text: str) -> Iterator[Span]:
    """What of a text would be known again."""
    for line in text.split("\n"):
        stripped = line.strip()
        if len(stripped) >= LEAST_QUOTED_CHARACTERS:
            yield Span(QUOTED, stripped)
    for name in names_in(text):
        yield Span(NAMED, name)


def names_in(text: str) -> set[str]:
    """The paths and the names made for programs that a text holds."""
    names = {word for word in words_of(text) if is_coined(word)}
    if "/" in text:
        names |= {path.rstrip(".") for path in _PATH.findall(text)}
    return names


def needs_in(timeline: Timeline) -> list[Need]:
    """What edits and everything else took from results, in the order in which it was needed."""
    found = [*edits_in(timeline), *uses_of(timeline)]
    return sorted(found, key=lambda need: (need.request, need.by_call))


def edits_in(timeline: Timeline) -> list[Need]:
    """The texts that edits replaced, where something in the window had told them."""
    shown = {piece.number: _words_of(piece, timeline.call_of) for piece in timeline.pieces}
    found: list[Need] = []
    for call in timeline.calls:
        if call.is_error or call.name not in ("Edit", "MultiEdit"):
            continue
        for text in old_strings(call):
            holders = tuple(
                piece.number
                for piece in reversed(timeline.pieces)
                if piece.entered <= call.turn < piece.left and text in shown[piece.number]
            )
            if holders:
                found.append(Need(call.turn, EDIT, text, holders, call.number))
    return found


def _words_of(piece: Seen, call_of: Mapping[int, Call]) -> str:
    call = call_of.get(piece.number)
    if piece.kind == window.TOOL_USE and call is not None and call.arguments:
        return "\n".join(strings_in(call.arguments))
    return read_as(piece.text, piece.name) if piece.kind == window.TOOL_RESULT else piece.text


def uses_of(timeline: Timeline) -> list[Need]:
    """The spans that the model wrote and had from a result; `kind` is that of the span."""
    told: dict[Span, list[int]] = {}
    known: set[Span] = set()
    found: list[Need] = []
    for piece in timeline.pieces:
        words = _words_of(piece, timeline.call_of)
        if piece.kind == window.TOOL_RESULT:
            for span in set(spans_in(words)):
                _note(told.setdefault(span, []), piece.number)
        elif piece.kind in window.WRITTEN:
            call = timeline.call_of.get(piece.number)
            written = set(_written_spans(piece, words)) - known
            found += _taken(written, piece, call, told, timeline.pieces)
            known |= written
        elif words:
            known |= set(spans_in(words)) - told.keys()
    return found


def _note(holders: list[int], number: int) -> None:
    if len(holders) >= MOST_HOLDERS:
        del holders[1]
    holders.append(number)


def _written_spans(piece: Seen, words: str) -> Iterator[Span]:
    """Of what it says to a person only whole lines: names in it are mostly its own words."""
    for span in spans_in(words):
        if span.kind == QUOTED or piece.kind == window.TOOL_USE:
            yield span


def _taken(
    written: set[Span],
    piece: Seen,
    call: Call | None,
    told: Mapping[Span, Sequence[int]],
    pieces: Sequence[Seen],
) -> Iterator[Need]:
    request = piece.entered - 1 if call is None else call.turn
    for span in sorted(written):
        holders = tuple(
            number
            for number in reversed(told.get(span, ()))
            if pieces[number].entered <= request < pieces[number].left
        )
        if holders:
            by_call = -1 if call is None else call.number
            yield Need(request, span.kind, span.text, holders, by_call)
