"""What the bench of the gateway's start makes of the times that it took."""

from __future__ import annotations

from pathlib import Path

import pytest

import bench_gateway_times
from bench_gateway_times import measured_start
from gateway_setup import Setup


def test_a_start_is_told_in_multiples_of_a_bare_interpreter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    starts = iter([(0.020, 0.050), (0.030, 0.060), (0.070, 0.900)])
    monkeypatch.setattr(bench_gateway_times, "start_to_find", lambda setup: next(starts))
    monkeypatch.setattr(bench_gateway_times, "timed", lambda do: 0.010)
    catalogues: dict[str, dict[str, list[object]]] = {
        "a": {"tools": [{}, {}]},
        "b": {"tools": [{}]},
    }
    setup = Setup(tmp_path, tmp_path / "c", {}, {}, catalogues, "tokens")

    lines, [goal] = measured_start(setup, 3)

    assert lines[0].endswith("3 tools cached.")
    assert "| start to `initialize` answered | 30.00 | 70.00 |" in lines
    assert "| start to `find_tools` answered | 60.00 | 900.00 |" in lines
    assert goal.found == pytest.approx(6.0)
    assert goal.is_met
