"""Archiving as other parts of the product use it: a plan, its proposals, and the run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, Shelf, make_shelf

from tokenbudget.app import Terminal, Workbench, open_workbench
from tokenbudget.app.archive_places import destination, existing, project_of
from tokenbudget.app.archiving import archive_steps, is_read
from tokenbudget.app.archiving_run import run_archive
from tokenbudget.collector.ingest import Want
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.files import FileState
from tokenbudget.model.errors import LedgerUnusable
from tokenbudget.sources.claude_code.session_files import SessionFile

QUIET = Terminal(warn=lambda text: None, progress=lambda done, total: None)


class FixedClock:
    """Shows one time; its other hand moves."""

    def __init__(self, ms: int) -> None:
        self.ms = ms
        self.seconds = 0.0

    def now_ms(self) -> int:
        return self.ms

    def monotonic_seconds(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


@pytest.fixture
def bench(shelf: Shelf) -> Iterator[Workbench]:
    clock = FixedClock(round(shelf.home.now.timestamp() * 1000))
    found = settings_from(shelf.home.environment)
    with open_workbench(found, QUIET, Want.DETAIL, clock=clock) as bench:
        yield bench


def test_a_plan_of_one_project_changes_nothing(shelf: Shelf, bench: Workbench) -> None:
    before = shelf.files()

    plan = archive_steps(bench, str(shelf.root / "shop"))

    [planned] = plan.sessions
    [proposal] = plan.proposals()
    assert planned.step.session == OLD
    assert planned.step.files[-1][0] == f"{OLD}.jsonl"
    assert proposal.steps == (planned.step,)
    assert (proposal.freed.tokens, proposal.effect) == (0, "disk only")
    assert 0 < plan.expected_bytes < plan.raw_bytes
    assert shelf.files() == before


def test_a_run_is_one_action_of_the_journal(shelf: Shelf, bench: Workbench) -> None:
    seen: list[tuple[int, int]] = []

    done = run_archive(
        bench, archive_steps(bench), "tokens archive", lambda *told: seen.append(told)
    )

    assert [planned.step.session for planned in done.archived] == [ASIDE, OLD]
    assert done.failed == []
    assert seen[-1][0] == seen[-1][1] == done.packed_raw_bytes
    [action] = bench.ledger.journal.actions(5)
    assert [one.outcome.state for one in action.steps] == ["done", "done"]
    assert {row.session for row in bench.ledger.archives.all()} == {OLD, ASIDE}


def test_nothing_to_do_is_no_proposal(bench: Workbench) -> None:
    assert archive_steps(bench, older_than_days=90).proposals() == []


def test_a_passing_ledger_archives_nothing(shelf: Shelf) -> None:
    found = settings_from(shelf.home.environment)
    with (
        open_workbench(found, QUIET, from_paths=[str(shelf.home.claude)]) as bench,
        pytest.raises(LedgerUnusable, match="the figures of the sessions would go with them"),
    ):
        archive_steps(bench)


# ── what the ledger has read ─────────────────────────────────────────────────────────────────────


def state(path: Path, **changes: Any) -> FileState:
    facts = path.stat()
    known = FileState(
        1,
        str(path),
        facts.st_size,
        facts.st_mtime_ns,
        facts.st_ino,
        facts.st_size,
        facts.st_size,
        0,
        0,
        False,
    )
    return known._replace(**changes)


def test_read_to_the_end_means_this_version_and_every_event(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"a":1}\n{"b":2}\n')
    facts = path.stat()
    file = SessionFile("s.jsonl", str(path), facts.st_size, facts.st_mtime_ns, facts.st_ino)

    assert is_read(file, state(path))
    assert not is_read(file, None)
    assert not is_read(file, state(path, detail_offset=8))
    assert not is_read(file, state(path, usage_offset=8, detail_offset=8))
    for changed in ("size_bytes", "mtime_ns", "inode"):
        assert not is_read(file, state(path, **{changed: 5}))


# ── where to ─────────────────────────────────────────────────────────────────────────────────────


def test_the_project_or_beside_the_settings(tmp_path: Path) -> None:
    project, config = tmp_path / "p", tmp_path / "config"
    project.mkdir()
    home = str(tmp_path / "home")

    own = destination(str(project), str(config), home)
    assert own == (f"{project}/.claude/sessions/archive", "")
    for wrong, why in [
        ("", "the project is not known"),
        ("relative/p", "the project is no absolute path"),
        (str(tmp_path / "gone"), "the project is gone"),
        (str(tmp_path), "the home folder is no project"),
        ("/", "the home folder is no project"),
    ]:
        told = destination(wrong, str(config), str(tmp_path))
        assert told == (f"{config}/sessions/archive", why)


def test_another_users_project(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 12_345)
        told = destination(str(tmp_path), "/c", "/h")

    assert told.note == "the project belongs to another user"


def test_a_folder_that_is_everybodys(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    assert destination(str(tmp_path), "/c", "/h").note == (
        "everybody may write in the project's folder"
    )


def test_a_project_that_may_not_be_written(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: False)
        told = destination(str(tmp_path), "/c", "/h")

    assert told == ("/c/sessions/archive", "the project cannot be written")


def test_archive_folders_once_each_and_whose_they_are(tmp_path: Path) -> None:
    project, config = tmp_path / "p", tmp_path / "c"
    ours = project / ".claude" / "sessions" / "archive"
    ours.mkdir(parents=True)
    linked = tmp_path / "q" / ".claude" / "sessions"
    linked.mkdir(parents=True)
    (linked / "archive").symlink_to(ours)

    found = existing([str(ours)], [str(project), str(tmp_path / "q"), "x"], [str(config)])

    assert found == [str(ours)]
    assert project_of(str(ours), [str(config)]) == str(project)
    assert project_of(f"{config}/sessions/archive", [str(config)]) == ""
    assert project_of("/somewhere/else", []) == ""
