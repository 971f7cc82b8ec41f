"""A ledger equals what is true, however its transcripts were read."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.builders import (
    Home,
    answer,
    append,
    counts_of,
    everything,
    growing,
    later,
    patched_source,
    prompt,
    write,
)

from sample_sessions import Truth
from tokenbudget.collector import ingest
from tokenbudget.collector.ingest import Collector, Want, balanced
from tokenbudget.collector.scan import to_read
from tokenbudget.model.events import ReadPlan, Stretch
from tokenbudget.model.files import FoundFile
from tokenbudget.system import process
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both passes and further processes already for kilobytes."""
    monkeypatch.setattr(ingest, "INLINE_DETAIL_BYTES", 60_000)
    monkeypatch.setattr(ingest, "FAN_OUT_BYTES", 30_000)
    monkeypatch.setattr(ingest, "COMMIT_SECONDS", 0.001)
    monkeypatch.setattr(ingest, "POLITE_COMMIT_SECONDS", 0.0)


# ── totals equal the truth ───────────────────────────────────────────────────────────────────────


def test_one_cold_read_counts_what_is_true(full_home: Home, sample: tuple[Path, Truth]) -> None:
    outcome = full_home.refresh()
    assert outcome.files_read == sample[1].files
    assert outcome.lagging_bytes == 0
    assert full_home.counts() == counts_of(sample[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_two_passes_count_what_is_true(
    full_home: Home, sample: tuple[Path, Truth], small_steps: None, workers: int
) -> None:
    first = full_home.refresh(workers=workers)
    assert first.lagging_bytes == sample[1].bytes
    assert full_home.counts() == counts_of(sample[1])
    assert full_home.rows("SELECT count(*) FROM content") == [(0,)]
    second = full_home.refresh(Want.DETAIL, workers)
    assert second.lagging_bytes == 0
    assert full_home.counts() == counts_of(sample[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_two_passes_leave_the_same_ledger_as_one(
    tmp_path: Path, sample: tuple[Path, Truth], monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    once, twice = Home(tmp_path / "once"), Home(tmp_path / "twice")
    for home in (once, twice):
        shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    once.refresh()
    monkeypatch.setattr(ingest, "INLINE_DETAIL_BYTES", 1)
    monkeypatch.setattr(ingest, "FAN_OUT_BYTES", 1)
    twice.refresh(workers=workers)
    twice.refresh(Want.DETAIL, workers)
    assert everything(twice) == everything(once)


@pytest.mark.parametrize("workers", [0, 2])
def test_forty_random_increments_count_what_is_true(
    home: Home, sample: tuple[Path, Truth], small_steps: None, workers: int
) -> None:
    for step in growing(sample[0], home.config, random.Random(workers), 40):
        home.refresh(Want.DETAIL if step % 9 == 8 else Want.USAGE, workers)
    assert home.counts() == counts_of(sample[1])


@pytest.mark.parametrize("want", list(Want))
def test_the_first_directory_that_a_file_names_is_its_project_in_either_pass(
    home: Home, monkeypatch: pytest.MonkeyPatch, want: Want
) -> None:
    monkeypatch.setattr(ingest, "INLINE_DETAIL_BYTES", 0)
    long_prompt = {**prompt("p" * 5_000, "u1"), "cwd": "/srv/a"}
    write(home.project / "s1.jsonl", long_prompt, {**answer("a"), "cwd": "/srv/b"})
    with home.open() as ledger:
        home.collector(ledger).refresh(home.tops, want)
        assert list(ledger.names("project").values()) == ["/srv/a"]


def test_increments_leave_the_same_ledger_as_one_read(
    tmp_path: Path, sample: tuple[Path, Truth]
) -> None:
    once, often = Home(tmp_path / "once"), Home(tmp_path / "often")
    shutil.copytree(sample[0], once.config, dirs_exist_ok=True)
    once.refresh(Want.DETAIL)
    for _ in growing(sample[0], often.config, random.Random(5), 12):
        often.refresh(Want.DETAIL)
    assert everything(often) == everything(once)


def test_a_second_refresh_changes_nothing(full_home: Home) -> None:
    full_home.refresh(Want.DETAIL)
    before = everything(full_home)
    assert full_home.refresh(Want.DETAIL).files_read == 0
    assert everything(full_home) == before


# ── nothing new costs nothing ────────────────────────────────────────────────────────────────────


def test_a_refresh_that_finds_nothing_new_opens_no_file(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_home.refresh(Want.DETAIL)
    opened: list[object] = []
    real = os.open

    def watched(path: Any, *given: Any, **more: Any) -> int:
        opened.append(path)
        return real(path, *given, **more)

    monkeypatch.setattr(os, "open", watched)
    full_home.refresh(Want.DETAIL)
    assert opened == []


def test_a_command_that_finds_nothing_new_imports_no_decoder(full_home: Home) -> None:
    assert full_home.run("usage").returncode == 0
    script = (
        "import sys; from tokenbudget.cli import main; code = main(['usage', '--json']);"
        "print(code, [n for n in ('msgspec', 'tokenbudget.sources.claude_code.reader',"
        " 'tokenbudget.ledger.writer') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env=full_home.environment(),
        timeout=30,
    )
    assert done.stderr == "0 []\n"


def test_what_was_appended_is_all_that_is_read(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    home.refresh()
    size = path.stat().st_size
    append(path, answer("c"))
    assert home.refresh().bytes_read == path.stat().st_size - size


def test_a_file_that_lags_and_grows_is_not_read_twice_for_its_usage(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "INLINE_DETAIL_BYTES", 100)
    path = write(home.project / "s1.jsonl", *(answer(f"a{n}") for n in range(20)))
    home.refresh()
    size = path.stat().st_size
    append(path, answer("b"))
    outcome = home.refresh()
    assert outcome.bytes_read == path.stat().st_size - size
    assert outcome.lagging_bytes == path.stat().st_size


# ── what can go wrong while reading ──────────────────────────────────────────────────────────────


def test_a_file_that_vanishes_between_scan_and_read_harms_no_other(home: Home) -> None:
    first = write(home.project / "s1.jsonl", answer("a"))
    write(home.project / "s2.jsonl", answer("b"))

    def vanishing(real: Callable[[ReadPlan], Iterator[Stretch]], plan: ReadPlan) -> object:
        if plan.path == str(first):
            first.unlink()
        return real(plan)

    with patched_source(home, read=vanishing) as source:
        assert home.refresh(source=source).unreadable == []
    assert home.rows("SELECT key FROM response") == [("b",)]
    assert home.rows("SELECT count(*) FROM file") == [(1,)]


def test_a_file_that_cannot_be_read_is_remembered_until_it_can(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"))

    def refused(real: object, plan: ReadPlan) -> object:
        raise PermissionError(13, "Permission denied", plan.path)

    with patched_source(home, read=refused) as source:
        assert home.refresh(source=source).unreadable == [(str(path), "Permission denied")]
    with home.open() as ledger:
        (problem,) = ledger.problems(9)
    assert (problem.path, problem.reason) == (str(path), "Permission denied")
    home.refresh()
    with home.open() as ledger:
        assert ledger.problems(9) == []
    assert home.rows("SELECT key FROM response") == [("a",)]


def test_a_folder_that_cannot_be_listed_is_told_each_time_and_never_stored(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    trouble = [("/elsewhere", "Permission denied")]
    with patched_source(
        home, find=lambda real, tops: real(tops)._replace(unreadable=list(trouble))
    ) as source:
        assert home.refresh(source=source).unreadable == trouble
        assert home.refresh(source=source).unreadable == trouble
    assert home.rows("SELECT path FROM file") == [(str(home.project / "s1.jsonl"),)]


def test_a_reading_process_that_is_killed_costs_no_line(
    full_home: Home, sample: tuple[Path, Truth], small_steps: None
) -> None:
    parent = os.getpid()
    read: list[int] = []

    def deadly(real: Callable[[ReadPlan], Iterator[Stretch]], plan: ReadPlan) -> object:
        read.append(1)
        if os.getpid() != parent and len(read) > 5:
            os.kill(os.getpid(), 9)
        return real(plan)

    with patched_source(full_home, read=deadly) as source:
        full_home.refresh(Want.DETAIL, workers=2, source=source)
    assert full_home.counts() == counts_of(sample[1])
    assert full_home.rows("SELECT sum(rereads) FROM file") == [(0,)]


def test_where_no_process_can_be_had_the_command_reads_by_itself(
    full_home: Home,
    sample: tuple[Path, Truth],
    small_steps: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    full_home.refresh(Want.DETAIL, workers=2)
    assert full_home.counts() == counts_of(sample[1])


def test_a_failing_write_leaves_the_last_commit(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    write(home.project / "s2.jsonl", answer("b"))

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch, home.open() as ledger:
        patch.setattr("tokenbudget.ledger.writer.mark_stale", broken)
        with pytest.raises(Exception, match="no room left"):
            home.collector(ledger).refresh(home.tops, Want.USAGE)
    assert home.rows("SELECT key FROM response") == [("a",)]
    home.refresh()
    assert home.rows("SELECT key FROM response ORDER BY key") == [("a",), ("b",)]


# ── the lock ─────────────────────────────────────────────────────────────────────────────────────


class StoryClock:
    """A clock that moves when somebody sleeps, and then lets something happen."""

    def __init__(self, then: Callable[[int], None]) -> None:
        self.seconds = 0.0
        self.naps = 0
        self._then = then

    def now_ms(self) -> int:
        return 0

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.naps += 1
        self._then(self.naps)


def test_who_waited_for_another_refresh_looks_again_and_reads_nothing_twice(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    with home.open() as ledger, home.open() as other:
        holder = FileLock(str(home.data / "refresh.lock"))
        assert holder.try_acquire()

        def other_finishes(naps: int) -> None:
            if naps == 2:
                source = home.source()
                Collector(other, source, SystemClock(), 0).refresh(home.tops, Want.USAGE)
                holder.release()

        lock = FileLock(str(home.data / "refresh.lock"))
        clock = StoryClock(other_finishes)
        waiting = Collector(ledger, home.source(), clock, 0, lock)
        assert waiting.refresh(home.tops, Want.USAGE).files_read == 0
        assert clock.naps == 2
    assert home.rows("SELECT key FROM response") == [("a",)]


def test_a_stopped_holder_of_the_lock_blocks_nobody_for_ever(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    with home.open() as ledger, FileLock(str(home.data / "refresh.lock")) as holder:
        assert holder.try_acquire()
        lock = FileLock(holder.path)
        clock = StoryClock(lambda naps: None)
        Collector(ledger, home.source(), clock, 0, lock).refresh(home.tops, Want.USAGE)
        assert clock.seconds == pytest.approx(ingest.LOCK_PATIENCE_SECONDS, abs=0.1)
    assert home.rows("SELECT key FROM response") == [("a",)]


def test_the_second_pass_writes_nothing_while_a_first_pass_is_at_work(
    full_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "POLITE_COMMIT_SECONDS", -1.0)
    lock = str(full_home.root / "first.lock")
    first, rival = FileLock(lock), FileLock(lock)
    assert rival.try_acquire()
    naps: list[int] = []

    def first_pass_ends(count: int) -> None:
        naps.append(count)
        if count == 3:
            rival.release()

    with full_home.open() as ledger:
        Collector(
            ledger, full_home.source(), StoryClock(first_pass_ends), 0, give_way_to=first
        ).refresh(full_home.tops, Want.DETAIL)

    assert naps == [1, 2, 3]
    assert rival.try_acquire()
    rival.release()


def test_where_no_lock_can_be_had_the_refresh_goes_on(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    lock = FileLock(str(home.root / "nowhere" / "refresh.lock"))
    with home.open() as ledger:
        Collector(ledger, home.source(), SystemClock(), 0, lock).refresh(home.tops, Want.USAGE)
    assert home.rows("SELECT key FROM response") == [("a",)]


def test_the_lock_is_free_again_after_a_refresh(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    with FileLock(str(home.data / "refresh.lock")) as lock:
        assert lock.try_acquire()


# ── shares and progress ──────────────────────────────────────────────────────────────────────────


def test_shares_are_about_equal_and_hold_every_file_once(home: Home) -> None:
    found = [FoundFile(f"/p/{n}.jsonl", size, 0, n) for n, size in enumerate([900, 10, 400, 490])]
    files = [to_read(home.source(), file, None, False, True) for file in found]
    shares = balanced(enumerate(files), 2)
    assert sorted(index for share in shares for index, _ in share) == [0, 1, 2, 3]
    assert [sum(file.size_bytes for _, file in share) for share in shares] == [900, 900]


def test_there_are_no_more_shares_than_files(home: Home) -> None:
    file = to_read(home.source(), FoundFile("/p/a.jsonl", 5, 0, 1), None, False, True)
    assert len(balanced([(0, file)], 4)) == 1


def test_progress_ends_with_everything_done(full_home: Home) -> None:
    told: list[tuple[int, int]] = []
    with full_home.open() as ledger:
        source = full_home.source()
        collector = Collector(
            ledger, source, SystemClock(), 0, progress=lambda *given: told.append(given)
        )
        outcome = collector.refresh(full_home.tops, Want.DETAIL)
    # The half line at the end of the live session is not taken yet.
    assert told == sorted(told)
    assert 0 < told[-1][0] <= told[-1][1] == outcome.bytes_read


def test_two_threads_are_no_place_to_fork(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(ingest, "FAN_OUT_BYTES", 1)
    monkeypatch.setattr(process, "can_fork", lambda: False)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked beside a thread"))
    write(home.project / "s1.jsonl", answer("a"))
    write(home.project / "s2.jsonl", answer("b"))
    assert home.refresh(workers=2).files_read == 2


def test_a_half_written_line_is_counted_once_when_it_is_whole(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"))
    whole = path.read_bytes()
    for end in (10, len(whole) - 1, len(whole)):  # half, whole without its end, whole
        path.write_bytes(whole[:end])
        later(path, end)
        home.refresh()
    assert home.rows("SELECT key, output_tokens FROM response") == [("a", 10)]
    assert home.rows("SELECT lines FROM file") == [(1,)]
