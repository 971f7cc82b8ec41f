"""What would fetch again what is there, decided from values alone."""

from __future__ import annotations

import pytest

from tokenbudget.gateway.hooks.guards import (
    chars_put_out,
    command_key,
    is_whole_read,
    tokens_read_again,
    version_of,
)
from tokenbudget.gateway.hooks.payload import HookEvent

STAMP = (20_000, 111, 222)
RECORD = [*STAMP, 20_000]
NEW, OLD = (2, 1, 329), (2, 0, 76)


@pytest.mark.parametrize(
    ("asked", "is_whole"),
    [
        ({"file_path": "/a"}, True),
        ({"file_path": "/a", "offset": None}, True),
        ({"file_path": "/a", "offset": 1}, False),
        ({"file_path": "/a", "limit": 0}, False),
        ({"file_path": "/a.pdf", "pages": "1-2"}, False),
    ],
)
def test_only_a_call_without_a_range_reads_a_whole_file(
    asked: dict[str, object], is_whole: bool
) -> None:
    assert is_whole_read(asked) is is_whole


def test_reading_an_unchanged_file_again_costs_what_it_cost() -> None:
    assert tokens_read_again(RECORD, STAMP, 2_000) == 5_000


@pytest.mark.parametrize(
    ("record", "found", "least"),
    [
        (None, STAMP, 0),  # never read
        (RECORD, None, 0),  # gone
        (RECORD, (20_001, 111, 222), 0),
        (RECORD, (20_000, 112, 222), 0),
        (RECORD, (20_000, 111, 223), 0),  # changed, its time put back
        (RECORD, STAMP, 5_001),  # not worth a word
        ([*STAMP, 0], STAMP, 0),
    ],
)
def test_in_doubt_it_is_not_known_to_be_unchanged(
    record: list[int] | None, found: tuple[int, int, int] | None, least: int
) -> None:
    assert tokens_read_again(record, found, least) == 0


def test_a_command_is_huge_where_it_was_before() -> None:
    assert chars_put_out("npm test", "/a", 25_000, NEW, lambda _: None) == 25_000
    assert chars_put_out("npm test", "/a", 19_999, NEW, lambda _: None) == 0
    assert chars_put_out("npm test", "/a", None, NEW, lambda _: None) == 0


def test_a_command_is_another_one_elsewhere_or_in_other_words() -> None:
    keys = {
        command_key(HookEvent({"tool_name": "Bash", "cwd": cwd, "tool_input": {"command": one}}))
        for cwd in ("/a", "/b")
        for one in ("npm test", "npm test ", "\ud800")
    }
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("command", "looked_at"),
    [
        ("cat big.log", "/here/big.log"),
        ("cat /var/log/big.log", "/var/log/big.log"),
        ("cat ./a/b@2.x", "/here/./a/b@2.x"),
        ("cat big.log | head", ""),
        ("cat -n big.log", ""),
        ("cat -", ""),
        ("cat  big.log", ""),
        ("cat $FILE", ""),
        ("cat ~/big.log", ""),
        ("cat 'big.log'", ""),
        ("cat *.log", ""),
        ("cat big.log\nrm x", ""),
        ("tac big.log", ""),
        ("cat", ""),
        ("", ""),
    ],
)
def test_only_a_plain_cat_of_one_file_is_understood(command: str, looked_at: str) -> None:
    asked: list[str] = []

    def stamp_of(path: str) -> tuple[int, int, int] | None:
        asked.append(path)
        return (25_000, 1, 1)

    found = chars_put_out(command, "/here", None, NEW, stamp_of)
    assert asked == ([looked_at] if looked_at else [])
    assert found == (25_000 if looked_at else 0)


@pytest.mark.parametrize(
    ("size", "version", "chars"),
    [
        (19_999, NEW, 0),
        (20_000, NEW, 20_000),
        (30_000, NEW, 30_000),
        (30_001, NEW, 0),  # the client puts it into a file by itself
        (30_001, (), 0),
        (30_001, OLD, 30_000),  # and an old one cuts it
    ],
)
def test_a_file_shown_counts_as_far_as_it_reaches_the_window(
    size: int, version: tuple[int, ...], chars: int
) -> None:
    assert chars_put_out("cat /big", "", None, version, lambda _: (size, 1, 1)) == chars


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.329", (2, 1, 329)),
        ("2.0.76", (2, 0, 76)),
        ("2.2.0-beta.1", (2, 2, 0)),
        ("", ()),
        ("new", ()),
        ("2", ()),
        ("2.x", ()),
        ("2.²", ()),
        ("2.1." + "9" * 5_000, ()),
    ],
)
def test_a_version_is_numbers_or_nothing(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version
