"""Take our own change out of a text that somebody has edited since, line by line; or say why not.

Lines that we added are taken out wherever they stand unchanged; if they stand there twice, only
between their two neighbours. What we replaced is put back beside one neighbour of it, what we
removed between both. Nowhere else is it certain what is whose. What somebody else wrote stays.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

MOST_LINES = 5_000
"""No text that a person writes for an agent is longer; a longer one only goes back unchanged."""
MOST_PAIRS = 4_000_000
"""Lines that differ, ours times theirs: comparing takes a second for so many in the worst case."""


class Merged(NamedTuple):
    """The text without our change, as far as it could be taken out."""

    text: str
    conflicts: tuple[int, ...]
    """Lines of our text, from 1, at which a change of ours begins that stays."""


class _Hunk(NamedTuple):
    """We made `ours` (our lines from `start` on) of `old`."""

    start: int
    ours: tuple[str, ...]
    old: tuple[str, ...]


def without_ours(now: str, ours: str, before: str, only: Collection[int] | None = None) -> Merged:
    """`now` without what we did when we made `ours` of `before`.

    `only` are the conflicts of an earlier time: what was not one of them has been taken out, and
    whatever looks like it now is somebody else's.
    """
    if now in (ours, before):
        return Merged(before, ())
    now_lines, our_lines, old_lines = _lines(now), _lines(ours), _lines(before)
    if max(map(len, (now_lines, our_lines, old_lines))) > MOST_LINES:
        return Merged(now, (1,))
    kept, stands = _matches(our_lines, old_lines), _matches(our_lines, now_lines)
    if kept is None or stands is None:
        return Merged(now, (1,))
    places = {-1: -1, len(our_lines): len(now_lines), **stands}
    conflicts: list[int] = []
    for hunk in reversed(_hunks(our_lines, old_lines, kept)):
        if only is not None and hunk.start + 1 not in only:
            continue
        if _is_out(hunk, places, now_lines):
            continue
        span = _span(hunk, places, now_lines)
        if span is None:
            conflicts.append(hunk.start + 1)
        else:
            now_lines[span[0] : span[1]] = hunk.old
    return Merged("".join(now_lines), tuple(reversed(conflicts)))


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, whatever else Unicode knows."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _matches(ours: list[str], other: list[str]) -> dict[int, int] | None:
    """Which of our lines stand in another text, and where; None where that takes too long."""
    from difflib import SequenceMatcher

    start, end = 0, 0
    most = min(len(ours), len(other))
    while start < most and ours[start] == other[start]:
        start += 1
    while end < most - start and ours[-1 - end] == other[-1 - end]:
        end += 1
    middle, their_middle = ours[start : len(ours) - end], other[start : len(other) - end]
    if len(middle) * len(their_middle) > MOST_PAIRS:
        return None
    found = {n: n for n in range(start)}
    for at, place, size in SequenceMatcher(
        None, middle, their_middle, autojunk=False
    ).get_matching_blocks():
        found.update((start + at + n, start + place + n) for n in range(size))
    found.update((len(ours) - n, len(other) - n) for n in range(end, 0, -1))
    return found


def _hunks(ours: list[str], old: list[str], kept: dict[int, int]) -> list[_Hunk]:
    """What we made of what; `kept` are our lines that stand in the old text."""
    hunks = []
    at = old_at = 0
    for here, there in [*kept.items(), (len(ours), len(old))]:
        if here > at or there > old_at:
            hunks.append(_Hunk(at, tuple(ours[at:here]), tuple(old[old_at:there])))
        at, old_at = here + 1, there + 1
    return hunks


def _span(hunk: _Hunk, places: dict[int, int], now: list[str]) -> tuple[int, int] | None:
    """The lines of now that are our hunk; None where that is not certain."""
    size = len(hunk.ours)
    before, after = places.get(hunk.start - 1), places.get(hunk.start + size)
    if not size:
        return (after, after) if before is not None and after == before + 1 else None
    first = places.get(hunk.start)
    if first is None or tuple(now[first : first + size]) != hunk.ours:
        return None
    neighbours = (before == first - 1) + (after == first + size)
    count = sum(tuple(now[at : at + size]) == hunk.ours for at in range(len(now)))
    wanted = 2 if count > 1 else 1 if hunk.old else 0
    return (first, first + size) if neighbours >= wanted else None


def _is_out(hunk: _Hunk, places: dict[int, int], now: list[str]) -> bool:
    """Whether what was there before us stands there again, between the same neighbours."""
    before, after = places.get(hunk.start - 1), places.get(hunk.start + len(hunk.ours))
    if before is None or after is None:
        return False
    return tuple(now[before + 1 : after]) == hunk.old
