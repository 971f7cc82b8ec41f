"""One of several loops acts; the others look, and say who it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.controlling_house import House, full, kinds, opened_house

from tokenbudget.app.controlling import ControlLock, holder
from tokenbudget.model.control import ACT
from tokenbudget.system.locks import FileLock


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened_house(tmp_path) as made:
        yield made


def test_only_one_acts_and_the_other_looks_and_says_so(house: House) -> None:
    full(house)
    first, second = house.loop(), house.loop()
    lock = ControlLock(str(house.data), "tokens serve")
    assert lock.try_acquire()
    only_seen = second.turn()
    assert (kinds(only_seen), only_seen.is_acting, house.lent()) == ([ACT], False, None)
    assert only_seen.holder == f"tokens serve (process {os.getpid()})"
    lock.release()
    assert first.turn().is_acting
    assert house.lent() is not None
    assert (second.turn().is_acting, second.turn().holder[:11]) == (False, "tokens test")
    first.close()
    assert (second.turn().is_acting, second.turn().holder) == (True, "")


def test_a_lock_whose_file_was_taken_away_is_nobodys(house: House) -> None:
    first, second = (ControlLock(str(house.data), name) for name in ("one", "other"))
    assert first.try_acquire()
    assert first.try_acquire(), "it is ours already"
    (house.data / "control.lock").unlink()
    assert second.try_acquire()
    assert (first.try_acquire(), first.is_held) == (False, False)
    second.release()
    assert first.try_acquire()


def test_nobody_holds_a_lock_that_is_not_there_or_let_go(house: House) -> None:
    folder = str(house.data)
    assert holder(folder) == ""
    lock = ControlLock(folder, "a \x1b[31mname")
    assert lock.try_acquire()
    assert lock.try_acquire(), "it is ours already"
    assert holder(folder).startswith("a ")
    assert "\x1b" not in holder(folder)
    lock.release()
    lock.release()
    assert holder(folder) == ""
    with FileLock(str(house.data / "control.lock")) as other:
        assert other.try_acquire()
        assert holder(folder) != ""
