"""The bench of finding prints its tables, and tells a missed goal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.mcp.catalogues import listed

import bench_find

MANY = [listed(f"order_{letter}", "An order.", a={"type": "string"}) for letter in "abcdefghijkl"]


def test_the_tables_are_printed_and_a_missed_goal_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = {"server": "shop", "title": "Shop", "tools": MANY}
    (tmp_path / "livemcp_tools.json").write_text(json.dumps({"servers": [shop]}))
    tasks = {
        "tasks": [{"task": "order", "tools": [{"name": "order_l"}]}, {"task": "", "tools": []}]
    }
    (tmp_path / "livemcp_tasks_dev.json").write_text(json.dumps(tasks))
    (tmp_path / "atlassian.json").write_text(json.dumps(shop))
    assert bench_find.main(["--set", str(tmp_path), "--misses"]) == 1
    out, err = capsys.readouterr()
    assert "1 tasks, 12 tools" in out
    assert "| the task's text | 1.0 | 0.000 (0.00 to 0.00) |" in out
    assert "| own tasks kept for the end | 1.0 |" in out
    assert "missed: order_l" in out
    assert "| atlassian | 12 |" in out
    assert "| core five | 12 |" in out
    assert "goal missed: @5 0.000 < 0.85" in err
