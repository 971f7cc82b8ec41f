"""Past use is added up over gateways, bounded, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tokenbudget.gateway.mcp import uses
from tokenbudget.gateway.mcp.uses import Uses, added, read_uses


def test_two_gateways_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = str(tmp_path / "gateway" / "uses.json")
    one, other = Uses(path), Uses(path)
    one.note("a_b")
    other.note("a_b")
    other.note("c_d")
    assert one.save()
    assert other.save()
    assert read_uses(path) == {"a_b": 2, "c_d": 1}
    assert one.save()  # nothing is new: nothing is counted twice
    assert read_uses(path) == {"a_b": 2, "c_d": 1}


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text("a file, no folder")
    one = Uses(str(tmp_path / "gateway" / "uses.json"))
    one.note("a_b")
    assert not one.save()
    (tmp_path / "gateway").unlink()
    assert one.save()
    assert read_uses(str(tmp_path / "gateway" / "uses.json")) == {"a_b": 1}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "[" * 100_000, '{"format":"other","uses":{"a":1}}',
        '{"format":"tokenbudget/gateway-uses/1","uses":[]}',
        '{"format":"tokenbudget/gateway-uses/1","uses":{"a":"x"}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_no_uses(tmp_path: Path, text: str) -> None:
    path = tmp_path / "uses.json"
    path.write_text(text)
    assert read_uses(str(path)) == {}


def test_only_so_many_are_remembered_the_most_used_and_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uses, "MOST_ALIASES", 3)
    known = {"a": 9, "b": 1, "c": 5, "d": 2}
    assert added(known, {"new": 1}) == {"new": 1, "a": 9, "c": 5}


def test_counts_are_numbers_however_large(tmp_path: Path) -> None:
    path = tmp_path / "uses.json"
    told = {"format": uses.FORMAT, "uses": {"a": 10**30, "b": True, "c": -1}}
    path.write_text(json.dumps(told))
    assert read_uses(str(path)) == {"a": uses.MOST_COUNT}
