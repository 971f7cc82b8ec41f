import os
from pathlib import Path

import pytest
from tests.counting.transcripts import answer, counts, encoded

from tokenbudget.model.events import ReadPlan
from tokenbudget.model.protocols import Source
from tokenbudget.sources.claude_code.source import ClaudeCode


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return ClaudeCode(home=str(tmp_path))


@pytest.fixture
def transcript(tmp_path: Path) -> str:
    path = tmp_path / "projects" / "p" / "s1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(encoded(answer(counts(1))))
    return str(path)


def test_it_finds_and_reads_a_transcript(source: Source, transcript: str, tmp_path: Path) -> None:
    (found,) = source.find([str(tmp_path)]).files
    assert found.path == transcript
    plan = ReadPlan(transcript, source.session_of(transcript), 0, with_detail=True)
    (stretch,) = source.read(plan)
    assert [packed[0] for packed in stretch.responses] == ["msg_1"]


def test_its_fingerprint_is_the_one_that_reading_gives(source: Source, transcript: str) -> None:
    source.prepare()
    (stretch,) = source.read(ReadPlan(transcript, "s1", 0, with_detail=False))
    assert source.fingerprint(transcript, stretch.end) == stretch.fingerprint


def test_a_vanished_file_raises(source: Source, transcript: str) -> None:
    os.unlink(transcript)
    with pytest.raises(FileNotFoundError):
        source.fingerprint(transcript, 1)
    with pytest.raises(FileNotFoundError):
        list(source.read(ReadPlan(transcript, "s1", 0, with_detail=True)))


def test_a_place_says_the_session_and_whose_thread(source: Source) -> None:
    path = "/c/projects/p/s1/subagents/agent-a.jsonl"
    assert (source.session_of(path), source.is_subagent_file(path)) == ("s1", True)


def test_a_project_is_looked_up_once(source: Source, tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    (repository / ".git").mkdir(parents=True)
    inner = str(repository / "src")
    assert source.project_root(inner) == str(repository)
    (repository / ".git").rmdir()
    assert source.project_root(inner) == str(repository)


def test_a_slug_is_never_turned_back_into_a_path(source: Source) -> None:
    assert source.session_of("/c/projects/-srv-my-tool/s1.jsonl") == "s1"
    assert source.project_root("-srv-my-tool") == "-srv-my-tool"
