"""A frame in a few lines: the answer first, nothing hostile, and short whatever is in it."""

from __future__ import annotations

import pytest
from tests.dashboard.frames import frame, hostile, nobody
from tests.dashboard.test_plain import HARMFUL

from tokenbudget.dashboard.brief import brief_lines
from tokenbudget.metering.tokenizer import BytePairCounter


@pytest.mark.parametrize(
    ("level", "first"),
    [("warning", "▲ warning: 58% of 200K · 116,400 used"), (None, "? no data")],
)
def test_the_first_line_is_the_answer(level: str | None, first: str) -> None:
    assert brief_lines(frame(level))[0].startswith(first)


def test_what_matters_is_told_in_the_words_of_the_screen() -> None:
    text = "\n".join(brief_lines(frame()))
    for part in (
        "1,640/min · 2.90K per request",
        "critical in ~51m (38m-1h 10m)",
        "$1.86 this session · $3.10/h",
        "cache hit 96% · warm, cold in 2m",
        "5-hour 38%, resets",
        "cart.py 18.4K",
        "Do: Context holds 37,310 of 30,000 allotted",
        "context window at 58% · firing for 12m",
    ):
        assert part in text
    assert "7-day" not in text  # nothing is known of it: no word is spent on that


def test_it_is_short() -> None:
    lines = brief_lines(frame())
    assert len(lines) <= 10
    assert BytePairCounter().count("\n".join(lines)) <= 240


def test_without_a_session_it_says_so() -> None:
    assert brief_lines(nobody()) == [
        "? no session has been read yet; ask again after the first answer."
    ]


def test_hostile_texts_stay_in_their_line() -> None:
    import unicodedata

    lines = brief_lines(hostile())
    assert all("\n" not in line for line in lines)
    found = {char for line in lines for char in line if unicodedata.category(char) in HARMFUL}
    assert not found
    assert max(map(len, lines)) < 500
