"""The bench of `tokens skills match` searches with what stood before a call, and nothing later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench_skills import calls_in, main, measured, skills_at

LISTING = (
    "- deploy: Ship the shop.\n- notes (release-notes): Notes of a release.\nMore of it.\n- run\n"
)


def line(kind: str, at: int, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    stamp = f"2026-11-01T10:00:{at:02}.000Z"
    return {
        "type": kind,
        "timestamp": stamp,
        "sessionId": "s",
        "message": {"content": [*blocks]},
    } | more


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(number: int, skill: str) -> dict[str, Any]:
    given = {"skill": skill, "args": "NEVER SEEN"}
    return {"type": "tool_use", "id": f"t{number}", "name": "Skill", "input": given}


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    shell = {"type": "tool_use", "id": "b", "name": "Bash", "input": {"description": "Look at it"}}
    listing = {"type": "skill_listing", "content": LISTING, "isInitial": True}
    lines = [
        {"type": "attachment", "sessionId": "s", "attachment": listing},
        line("user", 1, text("please ship the shop")),
        line("user", 2, text("<system-reminder>NEVER SEEN</system-reminder>")),
        line("assistant", 3, text("I look first."), shell),
        line("assistant", 4, call(1, "deploy")),
        line("user", 5, text("NEVER SEEN: base directory"), isMeta=True),
        line("user", 6, text("now the notes of the release")),
        line("assistant", 7, call(2, "notes"), call(3, "unlisted")),
    ]
    path = tmp_path / "p" / "s.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(map(json.dumps, lines)) + "\nno json\n7\n")
    (tmp_path / "p" / "fork.jsonl").write_text(path.read_text())
    return tmp_path


def test_what_stood_before_a_call_is_searched_with_once(talk: Path) -> None:
    first, second, third = calls_in([talk])
    assert first.texts() == ["please ship the shop", "I look first.", "Look at it"]
    assert first.texts(has_calls=False) == ["please ship the shop", "I look first."]
    assert second.texts(1) == ["now the notes of the release"]
    assert (first.is_named, second.is_named) == (False, True)
    assert [one.name for one in third.candidates] == ["deploy", "notes", "run"]


def test_ranks_know_only_earlier_uses(talk: Path) -> None:
    calls = calls_in([talk])[:2]
    found = measured(calls)
    assert found.ranks == (1, 1)
    assert (found.share(1), found.reciprocal, found.candidates) == (1, 1, 3)
    assert measured(calls, has_texts=False).ranks == (1, 2)  # deploy was used, notes never


def test_others_are_mixed_in_and_the_table_is_printed(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "more" / "polish" / "SKILL.md"
    other.parent.mkdir(parents=True)
    other.write_text("---\ndescription: Polishes.\nwhen_to_use: At the end.\n---\nx\n")
    assert [one.about for one in skills_at(tmp_path / "more")] == ["Polishes. - At the end."]
    assert main([str(talk), "--skills", str(tmp_path / "more")]) == 0
    told = capsys.readouterr().out
    assert "left out: unlisted in s, not in its listing" in told
    assert "others mixed in (1)" in told


def test_without_calls_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 2
