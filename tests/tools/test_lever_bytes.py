"""What the pages say of a measurement; the measuring itself needs the real client."""

import json
from pathlib import Path

import pytest
from tests.e2e.cluttered_project import Clutter

from lever_laboratory import first_difference
from lever_pages import page, table
from lever_rows import Kept, Row, arrival_of, effect_of
from levers import LEVERS, PULLED, READ_LEVERS, Lever, nothing, setting
from tokenbudget.model.control import ADVICE_ONLY
from tokenbudget.model.control import LEVERS as CONTROLLED

PULLED_ONE = Lever("a*b", nothing, row=("skills", "skillOverrides"))
ROW = Row(
    lever="a*b",
    release="2.1.329",
    model="claude-opus-5-5",
    search="false",
    day="2026-11-22",
    before_bytes=1_000,
    start_bytes=-100,
    start_tokens=-25,
    next_bytes=-100,
    compacted_bytes=-110,
    changed="tools",
    rewrites="tools",
    effect="next request",
)


@pytest.mark.parametrize(
    ("start", "now", "compacted", "said"),
    [
        (-900, -900, -900, "next request"),
        (-900, 40, -900, "next compaction"),
        (-900, 0, 0, "next start"),
        (-900, -500, -700, "next start"),
        (0, -900, -900, "never"),
        (37, 0, 37, "never"),
        (-5, 0, 0, "hardly"),
    ],
)
def test_when_a_lever_takes_effect(start: int, now: int, compacted: int, said: str) -> None:
    assert effect_of(start, now, compacted) == said


@pytest.mark.parametrize(
    ("start", "now", "compacted", "said"),
    [
        (153, 0, 112, "next compaction"),
        (153, 0, 0, "next start"),
        (153, 153, 153, "next request"),
        (0, 0, 0, "never"),
    ],
)
def test_when_added_words_are_there(start: int, now: int, compacted: int, said: str) -> None:
    assert arrival_of(start, now, compacted) == said


def test_a_line_holds_what_changed_and_what_the_cache_loses() -> None:
    said = page([ROW], [PULLED_ONE], [("nothing", "claude-opus-5-5", "read")], [])
    assert "| a\\*b | 2.1.329 | claude-opus-5-5 | off | 1,000 | -100 | -25 |" in said
    assert "| -100 (tools changed) | -110 | next request |" in said
    assert "| skills | `skillOverrides` | 2.1.329 | next request | tools | -100 |" in said
    assert "| nothing | claude-opus-5-5 | read |" in said


def test_what_differs_by_model_is_told_by_model() -> None:
    other = ROW._replace(model="claude-sonnet-4-5", effect="next compaction", rewrites="")
    said = page([ROW, other], [PULLED_ONE], [], [])
    assert "next request (opus-5-5); next compaction (sonnet-4-5)" in said
    assert "tools (opus-5-5); nothing (sonnet-4-5)" in said
    assert "-100 (opus-5-5); -110 (sonnet-4-5)" in said


def test_what_differs_by_tool_search_is_told_by_tool_search() -> None:
    other = ROW._replace(search="true", effect="next compaction")
    both = [ROW, other, *(one._replace(model="claude-sonnet-4-5") for one in (ROW, other))]
    said = page(both, [PULLED_ONE], [], [])
    assert "next request (search off); next compaction (search on)" in said
    odd = [*both[:3], both[3]._replace(effect="never")]
    said = page(odd, [PULLED_ONE], [], [])
    assert "next compaction (opus-5-5 on); never (sonnet-4-5 on)" in said


def test_the_table_that_ships_is_a_module_of_plain_values() -> None:
    alike = [("2.1.329", "claude-x", "claude-opus-5-5")]
    never = ROW._replace(release="2.0.76", search="", effect="never")
    found = [ROW, never, ROW._replace(lever="not pulled")]
    made: dict[str, object] = {}
    exec(table(found, [PULLED_ONE], alike), made)
    assert made["MEASURED_ON"] == "2026-11-22"
    assert made["ALIKE"] == tuple(alike)
    head = ("skills", "skillOverrides")
    assert made["ROWS"] == (
        (*head, "2.0.76", "claude-opus-5-5", None, "disk only", -100, -100, -110, "", True),
        (*head, "2.1.329", "claude-opus-5-5", False, "now", -100, -100, -110, "tools", True),
    )


def test_a_row_is_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert kept.row(PULLED_ONE, ROW.release, ROW.model, ROW.search) is None
    kept.keep(ROW)
    assert kept.row(PULLED_ONE, ROW.release, ROW.model, ROW.search) == ROW
    assert kept.row(PULLED_ONE, ROW.release, ROW.model, "true") is None


def test_settings_are_joined(tmp_path: Path) -> None:
    clutter = Clutter(tmp_path, tmp_path)
    (tmp_path / ".claude").mkdir()
    setting(permissions={"deny": ["a"]}, env={"X": "1"})(clutter)
    setting(permissions={"deny": ["b"]}, env={"X": "2", "Y": "3"})(clutter)
    text = (tmp_path / ".claude/settings.local.json").read_text()
    found = json.loads(text)
    assert found == {"permissions": {"deny": ["a", "b"]}, "env": {"X": "2", "Y": "3"}}


def test_where_a_request_stops_being_the_one_before() -> None:
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    first = {
        "tools": [{"name": "t"}],
        "system": [{"type": "text", "text": "x-anthropic-billing-header: 1"}],
        "messages": [{"role": "user", "content": [marked]}],
    }
    plain = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert first_difference(first, {**first, "messages": plain}) == ""
    assert first_difference(first, {**first, "messages": plain[1:]}) == "messages"
    other = [{"type": "text", "text": "x-anthropic-billing-header: 2"}]
    assert first_difference(first, {**first, "system": other}) == ""
    assert first_difference(first, {**first, "system": [{"type": "text", "text": "s"}]}) == "system"
    assert first_difference(first, {**first, "tools": []}) == "tools"


def test_every_lever_has_a_name_of_its_own() -> None:
    assert len({lever.name for lever in LEVERS}) == len(LEVERS)
    assert len({lever.row for lever in PULLED}) == len(PULLED)
    assert len({name for name, _ in READ_LEVERS}) == len(READ_LEVERS)


def test_every_lever_of_the_controller_is_measured() -> None:
    assert {lever.row[0] for lever in PULLED if lever.row} == set(CONTROLLED) - set(ADVICE_ONLY)
