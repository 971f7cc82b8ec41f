"""Which copies of a file are overtaken, and which still tell what nothing else does."""

from __future__ import annotations

import pytest
from tests.analysis.test_backtest_strategies import stood

from tokenbudget.analysis.backtest_copies import Copies, is_copy, shows_a_file
from tokenbudget.model import window
from tokenbudget.model.replay import Stood


def read(number: int, path: str = "/a.py", **lines: object) -> Stood:
    return stood(number, name="Read", arguments={"file_path": path, **lines})


def used(number: int, tool: str, path: str = "/a.py") -> Stood:
    return stood(number, name=tool, kind=window.TOOL_USE, arguments={"file_path": path})


def overtaken(*pieces: Stood) -> list[int]:
    copies = Copies()
    for piece in pieces:
        copies.take(piece, piece.number)
    return [piece.number for piece in pieces if copies.is_overtaken(piece.number)]


def test_a_whole_read_overtakes_every_copy_before_it() -> None:
    first = (read(0), read(1, offset=10, limit=5), used(2, "Edit"), used(3, "Write"))
    assert overtaken(*first, read(4)) == [0, 1, 2, 3]


def test_a_part_overtakes_what_it_covers_alone() -> None:
    parts = (read(0, offset=100, limit=50), read(1, offset=300, limit=50))
    assert overtaken(*parts, read(2, offset=90, limit=100)) == [0]
    assert overtaken(read(0), read(1, offset=1, limit=10)) == []


def test_an_edit_overtakes_nothing_and_a_new_file_everything() -> None:
    assert overtaken(read(0), used(1, "Edit")) == []
    assert overtaken(read(0), used(1, "Write")) == [0]


def test_another_file_and_a_failed_read_overtake_nothing() -> None:
    failed = read(2)._replace(has_failed=True)
    assert overtaken(read(0), read(1, "/b.py"), failed) == []


def test_what_the_client_shows_of_a_file_overtakes_nothing() -> None:
    shown = stood(1, kind=window.FILE, name="edited_text_file", target="/a.py")
    assert overtaken(read(0), shown) == []
    assert is_copy(shown)


@pytest.mark.parametrize(
    ("command", "is_shown"),
    [
        ("sed -n '1,9p' a.py", True),
        ("cd src && cat a.py", True),
        ("npm test", False),
        ("git commit -m 'cat food'", False),
        ("catalog list", False),
    ],
)
def test_commands_that_show_files(command: str, is_shown: bool) -> None:
    assert shows_a_file(stood(0, arguments={"command": command})) is is_shown


def test_when_a_file_was_last_touched_and_whether_it_is_worked_on() -> None:
    copies = Copies()
    copies.take(read(0), 3)
    assert (copies.touched("/a.py"), copies.is_worked_on("/a.py")) == (3, False)
    copies.take(used(1, "Edit"), 9)
    assert (copies.touched("/a.py"), copies.is_worked_on("/a.py")) == (9, True)
    assert copies.touched("/never.py") == 0
