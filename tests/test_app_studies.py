"""Studies brought up to date and kept: exact, warm at once, and right when the world changes."""

from __future__ import annotations

import builtins
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import NOON, PRICES, Home
from tests.cli.window_sessions import Talk, plain_session, rich_session, words

from attribution import checked, days_off
from sample_sessions import generate
from tokenbudget.analysis.amounts import amount_of
from tokenbudget.analysis.drains import catalogue
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.profile_sums import threads_of
from tokenbudget.analysis.study import UNATTRIBUTED, FileStudy, Sighting, Spend, ThreadStudy
from tokenbudget.analysis.thread_view import ThreadView
from tokenbudget.app import COPIED, Terminal, Workbench, open_workbench, studies
from tokenbudget.app.studies import Studied, studied
from tokenbudget.app.study_bytes import decoded, encoded
from tokenbudget.collector.ingest import Want
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.studies import StudyStore
from tokenbudget.ledger.window_store import WindowStore
from tokenbudget.model.control import HISTORY, Receipt
from tokenbudget.model.errors import LedgerUnusable
from tokenbudget.resources.history import COMPACT

NOON_MS = round(NOON.timestamp() * 1000)
QUIET = Terminal(warn=lambda text: None, progress=lambda done, total: None)
SOURCE = Path(__file__).parents[1] / "src"


class FixedClock:
    """Noon."""

    def now_ms(self) -> int:
        """The same every time."""
        return NOON_MS

    def monotonic_seconds(self) -> float:
        """The same every time."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """At once."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.config.parent.mkdir(parents=True)
    made.config.write_text(PRICES)
    return made


def opened(home: Home, *paths: str, zone: str | None = None) -> Workbench:
    """A workbench as a verb opens it."""
    settings = settings_from({**home.environment, "TOKENS_WORKERS": "0"})
    return open_workbench(settings, QUIET, Want.DETAIL, zone, paths, FixedClock())


def study(home: Home, *paths: str, session: str = "", zone: str | None = None) -> Studied:
    """Every study, once it is shown that they add up to what was billed."""
    with opened(home, *paths, zone=zone) as bench:
        found = studied(bench, QUIET._replace(warn=pytest.fail), session=session)
        if not session:
            assert days_off(bench, found) == []
            assert [row.problem for row in checked(bench, found) if row.problem] == []
        return found


def spends(found: Studied) -> list[Spend]:
    return [spend for _, thread in threads_of(found.files) for spend in thread.spends]


def tokens(found: Studied) -> int:
    return amount_of(spends(found)).total_tokens


