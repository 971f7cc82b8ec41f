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
        "delegate the search · told · 1m ago",
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


def test_hostile_text_is_inert() -> None:
    for line in lines(hostile()):
        assert {unicodedata.category(char) for char in line} & HARMFUL == set()


@given(st.text(st.characters(), max_size=60), st.integers(20, 200))
def test_any_text_at_any_width(text: str, width: int) -> None:
    shown = lines(hostile(text), width)
    assert max(map(text_width, shown)) <= width
    for line in shown:
        assert {unicodedata.category(char) for char in line} & HARMFUL == set()
