"""The status line's files from the inside: reports taken in once, snapshots handed back."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import HAIKU, Talk, filled_session, plain_session
from tests.gateway.status_bar import told
from tests.test_app_windows import NOON_MS, QUIET, Desk, grow

from tokenbudget.analysis.cache_state import CacheState, cache_state
from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.app import Workbench
from tokenbudget.app.statusline import (
    KEPT_MS,
    limit_reports,
    refresh,
    reports_lost,
    snapshot_of,
    take_reports,
    thread_requests,
)
from tokenbudget.app.windows import window_of
from tokenbudget.budget.limits import LimitSample
from tokenbudget.gateway import statusline, statusline_spool
from tokenbudget.gateway.statusline_files import Snapshot
from tokenbudget.gateway.statusline_reports import LostReports
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.ledger.window_store import WindowStore
from tokenbudget.ledger.windows import RequestRow
from tokenbudget.model.errors import LedgerUnusable
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock

RESET_MS = NOON_MS + 7_200_000
FIVE_HOUR = LimitSample(NOON_MS, 0.38, RESET_MS)
WEEK_MS = 7 * 86_400_000


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A home whose clock stands still, with a session of four requests."""
    made = Desk(Home(tmp_path / "home"))
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: made.clock.ms)
    plain_session().write(made.home)
    return made


def data_dir(desk: Desk) -> Path:
    """Where the ledger, the spool and the snapshots are."""
    return desk.ledger.parent


