"""The bench of finding counts what is found, and not what it would like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.mcp.catalogues import catalogue, listed

import bench_find
from bench_find import Task, called_for, each_step, left_out, listed_steps, measured, whole
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder

TEXT = {"type": "string"}
MANY = [listed(f"order_{letter}", "An order.", a=TEXT) for letter in "abcdefghijkl"]
FINDER = Finder(
    Directory(
        [
            catalogue("shop", MANY),
            catalogue("clock", [listed("get_current_time", "Get the current time.", zone=TEXT)]),
        ]
    ),
    {},
)


def test_recall_is_the_share_of_names_among_the_first() -> None:
    tasks = [Task("order", ("order_a", "order_k")), Task("zzz", ("order_a",))]
    line = measured("x", tasks, FINDER, whole)
    assert line.calls == 1
    assert [line.recall[depth] for depth in (5, 10, 20)] == [0.25, 0.25, 0.5]


def test_calls_are_counted_and_any_of_them_may_find() -> None:
    task = Task("Get the current time, then order", ("get_current_time", "order_a"))
    line = measured("x", [task], FINDER, each_step)
    assert (line.calls, line.recall[5]) == (2, 1.0)
    assert len(listed_steps(task)) == 1


def test_what_the_table_knows_of_one_task_alone_is_left_out() -> None:
    task = Task("order it for tomorrow", ("get_current_time",))
    assert "tomorrow" in called_for(task.text)
    assert measured("x", [task], FINDER, whole).recall[20] == 1.0
    assert left_out("x", [task], FINDER, whole).recall[20] == 0.0
    assert left_out("x", [task, task], FINDER, whole).recall[20] == 1.0


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
    assert "missed: order_l" in out
    assert "| atlassian | 12 |" in out
    assert "| core five | 12 |" in out
    assert "goal missed: @5 0.000 < 0.85" in err
