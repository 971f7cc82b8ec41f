"""A frame as lines: the answer first, everything in its width, nothing hostile in it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dashboard.frames import frame, hostile, nobody, session_line, session_view

from tokenbudget.dashboard.plain import SESSIONS_SHOWN, WIDEST, frame_lines
from tokenbudget.dashboard.view_model import Frame
from tokenbudget.model.figures import Style, text_width

HARMFUL = {"Cc", "Cs", "Zl", "Zp"}


def lines(shown: Frame, width: int = 100) -> list[str]:
    return frame_lines(shown, Style(width, is_styled=False))


@pytest.mark.parametrize(
    ("level", "first"),
    [
        ("healthy", "● healthy"),
        ("warning", "▲ warning"),
        ("critical", "◆ critical"),
        ("emergency", "✖ emergency"),
        (None, "? no data"),
    ],
)
def test_the_first_line_says_how_it_stands(level: str | None, first: str) -> None:
    assert lines(frame(level))[0].startswith(first)


def test_no_data_has_no_bar() -> None:
    assert not any("░" in line for line in lines(frame(None)))


def test_everything_is_told() -> None:
    text = "\n".join(lines(frame()))
    for part in (
        "58% of 200K",
        "116,400 used · 83,600 free",
        "~24,000      20,000 !",
        "1,640/min · 2.90K per request",
        "critical in ~51m (38m-1h 10m)",
        "$1.86 this session · $3.10/h",
        "hit 96% · warm, cold in 2m",
        "5-hour 38%, resets",
        "7-day ?",
        "cart.py",
        "9 reads, 4.10K stale",
        "context window at 58% · firing for 12m",
        "Context holds 37,310 of 30,000 allotted",
        "1m ago: delegate the search · told",
    ):
        assert part in text


def test_without_a_session_it_says_what_to_type() -> None:
    shown = lines(nobody())
    assert shown[0] == "? no data"
    assert "tokens monitor --from PATH" in shown[1]


def test_faults_are_the_last_thing_said() -> None:
    shown = lines(frame(faults=("no room for the tracker",)))
    assert shown[-2:] == ["Faults", "  no room for the tracker"]


def test_a_single_session_needs_no_list() -> None:
    assert not any(line.startswith("Live sessions") for line in lines(frame()))


def test_more_sessions_than_fit_are_counted() -> None:
    many = tuple(session_line(session=f"s{number}") for number in range(SESSIONS_SHOWN + 3))
    shown = lines(frame(sessions=many))
    assert "Live sessions (11)" in shown
    assert shown[-1] == "  and 3 more: tokens sessions"


def test_reached_thresholds_leave_no_work() -> None:
    view = session_view("emergency", ahead=(), forecast_reason="")
    assert any("every threshold is reached" in line for line in lines(frame(chosen=view)))


@pytest.mark.parametrize("width", [1, 7, 20, 40, 60, 80, 120, 400])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for shown in (frame(), hostile(), nobody()):
        assert max(map(text_width, lines(shown, width))) <= min(width, WIDEST)


@pytest.mark.parametrize("width", [20, 40, 64, 100])
def test_weight_takes_no_room_and_is_switched_off_again(width: int) -> None:
    told = frame(faults=("no room for the tracker " * 9,))
    styled = frame_lines(told, Style(width, is_styled=True))
    assert any("\x1b[1m" in line for line in styled)
    for line, plain in zip(styled, lines(told, width), strict=True):
        assert line.count("\x1b[0m") == line.count("\x1b[1m") + line.count("\x1b[2m")
        assert line.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") == plain


def test_figures_are_whole_in_forty_columns() -> None:
    shown = "\n".join(lines(frame(), 40))
    for row in session_view().rows:
        assert row.tokens is None or f"{row.tokens:,}" in shown
        assert row.allotted_tokens is None or f"{row.allotted_tokens:>11,}" in shown
    assert "…" not in shown[shown.index("Part") : shown.index("Burn")]


def test_the_chart_keeps_its_last_minutes_where_it_does_not_fit() -> None:
    grown = (9, *[0] * 28, 5)
    shown = lines(frame(chosen=session_view(grown_tokens=grown)), 32)
    assert f"{'·' * 19}▅".rjust(32) in shown


def test_faults_and_doubts_are_told_to_the_end() -> None:
    long = "one word after the other " * 12
    view = session_view(notes=(f"{long}doubt",))
    shown = lines(frame(chosen=view, faults=(f"{long}fault",)), 60)
    assert shown[-1].endswith("fault")
    assert any(line.endswith("doubt") for line in shown)
    assert not any("…" in line for line in shown[shown.index("Faults") :])


def test_hostile_text_is_inert() -> None:
    for line in lines(hostile()):
        assert {unicodedata.category(char) for char in line} & HARMFUL == set()


@given(st.text(st.characters(), max_size=60), st.integers(20, 200))
def test_any_text_at_any_width(text: str, width: int) -> None:
    shown = lines(hostile(text), width)
    assert max(map(text_width, shown)) <= width
    for line in shown:
        assert {unicodedata.category(char) for char in line} & HARMFUL == set()
