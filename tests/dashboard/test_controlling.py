"""What a live view says of the controller: now, next and last, and never what is old as new."""

from __future__ import annotations

import json

import pytest
from tests.control_values import DONE, MINUTE_MS, NOON_MS, OPEN, decision, hostile, standing
from tests.dashboard.frames import frame

from tokenbudget.dashboard import controlling
from tokenbudget.dashboard.brief import brief_lines
from tokenbudget.dashboard.plain import frame_lines
from tokenbudget.dashboard.tracker import frame_line, tracker_document
from tokenbudget.model.control import MARK
from tokenbudget.model.control_standing import Standing
from tokenbudget.model.figures import Style, text_width


def test_why_nothing_is_done_is_told_in_few_words() -> None:
    shown = standing(decisions=(decision(lever="", items=()),))
    now = controlling.now_words(shown, NOON_MS)
    assert now == "auto · nothing done: not worth it yet"
    assert controlling.next_words(shown, NOON_MS) == "when the cache is cold"
    fresh = standing(decisions=(decision(at_ms=NOON_MS),))
    assert controlling.next_words(fresh, NOON_MS) == "history when the cache is cold, in 2m"


def test_what_was_decided_is_told_with_its_tokens() -> None:
    marked = standing(decisions=(decision(MARK, "mark"),), mode="auto for skills, history")
    assert controlling.now_words(marked, NOON_MS) == "auto · marked, history, 52,800 tokens"
    done = standing(decisions=(DONE,))
    assert (
        controlling.now_words(done, NOON_MS)
        == "auto · done, skills: slide-deck, deploy, 1,240 tokens"
    )


def test_what_was_done_is_told_with_what_came_of_it() -> None:
    told = controlling.done_words(standing(), NOON_MS)
    assert told == "skills: slide-deck, deploy: freed 1,198 tokens, 1,240 foretold, 12m ago"
    waiting = controlling.done_words(standing(receipts=(OPEN,)), NOON_MS)
    assert waiting == "history: 52,800 tokens foretold, not seen yet, 1m ago"
    assert controlling.done_words(standing(receipts=()), NOON_MS) == ""


@pytest.mark.parametrize(
    ("looked_at_ms", "said"),
    [(NOON_MS - 5 * MINUTE_MS, "nobody has looked since 5m"), (0, "nobody has looked yet")],
)
def test_an_old_look_says_nothing_of_now(looked_at_ms: int, said: str) -> None:
    old = standing(looked_at_ms=looked_at_ms)
    assert controlling.now_words(old, NOON_MS) == f"{said}: tokens control"
    assert controlling.next_words(old, NOON_MS) == ""


def test_a_plain_frame_has_three_lines_for_it_and_none_without() -> None:
    lines = frame_lines(frame(control=standing()), Style(80, is_styled=False))
    shown = [line for line in lines if line.startswith(("Control", "Done last", "Next"))]
    assert [line.split("  ")[0] for line in shown] == ["Control", "Done last", "Next"]
    assert max(map(text_width, lines)) <= 80
    without = frame_lines(frame(), Style(80, is_styled=False))
    assert not any(line.startswith(("Control", "Done last", "Next")) for line in without)


def test_inside_the_agent_it_takes_one_line_and_none_when_all_is_well() -> None:
    (line,) = [one for one in brief_lines(frame(control=standing())) if "Control" in one]
    assert line.startswith("Control: auto · nothing done")
    assert len(line) <= 140
    healthy = standing(decisions=(decision(code="healthy", lever="", items=()),))
    assert not any("Control" in one for one in brief_lines(frame(control=healthy)))


def test_the_tracker_and_the_stream_hold_it_whole() -> None:
    for text in (
        tracker_document(frame(control=standing())),
        frame_line(frame(control=standing())),
    ):
        told = json.loads(text)["control"]
        assert told["decision"]["code"] == "warm"
        assert told["last_action"]["measured_tokens"] == 1_198
        assert told["watched_by"] == "tokens serve (process 4242)"
        assert told["usable_share"] == pytest.approx(0.583, abs=0.001)
    assert json.loads(tracker_document(frame()))["control"] is None


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_hostile_names_stay_plain_text(width: int) -> None:
    shown: Standing = hostile()
    lines = frame_lines(frame(control=shown), Style(width, is_styled=False))
    lines += brief_lines(frame(control=shown))
    assert all(line.isprintable() and "\u202e" not in line for line in lines)