def ledger_of(home: Home) -> Path:
    return home.config.parent / "ledger.db"


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every transcript that is opened."""
    found: list[str] = []
    plain_open, plain_os_open = builtins.open, os.open

    def note(path: object) -> None:
        if str(path).endswith(".jsonl"):
            found.append(str(path))

    def noting(path: Any, *arguments: Any, **named: Any) -> Any:
        note(path)
        return plain_open(path, *arguments, **named)

    def os_noting(path: Any, *arguments: Any, **named: Any) -> Any:
        note(path)
        return plain_os_open(path, *arguments, **named)

    monkeypatch.setattr(builtins, "open", noting)
    monkeypatch.setattr(os, "open", os_noting)
    return found


def no_sightings(view: ThreadView, claimed: set[int]) -> Sequence[Sighting]:
    return []


def drains(monkeypatch: pytest.MonkeyPatch, *detectors: Any) -> None:
    """Let the catalogue hold these detectors and no others."""
    made = [Drain(f"drain-{n}", "", "", "", "", "", one) for n, one in enumerate(detectors)]
    monkeypatch.setattr(catalogue, "DRAINS", tuple(made))


def sighting(view: ThreadView, subject: str = "") -> Sighting:
    """One sighting at the first request."""
    turn = view.turns[0]
    day = view.day_of(turn.at_ms)
    return Sighting("drain-0", subject, day, turn.at_ms, turn.line, 1, 1, 1, 0, 1, 0, "once")


# ── what a study tells ───────────────────────────────────────────────────────────────────────────


def test_every_token_of_a_session_has_its_place(home: Home) -> None:
    rich_session().write(home)

    found = study(home)

    (file,) = found.files
    assert (file.session, file.project, file.branch) == ("s1", "/srv/shop", "main")
    assert file.path.endswith("s1.jsonl")
    (thread,) = file.threads
    assert thread.requests > 3
    assert thread.peak_tokens >= thread.last_window_tokens > 0
    assert found.notes == ()
    named = {spend.name for spend in thread.spends}
    assert "Read" in named


def test_sessions_with_subagents_copies_and_compactions_are_exact(home: Home) -> None:
    rich_session().write(home)
    Talk("s1", agent="a7", hidden_tokens=900).ask(words(50)).read("/a.py", 90).answer().write(home)
    Talk("s2").ask().read("/a.py", 400).compact(words(60)).answer().write(home)
    fork = Talk("s2").ask().read("/a.py", 400).answer()
    fork.session = "s3"
    fork.write(home)

    found = study(home)

    assert {file.session for file in found.files} >= {"s1", "s2"}
    assert [file.is_subagent for file in found.files].count(True) == 1


def test_the_generated_sample_is_exact(home: Home) -> None:
    """Forks, retries, several attempts, no usage at all, awkward lines: nothing is lost."""
    generate(home.claude, end=NOON, days=9, seed=1)

    found = study(home)

    assert tokens(found) > 0


def test_a_shell_command_is_told_by_its_label(home: Home) -> None:
    talk = Talk().ask().call("Bash", words(80), command="cd /srv && API_KEY=x npm test | tail")
    talk.answer().write(home)

    found = [spend for spend in spends(study(home)) if spend.name == "Bash"]

    assert {spend.target for spend in found} == {"npm test"}
    assert {spend.kind for spend in found} == {"tool_use", "tool_result"}


def test_an_empty_ledger_has_no_studies(home: Home) -> None:
    found = study(home)

    assert (found.files, found.notes) == ((), ())
    assert study(home, session="s9").files == ()


def test_a_session_is_studied_alone(home: Home) -> None:
    Talk("s1").ask().answer().write(home)
    Talk("s2").ask().answer().write(home)

    found = study(home, session="s2")

    assert [file.session for file in found.files] == ["s2"]
    with opened(home) as bench:
        assert set(bench.ledger.studies.kept()) == {file.file_id for file in found.files}


def test_two_sessions_in_one_file_are_told_apart(home: Home) -> None:
    talk = Talk("s1").ask().read("/a.py", 60).answer()
    talk.session = "s9"
    talk.ask().answer()
    talk.session = "s1"
    talk.write(home)

    found = study(home)

    assert sorted(file.session for file in found.files) == ["s1", "s9"]
    assert [file.threads[0].requests for file in found.files] == [2, 1]
    assert study(home, session="s9").files == found.files[1:]


def test_days_are_those_of_the_zone(home: Home) -> None:
    Talk().ask().answer().write(home)
    days = {
        zone: {spend.day for spend in spends(study(home, zone=zone))}
        for zone in ("UTC", "Pacific/Kiritimati", "UTC")
    }

    (utc,), (kiritimati,) = days["UTC"], days["Pacific/Kiritimati"]
    assert kiritimati == utc + 1


def test_a_folder_of_ones_own_is_studied_in_a_passing_ledger(home: Home, tmp_path: Path) -> None:
    path = Talk().ask().read("/a.py", 60).answer().write(home)
    moved = shutil.move(path, tmp_path / "one.jsonl")

    found = study(home, str(moved))

    assert tokens(found) > 0
    assert not ledger_of(home).exists()


# ── warm ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_warm_answer_opens_no_transcript(home: Home, opened_files: list[str]) -> None:
    rich_session().write(home)
    before = study(home)
    assert opened_files
    with opened(home) as bench:
        opened_files.clear()
        assert studied(bench, QUIET) == before._replace(zone=bench.zone)
    assert opened_files == []


def test_a_warm_answer_loads_neither_vocabulary_nor_detectors(home: Home) -> None:
    rich_session().write(home)
    study(home)
    code = """
import sys
from tests.test_app_studies import *
from pathlib import Path
for name in list(sys.modules):
    if name.startswith(("tokenbudget.analysis.drains", "splintr", "tokenbudget.metering.cali")):
        del sys.modules[name]
home = Home(Path(sys.argv[1]))
with opened(home) as bench:
    assert studied(bench, QUIET).files
