"""`tokens select`: to a pipe byte for byte, as JSON, and what is refused."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.compression.test_selection import SHOP

TASK = "apply_voucher takes a voucher twice"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(SHOP)
    return path


def test_it_prints_what_the_task_needs_within_the_budget(home: Home, shop: Path) -> None:
    document = home.ask("select", "--task", TASK, "--budget", "40%", str(shop))
    assert document["format"] == "tokenbudget/select/1"
    totals = document["totals"]
    assert totals["tokens"] <= totals["budget_tokens"] == int(totals["before_tokens"] * 0.4)
    assert "def apply_voucher():" in document["text"].split("\n")
    assert document["rows"][0]["first_line"] == 1
    assert document["rows"][-1]["last_line"] == totals["lines"]
    assert sum(
        row["last_line"] - row["first_line"] + 1 for row in document["rows"] if row["is_shown"]
    ) == totals["shown_lines"]  # fmt: skip


def test_the_task_may_stand_in_a_file(home: Home, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "task.txt").write_text(TASK)
    by_file = home.run("select", "--task-file", str(tmp_path / "task.txt"), str(shop))
    assert by_file.out == home.run("select", "--task", TASK, str(shop)).out


def test_bytes_that_are_no_text_come_through_as_they_are(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "odd.log"
    path.write_bytes(b"voucher \xff\xfe lost\r\n\x00end")
    command = home.command("select", "--task", "voucher", "--budget", "1000", str(path))
    done = subprocess.run(command, check=True, capture_output=True, env=home.spawn_environment())
    assert b"voucher \xff\xfe lost\r\n\x00end\n" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--task", "x"], 2, "FILE"),
        (["FILE"], 2, "--task"),
        (["--task", " ", "FILE"], 2, "empty"),
        (["--task", "x", "--task-file", "y", "FILE"], 2, "--task"),
        (["--task", "x", "--budget", "lots", "FILE"], 2, "budget"),
        (["--task", "x", "--budget", "0", "FILE"], 2, "budget"),
        (["--task", "x", "--budget", "\u0663", "FILE"], 2, "budget"),
        (["--task", "x", "--budget", "101%", "FILE"], 2, "budget"),
        (["--task", "x", "MISSING"], 3, "cannot read"),
        (["--task", "x", "."], 3, "cannot read"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    home: Home, shop: Path, arguments: list[str], code: int, says: str
) -> None:
    done = home.run("select", *(str(shop) if one == "FILE" else one for one in arguments))
    assert done.code == code
    assert says in done.err
    assert done.out == ""


def test_a_pipe_without_a_writer_is_not_waited_for(home: Home, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = home.run("select", "--task", "x", str(tmp_path / "pipe"))
    assert done.code == 3
