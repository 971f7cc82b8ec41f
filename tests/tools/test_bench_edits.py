"""The bench of recent edits takes its tasks from what the client recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.compression.test_selection import SHOP, Words

from bench_edits import recall, tasks_of
from tokenbudget.compression.ranking_recent import Edit, Recent


def edited(number: int, old: str, new: str, text: str, **more: Any) -> list[str]:
    given = {"file_path": "shop.py", "old_string": old, "new_string": new}
    call = {"type": "tool_use", "id": f"t{number}", "name": "Edit", "input": given}
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "ok", **more}
    lines = [
        {"type": "assistant", "message": {"content": [call]}},
        {
            "type": "user",
            "message": {"content": [result]},
            "toolUseResult": {"originalFile": text},
        },
    ]
    return [json.dumps(line) for line in lines]


PROMPT = json.dumps({"type": "user", "message": {"content": "Mail twice."}})
FIRST = edited(1, "def mail():", "def send_mail():", SHOP)
SECOND = edited(2, "def send_mail():\n    step_0(0)", "def send_mail():\n    twice()", SHOP)


def test_an_edit_after_an_edit_is_a_task() -> None:
    (task,) = tasks_of([PROMPT, "damaged", *FIRST, *SECOND], 0)
    assert (task.words, task.path, task.text) == ("Mail twice.", "shop.py", SHOP)
    assert [SHOP.split("\n")[line - 1] for line in task.gold] == ["    step_0(0)"]
    assert list(task.earlier) == [Edit("shop.py", ("def send_mail():",), 0, 1)]


@pytest.mark.parametrize(
    "lines",
    [
        [PROMPT, *SECOND],
        [*FIRST, *SECOND],
        [PROMPT, *FIRST, *edited(2, "not there", "x", SHOP)],
        [PROMPT, *edited(1, "def mail():", "def send_mail():", SHOP, is_error=True), *SECOND],
    ],
    ids=["the first", "no prompt", "another text", "after one that failed"],
)
def test_anything_else_is_none(lines: list[str]) -> None:
    assert list(tasks_of(lines, 0)) == []


def test_an_insertion_is_to_be_found_at_the_line_before() -> None:
    old = "def send_mail():\n    step_0(0)"
    lines = edited(2, old, old.replace("\n", "\n    first()\n"), SHOP)
    (task,) = tasks_of([PROMPT, *FIRST, *lines], 0)
    assert [SHOP.split("\n")[line - 1] for line in task.gold] == ["def send_mail():"]


def test_files_that_are_short_are_left_out() -> None:
    assert list(tasks_of([PROMPT, *FIRST, *SECOND], len(SHOP) + 1)) == []


def test_recall_is_read_from_what_is_printed() -> None:
    (task,) = tasks_of([PROMPT, *FIRST, *SECOND], 0)
    assert recall(task, 200, Recent(task.earlier), Words()) == 1.0
    assert recall(task, 1, Recent(task.earlier), Words()) == 0.0
