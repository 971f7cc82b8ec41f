"""`tokens select`: to a pipe byte for byte, as JSON, and what is refused."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import Talk
from tests.compression.test_selection import SHOP, function

from tokenbudget.cli import select as verb

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


def test_what_a_recorded_session_edited_is_likelier_to_be_shown(
    home: Home, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run("usage")
    monkeypatch.chdir(shop.parent)
    new = function("send_mail", 12)
    edit = {"file_path": str(shop), "old_string": "def mail():", "new_string": new}
    Talk("s1").ask("Go on.").call("Edit", "done", **edit).answer().write(home)
    asked = ["select", "--task", "tidy up", "--budget", "130", shop.name]
    mail = range(29, 42)

    def shown_of_it(*more: str) -> int:
        rows = [row for row in home.ask(*asked, *more)["rows"] if row["is_shown"]]
        return sum(row["first_line"] <= line <= row["last_line"] for row in rows for line in mail)

    assert shown_of_it() > 9
    assert shown_of_it("--no-edits") < 5


def test_settings_that_cannot_be_read_are_no_trouble(home: Home, shop: Path) -> None:
    home.config.parent.mkdir()
    home.config.write_text("= damaged")
    done = home.run("select", "--task", TASK, str(shop))
    assert (done.code, done.err) == (0, "")


class Bar:
    """Remembers what a progress bar was told."""

    told: list[tuple[int, int]]
    is_cleared: bool

    def __init__(self, doing: str = "") -> None:
        Bar.told, Bar.is_cleared = [], False

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        """Tell how far it is."""
        Bar.told.append((done_bytes, total_bytes))

    def clear(self) -> None:
        """Take the bar away."""
        Bar.is_cleared = True


def test_progress_goes_on_to_the_end(
    home: Home, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "ProgressBar", Bar)
    home.run("select", "--task", TASK, str(shop))
    shares = [done for done, _ in Bar.told]
    assert shares == sorted(shares)
    assert len(set(shares)) > 5
    assert Bar.told[-1] == (len(SHOP), len(SHOP))
    assert Bar.is_cleared


def test_a_bar_is_taken_away_where_the_answer_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "ProgressBar", Bar)
    assert home.run("select", "--task", TASK, "missing.py").code == 3
    assert Bar.is_cleared


def test_a_pipe_sees_no_progress(home: Home, shop: Path) -> None:
    assert home.spawn("select", "--task", TASK, str(shop)).err == ""
