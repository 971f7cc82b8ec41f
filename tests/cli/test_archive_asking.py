"""`tokens archive`: asking, helping, refusing what cannot be meant."""

import os
import pty
import select
import subprocess
from pathlib import Path

import pytest
from tests.cli.archive_sessions import OLD, Shelf, archive_of, make_shelf
from tests.cli.conftest import Done
from tests.cli.test_golden import accepted


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def test_without_anybody_to_ask_nothing_is_changed(shelf: Shelf) -> None:
    before = shelf.files()

    done = shelf.home.spawn("archive")

    assert done.code == 4
    assert "there is nobody to ask; --yes does it" in done.err
    assert shelf.files() == before


def test_a_dry_run_changes_nothing(shelf: Shelf) -> None:
    before = shelf.files()

    done = shelf.home.run("archive", "--dry-run")

    assert done.code == 0
    assert done.out.endswith("Nothing was changed (--dry-run).\n")
    assert shelf.files() == before
    assert not archive_of(shelf.root / "shop").exists()


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["soon"], "'soon' is no number of days; write 30 or 30d, or one of list"),
        (["-1"], "'-1' is no number of days"),
        (["7", "8"], "there is one number of days at most, not '8' too"),
        (["7", "--keep-days", "3"], "--keep-days goes with tokens archive prune; leave it out"),
        (["list", "--yes"], "--yes goes with tokens archive or tokens archive prune"),
        (["--dry-run", "--yes"], "--dry-run and --yes do not go together"),
        (["7", "--session", "a"], "--session is one session whatever its age"),
        (["stats", "x"], "stats takes no 'x'; leave it out"),
        (["prune"], "without a rule nothing is old: say --keep-days DAYS or --most-bytes SIZE"),
        (["prune", "--keep-last", "2"], "without a rule nothing is old"),
        (["prune", "--most-bytes", "much"], "'much' is no size; write 500MB or 2GB"),
        (["--timer", "sundial"], "'sundial' is no kind of timer"),
        (["--timer", "--remove-timer"], "are three errands; give one"),
        (["--session", "zzz"], "no session on disk begins with 'zzz'"),
    ],
)
def test_what_cannot_be_meant(shelf: Shelf, typed: list[str], complaint: str) -> None:
    done = shelf.home.run("archive", *typed)

    assert done.code == 2
    assert complaint in done.err


# ── the help ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["archive", "recover"])
def test_the_help_is_as_accepted(shelf: Shelf, verb: str) -> None:
    done = shelf.home.run(verb, "--help")

    assert done.code == 0
    assert max(map(len, done.lines)) <= 100
    assert done.out == accepted(f"{verb}-help", 100, done.out)


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────


def typed_on_a_terminal(shelf: Shelf, answer: str, *arguments: str) -> Done:
    """`tokens …` on a pseudo-terminal, where somebody answers its question."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        shelf.home.command(*arguments),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=shelf.home.spawn_environment(),
    )
    os.close(follower)
    os.write(leader, answer.encode())
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            part = os.read(leader, 65536)
        except OSError:  # how a terminal says that nobody is left in it
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return Done(process.wait(), shown.decode(), "")


def test_a_person_is_asked_and_offered_the_timer(shelf: Shelf) -> None:
    before = shelf.files()

    no = typed_on_a_terminal(shelf, "\n", "archive", "30")
    assert (no.code, shelf.files()) == (0, before)
    assert "Archive 2 sessions? [y/N]" in no.out
    assert "Nothing was changed." in no.out

    yes = typed_on_a_terminal(shelf, "y\n", "archive", "30")
    assert yes.code == 0
    assert "tokens archive --timer shows it" in yes.out
    assert not any(OLD in name for name in shelf.files())


def test_a_timer_that_is_there_is_not_offered(shelf: Shelf) -> None:
    unit = shelf.home.path / ".config" / "systemd" / "user" / "tokenbudget-archive.timer"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Timer]\n")

    assert "--timer" not in typed_on_a_terminal(shelf, "y\n", "archive", "30").out
