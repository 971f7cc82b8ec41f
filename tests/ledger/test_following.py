"""What is new of a window that is followed, and whether what was before is as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.ledger.builders import END, Home, Json, answer, moment, prompt, tool_use, write
from tests.ledger.test_windows import file, flat, row

from tokenbudget.ledger import windows
from tokenbudget.ledger.following import (
    file_of,
    generation_of,
    pieces_from,
    requests_of,
    usage_sums,
)

ALL_MS = 1 << 60


@pytest.fixture
def opened(home: Home) -> Iterator[sqlite3.Connection]:
    """The ledger of a home; a test writes transcripts and refreshes before it asks."""
    home.refresh()
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        yield connection


def said(key: str, minutes: int = 0, content: list[Json] | None = None) -> Json:
    return answer(key, timestamp=moment(minutes), content=content)


def sums(home: Home, opened: sqlite3.Connection, after_ms: int = -1) -> tuple[int, ...]:
    home.refresh()
    return usage_sums(opened, "s1", after_ms, ALL_MS)


def test_pieces_come_from_a_place_on_and_of_the_main_thread(opened: sqlite3.Connection) -> None:
    rows = [row(10), row(20), row(20, 1), row(20, 2, thread="helper"), row(30)]
    windows.store_pieces(opened, file(), "words/1", flat(*rows), goes_on_from=None)
    assert pieces_from(opened, 1, (-1, -1)) == [row(10), row(20), row(20, 1), row(30)]
    assert pieces_from(opened, 1, (20, 1)) == [row(20, 1), row(30)]
    assert pieces_from(opened, 1, (30, 1)) == []
    assert pieces_from(opened, 2, (-1, -1)) == []


def test_requests_are_found_by_their_keys(home: Home, opened: sqlite3.Connection) -> None:
    write(home.project / "s1.jsonl", said("m1"), said("m2", 1), said("m\0 2", 2))
    home.refresh()
    assert requests_of(opened, ["m\0 2"])["m\0 2"].key == "m\0 2"
    assert set(requests_of(opened, ["m1", "m9", 'a "quoted" one'])) == {"m1"}
    assert requests_of(opened, ["m2"])["m2"].session == "s1"
    assert requests_of(opened, []) == {}


def test_a_file_and_its_generation_are_told_by_its_number(
    home: Home, opened: sqlite3.Connection
) -> None:
    path = write(home.project / "s1.jsonl", prompt("One two.", "u1"), said("m1"))
    home.refresh()
    found = file_of(opened, 1)
    assert found is not None
    assert found.path == str(path)
    assert generation_of(opened, 1) == (path.stat().st_ino, 0)
    assert (file_of(opened, 9), generation_of(opened, 9)) == (None, None)


def test_a_file_that_was_written_anew_is_of_another_generation(
    home: Home, opened: sqlite3.Connection
) -> None:
    path = write(home.project / "s1.jsonl", prompt("One two.", "u1"), said("m1"))
    home.refresh()
    before = generation_of(opened, 1)
    with path.open("ab") as more:
        more.write(b'{"type":"user"}\n')
    home.refresh()
    assert generation_of(opened, 1) == before
    write(path, prompt("Something else.", "u7"), said("m2"), said("m3"))
    home.refresh()
    assert generation_of(opened, 1) != before


def test_sums_are_others_where_a_response_is_another_one(
    home: Home, opened: sqlite3.Connection
) -> None:
    path = write(home.project / "s1.jsonl", said("m1"), said("m2", 1))
    before = sums(home, opened)
    assert before[0] == 2
    assert sums(home, opened) == before
    with path.open("ab") as more:
        more.write(b'{"type":"user"}\n')
    assert sums(home, opened) == before
    write(home.project / "s1.jsonl", said("m1"), said("m2", 1), said("m3", 2))
    assert sums(home, opened) != before


def test_sums_are_of_a_time_and_add_up(home: Home, opened: sqlite3.Connection) -> None:
    write(home.project / "s1.jsonl", said("m1"), said("m2", 1), said("m3", 2))
    home.refresh()
    middle_ms = round(END.timestamp() * 1000) + 60_000
    first = usage_sums(opened, "s1", -1, middle_ms)
    rest = usage_sums(opened, "s1", middle_ms, ALL_MS)
    whole = usage_sums(opened, "s1", -1, ALL_MS)
    assert (first[0], rest[0]) == (2, 1)
    assert tuple(a + b for a, b in zip(first, rest, strict=True)) == whole
    assert not any(usage_sums(opened, "s9", -1, ALL_MS))


def test_every_count_of_a_response_is_summed_up(home: Home, opened: sqlite3.Connection) -> None:
    """Whichever of them a further copy raises, it shows."""
    write(home.project / "s1.jsonl", said("m1", content=[tool_use("t1", "Read")]))
    before = sums(home, opened)
    for column, value in [
        ("input_tokens", 77_777),
        ("output_tokens", 88_888),
        ("cache_write_5m_tokens", 99_999),
        ("cache_write_1h_tokens", 11_111),
        ("cache_read_tokens", 22_222),
        ("thinking_tokens", 33_333),
        ("has_stop_reason", 5),
        ("speed", 6),
        ("service_tier", 7),
        ("model_id", 0),
        ("started_at_ms", 8),
        ("is_sidechain", 1),
    ]:
        opened.execute("PRAGMA foreign_keys = OFF")
        opened.execute(f"UPDATE response SET {column} = ?", (value,))
        assert usage_sums(opened, "s1", -1, ALL_MS) != before, column
        opened.rollback()
