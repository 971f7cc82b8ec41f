"""How the controller is told to a person, at several widths, with fixed figures.

To accept a change: delete the file under `golden`, run the test (it writes the new one and fails),
and look at the difference before you commit it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.control_values import (
    DONE,
    HOSTILE,
    NOON_MS,
    OPEN,
    decision,
    hostile,
    receipt,
    standing,
)
from tests.optimizer.desk import COLD, WARM, Desk, history, measured, memory, server, skill

from tokenbudget.analysis.periods import Zone
from tokenbudget.model.control import Decision, Held
from tokenbudget.model.figures import Style, text_width
from tokenbudget.optimizer.controller import considered
from tokenbudget.optimizer.deciding import Judged
from tokenbudget.reports.control import (
    NEVER,
    block_lines,
    change_lines,
    head_lines,
    money,
    settled_lines,
    why_lines,
)
from tokenbudget.reports.control_dry import dry_lines
from tokenbudget.reports.control_history import NOTHING_DONE, history_lines, totals_of
from tokenbudget.reports.control_json import (
    dry_document,
    history_document,
    standing_document,
    standing_line,
)

GOLDEN = Path(__file__).parent / "golden"
ZONE = Zone("UTC", NOON_MS)
RECEIPTS = [
    OPEN,
    receipt(),
    receipt(
        id=2,
        action=30,
        outcome="undone",
        measured_tokens=None,
        measured_usd=None,
        predicted_usd=None,
    ),
]


def critical(
    talk: Held | None = None, /, **changes: object
) -> tuple[Desk, str, list[Judged], Decision]:
    """A session that was critical for three requests, one look, and what it came to."""
    talk = talk or history()
    things = (talk, server(), skill(), skill("old", 300), memory(error_tokens=200))
    desk = Desk(*things)
    said = desk.requests(78_000, 79_000, expected_requests=9.0)
    before = desk.state
    said = desk.request(80_000, **changes)
    level, judged = considered(before, desk.seen, desk.wishes, desk.trust, desk.now_ms, measured)
    desk.state = before
    return desk, level, judged, said


def dry(style: Style, talk: Held | None = None, /, **changes: object) -> list[str]:
    """With sentences of its own: those of the optimizer are its tests' business."""
    desk, level, judged, _ = critical(talk, **changes)
    fixed = [one._replace(verdict=one.verdict._replace(why="it is worth it")) for one in judged]
    said = DONE._replace(level="critical")
    return dry_lines(desk.state, desk.seen, desk.wishes, level, fixed, said, style)


SCREENS: dict[str, Callable[[Style], list[str]]] = {
    "why": lambda style: why_lines(standing(), ZONE, style),
    "history": lambda style: history_lines(RECEIPTS, ZONE, style),
    "dry-warm": lambda style: dry(style),
    "dry-cold": lambda style: dry(style, cache=COLD),
    "loop": lambda style: [
        *head_lines([standing()], True, "", style),
        *block_lines(standing(), style),
        *change_lines(standing(), DONE, ZONE, style),
        *settled_lines(receipt(), ZONE, style),
    ],
}


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(screen: str, width: int) -> None:
    lines = SCREENS[screen](Style(width, is_styled=False))
    assert max(map(text_width, lines)) <= width
    text = "\n".join(lines) + "\n"
    path = GOLDEN / f"control-{screen}-{width}.txt"
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"wrote {path.name}: look at it, then run again")
    assert text == path.read_text()


@pytest.mark.parametrize("width", [60, 80, 100])
def test_what_would_leave_is_told_to_its_end(width: int) -> None:
    reason = "81,204 tokens of conversation, of which a summary leaves about 9,700, and no file"
    talk = history()._replace(reason=f"{reason} is being edited at this moment")
    lines = dry(Style(width, is_styled=False), talk)
    assert max(map(text_width, lines)) <= width
    assert f"{reason} is being edited at this moment" in " ".join(" ".join(lines).split())
    assert not any("…" in line for line in lines)


LONG_FORM = re.compile(r"\b\d+ (s|min|h)\b")
SIX_HOURS_MS = 22_020_000


