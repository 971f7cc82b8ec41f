from __future__ import annotations

import json
import threading
import unicodedata
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.dashboard.frames import (
    HOSTILE,
    NOON_MS,
    frame,
    frames,
    hostile,
    nobody,
    session_view,
)

from tokenbudget.analysis.cache_state import UNKNOWN as NO_CACHE
from tokenbudget.dashboard.tracker import (
    FORMAT,
    LINE_FORMAT,
    MOST_ACTIONS,
    frame_line,
    stamp,
    tracker_document,
    write_tracker,
)
from tokenbudget.dashboard.view_model import Decision, Frame, Spend
from tokenbudget.model.plain_text import one_line

DOCS = Path(__file__).parents[2] / "docs/tracker.md"


def read(document: bytes | str) -> dict[str, Any]:
    """The document, by a reader that takes no NaN."""

    def refuse(name: str) -> object:
        raise AssertionError(name)

    found = json.loads(document, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


def texts(value: object) -> list[str]:
    """Every text in a document, names included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


class TestDocument:
    @settings(deadline=None, max_examples=200)
    @given(frames)
    def test_any_frame_is_valid_json_in_ascii_and_clean(self, any_frame: Frame) -> None:
        for document in (tracker_document(any_frame), frame_line(any_frame).encode()):
            assert document.isascii()
            assert all(text == one_line(text) for text in texts(read(document)))

    @settings(deadline=None, max_examples=50)
    @given(frames)
    def test_a_frame_is_one_line_of_the_stream(self, any_frame: Frame) -> None:
        line = frame_line(any_frame)
        assert len(line.splitlines()) == 1
        assert read(line)["format"] == LINE_FORMAT

    def test_says_which_session_and_when(self) -> None:
        found = read(tracker_document(frame()))
        assert found["format"] == FORMAT
        assert found["updated_at"] == "2026-11-20T13:00:00+01:00"
        assert [found[name] for name in ("project", "title", "git_branch", "model")] == [
            "/srv/webshop",
            "Round the cart",
            "fix-cart",
            "claude-opus-5-5",
        ]

    def test_each_part_stands_beside_its_allotment_with_how_it_is_known(self) -> None:
        found = read(tracker_document(frame()))
        rows = found["current"]["rows"]
        assert [(row["part"], row["tokens"], row["provenance"]) for row in rows] == [
            ("System", 24_000, "calibrated"),
            ("Messages", 92_400, "exact"),
            ("Context", None, "unknown"),
        ]
        assert [row["is_over_allotted"] for row in rows] == [True, False, False]
        assert found["allotted"] == {"System": 20_000, "Messages": 100_000, "Context": None}

    def test_current_totals(self) -> None:
        current = read(tracker_document(frame()))["current"]
        assert (current["total_tokens"], current["window_tokens"]) == (116_400, 200_000)
        assert (current["free_tokens"], current["used_share"]) == (83_600, 0.582)
        assert current["provenance"] == "exact"

    @pytest.mark.parametrize("level", ["healthy", "warning", "critical", "emergency"])
    def test_health_has_level_light_and_thresholds(self, level: str) -> None:
        health = read(tracker_document(frame(level)))["health"]
        assert health["level"] == level
        assert health["thresholds"] == {"warning": 0.5, "critical": 0.75, "emergency": 0.9}

    def test_a_rate_that_is_unknown_is_null_with_its_reason(self) -> None:
        short, long = read(tracker_document(frame()))["burn_rate"]
        assert (short["tokens_per_minute"], short["provenance"]) == (None, "unknown")
        assert short["reason"].startswith("no growth")
        assert (long["tokens_per_minute"], long["provenance"]) == (1640.0, "exact")

    def test_the_forecast_is_a_spread(self) -> None:
        (ahead,) = read(tracker_document(frame()))["forecast"]
        assert ahead["threshold"] == "critical"
        assert ahead["active_minutes"] == {"p10": 38.0, "p50": 51.0, "p90": 70.0}

    def test_limits_are_what_was_reported_and_nothing_else(self) -> None:
        limits = read(tracker_document(frame()))["limits"]
        assert limits["seven_day"] is None
        assert limits["five_hour"]["resets_at"] == "2026-11-20T15:40:00+01:00"
        assert limits["five_hour"]["exhausted_at"]["p50"] is None

    @pytest.mark.parametrize(
        ("spend", "told"),
        [
            (Spend(Decimal("1.860"), Decimal("3E+1"), 0), ("1.86", "30", 0, "exact")),
            (Spend(None, None, 7), (None, None, 7, "unknown")),
            (Spend(Decimal("NaN"), Decimal("Infinity"), 0), (None, None, 0, "unknown")),
        ],
    )
    def test_money_is_a_decimal_or_unknown(self, spend: Spend, told: tuple[object, ...]) -> None:
        found = read(tracker_document(frame(chosen=session_view(spend=spend))))["cost"]
        assert tuple(found.values()) == told

    def test_the_cache(self) -> None:
        found = read(tracker_document(frame()))["cache"]
        assert (found["hit_share"], found["is_warm"]) == (0.964, True)
        assert found["cold_at"] == "2026-11-20T13:02:00+01:00"
        unknown = read(tracker_document(frame(chosen=session_view(cache=NO_CACHE))))["cache"]
        assert (unknown["provenance"], unknown["cold_at"]) == ("unknown", None)

    def test_what_is_unknown_is_null(self) -> None:
        found = read(tracker_document(frame(None)))
        assert found["current"]["provenance"] == "unknown"
        names = ("total_tokens", "window_tokens", "used_share", "free_tokens")
        assert [found["current"][name] for name in names] == [None] * 4
        assert (found["health"]["level"], found["health"]["light"]) == (None, None)

    def test_without_a_session_every_field_is_there_all_the_same(self) -> None:
        assert read(tracker_document(nobody())).keys() == read(tracker_document(frame())).keys()

    def test_the_same_frame_gives_the_same_bytes(self) -> None:
        assert tracker_document(frame()) == tracker_document(frame())

    def test_a_title_of_ten_kilobytes_is_cut(self) -> None:
        big = frame(chosen=session_view(title="x" * 10_000, model="m" * 10**6))
        assert len(tracker_document(big)) < 20_000


class TestActions:
    def test_of_this_tick_and_earlier_ones_each_once_and_the_last_first(self) -> None:
        now = frame().decisions[0]
        old = Decision(NOON_MS - 3_600_000, "compact", "done")
        found = read(tracker_document(frame(), [old, now]))["last_actions"]
        assert [one["title"] for one in found] == ["delegate the search", "compact"]
        assert found[1]["at"] == "2026-11-20T12:00:00+01:00"

    def test_there_are_not_more_than_a_few(self) -> None:
        many = [Decision(at_ms, "again", "") for at_ms in range(1, 500)]
        assert len(read(tracker_document(frame(), many))["last_actions"]) == MOST_ACTIONS


class TestHostileText:
    @pytest.mark.parametrize("make", [tracker_document, frame_line])
    def test_is_inert_everywhere(self, make: Any) -> None:
        document = make(hostile())
        found = texts(read(document))
        assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in "".join(found))
        assert sum("owned" in text for text in found) >= 12

    def test_is_kept_readable(self) -> None:
        assert read(tracker_document(hostile("plain 漢字")))["title"] == "plain 漢字"


class TestStamp:
    def test_a_zone_west_of_utc_with_half_an_hour(self) -> None:
        west = frame(utc_offset_seconds=-12_600)
        assert stamp(NOON_MS, west) == "2026-11-20T08:30:00-03:30"

    @settings(deadline=None)
    @given(frames)
    def test_any_moment_is_read_back_with_its_distance(self, any_frame: Frame) -> None:
        told = stamp(any_frame.made_at_ms, any_frame)
        assert told is None or datetime.fromisoformat(told).utcoffset() is not None


class TestFile:
    def test_stands_in_the_project_of_the_session(self, tmp_path: Path) -> None:
        told = frame(chosen=session_view(project=str(tmp_path)))
        assert write_tracker(told) == ""
        written = tmp_path / ".claude/context/token-tracker.json"
        assert written.read_bytes() == tracker_document(told)

    def test_nothing_is_written_for_nobody(self, tmp_path: Path) -> None:
        assert write_tracker(nobody()) == ""
        assert write_tracker(frame(chosen=session_view(project=""))) == ""
        assert list(tmp_path.iterdir()) == []

    def test_what_is_in_the_way_is_said_in_the_same_words_each_time(self, tmp_path: Path) -> None:
        gone = frame(chosen=session_view(project=str(tmp_path / "gone")))
        first = write_tracker(gone)
        assert first.startswith("cannot write in the project: '")
        assert write_tracker(gone._replace(made_at_ms=NOON_MS + 30_000)) == first

    @pytest.mark.parametrize("project", [f"/{HOSTILE}", HOSTILE, "/\ud800", "x" * 9_000, "/"])
    def test_an_impossible_project_is_a_sentence_too(self, project: str) -> None:
        told = write_tracker(frame(chosen=session_view(project=project)))
        assert told != ""
        assert told == one_line(told)

    def test_twenty_readers_never_see_a_part_of_it(self, tmp_path: Path) -> None:
        told = frame(chosen=session_view(project=str(tmp_path)), interval_seconds=-1)
        write_tracker(told)
        path, done = tmp_path / ".claude/context/token-tracker.json", threading.Event()
        seen: list[list[int]] = [[] for _ in range(20)]
        wrong: list[Exception] = []

        def reading(mine: list[int]) -> None:
            try:
                while not done.wait(0.002):
                    mine.append(read(path.read_bytes())["interval_seconds"])
            except Exception as reason:
                wrong.append(reason)

        readers = [threading.Thread(target=reading, args=(mine,)) for mine in seen]
        for reader in readers:
            reader.start()
        for tick in range(200):
            assert write_tracker(told._replace(interval_seconds=tick)) == ""
        done.set()
        for reader in readers:
            reader.join()
        assert wrong == []
        assert all(mine == sorted(mine) for mine in seen)  # never an older one again
        assert len({tick for mine in seen for tick in mine}) > 10


def test_the_page_names_every_field() -> None:
    page = DOCS.read_text(encoding="utf-8")

    def names(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    parts = {row.name for row in session_view().rows}
    missing = {n for n in names(read(frame_line(frame()))) - parts if f"`{n}`" not in page}
    assert missing == set()
