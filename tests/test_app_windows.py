"""Windows put together: counted once, kept, learnt anew when it pays."""

from __future__ import annotations

import builtins
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import NOON, Home
from tests.cli.window_sessions import HAIKU, Talk, billed, filled_session, plain_session, words

from tokenbudget.analysis.session_window import SessionWindow, window_from
from tokenbudget.app import COPIED, Terminal, Workbench, open_workbench, work_in_a_copy
from tokenbudget.app.transcripts import agent_name
from tokenbudget.app.windows import (
    FEW_FRESH_MS,
    FRESH_MS,
    count_everything,
    learn,
    limits_of,
    replay_of,
    shares_of,
    window_of,
)
from tokenbudget.budget.health import STANDARD
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.ledger.window_store import WindowStore
from tokenbudget.model.errors import BadConfig, BadRequest, LedgerUnusable

NOON_MS = round(NOON.timestamp() * 1000)
MINUTE_MS = 60_000
QUIET = Terminal(warn=lambda text: None, progress=lambda done, total: None)


class FakeClock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def now_ms(self) -> int:
        """What a test set."""
        return self.ms

    def monotonic_seconds(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.ms += round(seconds * 1000)


class Desk:
    """A home, its clock, and what the application says of windows there."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.clock = FakeClock()
        self.progress: list[tuple[int, int]] = []

    def settings(self, **variables: str) -> Settings:
        """The settings of this home."""
        environment = {**self.home.environment, "TOKENS_WORKERS": "0", **variables}
        return settings_from(environment)

    def open(self, *paths: str, **variables: str) -> Workbench:
        """A workbench at this time."""
        settings = self.settings(**variables)
        return open_workbench(settings, QUIET, from_paths=paths, clock=self.clock)

    def window(self, session: str = "s1", agent: str = "", **variables: str) -> SessionWindow:
        """The window of a session."""
        told = Terminal(warn=pytest.fail, progress=lambda *done: self.progress.append(done))
        with self.open(**variables) as bench:
            return window_of(bench, session, agent, told)

    def warned(self, session: str = "s1") -> tuple[SessionWindow, list[str]]:
        """The window of a session, and what was warned of."""
        warnings: list[str] = []
        with self.open() as bench:
            window = window_of(bench, session, "", QUIET._replace(warn=warnings.append))
        return window, warnings

    @property
    def ledger(self) -> Path:
        """The file that is kept."""
        return self.home.config.parent / "ledger.db"

    def learnt_at_ms(self) -> int:
        """When the way of counting was last learnt."""
        with self.open() as bench:
            return bench.ledger.windows.calibrated_at_ms()


@pytest.fixture
def desk(home: Home) -> Desk:
    return Desk(home)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def grow(talk: Talk, home: Home, text: str = "Thanks.") -> None:
    """Go on with a session that is written already; its file is never as old as it was."""
    path = talk.path(home)
    before = path.stat().st_mtime_ns
    talk.ask(text).answer().write(home)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def long_session(turns: int = 110, session: str = "s1") -> Talk:
    """Enough to learn a way of counting from."""
    talk = Talk(session)
    for turn in range(turns):
        talk.ask(words(40 + turn)).answer(words(20 + turn % 9))
    return talk


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a transcript is opened or a counter made."""
    real = builtins.open

    def watched(file: Any, *given: Any, **more: Any) -> Any:
        assert not str(file).endswith(".jsonl"), f"opened {file}"
        return real(file, *given, **more)

    monkeypatch.setattr(builtins, "open", watched)
    monkeypatch.setattr("tokenbudget.metering.tokenizer.BytePairCounter", pytest.fail)


class TestKept:
    def test_a_second_call_gives_the_same_without_counting(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain_session().write(desk.home)
        first = desk.window()

        forbid(monkeypatch)
        assert desk.window() == first

    def test_progress_is_told_while_there_is_something_to_count(self, desk: Desk) -> None:
        path = plain_session().write(desk.home)
        desk.window()
        size = path.stat().st_size

        assert desk.progress[-1] == (size, size)

    def test_a_further_request_changes_the_answer(self, desk: Desk) -> None:
        talk = plain_session()
        talk.write(desk.home)
        before = desk.window()
        grow(talk, desk.home)
        after = desk.window()

        assert after.requests == before.requests + 1
        assert before.total_tokens is not None
        assert after.prompt_tokens == before.total_tokens + billed("Thanks.")

    def test_a_line_alone_changes_what_waits(self, desk: Desk) -> None:
        talk = plain_session()
        path = talk.write(desk.home)
        assert desk.window().waiting_tokens == 0
        before = path.stat().st_mtime_ns
        talk.ask(words(300)).write(desk.home)
        os.utime(path, ns=(before + 10**9, before + 10**9))

        assert desk.window().waiting_tokens == pytest.approx(billed(words(300)), rel=0.1)

    @pytest.mark.parametrize("turns", [1, 3])
    def test_in_pieces_or_at_once_a_transcript_counts_the_same(
        self, desk: Desk, tmp_path: Path, turns: int
    ) -> None:
        talk = plain_session()
        talk.write(desk.home)
        for turn in range(turns):
            desk.window()
            grow(talk, desk.home, words(50 + turn))
        whole = Desk(Home(tmp_path / "other"))
        talk.write(whole.home)

        assert desk.window() == whole.window()

    def test_a_transcript_that_was_written_anew_is_counted_anew(self, desk: Desk) -> None:
        path = plain_session().write(desk.home)
        desk.window()
        before = path.stat().st_mtime_ns
        Talk(hidden_tokens=3_000).ask("Another one.").answer(key="msg_other").write(desk.home)
        os.utime(path, ns=(before + 10**9, before + 10**9))

        assert desk.window().prompt_tokens == 3_000 + billed("Another one.")

    @pytest.mark.parametrize(
        ("text", "field", "value"),
        [
            ('windows."claude-haiku*" = 50_000', "free_tokens", 50_000),
            ("autocompact_reserve_tokens = 20_000", "until_compaction_tokens", 180_000),
        ],
    )
    def test_a_changed_setting_changes_the_answer(
        self, desk: Desk, text: str, field: str, value: int
    ) -> None:
        plain_session().write(desk.home)
        total = desk.window().total_tokens
        desk.home.config.write_text(text + "\n")

        assert total is not None
        assert getattr(desk.window(), field) == value - total

    def test_a_changed_price_changes_the_cost(self, desk: Desk) -> None:
        plain_session().write(desk.home)
        before = desk.window().cost
        desk.home.config.write_text(f'prices."{HAIKU}" = {{input = 500, output = 500}}\n')
        after = desk.window().cost

        assert before is not None
        assert after is not None
        assert float(after.output_usd) > float(before.output_usd)

    def test_changed_thresholds_change_the_forecast(self, desk: Desk) -> None:
        plain_session().write(desk.home)
        desk.window()
        desk.home.config.write_text("tokenManagement.warningThreshold = 60\n")

        assert desk.window().crossings[0].threshold_tokens == 120_000

    def test_what_is_kept_comes_back_whole(self, desk: Desk) -> None:
        filled_session(0.6).compact(words(90)).answer().answer().answer().write(desk.home)
        window = desk.window()

        assert window_from(json.loads(json.dumps(window))) == window

    def test_a_deleted_transcript_keeps_its_figures(self, desk: Desk) -> None:
        path = plain_session().write(desk.home)
        before = desk.window()
        path.unlink()
        after = desk.window()

        assert after._replace(notes=()) == before
        assert "the transcript is gone" in after.notes[0]

    def test_each_thread_has_its_own(self, desk: Desk) -> None:
        plain_session().write(desk.home)
        Talk(agent="abc", hidden_tokens=4_000).ask().answer().write(desk.home)

        for _ in range(2):
            assert desk.window(agent="abc").prompt_tokens == 4_000 + billed("Please fix the cart.")
            assert desk.window().agent == ""

    def test_an_unknown_subagent_is_refused(self, desk: Desk) -> None:
        plain_session().write(desk.home)

        with pytest.raises(BadRequest, match="no subagent 'zz'"):
            desk.window(agent="zz")

    def test_an_ambiguous_one_is_refused_and_a_whole_name_is_not(self, desk: Desk) -> None:
        for agent in ("ab", "abc"):
            Talk(agent=agent).ask().answer().write(desk.home)

        with pytest.raises(BadRequest, match=r"2 subagents begin with 'a' \(ab, abc\)"):
            desk.window(agent="a")
        assert desk.window(agent="ab").agent == "ab"

    @pytest.mark.parametrize("first", ["s1", "s2"])
    def test_sessions_that_share_a_file_have_each_its_own(self, desk: Desk, first: str) -> None:
        talk = plain_session("s1")
        later = Talk("s2", begin=talk.at, hidden_tokens=talk.window_tokens).ask("Go on.").answer()
        talk.lines += later.lines
        talk.write(desk.home)
        desk.window(first)

        assert [desk.window(name).notes != () for name in ("s1", "s2")] == [False, True]
        assert [desk.window(name).requests for name in ("s1", "s2")] == [4, 5]


class TestCopy:
    """What cannot be kept is answered all the same, from a passing copy of the ledger."""

    @pytest.fixture
    def held(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
        """A session that is read but not counted, and another process that holds the ledger."""
        monkeypatch.setattr("tokenbudget.ledger.store.SHORT_PATIENCE_MS", 20)
        plain_session().write(desk.home)
        desk.open().ledger.close()
        other = sqlite3.connect(desk.ledger, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield desk
        other.close()

    def refuse(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
        """Have a way of writing windows fail so many times."""
        real = getattr(WindowStore, name)
        left = [times]

        def store(*given: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                raise LedgerUnusable("no room left to write the ledger")
            return real(*given, **more)

        monkeypatch.setattr(WindowStore, name, store)

    @pytest.mark.parametrize("name", ["store_pieces", "store_calibrations", "store_snapshot"])
    def test_a_write_that_fails_leads_to_the_same_answer(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        whole = Desk(Home(tmp_path / "other"))
        for home in (desk.home, whole.home):
            plain_session().write(home)
        self.refuse(monkeypatch, name, times=1)
        window, warnings = desk.warned()

        assert warnings == [
            "no room left to write the ledger. This answer is computed in a copy of it"
        ]
        assert window == whole.window()

    def test_nothing_of_it_is_kept(self, held: Desk) -> None:
        window, warnings = held.warned()

        assert (window.requests, window.total_tokens) == (4, 17_925)
        assert [warning.endswith(COPIED) for warning in warnings] == [True]
        with sqlite3.connect(held.ledger) as kept:
            assert kept.execute("SELECT count(*) FROM window_snapshot").fetchone() == (0,)

    def test_it_does_not_say_how_long_it_never_waited(self, held: Desk) -> None:
        _, (warning,) = held.warned()

        assert "for a minute" not in warning

    def test_every_request_is_told_as_well(self, held: Desk) -> None:
        warnings: list[str] = []
        with held.open() as bench:
            told = QUIET._replace(warn=warnings.append)
            window, replay = replay_of(bench, "s1", "", told)
            assert bench.ledger.path == TEMPORARY

        assert len(replay.moments) == window.requests == 4
        assert len(warnings) == 1

    def test_what_only_the_ledger_remembers_is_in_it(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = plain_session().write(desk.home)
        before = desk.window()
        path.unlink()
        self.refuse(monkeypatch, "store_snapshot", times=1)
        window, warnings = desk.warned()

        assert len(warnings) == 1
        assert window._replace(notes=()) == before

    def test_once_the_ledger_can_be_written_again_it_is(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain_session().write(desk.home)
        self.refuse(monkeypatch, "store_snapshot", times=1)
        window, _ = desk.warned()

        assert desk.window() == window
        forbid(monkeypatch)
        assert desk.window() == window

    def test_where_the_copy_fails_as_well_it_is_an_error(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain_session().write(desk.home)
        self.refuse(monkeypatch, "store_snapshot", times=2)

        with pytest.raises(LedgerUnusable, match="no room left"):
            desk.warned()

    def test_a_passing_ledger_is_not_copied(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = plain_session("s9").write(Home(tmp_path / "far"))
        self.refuse(monkeypatch, "store_snapshot", times=1)
        told = Terminal(warn=pytest.fail, progress=lambda done, total: None)

        with desk.open(str(path)) as bench, pytest.raises(LedgerUnusable, match="no room left"):
            window_of(bench, "s9", "", told)

    def test_a_question_that_is_refused_is_no_failure_of_the_ledger(self, held: Desk) -> None:
        with pytest.raises(BadRequest, match="no subagent 'zz'"):
            held.window(agent="zz")

    def test_the_bench_goes_on_in_it(self, desk: Desk) -> None:
        plain_session().write(desk.home)
        with desk.open() as bench:
            before = bench.ledger
            sessions = before.sessions()
            work_in_a_copy(bench)

            assert bench.ledger.path == TEMPORARY
            assert bench.ledger.sessions() == sessions
            with pytest.raises(LedgerUnusable):
                before.sessions()
            bench.ledger.let_go()
            bench.ledger.windows.store_calibrations([])
        assert desk.ledger.exists()


class TestFrom:
    def test_a_file_is_read_into_a_passing_ledger(self, desk: Desk, tmp_path: Path) -> None:
        path = plain_session("s9").write(Home(tmp_path / "far"))
        with desk.open(str(path)) as bench:
            window = window_of(bench, "s9", "", QUIET)

        assert window.requests == 4
        assert not desk.home.config.parent.exists()

    def test_what_is_learnt_there_is_not_kept(self, desk: Desk, tmp_path: Path) -> None:
        plain_session().write(desk.home)
        desk.window()
        before = desk.learnt_at_ms()
        far = Home(tmp_path / "far")
        long_session(session="s9").write(far)
        desk.clock.ms += 5 * FRESH_MS
        with desk.open(str(far.claude)) as bench:
            window_of(bench, "s9", "", QUIET)

        assert desk.learnt_at_ms() == before


class TestLearning:
    """What was learnt is kept an hour, or ten minutes where it was little."""

    def test_happens_with_the_first_question(self, desk: Desk) -> None:
        long_session().write(desk.home)

        assert desk.window().calibration_steps >= 100
        assert desk.learnt_at_ms() == NOON_MS

    @pytest.mark.parametrize(
        ("turns", "minutes", "is_again"),
        [(110, 59, False), (110, 61, True), (20, 9, False), (20, 11, True)],
    )
    def test_happens_again_when_it_is_stale_and_something_is_new(
        self, desk: Desk, turns: int, minutes: int, is_again: bool
    ) -> None:
        talk = long_session(turns)
        talk.write(desk.home)
        desk.window()
        desk.clock.ms += minutes * MINUTE_MS
        grow(talk, desk.home)
        desk.window()

        assert desk.learnt_at_ms() == NOON_MS + (minutes * MINUTE_MS if is_again else 0)

    def test_does_not_happen_again_while_nothing_is_new(self, desk: Desk) -> None:
        long_session().write(desk.home)
        before = desk.window()
        desk.clock.ms += 10 * FRESH_MS

        assert desk.window() == before
        assert desk.learnt_at_ms() == NOON_MS

    def test_the_times_are_those_that_people_were_told(self) -> None:
        assert (FRESH_MS, FEW_FRESH_MS) == (60 * MINUTE_MS, 10 * MINUTE_MS)

    def test_other_sessions_of_the_model_are_learnt_from(self, desk: Desk) -> None:
        long_session(session="s0").write(desk.home)
        plain_session().write(desk.home)

        assert desk.window("s1").calibration_steps > 100

    def test_counting_everything_leaves_nothing_to_count(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for session in ("s1", "s2", "s3"):
            long_session(20, session).write(desk.home)
        told: list[tuple[int, int]] = []
        with desk.open() as bench:
            count_everything(bench, lambda *done: told.append(done))
            fits = learn(bench)

        assert len(told) == 3
        assert fits[HAIKU].sessions == 3
        forbid(monkeypatch)
        with desk.open() as bench:
            count_everything(bench, lambda done, total: pytest.fail("counted"))


class TestReplay:
    def test_tells_every_request(self, desk: Desk) -> None:
        plain_session().write(desk.home)
        with desk.open() as bench:
            window, replay = replay_of(bench, "s1", "", QUIET)

        assert len(replay.moments) == window.requests == 4
        assert replay.moments[-1].request.prompt_tokens == window.prompt_tokens

    def test_of_a_session_without_a_main_thread_is_empty(self, desk: Desk) -> None:
        Talk(agent="a1").ask().answer().write(desk.home)
        with desk.open() as bench:
            window, replay = replay_of(bench, "s1", "", QUIET)

        assert replay.moments == []
        assert window.agents[0][1] == 1


class TestSettings:
    def told(self, desk: Desk, text: str) -> Settings:
        """The settings with this config.toml."""
        desk.home.config.parent.mkdir(exist_ok=True)
        desk.home.config.write_text(text + "\n")
        return desk.settings()

    def test_without_any_the_standard_holds(self, desk: Desk) -> None:
        assert limits_of(desk.settings()) == STANDARD
        assert shares_of(desk.settings()) is None

    @pytest.mark.parametrize("text", ["{warningThreshold = 0.4}", "{warningThreshold = 40}"])
    def test_shares_and_percent_mean_the_same(self, desk: Desk, text: str) -> None:
        found = limits_of(self.told(desk, f"tokenManagement = {text}"))

        assert found == STANDARD._replace(warning_share=0.4)

    @pytest.mark.parametrize("given", ["true", '"0.5"', "[]", "{}"])
    def test_what_is_no_number_is_refused(self, desk: Desk, given: str) -> None:
        settings = self.told(desk, f"tokenManagement.warningThreshold = {given}")
        with pytest.raises(BadConfig, match=r"must be a number such as 0\.75 or 75"):
            limits_of(settings)
        with pytest.raises(BadConfig, match="must be a number, not"):
            shares_of(self.told(desk, f"allocation.context = {given}"))

    def test_own_shares_are_handed_on(self, desk: Desk) -> None:
        assert shares_of(self.told(desk, "allocation.context = 1")) == {"context": 1}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/p/s1/subagents/agent-abc.jsonl", "abc"),
        ("/p/abc.jsonl", "abc"),
        ("agent-.jsonl", ""),
        ("/p/agent-a.b.jsonl", "a.b"),
    ],
)
def test_a_subagent_is_named_by_its_transcript(path: str, name: str) -> None:
    assert agent_name(path) == name


def test_no_counting_library_is_loaded_by_these_modules_alone() -> None:
    script = "import sys, tokenbudget.app.windows; print('splintr' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[1] / "src")},
    )  # fmt: skip
    assert done.stdout == "False\n"
