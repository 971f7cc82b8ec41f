"""The workbench: a fresh ledger where one can be kept, a fresh answer where it cannot."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.builders import (
    END,
    Home,
    answer,
    append,
    counts_in,
    counts_of,
    prompt,
    write,
)

from sample_sessions import Truth, generate
from tokenbudget import app
from tokenbudget.app import (
    Terminal,
    Workbench,
    open_workbench,
    opening_words,
    rebuild,
    start_backfill,
    transcript_folders,
)
from tokenbudget.collector import ingest
from tokenbudget.collector.ingest import Collector, Want
from tokenbudget.config.settings import environment_for_child
from tokenbudget.ledger import copying
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.errors import (
    BadConfig,
    BadRequest,
    LedgerDamaged,
    LedgerUnusable,
    SourceUnreadable,
)
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("sample")
    return folder, generate(folder, end=END)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def full_home(home: Home, sample: tuple[Path, Truth]) -> Home:
    shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    return home


class Said:
    """A terminal that remembers."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.terminal = Terminal(self.warnings.append, lambda *done: self.progress.append(done))


@pytest.fixture
def said() -> Said:
    return Said()


def test_a_workbench_is_up_to_date(full_home: Home, sample: tuple[Path, Truth], said: Said) -> None:
    with open_workbench(full_home.settings(), said.terminal) as bench:
        assert counts_in(bench.ledger) == counts_of(sample[1])
        assert bench.outcome is not None
        assert bench.outcome.files_read == sample[1].files
        assert bench.zone.name == "local"
    assert said.warnings == []
    assert said.progress[-1][0] > 0


def test_a_workbench_is_closed_at_the_end_of_its_block(home: Home, said: Said) -> None:
    with open_workbench(home.settings(), said.terminal) as bench:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        bench.ledger._connection.execute("SELECT 1")


def test_the_zone_asked_for_comes_before_the_one_of_the_settings(home: Home, said: Said) -> None:
    settings = home.settings(TOKENS_TZ="Asia/Kolkata")
    with open_workbench(settings, said.terminal) as bench:
        assert bench.zone.name == "Asia/Kolkata"
    with open_workbench(settings, said.terminal, zone_name="UTC") as bench:
        assert bench.zone.name == "UTC"


def test_a_zone_that_does_not_exist_leaves_no_ledger_behind(home: Home, said: Said) -> None:
    with pytest.raises(BadRequest):
        open_workbench(home.settings(), said.terminal, zone_name="Mars/Base")
    assert not home.data.exists()


def test_an_impossible_own_price_names_its_file(home: Home, said: Said) -> None:
    home.data.mkdir()
    path = home.data / "config.toml"
    path.write_text('[prices."my-model"]\ninput = -1\n')
    with pytest.raises(BadConfig, match=str(path)):
        open_workbench(home.settings(), said.terminal)


def test_transcripts_are_looked_for_in_every_folder_of_claude_code(home: Home) -> None:
    assert transcript_folders(home.settings()) == [
        str(home.config / "projects"),
        str(home.root / ".claude" / "projects"),
        str(home.root / ".config" / "claude" / "projects"),
    ]


# ── without a ledger ─────────────────────────────────────────────────────────────────────────────


def test_where_no_ledger_can_be_kept_the_answer_is_read_afresh(
    full_home: Home, sample: tuple[Path, Truth], said: Said
) -> None:
    full_home.data.write_text("a file where the folder should be")
    settings = full_home.settings(TOKENS_CONFIG=str(full_home.root / "none.toml"))
    with open_workbench(settings, said.terminal) as bench:
        assert counts_in(bench.ledger) == counts_of(sample[1])
    (warning,) = said.warnings
    assert warning.startswith(f"cannot make {full_home.data}")
    assert "This answer is read afresh from the transcripts" in warning


