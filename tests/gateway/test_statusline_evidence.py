import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.statusline_evidence import DrawnLine, last_drawn
from tokenbudget.gateway.statusline_reports import take_spool
from tokenbudget.gateway.statusline_spool import FORMAT, append, spool_line


def told(at_ms: int, version: str = "2.1.329") -> bytes:
    """A line of the spool, as the status line writes it."""
    return spool_line({"session_id": "s1", "version": version}, at_ms)


def test_without_a_spool_nothing_was_drawn(tmp_path: Path) -> None:
    assert last_drawn(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_the_last_line_counts_and_stays(tmp_path: Path) -> None:
    home = str(tmp_path)
    append(home, told(1_000))
    append(home, told(2_000, "2.1.330"))
    before = (tmp_path / "spool" / "statusline.jsonl").read_bytes()

    assert last_drawn(home) == DrawnLine(2_000, "s1", "2.1.330")
    assert (tmp_path / "spool" / "statusline.jsonl").read_bytes() == before


def test_a_spool_that_is_being_taken_counts_too(tmp_path: Path) -> None:
    home = str(tmp_path)
    append(home, told(5_000))
    take_spool(home)
    append(home, told(4_000))

    assert last_drawn(home) == DrawnLine(5_000, "s1", "2.1.329")


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"\n\n",
        told(9_000)[:40],
        b"no json\n",
        b"[1]\n",
        b'{"format": "another/1", "at_ms": 9000, "session_id": "s1"}\n',
        json.dumps({"format": FORMAT, "at_ms": "9000", "session_id": "s1"}).encode() + b"\n",
        json.dumps({"format": FORMAT, "at_ms": 9000, "session_id": "../x"}).encode() + b"\n",
        b"[" * 100_000,
    ],
)
def test_damage_behind_it_is_passed_by(tmp_path: Path, tail: bytes) -> None:
    home = str(tmp_path)
    append(home, told(1_000))
    with open(tmp_path / "spool" / "statusline.jsonl", "ab") as spool:
        spool.write(tail)

    found = last_drawn(home)
    assert found is None or found.at_ms == 1_000
    assert found is not None or len(tail) > 30_000


def test_only_the_end_of_a_long_spool_is_read(tmp_path: Path) -> None:
    home = str(tmp_path)
    for at_ms in range(1, 2_000):
        append(home, told(at_ms))

    assert last_drawn(home) == DrawnLine(1_999, "s1", "2.1.329")


def test_what_is_no_file_does_not_hold_us_up(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    os.mkfifo(tmp_path / "spool" / "statusline.jsonl")
    (tmp_path / "spool" / "statusline.full.jsonl").mkdir()
    (tmp_path / "spool" / "statusline.taken-1").symlink_to("/dev/zero")

    assert last_drawn(str(tmp_path)) is None


def test_a_version_too_long_to_be_one_is_not_told(tmp_path: Path) -> None:
    line = {"format": FORMAT, "at_ms": 7, "session_id": "s1", "version": "9" * 500}
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "statusline.jsonl").write_text(json.dumps(line) + "\n")

    assert last_drawn(str(tmp_path)) == DrawnLine(7, "s1", "")


@given(content=st.binary(max_size=300))
def test_any_bytes_are_answered(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / "spool").mkdir()
    (home / "spool" / "statusline.jsonl").write_bytes(content)

    assert last_drawn(str(home)) is None
