"""Recall counts what is found, and not what it would like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.mcp.catalogues import catalogue, listed

from find_recall import (
    DEPTHS,
    Task,
    called_for,
    each_step,
    interval,
    left_out,
    listed_steps,
    measured,
    own_tasks,
    whole,
)
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder
from tokenbudget.gateway.mcp.finding_concepts import by_trigger

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
    assert [line.recall[depth] for depth in DEPTHS] == [0.25, 0.25, 0.5]


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


def test_what_was_written_without_reading_tasks_stays() -> None:
    task = Task("order it for doomsday", ("get_current_time",))
    table = by_trigger("doomsday => get current time")
    assert left_out("x", [task], FINDER, whole, table, {}).recall[20] == 0.0
    assert left_out("x", [task], FINDER, whole, {}, table).recall[20] == 1.0


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    low, high = interval([0.0, 1.0] * 20)
    assert 0.3 < low < 0.5 < high < 0.7
    assert interval([0.0, 1.0] * 20) == (low, high)
    assert interval([0.5, 0.5]) == (0.5, 0.5)


def test_our_own_tasks_are_apart_and_name_tools() -> None:
    read, unread = own_tasks()
    texts = [task.text for task in (*read, *unread)]
    assert len(texts) == len(set(texts)) == 76
    assert all(task.names for task in (*read, *unread))


def test_own_tasks_without_a_half_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({"read": []}))
    with pytest.raises(KeyError, match="unread"):
        own_tasks(path)