def test_a_ledger_that_cannot_be_written_still_tells_of_deleted_transcripts(
    home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = write(home.project / "s1.jsonl", answer("a", 100))
    home.refresh()
    gone.unlink()
    write(home.project / "s2.jsonl", answer("b", 7))

    def refuse(self: Collector, *_: object) -> None:
        monkeypatch.undo()
        raise LedgerUnusable("no room left to write the ledger")

    monkeypatch.setattr(Collector, "refresh", refuse)
    with open_workbench(home.settings(), said.terminal) as bench:
        assert sum(t.output_tokens for t in counts_in(bench.ledger).by_model.values()) == 107
    assert said.warnings[0].endswith("This answer is computed in a copy of it")


@pytest.mark.parametrize("way", copying.WAYS)
def test_a_copy_is_taken_in_either_way(
    home: Home, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(copying, "WAYS", (way,))
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    with Ledger(TEMPORARY) as copy:
        assert copy.take_copy(str(home.ledger_path))
        assert copy.file_report().responses == 1


def test_there_is_no_copy_of_nothing(home: Home) -> None:
    with Ledger(TEMPORARY) as copy:
        assert not copy.take_copy(str(home.ledger_path))
        assert copy.file_report().responses == 0


def test_a_named_file_that_cannot_be_read_is_an_error(
    home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(home.root / "export" / "s9.jsonl", answer("z"))
    refuse_to_read(monkeypatch, path)
    with pytest.raises(SourceUnreadable, match=r"s9\.jsonl \(Permission denied\)"):
        open_workbench(home.settings(), said.terminal, from_paths=[str(path)])


def test_a_file_that_cannot_be_read_in_a_folder_is_a_warning(
    home: Home, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home.root / "export" / "s8.jsonl", answer("y"))
    refuse_to_read(monkeypatch, write(home.root / "export" / "s9.jsonl", answer("z")))
    with open_workbench(
        home.settings(), said.terminal, from_paths=[str(home.root / "export")]
    ) as bench:
        assert bench.ledger.file_report().responses == 1
    assert "the figures are without it" in said.warnings[0]


def test_a_named_pipe_is_refused_and_not_waited_for(home: Home, said: Said) -> None:
    home.root.mkdir(exist_ok=True)
    os.mkfifo(home.root / "pipe")
    with pytest.raises(SourceUnreadable, match="neither a file nor a folder"):
        open_workbench(home.settings(), said.terminal, from_paths=[str(home.root / "pipe")])


def refuse_to_read(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Even a superuser may not read this file from now on."""
    real = os.open

    def refusing(name: Any, *given: Any, **more: Any) -> int:
        if str(name) == str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(name, *given, **more)

    monkeypatch.setattr(os, "open", refusing)


def test_named_sessions_are_read_without_touching_the_ledger(home: Home, said: Said) -> None:
    elsewhere = write(home.root / "export" / "s9.jsonl", answer("z", 77))
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    before = {path: path.read_bytes() for path in home.data.iterdir()}
    with open_workbench(
        home.settings(), said.terminal, from_paths=[str(elsewhere.parent)]
    ) as bench:
        assert counts_in(bench.ledger).by_session.keys() == {"s1"}
        assert [t.output_tokens for t in counts_in(bench.ledger).by_model.values()] == [77]
    assert {path: path.read_bytes() for path in home.data.iterdir()} == before


def test_named_sessions_need_no_ledger(home: Home, said: Said) -> None:
    path = write(home.root / "export" / "s9.jsonl", answer("z"))
    with open_workbench(home.settings(), said.terminal, from_paths=[str(path)]) as bench:
        assert bench.ledger.file_report().responses == 1
    assert not home.data.exists()


def test_a_named_path_that_is_not_there_is_told(home: Home, said: Said) -> None:
    with pytest.raises(SourceUnreadable, match="No such file"):
        open_workbench(home.settings(), said.terminal, from_paths=[str(home.root / "none")])
    assert not home.data.exists()


@pytest.mark.parametrize("from_paths", [False, True])
def test_an_interrupted_reading_leaves_no_connection_open(
    home: Home, said: Said, monkeypatch: pytest.MonkeyPatch, from_paths: bool
) -> None:
    """An open one would warn when it is collected, and warnings are errors here."""
    path = write(home.project / "s1.jsonl", answer("a"))
    closed: list[Ledger] = []
    real = Ledger.close

    def watched(self: Ledger) -> None:
        closed.append(self)
        real(self)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ledger, "close", watched)
    monkeypatch.setattr(Collector, "refresh", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_workbench(home.settings(), said.terminal, from_paths=[str(path)] if from_paths else [])
    assert len(closed) == 1


def test_a_damaged_ledger_is_not_passed_over_in_silence(home: Home, said: Said) -> None:
    home.data.mkdir()
    home.ledger_path.write_text("not a ledger\n" * 90)
    with pytest.raises(LedgerDamaged):
        open_workbench(home.settings(), said.terminal)


# ── rebuild ──────────────────────────────────────────────────────────────────────────────────────


def test_a_rebuild_of_nothing_makes_a_ledger(
    full_home: Home, sample: tuple[Path, Truth], said: Said
) -> None:
    with rebuild(full_home.settings(), said.terminal) as bench:
        assert counts_in(bench.ledger) == counts_of(sample[1])
    assert said.warnings == []


def test_an_interrupted_rebuild_changes_nothing(
    full_home: Home, sample: tuple[Path, Truth], said: Said
) -> None:
    full_home.refresh(Want.DETAIL)

    def interrupted(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(full_home.settings(), said.terminal._replace(progress=interrupted))
    assert full_home.counts() == counts_of(sample[1])
    assert full_home.refresh().files_read == 0


# ── the second pass ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "INLINE_DETAIL_BYTES", 100)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Commands that would have been started in the background."""
    commands: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(
        "tokenbudget.system.process.start_detached",
        lambda command, environment: commands.append((command, environment)),
    )
    return commands


Started = list[tuple[list[str], dict[str, str]]]


def opened(home: Home, said: Said, backfill: str, want: Want = Want.USAGE) -> Workbench:
    bench = open_workbench(home.settings(TOKENS_BACKFILL=backfill), said.terminal, want)
    bench.ledger.close()
    return bench


def test_what_lags_is_read_in_the_background(
    full_home: Home, said: Said, two_passes: None, started: Started
) -> None:
    opened(full_home, said, "detached")
    settings = full_home.settings()
    assert started == [
        ([sys.executable, "-P", "-m", "tokenbudget", "backfill"], environment_for_child(settings))
    ]


@pytest.mark.parametrize(("backfill", "want"), [("off", Want.USAGE), ("detached", Want.DETAIL)])
def test_nothing_is_started_where_it_is_not_wanted_or_needed(
    full_home: Home,
    said: Said,
    two_passes: None,
    started: Started,
    backfill: str,
    want: Want,
) -> None:
    opened(full_home, said, backfill, want)
    assert started == []


def test_nothing_is_started_for_little_that_is_new(
    home: Home, said: Said, started: Started
) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    bench = opened(home, said, "detached")
    assert bench.outcome is not None
    assert bench.outcome.lagging_bytes == 0
    assert started == []


def test_the_second_pass_can_be_part_of_the_command(
    full_home: Home, sample: tuple[Path, Truth], said: Said, two_passes: None, started: Started
) -> None:
    bench = opened(full_home, said, "inline")
    assert bench.outcome is not None
    assert bench.outcome.lagging_bytes == 0
    assert full_home.rows("SELECT count(*) FROM content")[0][0] > 0
    assert full_home.counts() == counts_of(sample[1])
    assert started == []


def test_nothing_is_started_while_a_second_pass_is_going_on(
    full_home: Home, said: Said, two_passes: None, started: Started
) -> None:
    full_home.refresh()
    with FileLock(str(full_home.data / "detail.lock")) as lock:
        assert lock.try_acquire()
        opened(full_home, said, "detached")
    assert started == []
    opened(full_home, said, "detached")
    assert len(started) == 1


def test_a_second_pass_never_keeps_a_first_one_waiting(home: Home, said: Said) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    append(home.project / "s1.jsonl", answer("b"))
    with FileLock(str(home.data / "detail.lock")) as lock:
        assert lock.try_acquire()
        bench = opened(home, said, "off")
    assert bench.outcome is not None
    assert bench.outcome.files_read == 1


@pytest.mark.parametrize("failing", ["os.posix_spawn", "fcntl.flock"])
def test_a_second_pass_that_cannot_be_started_harms_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(37, "No locks available")

    home.data.mkdir()
    monkeypatch.setattr(failing, refused)
    start_backfill(home.settings())


@pytest.mark.slow
def test_a_real_second_pass_runs_to_its_end(home: Home) -> None:
    truth = generate(home.config, end=END, megabytes=9)
    first = home.run("usage", "--json", TOKENS_BACKFILL="detached")
    assert first.returncode == 0, first.stderr
    clock = SystemClock()
    for _ in range(400):
        if home.rows("SELECT count(*) FROM file WHERE detail_offset < usage_offset") == [(0,)]:
            break
        clock.sleep(0.05)
    else:
        pytest.fail("the second pass did not end")
    lock = FileLock(str(home.data / "detail.lock"))
    while not lock.try_acquire():
        clock.sleep(0.02)
    lock.release()
    assert home.counts() == counts_of(truth)
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        assert connection.execute("SELECT count(*) FROM content").fetchone()[0] > 100


def test_the_command_for_the_second_pass_reads_all_that_lags(
    full_home: Home, sample: tuple[Path, Truth], two_passes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert full_home.refresh().lagging_bytes > 0
    monkeypatch.setattr(os, "nice", lambda by: by)
    app.backfill(full_home.settings(TOKENS_BACKFILL="detached"))
    assert full_home.refresh().lagging_bytes == 0
    assert full_home.counts() == counts_of(sample[1])


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def test_a_sessions_opening_words_are_read_from_its_transcript(home: Home, said: Said) -> None:
    path = write(home.project / "s1.jsonl", prompt("Find the slow query", "u1"), answer("a"))
    with open_workbench(home.settings(), said.terminal) as bench:
        assert opening_words(bench, "s1") == "Find the slow query"
        assert opening_words(bench, "s9") is None
        path.unlink()
        assert opening_words(bench, "s1") is None
