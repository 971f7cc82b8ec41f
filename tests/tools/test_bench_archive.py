"""The bench finds the sessions of a tree, and notices what it is there to notice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.archive.sessions import transcript, write_tree

from archive_peers import each_file, tarred
from archive_thousand import records_of
from bench_archive import compare, flips, in_one_project, ours, projects

FILES = {
    "sessions/claude/a+b/p/s1.jsonl": transcript(300),
    "sessions/claude/a+b/p/s1/subagents/agent-1.jsonl": transcript(200),
    "sessions/claude/a+b/p/s2.jsonl": transcript(310),
    "sessions/codex/c+d/s3.jsonl": transcript(320),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_tree(tmp_path / "bench", FILES)
    return tmp_path / "bench"


def test_subagents_belong_to_their_session(root: Path) -> None:
    found = projects(root)
    sizes = {name: [(len(b.members), size) for b, size in sized] for name, sized in found.items()}
    one, other = len(transcript(300)) + len(transcript(200)), len(transcript(310))
    assert sizes == {"claude/a+b": [(2, one), (1, other)], "codex/c+d": [(1, len(transcript(320)))]}


def test_every_way_is_measured_and_ours_comes_back(root: Path, tmp_path: Path) -> None:
    them = projects(root)
    solid = ours("solid", in_one_project(them), tmp_path / "solid")
    per_file = ours("per-file", them, tmp_path / "per-file", layout="per-file")
    assert solid.row.kept_bytes < per_file.row.kept_bytes
    assert solid.row.raw_bytes == sum(map(len, FILES.values()))
    assert len(records_of(solid.folders["all"])) == 1
    for row in (solid.row, each_file(them), tarred(them, tmp_path / "tar", is_long=True)):
        assert len(row.cells) == 6
        assert 0 < row.kept_bytes < row.raw_bytes
    assert flips(solid.folders["all"], 50).startswith("50 of 50 flipped bits")


def test_a_file_that_differs_ends_it(root: Path, tmp_path: Path) -> None:
    sized = projects(root)["codex/c+d"]
    copy = tmp_path / "to" / "s3.jsonl"
    write_tree(tmp_path / "to", {"s3.jsonl": transcript(320)})
    compare(sized, tmp_path / "to")
    copy.chmod(0o600)
    with pytest.raises(SystemExit, match="did not come back"):
        compare(sized, tmp_path / "to")
    copy.chmod(0o640)
    write_tree(tmp_path / "to", {"s4.jsonl": b""})
    with pytest.raises(SystemExit, match="too many or too few"):
        compare(sized, tmp_path / "to")
    os.unlink(tmp_path / "to" / "s4.jsonl")
    compare(sized, tmp_path / "to")
