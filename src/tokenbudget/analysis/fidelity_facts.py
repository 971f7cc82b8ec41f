"""Whether a shortened text says anything that its original does not: the false-fact checker.

It shares no code with what shortens. From the original, the shortened text and the receipt it
counts again what every marker tells, looks every word, number and path outside the markers up in
the original, and follows every line of the original to where it is told or declared left out.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from tokenbudget.analysis.fidelity_atoms import Lookup, bare, unescaped, words
from tokenbudget.analysis.fidelity_counts import NOUNS, RECOUNTS
from tokenbudget.analysis.fidelity_lines import MISSING, PARTIAL, hidden_lines, line_troubles
from tokenbudget.analysis.fidelity_marks import WAY_BACK, Claimed, Sight, taken_apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.analysis.fidelity_marks import Apart

MOST_FAULTS = 50
"""Of one text: what has so many is wrong as a whole."""
RESET = frozenset(("layout", "markup", "rows", "items"))
"""Kinds of texts whose lines are set anew: their words are followed, not their lines."""
_NUMBER = re.compile(r"\d[\d,]*")
_LETTERS = re.compile(r"[^\W\d_]+")
_NUMBERED = re.compile(r"^ {0,9}(\d{1,9})(?:→|\t)")
_UNSEEN = re.compile(
    r"(?is)<!--.*?-->|<!doctype[^>]*>|<(script|style|head|noscript|template|svg)\b.*?</\1\s*>"
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


class Before(NamedTuple):
    """A text that the shortened one may point at."""

    label: str
    text: str
    first_line: int = 0
    """The number of its first line where that is known, else 0."""


class Shortened(NamedTuple):
    """What is to be checked."""

    original: str
    text: str
    opening: str
    removed: Sequence[Claimed]
    is_lossless: bool = False
    handle: str = ""
    """Under which the original was kept; '' where it was not."""
    first_line: int = 0
    """Of the original in its file, where that is known."""
    earlier: Sequence[Before] = ()


class Fault(NamedTuple):
    """Something in a shortened text that is not so."""

    rule: str
    line: int
    """Of the shortened text, from 1; 0: it has none."""
    what: str


class Facts(NamedTuple):
    """How many things a shortened text asserts, and which of them are false."""

    assertions: int
    faults: tuple[Fault, ...]


def facts_of(given: Shortened, decode: Callable[[str, str], str] | None = None) -> Facts:
    """Everything that is checked; `decode` turns a lossless text back."""
    lines = given.original.split("\n")
    apart = taken_apart(given.text, given.opening)
    faults: list[Fault] = []
    for fault in _faults(given, lines, apart, decode):
        faults.append(fault)
        if len(faults) >= MOST_FAULTS:
            break
    assertions = len(words(apart.theirs())) + len(apart.words) + len(lines)
    return Facts(assertions, tuple(faults))


def _faults(
    given: Shortened,
    lines: Sequence[str],
    apart: Apart,
    decode: Callable[[str, str], str] | None,
) -> Iterator[Fault]:
    if given.opening in given.original:
        yield Fault("opening", 0, f"{given.opening} stands in the text itself")
    yield from _range_faults(given, lines)
    yield from _marker_faults(given, lines, apart)
    yield from _word_faults(given, apart)
    if given.is_lossless:
        yield from _lossless_faults(given, decode)
    elif RESET.intersection(one.kind for one in given.removed):
        yield from _reset_faults(given, lines, apart)
    else:
        for trouble in line_troubles(lines, apart, given.removed):
            yield Fault(trouble.rule, trouble.number + 1, trouble.line)


def _lossless_faults(given: Shortened, decode: Callable[[str, str], str] | None) -> Iterator[Fault]:
    if decode is None:
        yield Fault("lossless", 0, "nothing turns it back")
        return
    try:
        back = decode(given.text, given.opening)
    except Exception as exc:  # noqa: BLE001 - whatever a decoder raises, it did not decode
        yield Fault("lossless", 0, f"{type(exc).__name__}: {exc}")
        return
    if back != given.original:
        at = _first_difference(back, given.original)
        found, wanted = back[at : at + 40], given.original[at : at + 40]
        yield Fault("lossless", 0, f"differs at {at}: {found!r}, not {wanted!r}")


def _first_difference(first: str, second: str) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(first), len(second)))


# ── markers ──────────────────────────────────────────────────────────────────────────────────────


def _range_faults(given: Shortened, lines: Sequence[str]) -> Iterator[Fault]:
    """Ranges lie in the text, and no line is counted as gone twice."""
    taken = [False] * len(lines)
    for one in given.removed:
        for start, end in one.ranges:
            if not 0 <= start < end <= len(lines):
                yield Fault("range", 0, f"{one.kind} {start}-{end} of {len(lines)} lines")
            elif one.kind not in PARTIAL:
                if any(taken[start:end]):
                    yield Fault("range", 0, f"{one.kind} {start}-{end} is told twice")
                taken[start:end] = [True] * (end - start)
        if one.count and not one.ranges:
            yield Fault("range", 0, f"{one.kind} {one.count} stands for no lines")


def _marker_faults(given: Shortened, lines: Sequence[str], apart: Apart) -> Iterator[Fault]:
    told = list(apart.words)
    way_back = WAY_BACK.fullmatch(told[-1]) if told else None
    if way_back is not None:
        told.pop()
        if _whole(way_back[1]) != len(lines):
            yield Fault("way back", len(apart.lines), f"{way_back[1]} lines, {len(lines)} counted")
        if given.handle and way_back[2] != given.handle:
            yield Fault("way back", len(apart.lines), f"{way_back[2]} is not {given.handle}")
    elif given.handle and not given.is_lossless:
        yield Fault("way back", 0, "the text does not say how to have the original")
    if len(told) != len(given.removed):
        yield Fault("markers", 0, f"{len(told)} in the text, {len(given.removed)} in the receipt")
        return
    earlier = [one.text.split("\n") for one in given.earlier]
    for i, (said, claimed) in enumerate(zip(told, given.removed, strict=True)):
        number, turn = apart.places[i]
        line = apart.lines[number]
        shown = [one.text for one in apart.lines[max(0, number - 400) : number] if not one.is_ours]
        below = [one.text for one in apart.lines[number + 1 : number + 1 + claimed.count]]
        sight = Sight(
            claimed, said, line.pieces[turn], line.pieces[turn + 1], shown, below, lines, earlier
        )
        for what in _claim_faults(sight, given):
            yield Fault(f"{claimed.kind} marker", number + 1, f"[{said}] {what}")


def _claim_faults(sight: Sight, given: Shortened) -> Iterator[str]:
    claimed = sight.claimed
    recount = RECOUNTS.get(claimed.kind)
    if recount is None:
        yield "is of a kind that nothing counts again"
        return
    wrong = recount(sight)
    if wrong:
        yield wrong
    if claimed.kind in ("layout", "markup"):
        return
    words_of_ours = _without_labels(sight.words, given.earlier)
    numbers = [_whole(found) for found in _NUMBER.findall(words_of_ours)]
    if claimed.count and claimed.count not in numbers:
        yield f"does not tell the {claimed.count} of its receipt"
    known = _numbers_known(sight, given) if len(numbers) > 1 else {claimed.count}
    for number in numbers:
        if number not in known:
            yield f"{number} comes from nowhere"
    for word in _LETTERS.findall(words_of_ours.lower()):
        if word not in NOUNS[claimed.kind].split():
            yield f"'{word}' is a claim that nothing counts again"


def _without_labels(said: str, earlier: Sequence[Before]) -> str:
    """The words of a marker without the name of the earlier text that it points at."""
    for one in sorted(earlier, key=lambda one: -len(one.label)):
        label = " ".join(one.label.split()).replace("]", ")")[:80].strip()
        if label and label in said:
            return said.replace(label, "", 1)
    return said


def _numbers_known(sight: Sight, given: Shortened) -> set[int]:
    """The count and the numbers of the first and last lines, here and where they stood before."""
    known = {sight.claimed.count}
    if sight.claimed.kind == "repeated":  # so many lines, so many times
        known.add(len(sight.hidden()) // max(1, sight.claimed.count))
    for start, end in sight.claimed.ranges:
        block = sight.lines[start:end]
        known |= {start + max(1, given.first_line), end - 1 + max(1, given.first_line)}
        known |= _own_numbers(block)
        for one, lines in zip(given.earlier, sight.earlier, strict=True):
            for at in _places_of(block, lines):
                first = at + max(1, one.first_line)
                known |= {first, first + len(block) - 1}
                known |= _own_numbers(lines[at : at + len(block)])
    return known


def _own_numbers(block: Sequence[str]) -> set[int]:
    """The numbers that a file reader put before the first and the last of these lines."""
    found = [_NUMBERED.match(line) for line in (*block[:1], *block[-1:])]
    return {int(one[1]) for one in found if one}


def _places_of(block: Sequence[str], lines: Sequence[str]) -> Iterator[int]:
    wanted = [_NUMBERED.sub("", line) for line in block]
    there = [_NUMBERED.sub("", line) for line in lines]
    for at, line in enumerate(there):
        if line == wanted[0] and there[at : at + len(wanted)] == wanted:
            yield at


def _whole(digits: str) -> int:
    return int(digits.replace(",", ""))


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _word_faults(given: Shortened, apart: Apart) -> Iterator[Fault]:
    """Every word, number and path outside the markers stands in the original."""
    lookup = Lookup([given.original])
    for atom in lookup.strange(apart.theirs(), apart.glued()):
        line = next((one.number + 1 for one in apart.lines if atom in one.text), 0)
        yield Fault("word", line, atom)


def _reset_faults(given: Shortened, lines: Sequence[str], apart: Apart) -> Iterator[Fault]:
    """The words of every line that no marker stands for are told."""
    theirs = apart.theirs()
    told = words(theirs) | words(unescaped(theirs))
    kinds = {one.kind for one in given.removed}
    hiding = [one for one in given.removed if one.kind not in RESET or one.kind == "items"]
    hidden = hidden_lines(len(lines), given.removed if "markup" in kinds else hiding)
    for number, line in enumerate(lines):
        text = bare(line)
        if not (hidden[number] or words(text) <= told or words(unescaped(text)) <= told):
            yield Fault(MISSING, 0, text)
    if any(one.kind == "markup" for one in given.removed):
        for word in sorted(words(_between_tags(given.original)) - told):
            yield Fault("missing word", 0, word)


def _between_tags(page: str) -> str:
    """What a page says: no tag, no comment, and nothing that a browser does not show."""
    without = _UNSEEN.sub(" ", page)
    return html.unescape(_TAG.sub(" ", without))
