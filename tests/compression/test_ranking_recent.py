"""Recent edits: where they stand now, which files they were in, and what they change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.test_selection import SHOP, TASK, Words

from tokenbudget.compression.ranking import likelihoods
from tokenbudget.compression.ranking_recent import (
    CHECKOUT_SECONDS,
    HALF_SECONDS,
    MOST_LINES,
    Edit,
    Recent,
    edit_of,
    recency_of,
)
from tokenbudget.compression.sections import structure_of
from tokenbudget.compression.selection import select

PATH = "shop.py"
SHOP_LINES = SHOP.removesuffix("\n").split("\n")


def lines_of(*edits: Edit, text: str = SHOP) -> dict[str, float]:
    """The lines of the blocks that count as edited, and how recently."""
    structure = structure_of(PATH, text)
    rows = recency_of(Recent(edits), [structure])[0]
    return {
        structure.lines[block.first].strip(): row.block
        for block, row in zip(structure.blocks, rows, strict=True)
        if row.block
    }


def test_an_edit_is_found_by_its_text() -> None:
    old = "def send_mail():\n    step_0(0)\n    old()"
    new = "def send_mail():\n    step_0(0)\n    step_1(1)"
    assert lines_of(edit_of(PATH, old, new)) == {"step_1(1)": 1.0}


def test_a_part_of_a_line_is_found_too() -> None:
    text = "total = price_of(cart)\nrest = 1\n"
    assert lines_of(edit_of(PATH, "cost(", "price_of("), text=text) == {
        "total = price_of(cart)": 1.0
    }


def test_a_deletion_is_where_its_neighbours_are() -> None:
    old = "def send_mail():\n    gone()\n    step_0(0)"
    new = "def send_mail():\n    step_0(0)"
    assert set(lines_of(edit_of(PATH, old, new))) == {"def send_mail():", "step_0(0)"}


def test_what_was_edited_again_counts_by_the_lines_that_are_left() -> None:
    new = "class Cart:\n    was_renamed = 1\n    def total(self):"
    assert set(lines_of(edit_of(PATH, "", new))) == {"class Cart:", "def total(self):"}


@pytest.mark.parametrize("new", ["step_3(3)", "x", "", "    \n\n", "nowhere_to_be_found()"])
def test_what_stands_in_many_places_or_in_none_marks_nothing(new: str) -> None:
    assert lines_of(edit_of(PATH, "was()", new)) == {}


def test_the_last_edit_counts_most() -> None:
    first, second = Edit(PATH, ("class Cart:",), 0, 1), Edit(PATH, ("def total(self):",), 0, 1)
    found = lines_of(first, second)
    assert found["class Cart:"] == 1.0
    assert 0.5 < found["def total(self):"] < 1.0


def test_an_edit_of_very_many_lines_says_only_which_file() -> None:
    edit = edit_of(PATH, "", "\n".join(["class Cart:"] + ["x"] * MOST_LINES))
    assert edit == edit_of(PATH) == Edit(PATH, ())
    assert lines_of(edit) == {}


@given(st.text("ab\n\r ", max_size=40), st.text("ab\n\r ", max_size=40))
def test_what_an_edit_keeps_is_not_new(old: str, new: str) -> None:
    edit = edit_of(PATH, old, new)
    before = old.split("\n")
    assert 0 <= edit.first <= edit.end <= len(edit.lines)
    if edit.lines:
        assert edit.lines == tuple(new.split("\n"))
        kept = len(edit.lines) - edit.end
        assert list(edit.lines[: edit.first]) == before[: edit.first]
        assert not kept or list(edit.lines[-kept:]) == before[-kept:]


@given(st.lists(st.text("ab \n\r\x00\ud800", max_size=30), max_size=4), st.text("ab \n\r\x00"))
def test_any_text_may_be_looked_for_in_any_text(news: list[str], text: str) -> None:
    structure = structure_of(PATH, text)
    rows = recency_of(Recent([edit_of(PATH, "", new) for new in news]), [structure])[0]
    assert len(rows) == len(structure.blocks)
    assert all(0 <= row.block <= 1 for row in rows)


def files_of(recent: Recent) -> dict[str, float]:
    structures = [structure_of(path, "x = 1\n") for path in ("a.py", "b.py", "c.py")]
    rows = recency_of(recent, structures)
    return {one.path: row[0].file for one, row in zip(structures, rows, strict=True)}


def test_an_edited_file_counts_beside_the_others() -> None:
    assert files_of(Recent([Edit("b.py", ())])) == {"a.py": 0, "b.py": 1, "c.py": 0}


def test_files_of_one_checkout_are_alike() -> None:
    at = {"a.py": 1e9, "b.py": 1e9 + CHECKOUT_SECONDS / 2, "c.py": 1e9 + CHECKOUT_SECONDS}
    assert set(files_of(Recent(written_at=at)).values()) == {0}


def test_a_file_that_was_written_since_counts_by_how_long_before_the_newest() -> None:
    at = {"a.py": 0.0, "b.py": 9 * HALF_SECONDS, "c.py": 10 * HALF_SECONDS}
    assert files_of(Recent(written_at=at)) == {"a.py": 0, "b.py": 0.5, "c.py": 1}


def test_a_time_that_is_not_known_says_nothing() -> None:
    assert files_of(Recent(written_at={"a.py": 5e9})) == {"a.py": 0, "b.py": 0, "c.py": 0}


def test_what_was_edited_is_likelier_and_all_else_stays_as_it_was() -> None:
    structure = structure_of(PATH, SHOP)
    before = likelihoods("tidy up", [structure])[0]
    recent = Recent([Edit(PATH, ("class Cart:",), 0, 1)])
    after = likelihoods("tidy up", [structure], recent=recent)[0]
    grown = [
        structure.lines[block.first]
        for block, old, new in zip(structure.blocks, before, after, strict=True)
        if new > old
    ]
    assert grown == ["class Cart:"]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_a_checkout_changes_no_selection() -> None:
    files = {PATH: SHOP, "other.py": SHOP.replace("voucher", "coupon")}
    at = Recent(written_at=dict.fromkeys(files, 1.7e9))
    assert select(TASK, files, 200, Words(), recent=at) == select(TASK, files, 200, Words())
