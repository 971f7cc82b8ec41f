"""The clean-ups in a timeline."""

import json

from tests.reports.test_timeline import ZONE, lines_of, moment, walk
from tests.reports.test_window import AT_MS, FACTS, window

from tokenbudget.model.control import HISTORY, MODEL, SKILLS, Receipt
from tokenbudget.reports.timeline import AXIS_WIDTH, WIDEST_COLUMN, timeline_document
from tokenbudget.reports.timeline_cleanups import SIGN, cleanups_of, placed


def receipt(lever: str = HISTORY, minutes: float = 1.5, **given: object) -> Receipt:
    """One that was measured, a minute and a half after the first request."""
    one = Receipt(
        id=1,
        session="s1",
        at_ms=AT_MS + round(minutes * 60_000),
        lever=lever,
        items=(f"{lever}/compact",),
        level="critical",
        action=7,
        predicted_tokens=60_000,
        predicted_usd=None,
        effect="now",
        before_tokens=139_000,
        measured_tokens=57_000,
        outcome="measured",
    )
    return one._replace(**given)  # type: ignore[arg-type]


def test_the_first_line_says_what_was_freed_and_how_full_it_was() -> None:
    lines = lines_of(walk(50_000, 139_000, 62_000), receipts=[receipt()])
    assert lines[2].startswith(
        "  1 clean-up freed 57.0K tokens (60.0K foretold); the window peaked"
    )
    assert "at 139K" in lines[2]


def test_a_sign_stands_under_the_request_that_came_after_it() -> None:
    lines = lines_of(walk(50_000, 139_000, 62_000), receipts=[receipt()])
    [marks] = [line for line in lines if line.strip() == SIGN]
    assert marks.index(SIGN) == AXIS_WIDTH + 2 * WIDEST_COLUMN
    assert any(f"{SIGN} clean-up" in line for line in lines)


def test_what_is_not_seen_yet_says_so() -> None:
    waiting = receipt(SKILLS, items=("skills/old",), measured_tokens=None, outcome="")
    text = "\n".join(lines_of(walk(50_000, 139_000), receipts=[waiting]))
    assert "1 clean-up, 1 not seen yet" in text
    assert "skills: old" in text
    assert "60,000" in text


def test_advice_and_what_failed_are_no_clean_ups() -> None:
    advice, failed = receipt(MODEL, action=None), receipt(outcome="failed")
    assert cleanups_of([advice, failed]) == []
    plain = lines_of(walk(50_000, 139_000))
    assert lines_of(walk(50_000, 139_000), receipts=[advice, failed]) == plain


def test_one_after_the_last_request_stands_at_it() -> None:
    late = receipt(minutes=90)
    assert placed([late], walk(1, 2)) == {1: [late]}
    assert placed([late], []) == {}


def test_names_that_anybody_chose_are_cleaned() -> None:
    hostile = receipt(SKILLS, items=("skills/\x1b[2J\u202e",))
    assert "\x1b" not in "\n".join(lines_of(walk(9_000, 8_000), receipts=[hostile]))


def test_a_program_gets_them_as_rows() -> None:
    made = timeline_document(window(), [moment(9_000)], FACTS, ZONE, [receipt()])
    [row] = json.loads(made)["cleanups"]
    assert row["lever"] == "history"
    assert (row["predicted_tokens"], row["measured_tokens"]) == (60_000, 57_000)
    assert (row["items"], row["outcome"], row["action"]) == (["history/compact"], "measured", 7)
