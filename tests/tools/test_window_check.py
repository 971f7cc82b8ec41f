"""The check of windows and calibration runs on sessions of our own, and says what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sample_sessions import generate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sessions")
    generate(folder, end=datetime(2026, 11, 20, 13, tzinfo=UTC), days=6, seed=2)
    done = subprocess.run(
        [sys.executable, ROOT / "tools/window_check.py", folder, "--json"],
        env={"HOME": str(folder), "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_every_request_with_usage_is_looked_at(found: dict[str, Any]) -> None:
    remainder = found["remainder"]
    assert remainder["total"]["requests"] == sum(row["requests"] for row in remainder["rows"])
    assert 0 < remainder["total"]["steps"] < remainder["total"]["requests"]
    assert 0 <= remainder["total"]["not_negative_share"] <= 1


def test_each_way_of_counting_is_held_against_the_same_steps(found: dict[str, Any]) -> None:
    calibration = found["calibration"]
    everything = {row["way"]: row for row in calibration["rows"] if row["model"] == "all"}
    assert {row["steps"] for row in everything.values()} == {calibration["steps"]}
    assert set(everything) == {"calibrated", "o200k_base as it is", "characters / 4"}
