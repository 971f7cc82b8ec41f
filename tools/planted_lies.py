"""Shortened texts with a lie in them, and results worse than life: to ask the checker with.

`false_facts.py` tells how many of the lies are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from tokenbudget.analysis.fidelity_facts import Shortened


def lies_in(given: Shortened, chance: random.Random) -> Iterator[tuple[str, Shortened]]:
    """The same shortened text with one thing in it that is not so, in several ways."""
    lines = given.text.split("\n")
    theirs = [at for at, line in enumerate(lines) if given.opening not in line and line.strip()]
    if theirs:
        at = chance.choice(theirs)
        yield "line left out", _with(given, [*lines[:at], *lines[at + 1 :]])
        yield "line told twice", _with(given, [*lines[: at + 1], *lines[at:]])
        yield "not, put in", _with(given, [*lines[:at], f"{lines[at]} not", *lines[at + 1 :]])
    digits = [at for at in theirs if any(sign in "0123456789" for sign in lines[at])]
    if digits:
        at = chance.choice(digits)
        places = [place for place, sign in enumerate(lines[at]) if sign in "0123456789"]
        place = chance.choice(places)
        other = str((int(lines[at][place]) + chance.randint(1, 9)) % 10)
        changed = f"{lines[at][:place]}{other}{lines[at][place + 1 :]}"
        yield "digit changed", _with(given, [*lines[:at], changed, *lines[at + 1 :]])
    counted = [at for at, one in enumerate(given.removed) if one.count]
    if counted:
        at = chance.choice(counted)
        one = given.removed[at]
        more = one._replace(count=one.count + 1)
        removed = [*given.removed[:at], more, *given.removed[at + 1 :]]
        text = given.text.replace(f" {one.count:,} ", f" {more.count:,} ").replace(
            f" {one.count} ", f" {more.count} "
        )
        yield "count, one more", given._replace(text=text, removed=removed)
        moved = one._replace(ranges=tuple((start + 1, end + 1) for start, end in one.ranges))
        removed = [*given.removed[:at], moved, *given.removed[at + 1 :]]
        yield "range, one on", given._replace(removed=removed)


def _with(given: Shortened, lines: list[str]) -> Shortened:
    return given._replace(text="\n".join(lines))


# ── worse than life ──────────────────────────────────────────────────────────────────────────────

INTRUDERS = (
    *("[~ 40 lines]", "[~~ 3 more times]", "[~ all 9 lines: tokens recall 123456789012]", ""),
    *("FAILED tests/test_a.py::test_b - assert 1 == 2", "error[E0308]: mismatched types"),
    *("\x00\udcff", "\x1b[31mred\x1b[0m", "10%\r50%\r100%", "src/a.py:12:x = 1", "A" * 900),
    *('{"a": 1, "b": [1, 2]}', "| a | b |", "    at f (node_modules/x/y.js:1:2)"),
    *("0 errors, 0 warnings", "@@ -1,2 +1,2 @@"),
)
"""Lines that imitate us, that a cut must not hide, and that tools really put out."""


def worsened(text: str, chance: random.Random) -> str:
    """The text with something done to it that a tool could do."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(lines) + 1)
        end = min(len(lines), at + chance.randint(1, 4))
        match chance.randrange(8):
            case 0 | 1 | 2:
                lines.insert(at, chance.choice(INTRUDERS))
            case 3:
                lines[at:at] = lines[at:end] * chance.randint(1, 6)
            case 4:
                lines[at:end] = [f"\x1b[32m{line}\x1b[0m" for line in lines[at:end]]
            case 5:
                lines[at:end] = [line[: chance.randrange(len(line) + 1)] for line in lines[at:end]]
            case 6:
                lines[at:end] = [f"{line}\r" for line in lines[at:end]]
            case _:
                lines[at:end] = reversed(lines[at:end])
    return "\n".join(lines)
