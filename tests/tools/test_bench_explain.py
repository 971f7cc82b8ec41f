"""The comparison tells what was measured, and never more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench_explain
from bench_explain import Command, Exported, Timed, Weighed
from explain_peers import Place, our_place

FINDINGS = {"findings": [{"title": "a | b\n<x>", "tokensSaved": 1234.6, "estimatedSavingsUSD": 1}]}
ROWS = {
    "rows": [
        {"drain": "re-read", "tokens_per_week": 5, "usd_per_week": "0.5", "evidence": [1]},
        {"drain": "re-read", "tokens_per_week": 7, "usd_per_week": "0.25", "fix_command": "x"},
        {"drain": "image", "tokens_per_week": None, "usd_per_week": None},
    ]
}


def command(name: str, seconds: list[float], out: object = None) -> Command:
    place = Place(Path("/nowhere"), Path("/nowhere"), {})
    made = Command(name, ["x"], place)
    made.runs = [Timed(one, json.dumps(out).encode()) for one in seconds]
    made.cold = [Timed(9, b"")]
    return made


def test_a_share_is_that_of_pairs_and_not_of_medians() -> None:
    peer = command("peer", [1.0, 10.0, 2.0])
    ours = command("optimize", [0.5, 4.0, 1.2])

    assert bench_explain.share_of(ours, peer) == 0.5


@pytest.mark.parametrize(
    ("optimize", "profile", "seconds", "megabytes", "met"),
    [
        (0.5, 0.3, 6.0, 150.0, [True, True, True, True]),
        (0.6, 0.4, 7.0, 151.0, [False, False, False, False]),
    ],
)
def test_goals(
    optimize: float, profile: float, seconds: float, megabytes: float, met: list[bool]
) -> None:
    commands = [
        command("peer", [1.0]),
        command("optimize", [optimize]),
        command("profile", [profile]),
    ]
    done = Exported(1_000_000, [Weighed(seconds, megabytes)])

    assert [is_met for _, is_met in bench_explain.goals(commands, done)] == met


def test_what_was_not_measured_is_not_met() -> None:
    told = list(bench_explain.goals([command("optimize", [0.1])], None))

    assert [is_met for _, is_met in told] == [False, False]
    assert all("not measured" in what for what, _ in told)


def test_findings_stand_side_by_side() -> None:
    commands = [command("peer", [1.0], FINDINGS), command("optimize", [0.1], ROWS)]

    page = "\n".join(bench_explain.finding_lines(commands))

    assert "| a / b <x> | 1,235 | 1.00 |" in page
    assert "found 3 of 2 kinds" in page
    assert "| re-read | 2 | 12 | 0.75 | 1 | 1 |" in page
    assert "| image | 1 | 0 | 0.00 | 0 | 0 |" in page


def test_the_table_has_a_row_for_each() -> None:
    commands = [command("peer", [2.0]), command("profile", [0.5])]

    lines = list(bench_explain.speed_lines(commands))

    assert "| 9.00 | 2000 | 2000 | 2000 |  |" in lines[2]
    assert "| 9.00 | 500 | 500 | 500 | 0.25 " in lines[3]


def test_what_fails_is_told_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = our_place(tmp_path / "home", tmp_path)
    good = Command("good", [sys.executable, "-c", "print('x')"], place)
    bad = Command("bad", [sys.executable, "-c", "import sys; sys.exit('no such verb')"], place)
    commands = [bad, good]

    bench_explain.measure(commands, 2, 1)

    assert commands == [good]
    assert (len(good.runs), len(good.cold), good.runs[0].out) == (2, 1, b"x\n")
    assert "bad fails and is not measured: no such verb" in capsys.readouterr().out


def test_forgetting_leaves_the_sessions(tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "s.jsonl").write_text("{}")
    place = our_place(tmp_path / "home", tmp_path)
    (place.home / "data").mkdir()
    (place.home / "cache").write_text("x")

    bench_explain.forget(Command("x", ["x"], place))

    assert sorted(path.name for path in place.home.iterdir()) == [".claude", "work"]
    assert (tmp_path / "projects" / "s.jsonl").exists()
    assert (place.home / ".claude" / "projects" / "s.jsonl").exists()


def test_a_small_export_is_weighed(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f'#!/bin/sh\nexec {sys.executable} -m tokenbudget "$@"\n')
    tokens.chmod(0o755)
    source = Path(__file__).parents[2] / "src"
    tokens.write_text(tokens.read_text().replace("exec", f"PYTHONPATH={source} exec"))

    done = bench_explain.exported(tokens, tmp_path / "bench", 1_000, 1)

    assert done is not None
    assert done.rows == 1_000
    assert 5 < done.megabytes < 150
    subprocess.run([tokens, "--version"], check=True, stdout=subprocess.DEVNULL)
