"""Whose turn it is, by the end of a transcript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.sources.claude_code.turns import FIRST_BYTES, MOST_BYTES, turn_of

PROMPT: dict[str, Any] = {"type": "user", "message": {"role": "user", "content": "Fix the cart."}}
RESULT: dict[str, Any] = {
    "type": "user",
    "message": {"role": "user", "content": [{"type": "tool_result", "content": "ok"}]},
}


def answered(stop: str | None, *kinds: str, **fields: object) -> dict[str, Any]:
    content = [{"type": kind} for kind in kinds or ("text",)]
    message = {"role": "assistant", "model": "claude-opus-5-5", "stop_reason": stop}
    return {"type": "assistant", "message": {**message, "content": content}, **fields}


def system(subtype: str, **fields: object) -> dict[str, Any]:
    return {"type": "system", "subtype": subtype, **fields}


def transcript(path: Path, *lines: dict[str, Any], tail: str = "") -> str:
    numbered = [{"uuid": f"u{number}", **line} for number, line in enumerate(lines)]
    path.write_text("".join(json.dumps(line) + "\n" for line in numbered) + tail)
    return str(path)


@pytest.mark.parametrize(
    ("lines", "turn"),
    [
        ([PROMPT], "agent"),
        ([PROMPT, answered("end_turn")], "person"),
        ([PROMPT, answered("tool_use", "text", "tool_use")], "agent"),
        ([PROMPT, answered(None, "tool_use")], "agent"),
        ([PROMPT, answered(None, "text")], "unknown"),
        ([PROMPT, answered("tool_use", "tool_use"), RESULT], "agent"),
        ([PROMPT, answered("end_turn"), system("turn_duration")], "person"),
        ([PROMPT, answered("end_turn"), system("stop_hook_summary")], "person"),
        ([PROMPT, answered("end_turn"), {**PROMPT, "isSidechain": True}], "person"),
        ([PROMPT, answered("end_turn"), {**PROMPT, "isMeta": True}], "person"),
        ([PROMPT, answered("end_turn", isApiErrorMessage=True)], "person"),
        ([PROMPT, {"type": "attachment", "attachment": {}}], "agent"),
        ([], "unknown"),
    ],
)
def test_the_last_line_that_tells_decides(
    tmp_path: Path, lines: list[dict[str, Any]], turn: str
) -> None:
    assert turn_of(transcript(tmp_path / "s.jsonl", *lines)) == turn


def test_an_interrupted_turn_is_the_persons(tmp_path: Path) -> None:
    content = [{"type": "text", "text": "[Request interrupted by user for tool use]"}]
    words = {"type": "user", "message": {"role": "user", "content": content}}
    assert turn_of(transcript(tmp_path / "s.jsonl", PROMPT, words)) == "person"


@pytest.mark.parametrize(
    "begin", ["<command-name>/cost", "<local-command-stdout>$1", "<bash-input>"]
)
def test_what_a_person_does_at_the_prompt_leaves_the_turn_theirs(
    tmp_path: Path, begin: str
) -> None:
    words = {"type": "user", "message": {"role": "user", "content": begin}}
    assert (
        turn_of(transcript(tmp_path / "s.jsonl", PROMPT, answered("end_turn"), words)) == "person"
    )


@pytest.mark.parametrize(("last", "turn"), [(answered("end_turn"), "person"), (RESULT, "agent")])
def test_after_a_compaction_it_is_as_it_was_before(
    tmp_path: Path, last: dict[str, Any], turn: str
) -> None:
    summary = {**PROMPT, "isCompactSummary": True}
    lines = [PROMPT, last, system("compact_boundary"), summary]
    assert turn_of(transcript(tmp_path / "s.jsonl", *lines)) == turn


def test_a_line_that_is_still_being_written_is_none(tmp_path: Path) -> None:
    half = json.dumps({"uuid": "u9", **PROMPT})[:-5]
    path = transcript(tmp_path / "s.jsonl", PROMPT, answered("end_turn"), tail=half)
    assert turn_of(path) == "person"


def test_long_lines_at_the_end_are_looked_behind(tmp_path: Path) -> None:
    blob = {"type": "api-request-blob", "text": "x" * (3 * FIRST_BYTES)}
    path = transcript(tmp_path / "s.jsonl", PROMPT, answered("end_turn"), blob)
    assert turn_of(path) == "person"


def test_what_is_too_far_away_is_unknown(tmp_path: Path) -> None:
    blob = {"type": "api-request-blob", "text": "x" * (8 * MOST_BYTES)}
    path = transcript(tmp_path / "s.jsonl", PROMPT, answered("end_turn"), blob)
    assert turn_of(path) == "unknown"


@pytest.mark.parametrize("name", ["gone.jsonl", "", "a\0b", "."])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, name: str) -> None:
    assert turn_of(f"{tmp_path}/{name}" if name else "") == "unknown"


@given(st.binary(max_size=400))
def test_any_bytes_are_answered(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "s.jsonl"
    path.write_bytes(data + b'\n{"uuid": "u1", "type": "user", "message": 5}\n')
    assert turn_of(str(path)) in ("person", "agent", "unknown")