def report(desk: Desk, at_ms: int = NOON_MS, percent: int = 38, **changes: object) -> None:
    """Have the status line spool what an agent said."""
    limits = {"five_hour": {"used_percentage": percent, "resets_at": RESET_MS // 1000}}
    said = told(**{"session_id": "s1", "rate_limits": limits, **changes})
    statusline_spool.append(str(data_dir(desk)), statusline_spool.spool_line(said, at_ms))


def window_told(tokens: int) -> dict[str, Any]:
    """The agent's word on how large the window is."""
    return {"context_window": {"context_window_size": tokens}}


def spooled(desk: Desk) -> list[str]:
    """What is in the spool."""
    folder = data_dir(desk) / "spool"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def taken(desk: Desk, *paths: str) -> int:
    """Take the reports in."""
    with desk.open(*paths) as bench:
        return take_reports(bench)


def five_hour(desk: Desk) -> list[LimitSample]:
    """What is known of the 5-hour limit."""
    with desk.open() as bench:
        return limit_reports(bench)["five_hour"]


def refreshed(desk: Desk, session: str = "s1") -> dict[str, Any]:
    """The session's snapshot, brought up to date."""
    assert refresh(desk.settings(), QUIET, session)
    return snapshot_in(desk, session)


def snapshot_in(desk: Desk, session: str = "s1") -> dict[str, Any]:
    """The session's snapshot as it is."""
    found = json.loads((data_dir(desk) / "statusline" / f"{session}.json").read_text())
    assert isinstance(found, dict)
    return found


def requests_of(desk: Desk) -> list[RequestRow]:
    """The requests of the plain session's thread."""
    with desk.open() as bench:
        window = window_of(bench, "s1", "", QUIET)
        (file,) = bench.ledger.windows.files_of_session("s1")
        return thread_requests(bench, file, window)


class TestTaking:
    def test_without_a_spool_there_is_nothing_to_take(self, desk: Desk) -> None:
        assert taken(desk) == 0
        assert not (data_dir(desk) / "spool.lock").exists()
        assert five_hour(desk) == []

    def test_an_empty_spool_is_dropped(self, desk: Desk) -> None:
        (data_dir(desk) / "spool").mkdir(parents=True)
        (data_dir(desk) / "spool" / "statusline.jsonl").touch()

        assert taken(desk) == 0
        assert spooled(desk) == []

    def test_damaged_lines_are_dropped(self, desk: Desk) -> None:
        statusline_spool.append(str(data_dir(desk)), b"\0garbage\n{}\n[1]\n")

        assert taken(desk) == 0
        assert spooled(desk) == []

    def test_whole_lines_between_damaged_ones_are_taken(self, desk: Desk) -> None:
        statusline_spool.append(str(data_dir(desk)), b"\0garbage\n")
        report(desk)
        statusline_spool.append(str(data_dir(desk)), b'{"format":"')

        assert taken(desk) == 1
        assert five_hour(desk) == [FIVE_HOUR]

    def test_reports_are_taken_in_and_the_spool_is_dropped(self, desk: Desk) -> None:
        report(desk, NOON_MS + 60_000, 39, **window_told(500_000))
        report(desk, **window_told(1_000_000))

        assert taken(desk) == 2
        assert spooled(desk) == []
        assert five_hour(desk) == [FIVE_HOUR, LimitSample(NOON_MS + 60_000, 0.39, RESET_MS)]
        with desk.open() as bench:
            assert bench.ledger.windows.told_window("s1") == 500_000

    def test_a_second_take_adds_nothing(self, desk: Desk) -> None:
        report(desk)
        assert [taken(desk), taken(desk)] == [1, 0]
        assert five_hour(desk) == [FIVE_HOUR]

    def test_the_same_lines_again_add_nothing(self, desk: Desk) -> None:
        for _ in range(2):
            report(desk)
            assert taken(desk) == 1
        assert five_hour(desk) == [FIVE_HOUR]

    def test_both_limits_are_told_apart(self, desk: Desk) -> None:
        limits = {"seven_day": {"used_percentage": 61, "resets_at": RESET_MS // 1000}}
        report(desk, rate_limits=limits)
        taken(desk)
        with desk.open() as bench:
            assert limit_reports(bench) == {
                "five_hour": [],
                "seven_day": [LimitSample(NOON_MS, 0.61, RESET_MS)],
            }

    def test_a_report_without_limit_or_size_is_taken_all_the_same(self, desk: Desk) -> None:
        report(desk, rate_limits=None, context_window=None)

        assert taken(desk) == 1
        assert (spooled(desk), five_hour(desk)) == ([], [])

    def test_the_bench_sees_what_it_took_and_holds_still_again(self, desk: Desk) -> None:
        report(desk)
        with desk.open() as bench, desk.open() as other:
            take_reports(bench)
            assert limit_reports(bench)["five_hour"] == [FIVE_HOUR]
            other.ledger.let_go()
            other.ledger.windows.store_reports([("five_hour", NOON_MS + 1, 0.4, RESET_MS)], [])
            assert limit_reports(bench)["five_hour"] == [FIVE_HOUR]
        assert len(five_hour(desk)) == 2

    def test_what_the_spool_lost_is_kept_until_somebody_asks(self, desk: Desk) -> None:
        assert reports_lost(desk.settings()) == LostReports(0, 0)
        for lines in (5, 7):
            report(desk)
            statusline_spool.append(str(data_dir(desk)), statusline_spool.DROPPED % lines)
            assert taken(desk) == 1

        assert reports_lost(desk.settings()) == LostReports(12, NOON_MS)
        assert spooled(desk) == []

    def test_a_loss_alone_is_taken_as_well(self, desk: Desk) -> None:
        statusline_spool.append(str(data_dir(desk)), statusline_spool.DROPPED % 3)

        assert (taken(desk), spooled(desk)) == (0, [])
        assert reports_lost(desk.settings()).lines == 3

    def test_the_lock_is_given_back(self, desk: Desk) -> None:
        report(desk)
        taken(desk)
        with FileLock(str(data_dir(desk) / "spool.lock")) as lock:
            assert lock.try_acquire()


class TestLeaving:
    """What cannot be stored stays, and is stored once it can."""

    @pytest.fixture
    def reported(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
        """A home with one report; whatever happens there, it must be taken in later."""
        monkeypatch.setattr("tokenbudget.ledger.store.SHORT_PATIENCE_MS", 20)
        desk.open().ledger.close()
        report(desk)
        yield desk
        monkeypatch.undo()
        monkeypatch.setattr(SystemClock, "now_ms", lambda _: NOON_MS)
        assert len(spooled(desk)) == 1
        assert taken(desk) == 1
        assert (spooled(desk), five_hour(desk)) == ([], [FIVE_HOUR])

    def test_where_another_one_holds_the_lock(self, reported: Desk) -> None:
        with FileLock(str(data_dir(reported) / "spool.lock")) as other:
            assert other.try_acquire()
            assert taken(reported) == 0
            assert spooled(reported) == ["statusline.jsonl"]

    def test_where_another_one_writes_the_ledger(self, reported: Desk) -> None:
        with reported.open() as bench, closing(sqlite3.connect(reported.ledger)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert take_reports(bench) == 0
            assert limit_reports(bench)["five_hour"] == []

    def test_where_the_ledger_is_full(
        self, reported: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*given: object) -> None:
            raise LedgerUnusable("no room left to write the ledger")

        monkeypatch.setattr(WindowStore, "store_reports", refuse)
        assert taken(reported) == 0

    def test_where_the_lock_cannot_be_made(self, reported: Desk) -> None:
        (data_dir(reported) / "spool.lock").mkdir()
        assert taken(reported) == 0
        (data_dir(reported) / "spool.lock").rmdir()

    def test_where_the_spool_cannot_be_moved(
        self, reported: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(home: str) -> None:
            raise PermissionError(13, "Permission denied", home)

        monkeypatch.setattr("tokenbudget.app.statusline.take_spool", refuse)
        assert taken(reported) == 0

    def test_where_what_was_stored_cannot_be_dropped(
        self, reported: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(spool: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("tokenbudget.app.statusline.drop_spool", refuse)
        assert taken(reported) == 0
        assert five_hour(reported) == [FIVE_HOUR]

    def test_for_a_passing_ledger(self, reported: Desk) -> None:
        path = str(plain_session().path(reported.home))
        with reported.open(path) as bench:
            assert bench.ledger.path == TEMPORARY
            assert take_reports(bench) == 0
        assert spooled(reported) == ["statusline.jsonl"]
        assert not (data_dir(reported) / "spool.lock").exists()


class TestRefreshing:
    def test_the_snapshot_is_made_of_the_transcript_as_it_is(self, desk: Desk) -> None:
        found = plain_session().path(desk.home).stat()
        snapshot = refreshed(desk)

        assert snapshot["format"] == statusline.FORMAT
        assert (snapshot["session"], snapshot["model"]) == ("s1", HAIKU)
        assert snapshot["made_at_ms"] == NOON_MS
        assert snapshot["transcript_bytes"] == found.st_size
        assert snapshot["transcript_mtime_ms"] == found.st_mtime_ns // 1_000_000
        assert set(snapshot) == {"format", *Snapshot._fields}

    def test_the_status_line_takes_it_for_fresh_until_the_transcript_grows(
        self, desk: Desk
    ) -> None:
        talk = plain_session()
        said = told(session_id="s1", transcript_path=str(talk.path(desk.home)))
        seen = []
        for _ in range(2):
            refreshed(desk)
            seen.append(statusline.snapshot_of(said, str(data_dir(desk)))["is_fresh"])
            grow(talk, desk.home)
            seen.append(statusline.snapshot_of(said, str(data_dir(desk)))["is_fresh"])

        assert seen == [True, False, True, False]

    def test_the_figures_are_those_of_the_window(self, desk: Desk) -> None:
        snapshot = refreshed(desk)
        window = desk.window()

        assert window.cost is not None
        assert snapshot["window_tokens"] == window.size.tokens == 200_000
        assert snapshot["total_tokens"] == window.total_tokens
        assert snapshot["reserve_tokens"] == window.size.reserve_tokens
        assert snapshot["cost_usd"] == str(window.cost.total_usd)
        assert snapshot["level"] == "healthy"

    def test_the_cache_is_that_of_the_threads_last_requests(self, desk: Desk) -> None:
        snapshot = refreshed(desk)
        requests = requests_of(desk)
        told = cache_state(requests, NOON_MS)

        assert len(requests) == 4
        assert told.hit_share is not None
        assert snapshot["cache_hit_share"] == told.hit_share
        assert snapshot["cache_cold_at_ms"] == told.cold_at_ms
        assert snapshot["cache"] == {True: "warm", False: "cold", None: "unknown"}[told.is_warm]

    def test_the_line_says_so_where_the_agent_does_not(self, desk: Desk) -> None:
        last_ms = max(one.started_at_ms for one in requests_of(desk))
        desk.clock.ms = last_ms + 60_000
        refreshed(desk)
        path = str(plain_session().path(desk.home))
        said = told(session_id="s1", transcript_path=path, prompt_cache=None)
        home = str(data_dir(desk))
        options = statusline.Options([home, "--plain", "--width", "200"], {})
        known = statusline.snapshot_of(said, home)

        assert "cold in " in statusline.line_of(said, known, options, desk.clock.ms)
        assert ", cold now" in statusline.line_of(said, known, options, last_ms + 3_600_000)

    def test_what_is_called_after_the_window_gives_the_alerts(self, desk: Desk) -> None:
        seen = []

        def after(bench: Workbench, window: SessionWindow) -> int:
            seen.append((bench.settings.data_dir, window.total_tokens))
            assert not (data_dir(desk) / "statusline").exists(), "before the snapshot"
            return 3

        assert refresh(desk.settings(), QUIET, "s1", after)
        assert seen == [(str(data_dir(desk)), desk.window().total_tokens)]
        assert snapshot_in(desk)["alerts"] == 3

    def test_where_that_fails_the_snapshot_is_written_with_the_count_before(
        self, desk: Desk
    ) -> None:
        def fail(bench: Workbench, window: SessionWindow) -> int:
            raise ValueError("no rules")

        warnings: list[str] = []
        terminal = QUIET._replace(warn=warnings.append)
        for count in (0, 2):
            if count:
                refresh(desk.settings(), QUIET, "s1", lambda bench, window: 2)
            made_at_ms = desk.clock.ms = desk.clock.ms + 1_000
            assert refresh(desk.settings(), terminal, "s1", fail)
            assert snapshot_in(desk)["made_at_ms"] == made_at_ms
            assert snapshot_in(desk)["alerts"] == count
        assert len(warnings) == 2
        assert "no rules" in warnings[0]

    def test_it_is_not_asked_of_an_unknown_session(self, desk: Desk) -> None:
        def after(bench: Workbench, window: SessionWindow) -> int:
            raise AssertionError

        assert not refresh(desk.settings(), QUIET, "s2", after)

    @pytest.mark.parametrize("session", ["s2", "", "s", "../s1"])
    def test_an_unknown_session_has_none(self, desk: Desk, session: str) -> None:
        assert not refresh(desk.settings(), QUIET, session)
        assert not (data_dir(desk) / "statusline").exists()

    def test_a_session_of_subagents_alone_has_none(self, desk: Desk) -> None:
        Talk("s3", agent="a1").ask().answer().write(desk.home)

        assert not refresh(desk.settings(), QUIET, "s3")

    def test_reports_are_taken_in_even_for_an_unknown_session(self, desk: Desk) -> None:
        report(desk)
        refresh(desk.settings(), QUIET, "s2")

        assert (spooled(desk), five_hour(desk)) == ([], [FIVE_HOUR])

    @pytest.mark.parametrize("tokens", [100_000, 200_000, 1_000_000])
    def test_the_size_that_the_agent_told_wins_over_the_published_one(
        self, desk: Desk, tokens: int
    ) -> None:
        assert refreshed(desk)["window_tokens"] == 200_000
        report(desk, **window_told(tokens))

        assert refreshed(desk)["window_tokens"] == tokens
        assert desk.window().size.origin == "reported"

    def test_a_size_that_another_session_was_told_does_not(self, desk: Desk) -> None:
        report(desk, session_id="s2", **window_told(1_000_000))

        assert refreshed(desk)["window_tokens"] == 200_000

    def test_the_persons_own_size_wins_over_that(self, desk: Desk) -> None:
        desk.home.config.parent.mkdir()
        desk.home.config.write_text('windows."claude-haiku*" = 50_000\n')
        report(desk, **window_told(1_000_000))

        assert refreshed(desk)["window_tokens"] == 50_000

    def test_where_the_ledger_is_busy_it_is_made_all_the_same(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tokenbudget.ledger.store.SHORT_PATIENCE_MS", 20)
        desk.open().ledger.close()
        report(desk)
        with closing(sqlite3.connect(desk.ledger)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert refreshed(desk)["total_tokens"] == 17_925
        assert len(spooled(desk)) == 1

    @pytest.mark.parametrize(("more_ms", "is_kept"), [(-60_000, True), (60_000, False)])
    def test_snapshots_that_nobody_asked_for_in_a_week_go(
        self, desk: Desk, more_ms: int, is_kept: bool
    ) -> None:
        refreshed(desk)
        old = data_dir(desk) / "statusline" / "s0.json"
        old.write_text("{}")
        at_seconds = (NOON_MS - KEPT_MS - more_ms) / 1000
        os.utime(old, (at_seconds, at_seconds))
        refreshed(desk)

        assert old.exists() == is_kept
        assert KEPT_MS == WEEK_MS


class TestSnapshot:
    """The fields of a snapshot, by the window that it is made of."""

    def made(self, desk: Desk, talk: Talk) -> Snapshot:
        """The snapshot of a session."""
        talk.write(desk.home)
        with desk.open() as bench:
            window = window_of(bench, talk.session, "", QUIET)
            (file,) = bench.ledger.windows.files_of_session(talk.session)
            return snapshot_of(talk.session, window, bench.settings, file, NOON_MS)

    @pytest.mark.parametrize(
        ("share", "level"),
        [(0.2, "healthy"), (0.6, "warning"), (0.8, "critical"), (0.95, "emergency")],
    )
    def test_the_level_follows_the_share(self, desk: Desk, share: float, level: str) -> None:
        assert self.made(desk, filled_session(share, "s5")).level == level

    def test_without_a_known_size_there_is_no_level(self, desk: Desk) -> None:
        talk = Talk("s5", model="somebodys-own-model").ask().answer()
        snapshot = self.made(desk, talk)

        assert (snapshot.level, snapshot.window_tokens, snapshot.threshold) == ("", None, "")
        assert snapshot.minutes_left_p50 is None
        assert snapshot.total_tokens is not None

    def test_without_a_request_nothing_is_known(self, desk: Desk) -> None:
        snapshot = self.made(desk, Talk("s5").ask().answer(usage=None))

        assert (snapshot.level, snapshot.total_tokens, snapshot.threshold) == ("", None, "")
        assert snapshot.burn_tokens_per_minute is None

    @pytest.mark.parametrize("share", [0.2, 0.6, 0.8])
    def test_the_threshold_is_the_next_one_ahead(self, desk: Desk, share: float) -> None:
        talk = Talk("s5").ask().answer()
        target = share * 200_000
        while talk.window_tokens < target:
            talk.read("/srv/shop/cart.py", 2_000)
        snapshot = self.made(desk, talk.answer())
        with desk.open() as bench:
            window = window_of(bench, "s5", "", QUIET)
        total = window.total_tokens
        assert total is not None
        ahead = [one.name for one in window.crossings if one.threshold_tokens > total]

        assert snapshot.threshold == ahead[0]
        assert snapshot.minutes_left_p10 is not None
        assert snapshot.minutes_left_p50 is not None
        assert snapshot.minutes_left_p10 <= snapshot.minutes_left_p50

    def test_it_says_how_fast_a_session_burns_that_is_at_work(self, desk: Desk) -> None:
        desk.clock.ms = NOON_MS - 58 * 60_000
        with desk.open() as bench:
            window = window_of(bench, "s1", "", QUIET)
            (file,) = bench.ledger.windows.files_of_session("s1")
            snapshot = snapshot_of("s1", window, bench.settings, file, desk.clock.ms)

        assert snapshot.burn_tokens_per_minute is not None
        assert snapshot.burn_tokens_per_minute > 0

    def test_own_thresholds_are_handed_on(self, desk: Desk) -> None:
        desk.home.config.parent.mkdir(exist_ok=True)
        desk.home.config.write_text("tokenManagement.warningThreshold = 20\n")
        snapshot = self.made(desk, filled_session(0.3, "s5"))

        assert snapshot.threshold_shares == (0.2, 0.75, 0.9)
        assert snapshot.level == "warning"

    @pytest.mark.parametrize(
        ("is_warm", "word"), [(True, "warm"), (False, "cold"), (None, "unknown")]
    )
    def test_alerts_and_cache_are_handed_on(
        self, desk: Desk, is_warm: bool | None, word: str
    ) -> None:
        cache = CacheState(0.8, 300_000, NOON_MS, is_warm, 4)
        with desk.open() as bench:
            window = window_of(bench, "s1", "", QUIET)
            (file,) = bench.ledger.windows.files_of_session("s1")
            bare = snapshot_of("s1", window, bench.settings, file, NOON_MS)
            full = snapshot_of("s1", window, bench.settings, file, NOON_MS, 2, cache)

        assert (bare.alerts, bare.cache, bare.cache_hit_share) == (0, "unknown", None)
        assert bare.cache_cold_at_ms is None
        assert full == bare._replace(
            alerts=2, cache=word, cache_hit_share=0.8, cache_cold_at_ms=NOON_MS
        )
