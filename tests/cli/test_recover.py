"""`tokens recover`: the same bytes in the same places, and never over anything else."""

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, Shelf, make_shelf

SECOND = "dddddddd-0000-4000-8000-000000000009"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Two archived sessions, their trash emptied: only the archive has them."""
    shelf = make_shelf(tmp_path)
    assert shelf.home.run("archive", "--yes").code == 0
    shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")
    return shelf


def transcript(shelf: Shelf, session: str = ASIDE, project: str = "site") -> Path:
    return shelf.slug(shelf.root / project) / f"{session}.jsonl"


def test_one_session_by_the_beginning_of_its_id(shelf: Shelf) -> None:
    done = shelf.home.run("recover", OLD[:5])

    assert (done.code, done.err) == (0, "")
    assert "Recovered 5 files" in done.out
    where = shelf.root / "shop"
    assert f"To go on with it: cd {where} && claude --resume {OLD}" in done.out
    assert transcript(shelf, OLD, "shop").exists()
    assert not transcript(shelf).exists()


def test_its_time_is_now_unless_the_old_one_is_asked_for(shelf: Shelf) -> None:
    shelf.home.run("recover", ASIDE)
    shelf.home.run("recover", OLD, "--keep-times")

    fresh = transcript(shelf).stat().st_mtime
    kept = transcript(shelf, OLD, "shop").stat().st_mtime
    assert fresh > (shelf.home.now - timedelta(days=30)).timestamp()
    assert kept == (shelf.home.now - timedelta(days=40)).timestamp()


def test_the_last_one(shelf: Shelf) -> None:
    told = shelf.home.ask("recover", "last")

    assert told["format"] == "tokenbudget/recover/1"
    [row] = told["rows"]
    assert (row["session"], row["state"], row["cwd"]) == (
        OLD,
        "recovered",
        str(shelf.root / "shop"),
    )


def test_doing_it_twice_changes_nothing(shelf: Shelf) -> None:
    shelf.home.run("recover", ASIDE)
    before = shelf.files()

    again = shelf.home.run("recover", ASIDE)

    assert (again.code, again.err) == (0, "")
    assert again.out.startswith("It is in place already, byte for byte")
    assert shelf.files() == before


def test_a_file_with_other_content_is_never_written_over(shelf: Shelf) -> None:
    path = shelf.session(ASIDE, 1, shelf.root / "site")
    mine = path.read_bytes()

    done = shelf.home.run("recover", ASIDE)

    assert done.code == 4
    assert f"'{path}' is there with other content; move it away first" in done.err
    assert path.read_bytes() == mine


def test_one_in_the_way_keeps_no_other_from_coming_back(shelf: Shelf) -> None:
    shelf.session(OLD, 1, shelf.root / "shop")

    done = shelf.home.run("recover", "--all", "--yes")

    assert done.code == 4
    assert transcript(shelf).exists()
    assert f"claude --resume {ASIDE}" in done.out


def test_all_asks_first(shelf: Shelf) -> None:
    done = shelf.home.spawn("recover", "--all")

    assert done.code == 4
    assert "there is nobody to ask" in done.err
    assert not transcript(shelf).exists()


def test_somewhere_else(shelf: Shelf, tmp_path: Path) -> None:
    done = shelf.home.run("recover", OLD, "--to", str(tmp_path / "there"))

    assert done.code == 0, done.err
    assert "this is a copy to read" in done.out
    assert (tmp_path / "there" / f"{OLD}.jsonl").exists()
    assert (tmp_path / "there" / OLD / "subagents" / "agent-x1.jsonl").exists()
    assert not transcript(shelf, OLD, "shop").exists()


def test_all_of_one_project(shelf: Shelf) -> None:
    assert shelf.home.run("recover", "--all", "--yes", "--project", "site").code == 0

    assert transcript(shelf).exists()
    assert not transcript(shelf, OLD, "shop").exists()
    assert shelf.home.run("recover", OLD, "--project", "s").code == 2
    assert shelf.home.run("recover", OLD, "--project", "site").code == 2


def test_a_dry_run(shelf: Shelf) -> None:
    done = shelf.home.run("recover", OLD, "--dry-run")

    assert done.code == 0
    assert "Nothing was changed (--dry-run)." in done.out
    assert not transcript(shelf, OLD, "shop").exists()


def test_undo_takes_it_away_again(shelf: Shelf) -> None:
    before = shelf.files()
    shelf.home.run("recover", OLD)

    done = shelf.home.run("undo", "--yes")

    assert done.code == 0, done.err
    assert shelf.files() == before


def test_undo_leaves_what_was_gone_on_with(shelf: Shelf) -> None:
    shelf.home.run("recover", ASIDE)
    with transcript(shelf).open("a") as handle:
        handle.write("{}\n")

    done = shelf.home.run("undo", "--yes")

    assert done.code != 0
    assert transcript(shelf).exists()


def test_without_a_ledger_the_manifest_of_this_project_is_enough(shelf: Shelf) -> None:
    shutil.rmtree(shelf.home.config.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shelf.root / "site")
        done = shelf.home.run("recover", ASIDE)

    assert done.code == 0, done.err
    assert transcript(shelf).exists()


def test_with_an_index_that_forgot_it(shelf: Shelf) -> None:
    from tokenbudget.ledger.store import Ledger

    with Ledger(str(shelf.home.config.parent / "ledger.db")) as ledger:
        for row in ledger.archives.all():
            ledger.archives.remove(row.folder, row.archive_file)

    assert shelf.home.run("recover", ASIDE).code == 0
    assert transcript(shelf).exists()


def test_with_a_ledger_that_is_damaged(shelf: Shelf) -> None:
    (shelf.home.config.parent / "ledger.db").write_bytes(b"no database" * 1000)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (shelf.home.config.parent / name).unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shelf.root / "site")
        done = shelf.home.run("recover", ASIDE)

    assert done.code == 0, done.err
    assert "tokens undo will not know of this" in done.err
    assert transcript(shelf).exists()


def test_what_came_from_nowhere_of_the_agents_needs_a_place(shelf: Shelf, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "moved")

    done = shelf.home.run("recover", ASIDE, CLAUDE_CONFIG_DIR=elsewhere, HOME=elsewhere)

    assert done.code == 4
    assert "say where it goes with --to DIR" in done.err
    assert not Path(elsewhere).exists()


def test_a_tampered_manifest_writes_nothing_outside(shelf: Shelf, tmp_path: Path) -> None:
    """Its hash has no key, so whoever can write it can make it fit: the folder is checked."""

    from tokenbudget.archive.manifest import FileRecord, Manifest, decoded, encoded

    manifest = next((shelf.root / "site").rglob("manifest.json"))
    found = decoded(manifest.read_bytes(), "m")
    target = str(tmp_path / "outside")

    def moved(file: FileRecord) -> FileRecord:
        return file._replace(path=f"{target}/{file.name}")

    records = tuple(
        record._replace(files=tuple(map(moved, record.files))) for record in found.archives
    )
    manifest.write_bytes(encoded(Manifest(records)))

    done = shelf.home.run("recover", ASIDE)

    assert done.code == 4
    assert not Path(target).exists()


def test_a_damaged_archive_and_the_others_still_come_back(shelf: Shelf) -> None:
    damaged = next((shelf.root / "site").rglob("*.zst"))
    os.truncate(damaged, damaged.stat().st_size - 20)

    done = shelf.home.run("recover", "--all", "--yes")

    assert done.code == 3
    assert "is damaged" in done.err
    assert transcript(shelf, OLD, "shop").exists()
    assert not transcript(shelf).exists()


def test_what_is_whole_of_a_damaged_archive(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    shelf.session(SECOND, 45, shelf.root / "site")
    shelf.home.run("archive", "--yes")
    damaged = next((shelf.root / "site").rglob("*.zst"))
    os.truncate(damaged, damaged.stat().st_size - 4)  # the check sum at the end of the frame

    refused = shelf.home.run("recover", ASIDE)
    done = shelf.home.run("recover", "--all", "--yes", "--despite-damage", "--project", "site")

    assert refused.code == 3
    assert "add --despite-damage" in refused.err
    assert "tokens undo ID" in refused.err
    assert transcript(shelf).exists()
    assert "--despite-damage" not in done.err


def test_what_is_damaged_of_an_archive_does_not_come_back(shelf: Shelf) -> None:
    damaged = next((shelf.root / "site").rglob("*.zst"))
    os.truncate(damaged, damaged.stat().st_size - 60)
    shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")

    done = shelf.home.run("recover", ASIDE, "--despite-damage")

    assert done.code == 3
    assert not transcript(shelf).exists()


def test_the_clients_own_file_is_no_folder_for_sessions(shelf: Shelf) -> None:
    done = shelf.home.run("recover", ASIDE, "--to", str(shelf.home.path / ".claude.json"))

    assert done.code == 4
    assert not (shelf.home.path / ".claude.json").exists()


def test_what_no_manifest_lists_is_told_where_a_session_is_not_found(shelf: Shelf) -> None:
    next((shelf.root / "site").rglob("manifest.json")).unlink()

    done = shelf.home.run("recover", ASIDE)

    assert done.code == 2
    assert "tokens archive rebuild-index" in done.err


def test_a_link_where_the_folder_was(shelf: Shelf, tmp_path: Path) -> None:
    slug = shelf.slug(shelf.root / "site")
    slug.rmdir()
    (tmp_path / "trap").mkdir()
    slug.symlink_to(tmp_path / "trap")

    done = shelf.home.run("recover", ASIDE)

    assert done.code == 4
    assert list((tmp_path / "trap").iterdir()) == []


def test_an_older_version_by_its_archive(shelf: Shelf) -> None:
    first = next((shelf.root / "site").glob(".claude/sessions/archive/*.zst")).name
    shelf.session(ASIDE, 35, shelf.root / "site")
    shelf.home.run("archive", "--yes")

    done = shelf.home.run("recover", ASIDE, "--archive", first)

    assert done.code == 0
    assert b"msg_7" in transcript(shelf).read_bytes() or transcript(shelf).exists()
    rows = shelf.home.ask("archive", "list", ASIDE)["rows"]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ([], "name one session, or say --all"),
        ([ASIDE, "--all"], "leave one of them out"),
        (["zzz"], "no archived session begins with 'zzz'"),
        ([ASIDE, "--dry-run", "--yes"], "do not go together"),
    ],
)
def test_what_cannot_be_meant(shelf: Shelf, typed: list[str], complaint: str) -> None:
    done = shelf.home.run("recover", *typed)

    assert done.code == 2
    assert complaint in done.err


def test_several_begin_so(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    shelf.session(OLD[:-1] + "9", 60, shelf.root / "shop")
    shelf.home.run("archive", "--yes")

    done = shelf.home.run("recover", OLD[:4])

    assert done.code == 2
    assert "2 archived sessions begin with" in done.err


def test_it_imports_nothing_that_it_does_not_need(shelf: Shelf) -> None:
    """One session out of a thousand comes back in a tenth of a second; no transcript is read."""
    unwanted = (
        *("splintr", "subprocess", "textual", "asyncio", "tokenbudget.app.liveness"),
        *("tokenbudget.sources.claude_code.reader", "tokenbudget.system.open_files"),
    )

    loaded = shelf.home.modules("recover", ASIDE)

    assert [name for name in loaded if name.startswith(unwanted)] == []
    assert json.loads(transcript(shelf).read_text().splitlines()[0])["sessionId"] == ASIDE
