"""A shortened file: no line carries a number that is not its own."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.receipts import Receipt, Removed, Shortened
from tokenbudget.gateway.hooks.read_layout import MOST_BESIDE_CHARS, laid_out

LINES = [f"line {n} of the file" for n in range(1, 101)]
TEXT = "\n".join(LINES)
OPENING = "[~"


def shortened(text: str, *removed: Removed) -> Shortened:
    return Shortened(text, Receipt("x", 1, 1, 9, 1, False, OPENING, removed))


def without(*ranges: tuple[int, int]) -> Shortened:
    """The file without these lines, as a codec leaves them out."""
    out: list[str] = []
    at = 0
    for start, end in ranges:
        out += [*LINES[at:start], f"{OPENING} {end - start} lines]"]
        at = end
    out += [*LINES[at:], f"{OPENING} all 100 lines: tokens recall 123456789012]"]
    return shortened(
        "\n".join(out), *(Removed("lines", end - start, ((start, end),)) for start, end in ranges)
    )


def shown_numbers(content: str, beside: str, first: int) -> dict[int, str]:
    """Every line that the agent sees, by the number that it sees before it."""
    told = {first + n: line for n, line in enumerate(content.split("\n"))}
    for line in beside.split("\n"):
        found = re.fullmatch(r"(\d+)\t(.*)", line)
        if found:
            told[int(found[1])] = found[2]
    return {number: line for number, line in told.items() if not line.startswith(OPENING)}


def test_the_beginning_stays_in_the_response_and_the_rest_is_said_beside_it() -> None:
    layout = laid_out(TEXT, without((10, 50), (60, 95)), 1, '"cart.py"')
    assert layout is not None
    assert layout.content == "\n".join([*LINES[:10], f"{OPENING} 40 lines]"])
    beside = layout.beside.split("\n")
    assert beside[0] == f'{OPENING} "cart.py" goes on]'
    assert beside[1] == "51\tline 51 of the file"
    assert beside[11] == f"{OPENING} 35 lines]"
    assert beside[12] == "96\tline 96 of the file"
    assert beside[-1] == f"{OPENING} all 100 lines: tokens recall 123456789012]"


def test_one_marker_needs_nothing_beside_it() -> None:
    layout = laid_out(TEXT, shortened(f"{OPENING} 100 lines seen: Read above]"), 1, "x")
    assert layout == (f"{OPENING} 100 lines seen: Read above]", "")


def test_what_was_regrouped_carries_no_numbers() -> None:
    layout = laid_out(TEXT, shortened(f"a,b\n1,2\n{OPENING} all 100 lines]"), 1, "x")
    assert layout is not None
    assert layout.content == f"{OPENING} goes on beside]"
    assert layout.beside == f"{OPENING} x goes on]\na,b\n1,2\n{OPENING} all 100 lines]"


def test_what_does_not_fit_beside_is_no_layout() -> None:
    long = "\n".join("x" * 90 + str(n) for n in range(200))
    assert laid_out(TEXT, shortened(f"{OPENING} 3 lines]\n{long}"), 1, "x") is None
    assert len(long) > MOST_BESIDE_CHARS


def test_a_name_cannot_end_a_marker() -> None:
    layout = laid_out(TEXT, without((10, 50)), 1, '"a]b"')
    assert layout is not None
    assert layout.beside.split("\n")[0] == f'{OPENING} "a)b" goes on]'


@given(st.data(), st.integers(1, 5_000))
def test_every_line_is_numbered_as_in_the_file(data: st.DataObject, first: int) -> None:
    edges = sorted(data.draw(st.sets(st.integers(0, 100), min_size=2, max_size=8)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    layout = laid_out(TEXT, without(*pairs), first, "x")
    assert layout is not None
    told = shown_numbers(layout.content, layout.beside, first)
    left_out = {n for start, end in pairs for n in range(start, end)}
    assert told == {first + n: LINES[n] for n in range(100) if n not in left_out}
