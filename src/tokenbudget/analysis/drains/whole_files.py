"""Large files that were read whole although the thread went on to use a small part of them."""

from __future__ import annotations

import re

from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import (
    Copy,
    carried_code,
    copy_of,
    file_name,
    is_ranged,
)
from tokenbudget.analysis.drains.identifiers import defined_in, is_coined, plain_words_of, words_of
from tokenbudget.analysis.drains.later_use import LaterUse, later_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import ThreadView

LEAST_TOKENS = 2_000
LEAST_LINES = 250
"""Below, reading a file whole is good practice."""
LEAST_REQUESTS = 10
"""That carried it: in a short thread nobody knows what is still to come."""
AROUND_LINES = 25
"""Kept before and behind each used line: a range that one would have read."""
LARGEST_USED_SHARE = 0.5
RARE_LINES = 3
"""A word on more lines of the file than these does not tell which of them was meant."""
LONG_WORD = 7
"""Letters of a plain word that is a name where it is defined: `checkout`, not `text`."""
DOUBT = 0.4
"""Reading shows where to look, too, and understanding leaves few traces."""


def _whole_files(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    found = carried_code(view, claimed, least_tokens=LEAST_TOKENS, least_requests=LEAST_REQUESTS)
    copies = [copy for copy in found if copy.first == 1 and len(copy.lines) >= LEAST_LINES]
    if not copies:
        return
    use = later_use(view)
    for copy in copies:
        if _is_taken_whole(view, copy) or not _is_worked_on(view, copy, use):
            continue
        used = used_lines(view, copy, use)
        kept = _with_surroundings(used, len(copy.lines))
        characters = sum(map(len, copy.lines)) or 1
        share = sum(len(copy.lines[n]) for n in kept) / characters
        if not used or share > LARGEST_USED_SHARE:
            continue
        claimed.add(copy.piece.number)
        charge = carried(copy.piece).part(1 - share)
        yield _sighting(view, copy, charge, len(kept))


def _is_taken_whole(view: ThreadView, copy: Copy) -> bool:
    """Whether the file was later written, or read, whole."""
    for call in view.calls[copy.call.number + 1 :]:
        if call.target != copy.path or call.is_error:
            continue
        if call.name == "Write" or (call.name == "Read" and not is_ranged(call)):
            return True
    return False


def _is_worked_on(view: ThreadView, copy: Copy, use: LaterUse) -> bool:
    """Whether a later call or text was about the file: else nobody knows what it was read for."""
    after = copy.call.number
    return any(call.target == copy.path for call in view.calls[after + 1 :]) or use.names(
        file_name(copy.path), copy.piece.number
    )


def used_lines(view: ThreadView, copy: Copy, use: LaterUse) -> set[int]:
    """The lines (from 0) that came back: edited, read again, quoted, cited or named."""
    after = copy.piece.number
    used = _edited_or_read(view, copy) | _cited(copy, use)
    holding: dict[str, list[int]] = {}
    defining: dict[str, list[int]] = {}
    for number, line in enumerate(copy.lines):
        if use.has_line(line, after):
            used.add(number)
        for word in set(words_of(line)):
            holding.setdefault(word, []).append(number)
        for word in defined_in(line):
            defining.setdefault(word, []).append(number)
    rare = (w for w, lines in holding.items() if len(lines) <= RARE_LINES and is_coined(w))
    for word in use.learned(rare, after):
        used.update(holding[word])
    used |= _met_first_in(copy, use)
    for word, lines in defining.items():
        is_telling = is_coined(word) or len(word) >= LONG_WORD
        if is_telling and len(lines) <= RARE_LINES and use.has_word(word, after):
            used.update(lines)
    return used


def _met_first_in(copy: Copy, use: LaterUse) -> set[int]:
    """The lines with a plain word that was first met in them, however it is put or spelt later.

    `fileFilters` of the file is `file filters`, or `Filters`, in what is written of it.
    """
    holding: dict[str, list[int]] = {}
    for number, line in enumerate(copy.lines):
        for word in set(plain_words_of(line)):
            holding.setdefault(word, []).append(number)
    rare = (word for word, lines in holding.items() if len(lines) <= RARE_LINES)
    met = use.learned_plain(rare, copy.piece.number)
    return {number for word in met for number in holding[word]}


def _edited_or_read(view: ThreadView, copy: Copy) -> set[int]:
    used: set[int] = set()
    text = "\n".join(copy.lines)
    for call in view.calls[copy.call.number + 1 :]:
        if call.target != copy.path:
            continue
        if call.name == "Read" and call.result is not None:
            later = copy_of(call, call.result)
            used |= set() if later is None else set(range(later.first - 1, later.last))
        for old in _old_strings(call.arguments):
            at = text.find(old)
            if at >= 0:
                first = text.count("\n", 0, at)
                used |= set(range(first, first + old.count("\n") + 1))
    return {number for number in used if number < len(copy.lines)}


def _old_strings(arguments: object) -> Iterator[str]:
    """What the edits of a call replace."""
    if not hasattr(arguments, "get"):
        return
    old = arguments.get("old_string")
    if isinstance(old, str) and old:
        yield old
    edits = arguments.get("edits")
    for edit in edits if isinstance(edits, list) else ():
        yield from _old_strings(edit)


def _cited(copy: Copy, use: LaterUse) -> set[int]:
    """Lines that were named by number behind the file's name: `cart.py:120-140`."""
    name = re.escape(file_name(copy.path))
    citation = re.compile(
        name + r"\W{1,4}(?:L|(?:\w{1,9} ){0,2}lines? )?(\d{1,6})(?:\s*[-\u2013]\s*L?(\d{1,6}))?"
    )
    used: set[int] = set()
    for number, text in use.texts:
        if number > copy.piece.number:
            for found in citation.finditer(text):
                first = int(found[1])
                last = min(int(found[2] or first), len(copy.lines))
                used |= set(range(first - 1, last))
    return {number for number in used if 0 <= number < len(copy.lines)}


def _with_surroundings(used: set[int], count: int) -> set[int]:
    kept: set[int] = set()
    for number in used:
        kept.update(range(max(0, number - AROUND_LINES), min(count, number + AROUND_LINES + 1)))
    return kept


def _sighting(view: ThreadView, copy: Copy, charge: Charge, kept: int) -> Sighting:
    detail = (
        f"read whole, {len(copy.lines):,} lines; what came of it lies in {kept:,} of them,"
        f" {AROUND_LINES} on either side counted in"
    )
    times = owned_calls(view, (copy.call,))
    return charged(view, WHOLE_FILE.id, copy.path, copy.call, times, charge, DOUBT, detail)


WHOLE_FILE = Drain(
    id="whole-file",
    title="Large files read whole for a small part",
    rule=(
        f"A file of {LEAST_LINES} lines and {LEAST_TOKENS:,} tokens or more, no prose, was read"
        f" without a range, carried by {LEAST_REQUESTS} or more requests, and named or edited"
        " later, but never again read or written whole. Everything that the model wrote afterwards"
        " is searched for its lines: edited, read again by range, quoted,"
        " cited by number, defining a name that was written afterwards, or holding one that was"
        " first met there, or a plain word of six letters or more, in whatever case and however"
        f" joined with others; names on more than {RARE_LINES} lines tell of none. With"
        f" {AROUND_LINES} lines on either side of each they make up at most"
        f" {LARGEST_USED_SHARE:.0%} of the file. Charged: the rest. Error: that of the count, and"
        f" {DOUBT:.0%}."
    ),
    alternative="a search for the name, then a read of the range around it",
    tip="Search first, then read with offset and limit; keep files short.",
    fix="Tell the agent to search `{subject}` and read ranges of it; split the file",
    detect=_whole_files,
)
