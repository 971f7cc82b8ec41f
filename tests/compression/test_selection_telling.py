"""How far a selection is: shares of the whole, never going back, to the end."""

from __future__ import annotations

from tests.compression.test_selection import SHOP, TASK, Words

from tokenbudget.compression.selection import select
from tokenbudget.compression.selection_telling import UNTOLD, Teller


def test_a_part_of_a_part_tells_shares_of_the_whole() -> None:
    told: list[float] = []
    Teller(told.append).part(0.5, 1).part(0, 0.5)(0.5)
    assert told == [0.625]


def test_nobody_needs_to_listen() -> None:
    UNTOLD.part(0.2, 0.4)(1)


def test_a_selection_tells_from_its_first_file_to_its_end() -> None:
    told: list[float] = []
    files = {f"shop_{at}.py": SHOP for at in range(4)}
    select(TASK, files, 200, Words(), tell=Teller(told.append))
    assert told == sorted(told)
    assert 0 < told[0] < 0.1
    assert told[-1] == 1
    assert len(set(told)) > 12