def test_lengths_of_time_are_spelled_as_on_every_other_screen() -> None:
    wide = Style(200, is_styled=False)
    warm = WARM._replace(cold_in_ms=SIX_HOURS_MS)
    dry_run = dry(wide, cache=warm, burn_tokens_per_minute=9.0, full_in_ms=SIX_HOURS_MS)
    why = why_lines(standing(), ZONE, wide)
    spelled = "6h 7m"
    assert f"full in {spelled}" in "\n".join(dry_run)
    assert f"warm, cold in {spelled};" in "\n".join(dry_run)
    assert "looked at 4s ago" in "\n".join(why)
    assert not [line for line in (*dry_run, *why) if LONG_FORM.search(line)]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_hostile_texts_are_harmless_at_any_width(width: int) -> None:
    style = Style(width, is_styled=False)
    shown = hostile()
    lines = [
        *why_lines(shown, ZONE, style),
        *block_lines(shown, style),
        *change_lines(shown, shown.decisions[0], ZONE, style, HOSTILE),
        *head_lines([shown], False, HOSTILE, style),
        *history_lines(shown.receipts, ZONE, style),
    ]
    assert all(line.isprintable() and "\u202e" not in line for line in lines)


def test_nobody_has_looked_is_said_first() -> None:
    nobody = standing(decisions=(), receipts=(), looked_at_ms=0, watcher="", level=None)
    lines = why_lines(nobody, ZONE, Style(200, is_styled=False))
    assert lines[0] == NEVER
    assert "never looked at; nobody looks now: tokens control" in lines[2]


def test_nothing_done_yet_says_where_to_look() -> None:
    assert history_lines([], ZONE, Style(200, is_styled=False)) == [NOTHING_DONE]


@pytest.mark.parametrize(
    ("modes", "is_acting", "holder", "said"),
    [
        (["auto"], True, "", "Controlling 1 session; what helps is done"),
        (["advise", "auto for skills"], True, "", "Controlling 2 sessions"),
        (["advise"], True, "", "Looking at 1 session; nothing is changed by itself"),
        (["auto"], False, "tokens serve (process 7)", "by this one: tokens serve (process 7) acts"),
        (["auto"], False, "", "the record cannot be kept here"),
        ([], True, "", "Looking at 0 sessions"),
    ],
)
def test_the_first_line_says_who_acts(
    modes: list[str], is_acting: bool, holder: str, said: str
) -> None:
    shown = [standing(mode=mode) for mode in modes]
    assert said in " ".join(head_lines(shown, is_acting, holder, Style(200, is_styled=False)))


def test_what_was_not_done_is_told_with_its_reason() -> None:
    lines = change_lines(standing(), DONE, ZONE, Style(300, is_styled=False), "the disk is full")
    assert "not done: the disk is full" in lines[0]


def test_lines_of_two_sessions_of_one_project_can_be_told_apart() -> None:
    one, other = standing(title=""), standing(title="", session="9f31aa02-1f5b")
    lines = [change_lines(each, decision(), ZONE, Style(200, False))[0] for each in (one, other)]
    assert "webshop · 332633f4" in lines[0]
    assert "webshop · 9f31aa02" in lines[1]


def test_money_is_told_with_its_sign() -> None:
    assert [money(usd) for usd in (0.31, -0.02, 0.0, None)] == ["$0.31", "-$0.02", "$0.00", "?"]


def test_only_what_was_measured_counts_as_freed() -> None:
    totals = totals_of(RECEIPTS)
    assert (totals.actions, totals.measured, totals.still_open) == (3, 1, 1)
    assert (totals.predicted_tokens, totals.measured_tokens) == (1_240, 1_198)
    assert totals.measured_usd == 0.011
    assert totals_of([OPEN]).error_share is None
    assert "total of" not in "\n".join(history_lines([OPEN], ZONE, Style(100, False)))
    assert totals_of([]).measured_usd is None


def test_a_loss_is_called_one() -> None:
    dear = receipt(measured_usd=-0.5)
    assert "$0.50 dearer than without" in history_lines([dear], ZONE, Style(200, False))[0]


def test_documents_hold_what_the_text_holds() -> None:
    told = json.loads(standing_document([standing()], ZONE))
    (row,) = told["rows"]
    assert told["format"] == "tokenbudget/control/1"
    assert row["decision"]["code"] == "warm"
    assert row["decision"]["prediction"]["usd"] == "0.31"
    assert row["marks"][0]["items"] == ["history/compact"]
    assert row["usable_share"] == 97_400 / 167_000
    assert row["levers"][0]["lever"] == "skills"

    past = json.loads(history_document(RECEIPTS, ZONE))
    assert past["format"] == "tokenbudget/control-history/1"
    assert [one["outcome"] for one in past["rows"]] == ["open", "measured", "undone"]
    assert past["rows"][1]["error_share"] == pytest.approx(0.0339, abs=1e-4)
    assert past["rows"][0]["predicted_usd"] == "-0.02"
    assert past["totals"]["measured_tokens"] == 1_198

    line = json.loads(standing_line(standing(), [receipt()], ZONE))
    assert line["format"] == told["format"]
    assert line["settled"][0]["action"] == 31


