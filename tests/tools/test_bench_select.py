"""The bench of `tokens select` reads what is printed, and believes nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.compression.test_selection import SHOP, Words

from bench_select import baseline, printed, reach, recall, score, table, tasks_of

FILES = {"a.py": "one\ntwo\nthree\nfour\n"}
TASK = {
    "id": "shop-1",
    "repo": "shop",
    "task": "apply_voucher takes a voucher twice",
    "files": {"shop.py": SHOP},
    "gold_lines": {"shop.py": [16, 17]},
}


def test_lines_are_numbered_on_from_the_markers() -> None:
    read = printed("[~ a.py, 4 lines]\none\n[~ 2-3 name]\nfour\n", FILES)
    assert read.shown == {"a.py": {1, 4}}
    assert read.reached == {"a.py": {1, 2, 3, 4}}
    assert read.is_verbatim


@pytest.mark.parametrize(
    "text",
    [
        "[~ a.py, 4 lines]\nONE\n[~ 2-4]\n",
        "[~ a.py, 4 lines]\n[~ 1-2]\nfour\n",
        "[~ a.py, 4 lines]\none\n[~ 3-4]\n",
    ],
    ids=["changed", "misplaced", "a gap in the ranges"],
)
def test_a_line_that_is_not_the_files_is_noticed(text: str) -> None:
    assert not printed(text, FILES).is_verbatim


def test_a_line_out_of_reach_is_noticed() -> None:
    assert reach(FILES, printed("[~ a.py, 4 lines]\none\n[~ 2-3]\n", FILES).reached) == 0.75


def test_recall_is_the_share_of_the_lines_to_change() -> None:
    assert recall(TASK, {"shop.py": {1, 16}}) == 0.5


def test_a_task_is_scored_by_what_is_printed() -> None:
    found = score(TASK, 50, Words())
    assert (found.recall, found.reach, found.is_verbatim) == (1.0, 1.0, True)
    assert found.share <= 1
    assert "| shop | 1 | 100.0% | 100.0% |" in "\n".join(table([found], 50))


def test_the_baseline_fills_its_budget_with_functions() -> None:
    shown = baseline(TASK, 90, Words())["shop.py"]
    assert {15, 16, 17} <= shown
    assert len(shown) < 30


def test_short_tasks_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "smart_context_x.json").write_text(json.dumps([TASK]))
    assert len(tasks_of(tmp_path, 100)) == 1
    assert tasks_of(tmp_path, 100_000) == []
