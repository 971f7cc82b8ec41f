"""The spool loses nothing on its way to the collector."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.gateway.status_bar import SESSION, lasting, run, run_at_once

from tokenbudget.budget.limits import LimitSample
from tokenbudget.gateway import statusline_spool
from tokenbudget.gateway.statusline_reports import (
    LostReports,
    count_lost,
    drop_spool,
    lost_reports,
    rate_limit_samples,
    take_spool,
    window_size_of,
)


def test_the_spool_holds_what_matters_and_no_more(tmp_path: Path) -> None:
    run(lasting(prompt="do not keep me", cwd="/secret/place"), tmp_path)
    text = (tmp_path / "spool/statusline.jsonl").read_text()
    assert "keep me" not in text
    assert "secret" not in text
    assert "webshop" not in text
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    [entry] = take_spool(str(tmp_path)).entries
    assert entry.session == SESSION
    assert entry.model == "claude-opus-5-5"
    assert window_size_of(entry) == 200_000
    assert entry.context_window["current_usage"] == {
        "input_tokens": 8,
        "cache_read_input_tokens": 114_000,
    }
    samples = rate_limit_samples([entry])
    assert set(samples) == {"five_hour", "seven_day"}
    told = lasting()["rate_limits"]
    assert isinstance(told, dict)
    resets_at_ms = told["five_hour"]["resets_at"] * 1000
    assert samples["five_hour"] == [LimitSample(entry.at_ms, 0.38, resets_at_ms)]


def test_appends_of_50_processes_stay_whole(tmp_path: Path) -> None:
    run_at_once(50, lasting(transcript_path="/" + "x" * 1000), tmp_path)
    taken = take_spool(str(tmp_path))
    assert (len(taken.entries), taken.damaged_lines) == (50, 0)


def test_a_crash_between_taking_and_dropping_loses_nothing(tmp_path: Path) -> None:
    home = str(tmp_path)
    run(lasting(), home)
    first = take_spool(home)  # and then the taker is killed
    run(lasting(version="2.2.0"), home)
    second = take_spool(home)
    assert second.entries[0] == first.entries[0]
    assert [entry.version for entry in second.entries] == ["2.1.400", "2.2.0"]
    drop_spool(second)
    assert take_spool(home).entries == []
    drop_spool(second)  # a second time is harmless
    assert os.listdir(tmp_path / "spool") == []


def test_what_a_slow_writer_adds_after_the_taking_is_taken_next_time(tmp_path: Path) -> None:
    home = str(tmp_path)
    run(lasting(), home)
    slow = os.open(home + statusline_spool.SPOOL, os.O_WRONLY | os.O_APPEND)
    taken = take_spool(home)
    os.write(slow, statusline_spool.spool_line(lasting(version="late"), 7))
    os.close(slow)
    drop_spool(taken)
    assert "late" in [entry.version for entry in take_spool(home).entries]


def test_damaged_lines_are_counted_and_cost_no_other(tmp_path: Path) -> None:
    whole = statusline_spool.spool_line(lasting(), 1)
    (tmp_path / "spool").mkdir()
    damage = b"\xff\n{}\n[]\n\n" + b"[" * 3000 + b"\n"
    (tmp_path / "spool/statusline.jsonl").write_bytes(
        whole + damage + whole[:50] + whole + whole[:-9]
    )
    taken = take_spool(str(tmp_path))
    assert [entry.at_ms for entry in taken.entries] == [1, 1]
    assert taken.damaged_lines == 6


def test_the_spool_never_grows_beyond_1_mb(tmp_path: Path) -> None:
    home = str(tmp_path)
    spool = tmp_path / "spool/statusline.jsonl"
    spool.parent.mkdir()
    whole = statusline_spool.spool_line(lasting(), 1)
    spool.write_bytes(whole * (statusline_spool.ROOM_BYTES // len(whole) + 1))
    lines = spool.stat().st_size // len(whole)
    run_at_once(20, lasting(), tmp_path)
    assert all(path.stat().st_size <= 1 << 20 for path in spool.parent.iterdir())
    taken = take_spool(home)
    assert len(taken.entries) == lines + 20
    assert taken.damaged_lines == 0


def test_the_count_of_what_was_lost_only_grows(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert lost_reports(home) == LostReports(0, 0)
    count_lost(home, 3, 1000)
    count_lost(home, 4, 2000)
    assert lost_reports(home) == LostReports(7, 2000)
    for damage in (b"", b"{", b"[]", b'{"format":"x","lines":9}'):
        (tmp_path / "statusline.lost.json").write_bytes(damage)
        assert lost_reports(home) == LostReports(0, 0)
