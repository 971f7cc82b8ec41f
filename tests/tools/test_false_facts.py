"""The tool that asks every result of recorded sessions."""

import json
from pathlib import Path

import pytest

import false_facts
from recorded_results import results_in
from tokenbudget.compression.passage import Passage
from tokenbudget.compression.shortening import shorten

LOG = "\n".join(f"2026-11-20 10:00:{n % 60:02} INFO worker {n} took {n * 3} ms" for n in range(90))


def write(path: Path, text: str) -> Path:
    """A transcript with one shell call and its result."""
    use = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "cat log"}}
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": text}],
    }
    lines = [{"message": {"content": [use]}}, {"message": {"content": [result]}}]
    path.mkdir(exist_ok=True)
    file = path / "s1.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\nnot a line\n")
    return file


def test_results_come_with_what_was_asked(tmp_path: Path) -> None:
    found = list(results_in(write(tmp_path / "p", LOG)))

    assert [(one.tool, one.told, one.text) for one in found] == [
        ("Bash", {"command": "cat log"}, LOG)
    ]
    assert found[0].place == "p/s1:2"


def test_the_truth_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "p", LOG)
    report = tmp_path / "report.md"
    monkeypatch.setattr("sys.argv", ["false_facts", str(tmp_path), "--report", str(report)])

    assert false_facts.main() == 0
    assert "1 different results of 1 transcripts" in capsys.readouterr().out
    assert "logs" in report.read_text()


def test_a_lie_is_an_offence(tmp_path: Path) -> None:
    (result,) = results_in(write(tmp_path / "p", LOG))
    check = false_facts.Check(["compressed"], ["logs"])
    check.alone(result, [])
    assert check.offences == []

    short = shorten(Passage(LOG), "compressed", check.counter, "", check.codecs)
    assert short is not None
    lie = short._replace(text=short.text.replace("worker", "other walkers", 1))
    check.judge("logs", "compressed", result, lie, "", [])
    assert [one.codec for one in check.offences] == ["logs"]
    assert check.tally["logs", "compressed"].wrong_receipts == 1