print([n for n in sys.modules if n.startswith(("splintr", "tokenbudget.analysis.drains"))])
"""
    environment = {**home.environment, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.strip() == "[]"


def test_learning_more_studies_nothing_again(home: Home, opened_files: list[str]) -> None:
    """What an old session spent stays as it was told."""
    rich_session().write(home)
    before = study(home)
    with opened(home) as bench:
        bench.ledger.let_go()
        bench.ledger.windows.store_calibrations([])
        bench.ledger.hold_still()
        opened_files.clear()
        assert studied(bench, QUIET).files == before.files
    assert opened_files == []


def test_what_is_new_is_studied_and_nothing_else(home: Home, opened_files: list[str]) -> None:
    Talk("s1").ask().answer().write(home)
    talk = Talk("s2").ask().answer()
    path = talk.write(home)
    before = study(home)
    stamp = path.stat().st_mtime_ns
    talk.ask("More.").answer().write(home)
    os.utime(path, ns=(stamp + 10**9, stamp + 10**9))
    with opened(home) as bench:
        opened_files.clear()
        after = studied(bench, QUIET)

    assert {Path(path).name for path in opened_files} == {"s2.jsonl"}
    old, new = ({file.session: file for file in some.files} for some in (before, after))
    assert new["s1"] == old["s1"]
    assert new["s2"].threads[0].requests == old["s2"].threads[0].requests + 1


def test_a_copy_that_takes_requests_over_is_charged_once(home: Home) -> None:
    Talk("s2").ask().read("/a.py", 60).answer().write(home)
    study(home)
    lines = home.claude / "projects" / "-srv-shop"
    shutil.copy(lines / "s2.jsonl", lines / "s1.jsonl")

    assert tokens(study(home)) > 0  # and `study` has shown that it is exact


def test_other_prices_give_other_money(home: Home) -> None:
    plain_session().write(home)
    before = amount_of(spends(study(home)))
    home.config.write_text(PRICES.replace("0.05", "0.5"))

    after = amount_of(spends(study(home)))

    assert after.total_tokens == before.total_tokens
    assert after.cost_pico_usd > before.cost_pico_usd


def test_other_rules_study_everything_again(
    home: Home, opened_files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Talk().ask().answer().write(home)
    study(home)
    monkeypatch.setattr(studies, "STUDY_RULES", studies.STUDY_RULES + 1)
    with opened(home) as bench:
        opened_files.clear()
        studied(bench, QUIET)
    assert opened_files


def test_a_body_that_is_damaged_is_made_again(home: Home) -> None:
    Talk().ask().answer().write(home)
    before = study(home)
    with closing(sqlite3.connect(ledger_of(home))) as connection, connection:
        connection.execute("UPDATE study SET body = x'c1'")

    assert study(home).files == before.files


def test_progress_only_grows(home: Home) -> None:
    for name in ("s1", "s2", "s3"):
        Talk(name).ask().answer().write(home)
    told: list[tuple[int, int]] = []
    with opened(home) as bench:
        studied(bench, QUIET._replace(progress=lambda done, total: told.append((done, total))))

    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_was_studied_before_an_interruption_is_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s1", "s2", "s3"):
        Talk(name).ask().answer().write(home)
    monkeypatch.setattr("tokenbudget.app.studying.KEPT_AT_ONCE", 1)

    def interrupted(done: int, total: int) -> None:
        if 3 * done >= 2.5 * total:  # two of three are studied
            raise KeyboardInterrupt

    with opened(home) as bench, pytest.raises(KeyboardInterrupt):
        studied(bench, QUIET._replace(progress=interrupted))
    with opened(home) as bench:
        before = bench.ledger.studies.kept()
    study(home)
    with opened(home) as bench:
        after = bench.ledger.studies.kept()

    assert 0 < len(before) < len(after) == 3
    assert before.items() <= after.items()


# ── transcripts that go ──────────────────────────────────────────────────────────────────────────


def test_a_transcript_that_vanished_keeps_its_study(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    drains(monkeypatch, lambda view, claimed: [sighting(view)])
    path = Talk().ask().read("/a.py", 60).answer().write(home)
    before = study(home)
    path.unlink()

    assert study(home).files == before.files
    monkeypatch.setattr(studies, "STUDY_RULES", studies.STUDY_RULES + 1)
    assert study(home).files == before.files


def test_other_prices_reach_it_too_and_its_findings_stay(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pieces are still in the ledger; its words are not."""
    drains(monkeypatch, lambda view, claimed: [sighting(view)])
    path = Talk().ask().read("/a.py", 60).answer().write(home)
    before = study(home)
    path.unlink()
    home.config.write_text(PRICES.replace("0.05", "0.5"))

    after = study(home)

    assert amount_of(spends(after)).cost_pico_usd > amount_of(spends(before)).cost_pico_usd
    assert after.files[0].threads[0].sightings == before.files[0].threads[0].sightings != ()


