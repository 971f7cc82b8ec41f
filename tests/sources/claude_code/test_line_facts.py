"""Where lines begin, and what the client says of the files that were read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.model.window import LineFacts, ShownFile
from tokenbudget.sources.claude_code.line_facts import read_line_facts
from tokenbudget.sources.claude_code.source import ClaudeCode

FILE = {"filePath": "/a.py", "content": "x", "numLines": 20, "startLine": 11, "totalLines": 400}


def result(file: object, *ids: str) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": one, "content": "x"} for one in ids]
    told = {"type": "text", "file": file}
    return {"type": "user", "message": {"content": blocks}, "toolUseResult": told}


def written(path: Path, *lines: object) -> LineFacts:
    data = b"".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
    )
    path.write_bytes(data)
    return read_line_facts(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s1.jsonl"


def test_lines_are_counted_from_1_by_where_they_begin(path: Path) -> None:
    facts = written(path, b"{}\n", b"\n", b'{"a":1}\n', b"unfinished")

    assert list(facts.starts) == [0, 3, 4, 12]
    assert [facts.line_of(offset) for offset in (0, 3, 4, 12)] == [1, 2, 3, 4]


def test_without_lines_nothing_has_a_number() -> None:
    assert LineFacts((), {}, {}, "").line_of(0) == 0


def test_what_a_read_shows_is_told_by_its_call(path: Path) -> None:
    facts = written(path, result(FILE, "t1"))

    assert facts.shown_files == {"t1": ShownFile(400, 20, 11)}


@pytest.mark.parametrize(
    "line",
    [
        result(FILE, "t1", "t2"),
        result(FILE),
        result({**FILE, "totalLines": "400"}, "t1"),
        result({**FILE, "totalLines": -1}, "t1"),
        result({**FILE, "totalLines": 10**15}, "t1"),
        result({**FILE, "numLines": None}, "t1"),
        result("totalLines", "t1"),
        {"toolUseResult": '"totalLines"'},
        {"toolUseResult": {"file": FILE}, "message": None},
        b'{"totalLines"\n',
        b'"totalLines" \xff\n',
        b'["totalLines"]\n',
        b"\xef\xbb\xbf" + json.dumps(result(FILE, "t1")).encode()[:-1] + b"\n",
    ],
)
def test_a_line_of_another_shape_tells_nothing(path: Path, line: object) -> None:
    facts = written(path, line, result(FILE, "t9"))

    assert facts.shown_files == {"t9": ShownFile(400, 20, 11)}
    assert len(facts.starts) == 2


def agent(told: dict[str, Any], *ids: str) -> dict[str, Any]:
    return {**result(None, *ids), "toolUseResult": {"status": "completed", **told}}


def test_a_subagent_is_told_by_the_call_that_started_it(path: Path) -> None:
    facts = written(
        path,
        agent({"agentId": "a7", "agentType": "Explore"}, "t1"),
        agent({"agentId": "a8"}, "t2"),
        agent({"agentId": 7}, "t3"),
        agent({"agentId": "a9"}, "t4", "t5"),
        agent({"agentName": "agentId"}, "t6"),
    )

    assert facts.agents == {"t1": ("a7", "Explore"), "t2": ("a8", "")}


@pytest.mark.parametrize(
    ("name", "meta", "told"),
    [
        ("agent-a7", b'{"agentType": "Explore", "more": 1}', "Explore"),
        ("agent-a7", b'{"agentType": 7}', ""),
        ("agent-a7", b"\xff", ""),
        ("agent-a7", None, ""),
        ("s1", b'{"agentType": "Explore"}', ""),
    ],
)
def test_a_subagents_own_type_stands_beside_its_transcript(
    tmp_path: Path, name: str, meta: bytes | None, told: str
) -> None:
    if meta is not None:
        (tmp_path / f"{name}.meta.json").write_bytes(meta)

    assert written(tmp_path / f"{name}.jsonl", {}).agent_type == told


def test_a_file_that_is_not_there_is_an_error(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ClaudeCode("/nowhere").line_facts(str(path))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(data + b'"totalLines"')

    facts = read_line_facts(str(path))

    assert len(facts.starts) == (data + b"x").count(b"\n") + 1
    assert facts.shown_files == {}
