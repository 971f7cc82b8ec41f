"""Files that were rewritten, cut, renamed, touched or lost: nothing is lost or counted twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.ledger.builders import Home, Json, answer, append, encoded, later, write

from tokenbudget.collector.ingest import Want
from tokenbudget.collector.scan import compare


@pytest.fixture
def three(home: Home) -> Path:
    """A session of three answers that the ledger has read."""
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"), answer("c"))
    home.refresh()
    return path


def outputs(home: Home) -> dict[str, int]:
    return dict(home.rows("SELECT key, output_tokens FROM response"))


def rereads(home: Home) -> int:
    return int(home.rows("SELECT sum(rereads) FROM file")[0][0])


def rewrite(home: Home, path: Path, *lines: Json | bytes) -> None:
    write(path, *lines)
    later(path)
    home.refresh()


def test_a_file_of_the_same_size_with_other_bytes_is_read_again(home: Home, three: Path) -> None:
    size = three.stat().st_size
    rewrite(home, three, answer("a"), answer("d", 99), answer("c"))
    assert three.stat().st_size == size
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 99}
    assert rereads(home) == 1


def test_a_shorter_file_takes_nothing_away(home: Home, three: Path) -> None:
    rewrite(home, three, answer("a"))
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    assert rereads(home) == 1


def test_a_longer_file_with_another_head_is_read_again(home: Home, three: Path) -> None:
    rewrite(home, three, answer("z"), answer("a"), answer("b"), answer("c"))
    assert outputs(home) == {"z": 10, "a": 10, "b": 10, "c": 10}
    assert rereads(home) == 1


def test_a_longer_file_with_another_tail_is_read_again(home: Home, three: Path) -> None:
    rewrite(home, three, answer("a"), answer("b"), answer("y"), answer("x"))
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "y": 10, "x": 10}
    assert rereads(home) == 1


def test_a_file_cut_to_nothing_and_filled_anew_loses_nothing(home: Home, three: Path) -> None:
    rewrite(home, three)
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    append(three, answer("d"))
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert rereads(home) == 1


def test_a_file_cut_inside_a_line_grows_on_from_there(home: Home, three: Path) -> None:
    whole = three.read_bytes()
    three.write_bytes(whole[: len(whole) // 2])
    later(three)
    home.refresh()
    with three.open("ab") as file:
        file.write(whole[len(whole) // 2 :] + encoded(answer("d")))
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert home.rows("SELECT lines, malformed_lines FROM file") == [(4, 0)]


def test_a_rotated_file_and_its_successor_count_each_answer_once(home: Home, three: Path) -> None:
    three.rename(three.with_name("s1-old.jsonl"))
    write(three, answer("c"), answer("d"))
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 10}


def test_a_renamed_file_counts_once_and_its_old_place_is_gone(home: Home, three: Path) -> None:
    three.rename(three.with_name("s2.jsonl"))
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    gone = home.rows("SELECT path, gone_at_ms IS NOT NULL FROM file ORDER BY path")
    assert gone == [(str(three), 1), (str(three.with_name("s2.jsonl")), 0)]


def test_a_touched_file_is_read_again_and_tells_nothing_new(home: Home, three: Path) -> None:
    later(three)
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    assert rereads(home) == 1
    assert home.refresh().files_read == 0


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_a_clock_that_jumps_makes_no_difference_to_a_growing_file(
    home: Home, three: Path, seconds: int
) -> None:
    append(three, answer("d"))
    later(three, seconds)
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert rereads(home) == 0


def test_a_copy_with_more_behind_it_is_read_on(home: Home, three: Path) -> None:
    copy = Path(shutil.copy(three, three.with_name("copy")))
    append(copy, answer("d"))
    before = three.stat().st_size
    copy.replace(three)
    assert home.refresh().bytes_read == three.stat().st_size - before
    assert outputs(home) == {"a": 10, "b": 10, "c": 10, "d": 10}
    assert rereads(home) == 0


def test_a_deleted_file_is_marked_and_its_usage_stays(home: Home, three: Path) -> None:
    three.unlink()
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    assert home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL") == [(1,)]


def test_a_file_that_came_back_is_no_longer_gone(home: Home, three: Path) -> None:
    data = three.read_bytes()
    three.unlink()
    home.refresh()
    three.write_bytes(data)
    home.refresh()
    assert outputs(home) == {"a": 10, "b": 10, "c": 10}
    assert home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL") == [(0,)]


def test_a_file_outside_the_folders_looked_at_is_not_gone(home: Home, three: Path) -> None:
    elsewhere = home.root / "other"
    elsewhere.mkdir()
    three.unlink()
    with home.open() as ledger:
        home.collector(ledger).refresh([str(elsewhere)], Want.USAGE)
    assert home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL") == [(0,)]


def test_a_folder_that_may_not_be_looked_into_hides_its_files_no_more(
    home: Home, three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def refused(path: str, *given: int, **more: bool) -> os.stat_result:
        if str(path) == str(three):
            raise PermissionError(13, "Permission denied")
        return real(path, *given, **more)

    with home.open() as ledger:
        monkeypatch.setattr(os, "stat", refused)
        scan = compare(home.source(), [], ledger.file_states(), home.tops)
    assert scan.gone_ids == []


def test_words_are_found_where_the_rewritten_file_has_them(home: Home, three: Path) -> None:
    rewrite(home, three, answer("z"), answer("a"), answer("b"), answer("c"))
    data = three.read_bytes()
    offsets: Sequence[tuple[str, int]] = home.rows("SELECT uuid, byte_offset FROM content")
    assert len(offsets) == 4
    for uuid, offset in offsets:
        assert uuid.encode() in data[offset:].split(b"\n", 1)[0]


def test_a_name_that_is_not_utf8_is_remembered_like_any_other(home: Home) -> None:
    folder = os.path.join(os.fsencode(home.project), b"caf\xe9.jsonl")
    with open(folder, "wb") as file:
        file.write(encoded(answer("a")))
    home.refresh()
    assert home.refresh().files_read == 0
    assert outputs(home) == {"a": 10}
    assert home.run("doctor", "--rebuild").returncode == 0
    assert outputs(home) == {"a": 10}
    os.unlink(folder)
    home.refresh()
    assert home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NOT NULL") == [(1,)]