def test_documents_are_plain_text_too() -> None:
    text = standing_document([hostile()], ZONE) + history_document(hostile().receipts, ZONE)
    assert all(code not in text for code in ("\\u001b", "\\u202e", "\\ud800", "\x1b"))


def test_a_dry_run_tells_its_inputs_and_every_lever() -> None:
    desk, level, judged, said = critical()
    shown = standing(decisions=(said,))
    told = json.loads(dry_document(shown, desk.seen, level, judged, ZONE))
    (row,) = told["rows"]
    assert told["is_dry_run"] is True
    assert row["level_acted_on"] == level == "critical"
    assert row["inputs"]["used_tokens"] == 80_000
    assert {one["id"] for one in row["inputs"]["held"]} >= {"history/compact", "skills/deck"}
    weighed = {one["lever"]: one for one in row["levers_weighed"]}
    assert weighed["history"]["break_even_requests"] == pytest.approx(
        judged[0].option.bill.break_even_requests
    )
    assert all(one["why"] for one in weighed.values())


def test_the_arithmetic_of_a_dry_run_comes_to_the_break_even() -> None:
    """What is printed, computed again from the printed terms."""
    in_use = history(reread_requests=1.5, reread_tokens=4_000.0)
    for talk, cache in ((None, {}), (None, {"cache": COLD}), (in_use, {})):
        _, _, judged, _ = critical(talk, **cache)
        after = next(one.option.bill for one in judged if one.option.lever == "history")
        lines = dry(Style(100, is_styled=False), talk, **cache)
        text = " ".join(" ".join(lines).split()).partition("Break-even ")[2]
        assert (" to read again" in text) == (talk is in_use)
        assert ("0.1 x (40,000 - 4,000) = 3,600 less" in text) == (talk is in_use)
        once = float(text.partition(" = ")[2].partition(" once")[0].replace(",", ""))
        each = float(text.partition("once; ")[2].partition("= ")[2].split()[0].replace(",", ""))
        assert max(0.0, once / each) == pytest.approx(after.break_even_requests, rel=0.01)


def test_a_dry_run_tells_what_can_be_counted_on_beside_what_is_expected() -> None:
    text = " ".join(" ".join(dry(Style(100, is_styled=False), sure_requests=2.0)).split())
    assert "about 9 more requests, by your own sessions at this depth; 2 to count on" in text


def test_a_session_of_which_nothing_is_known_is_no_healthy_one() -> None:
    unknown = standing(level=None, used_tokens=None, usable_tokens=None, decisions=())
    (line,) = block_lines(unknown, Style(100, is_styled=False))
    assert line.startswith("? no data")
    assert "? of the usable window" in line


def test_a_decision_of_a_level_that_is_new_is_shown() -> None:
    odd = standing(level="calm", decisions=(decision(level="calm"),))
    assert why_lines(odd, ZONE, Style(100, is_styled=False))[0].startswith("? calm")


def test_figures_of_an_older_decision_are_not_told_as_those_of_now() -> None:
    old = decision(code="recovering", level="critical", lever="", items=(), reason="13% is used")
    shown = standing(level="warning", decisions=(old,))
    assert why_lines(shown, ZONE, Style(100, False))[0] == "▲ warning · nothing done: recovering"
    fresh = standing(decisions=(old._replace(at_ms=shown.looked_at_ms),), request_key="req_34")
    assert "13% is used" in why_lines(fresh, ZONE, Style(100, False))[0]
    later = fresh._replace(request_key="req_35")
    assert why_lines(later, ZONE, Style(100, False))[0].endswith("nothing done: recovering")


def test_what_is_back_already_is_not_offered_again() -> None:
    style = Style(100, is_styled=False)
    shown = why_lines(standing(undone=frozenset({31})), ZONE, style)
    text = " ".join(" ".join(shown).split())
    assert "tokens control undo" not in text
    assert "foretold; taken back" in text
    undone = standing(receipts=(RECEIPTS[2],), undone=frozenset({30}))
    assert "taken back; taken back" not in " ".join(why_lines(undone, ZONE, style))
    given = OPEN._replace(measured_tokens=50_000, outcome="measured")
    lines = history_lines([given, receipt()], ZONE, style, {31, 32})
    assert [line.split()[-2:] for line in lines if "11-20" in line] == [
        ["given", "back"],
        ["taken", "back"],
    ]
    assert "Take one back" not in "\n".join(lines)