def test_one_that_was_counted_and_never_studied_is_studied_without_words(home: Home) -> None:
    from tokenbudget.app.windows import count_everything

    path = Talk().ask().read("/a.py", 60).answer().write(home)
    with opened(home) as bench:
        count_everything(bench, QUIET.progress)
    path.unlink()

    found = study(home)

    assert "Read" in {spend.name for spend in spends(found)}


def test_one_that_was_never_counted_is_unattributed(home: Home) -> None:
    path = Talk().ask().answer().write(home)
    with opened(home):
        pass
    path.unlink()

    found = study(home)

    assert found.files == ()
    assert found.notes == (
        "1 transcript is gone, and nothing of it had been counted: its tokens are unattributed",
    )


def test_several_that_were_never_counted_are_told_in_one_sentence(home: Home) -> None:
    paths = [Talk(name).ask().answer().write(home) for name in ("s1", "s2")]
    with opened(home):
        pass
    for path in paths:
        path.unlink()

    assert study(home).notes == (
        "2 transcripts are gone, and nothing of them had been counted: their tokens are"
        " unattributed",
    )


def test_one_that_went_with_its_folder_is_not_looked_for_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody scans that folder any more, so that the ledger does not know that it is gone."""
    path = plain_session().write(home)
    with opened(home):
        pass
    home.claude.rename(home.path / "elsewhere")
    home.variables["CLAUDE_CONFIG_DIR"] = str(home.path / "other")
    assert not path.exists()
    monkeypatch.setattr("tokenbudget.app.studying.study_files", pytest.fail)

    (note,) = study(home).notes

    assert note.startswith("1 transcript is gone")


def test_one_that_was_studied_before_its_folder_went_is_told(home: Home) -> None:
    plain_session().write(home)
    before = study(home)
    home.claude.rename(home.path / "elsewhere")
    home.variables["CLAUDE_CONFIG_DIR"] = str(home.path / "other")
    home.config.write_text(PRICES.replace("0.05", "0.5"))  # it is made again, without its words

    after = study(home)

    assert after.notes == ()
    assert tokens(after) == tokens(before)


def test_an_archived_transcript_is_studied_from_its_archive(home: Home) -> None:
    long_ago = datetime(2026, 8, 20, 11, tzinfo=UTC)
    path = plain_session(begin=long_ago).write(home)
    os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
    archived = home.run("archive", "30", "--yes")
    assert (archived.code, path.exists()) == (0, False)

    found = study(home)

    assert "Read" in {spend.name for spend in spends(found)}
    assert "make test" in {spend.target for spend in spends(found)}  # the words were there
    assert found.notes == ()


def test_one_that_cannot_be_read_is_tried_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenbudget.app.archived_bodies import ArchivedWindows

    Talk().ask().read("/a.py", 60).answer().write(home)

    def broken(self: ArchivedWindows, path: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(ArchivedWindows, "line_facts", broken)
        told = study(home)
        assert any("could not be read (Permission denied)" in note for note in told.notes)
        assert tokens(told) > 0
    assert study(home).notes == ()
    with opened(home) as bench:
        assert len(bench.ledger.studies.kept()) == 1


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


def test_a_ledger_that_cannot_be_written_gives_the_answer_from_a_copy(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    Talk().ask().read("/a.py", 60).answer().write(home)
    expected = study(home)
    with closing(sqlite3.connect(ledger_of(home))) as connection, connection:
        connection.execute("DELETE FROM study")
    warnings: list[str] = []
    real = StudyStore.keep
    failures = [LedgerUnusable("no room left to write the ledger")]

    def full(self: StudyStore, rows: Any) -> None:
        if failures:
            raise failures.pop()
        real(self, rows)

    monkeypatch.setattr(StudyStore, "keep", full)
    with opened(home) as bench:
        found = studied(bench, QUIET._replace(warn=warnings.append))

    assert found.files == expected.files
    assert warnings == [f"no room left to write the ledger. {COPIED}"]
    with opened(home) as bench:
        assert bench.ledger.studies.kept() == {}


def test_a_passing_ledger_that_cannot_be_written_is_an_error(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Talk().ask().answer().write(home)

    def full(self: WindowStore, *rows: Any, **named: Any) -> bool:
        raise LedgerUnusable("no room left for temporary files")

    monkeypatch.setattr(WindowStore, "store_pieces", full)
    with opened(home, str(path)) as bench, pytest.raises(LedgerUnusable):
        studied(bench, QUIET)


def test_a_detector_that_fails_breaks_no_study(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
        claimed.add(1)
        yield sighting(view)
        raise ZeroDivisionError

    claims: list[set[int]] = []

    def sound(view: ThreadView, claimed: set[int]) -> list[Sighting]:
        claims.append(set(claimed))
        return [sighting(view, "sound")]

    drains(monkeypatch, broken, sound)
    Talk().ask().answer().write(home)

    found = study(home)

    assert found.notes == (
        "the detector drain-0 failed in 1 transcript (ZeroDivisionError): its findings there are"
        " missing",
    )
    assert [s.subject for s in found.files[0].threads[0].sightings] == ["sound"]
    assert claims == [set()]


def test_detectors_share_what_they_claim(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []

    def claiming(view: ThreadView, claimed: set[int]) -> list[Sighting]:
        seen.append(set(claimed))
        claimed.add(len(claimed))
        return []

    drains(monkeypatch, claiming, claiming)
    Talk().ask().answer().write(home)
    study(home)

    assert seen == [set(), {0}]


@pytest.mark.parametrize(("is_ours", "expected"), [(True, 1_000_000), (False, 200_000)])
def test_a_compaction_of_the_controllers_is_not_the_windows_limit(
    home: Home, monkeypatch: pytest.MonkeyPatch, *, is_ours: bool, expected: int
) -> None:
    """A model of a million tokens that was compacted at a few thousand, because we had it so."""
    sizes: list[int] = []

    def looking(view: ThreadView, claimed: set[int]) -> list[Sighting]:
        sizes.append(view.window_tokens)
        return []

    drains(monkeypatch, looking)
    talk = Talk("s1", model="claude-opus-5-5").ask(words(5_000)).answer().compact("Short.")
    talk.ask().answer().write(home)
    with opened(home) as bench:
        [boundary] = bench.ledger.session_signals.boundaries("s1")
        assert (boundary.trigger, boundary.before_tokens is None) == ("auto", False)
        if is_ours:
            bench.ledger.let_go()
            bench.ledger.control.open_receipt(lent("s1", boundary.at_ms - 1_000), "/srv/shop")

    study(home)

    assert sizes == [expected]


def lent(session: str, at_ms: int) -> Receipt:
    """The controller had a session compacted."""
    return Receipt(0, session, at_ms, HISTORY, (COMPACT,), "critical", 1, 1, None, "now", 1)


def test_hostile_names_survive(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    drains(monkeypatch, lambda view, claimed: [sighting(view, "a\udcff\x1b[31m")])
    talk = Talk().ask().call("Read\udcff", words(20), file_path="/a\udcff\u202e.py")
    talk.answer().write(home)

    first = study(home)

    assert study(home).files[0].threads[0].spends == first.files[0].threads[0].spends
    with opened(home) as bench:
        assert len(bench.ledger.studies.kept()) == 1


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────


def test_studies_come_back_from_their_bytes(home: Home) -> None:
    rich_session().write(home)
    (file,) = study(home).files
    plain = file._replace(path="", project="", branch="")

    body = encoded((file,))

    assert body is not None
    assert decoded(body) == (plain,)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x90\x90", b"\x91\x91\x01", b"\x81\xa1a\x01"])
def test_other_bytes_are_no_studies(body: bytes) -> None:
    assert decoded(body) is None


def test_money_beyond_all_measure_is_not_kept() -> None:
    dear = Spend(1, "m", UNATTRIBUTED, "", "", "", 0, 0, 1, 0, 0, 0, 0, 10**30, 0)
    thread = ThreadStudy("", 1, 0, 0, 0, 0, "", 0, (dear,), (), (), 0, 0, 0, 0)

    assert encoded((FileStudy(1, "", "s", "", "", False, (thread,)),)) is None
