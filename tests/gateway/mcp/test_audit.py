"""The audit says who called what and how big it was, never a value, and never fails a call."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.mcp.hubs import ManualClock
from tests.hostile import PAYLOADS

from tokenbudget.gateway.mcp import audit
from tokenbudget.gateway.mcp.audit import Audit, argument_sizes, audit_files
from tokenbudget.gateway.mcp.values import Tool

SECRET = "sk-live-0123456789"
TOOL = Tool("s", "t", "", "", {"properties": {"text": {}, "token": {}}}, None, {})


def rows(folder: Path) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in audit_files(str(folder))
        if os.path.exists(path)
        for line in Path(path).read_text().splitlines()
    ]


def test_a_row_says_when_who_and_what_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    Audit(str(folder), ManualClock(), "session").note("call", tool="t", ms=1.5, handle=None)
    assert rows(folder) == [
        {"at": "1970-01-01T00:16:40.000+00:00", "event": "call", "session": "session", "tool": "t",
         "ms": 1.5}
    ]  # fmt: skip
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600


def test_of_arguments_only_known_names_and_sizes_are_kept() -> None:
    arguments = {"text": "abc", "token": SECRET, SECRET: 1, "other": [1, 2]}
    assert argument_sizes(TOOL, arguments) == {"text": 3, "token": len(SECRET), "?": 1 + 5}


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.text(), st.lists), max_size=60))
def test_no_value_is_ever_among_the_sizes(arguments: dict[str, object]) -> None:
    sizes = argument_sizes(TOOL, arguments)
    assert set(sizes) <= {"text", "token", "?"}
    assert all(isinstance(size, int) for size in sizes.values())


def test_a_value_that_is_no_json_has_no_size() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert argument_sizes(TOOL, {"text": {1, 2}, "token": deep}) == {"text": -1, "token": -1}


def test_hostile_words_stand_on_their_one_line(tmp_path: Path) -> None:
    one = Audit(str(tmp_path), ManualClock())
    for name, payload in PAYLOADS.items():
        one.note("call", tool=payload, servers={payload: 1}, name=name)
    assert len(rows(tmp_path)) == len(PAYLOADS)
    assert all(len(str(row["tool"])) <= audit.MOST_WORD_CHARS for row in rows(tmp_path))


def test_a_full_file_makes_room_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_BYTES", 1_000)
    one = Audit(str(tmp_path), ManualClock())
    for number in range(200):
        one.note("call", number=number)
    names = ["audit.1.jsonl", "audit.2.jsonl", "audit.3.jsonl"]
    assert [name for name in sorted(os.listdir(tmp_path)) if name != "audit.jsonl"] == names
    numbers = [row["number"] for row in rows(tmp_path)]
    assert numbers == list(range(200))[-len(numbers) :]
    assert 20 < len(numbers) < 100


@pytest.mark.parametrize("obstacle", ["folder", "link", "pipe"])
def test_what_is_in_the_way_costs_rows_and_is_told_later(tmp_path: Path, obstacle: str) -> None:
    path, target = tmp_path / "audit.jsonl", tmp_path / "target"
    if obstacle == "folder":
        path.mkdir()
    elif obstacle == "link":
        path.symlink_to(target)
    else:
        os.mkfifo(path)
    one = Audit(str(tmp_path), ManualClock())
    one.note("call")
    one.note("call")
    assert not target.exists()
    path.rmdir() if obstacle == "folder" else path.unlink()
    one.note("call")
    assert rows(tmp_path)[0]["lost"] == 2
    one.note("call")
    assert "lost" not in rows(tmp_path)[1]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.touch(0o644)
    Audit(str(tmp_path), ManualClock()).note("call")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
