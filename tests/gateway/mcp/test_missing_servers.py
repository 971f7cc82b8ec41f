"""Servers that cannot be used are told once, then counted; what is new of them is told."""

from __future__ import annotations

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.missing_servers import MOST_NAMED, MissingServers
from tokenbudget.gateway.mcp.shelf import Known

EMPTY = Directory([])


def known(**troubles: str) -> Known:
    return Known(EMPTY, (), troubles)


def test_each_is_told_once_and_counted_then() -> None:
    told = MissingServers()
    both = known(a="it ended", b="no such file")
    first = told.words(both, 5)
    assert first == "a cannot be used: it ended\nb cannot be used: no such file"
    assert told.words(both, 5) == "2 of 5 cannot be used"
    assert told.words(both, 5) == "2 of 5 cannot be used"
    assert MissingServers().words(both, 5) == first  # another client was told nothing yet


def test_what_changes_is_told() -> None:
    told = MissingServers()
    told.words(known(a="it ended", b="no such file"), 5)
    changed = known(a="it ended", b="may not be read", c="new")
    said = "b cannot be used: may not be read\nc cannot be used: new\n1 more cannot be used"
    assert told.words(changed, 5) == said
    assert told.words(known(c="new"), 5) == "1 of 5 cannot be used"
    assert told.words(known(), 5) == ""
    assert told.words(known(a="it ended"), 5) == "a cannot be used: it ended"


def test_another_number_in_a_reason_is_no_news() -> None:
    told = MissingServers()
    told.words(known(a="a was not ready within 30 seconds: pid 4711"), 1)
    assert told.words(known(a="a was not ready within 29 seconds: pid 12"), 1).startswith("1 of 1")


def test_of_many_each_is_told_in_its_turn() -> None:
    told = MissingServers()
    many = known(**{f"s{number}": "no" for number in range(15)})
    said = [told.words(many, 15).splitlines() for _ in range(4)]
    assert [len(lines) for lines in said] == [MOST_NAMED + 1, MOST_NAMED + 1, 4, 1]
    named = [line for lines in said for line in lines if line.startswith("s")]
    assert len(set(named)) == 15
    assert said[0][-1] == "9 more cannot be used"
    assert said[3] == ["15 of 15 cannot be used"]


def test_one_that_starts_still_is_told_each_time() -> None:
    told = MissingServers()
    waiting = Known(EMPTY, ("slow",), {"a": "it ended"})
    assert told.words(waiting, 2).startswith("1 of 2 servers is still starting (slow)")
    said = told.words(waiting, 2).splitlines()
    assert said[0].startswith("1 of 2 servers is still starting (slow)")
    assert said[1] == "1 of 2 cannot be used"


def test_one_whose_tools_are_known_is_not_counted() -> None:
    listed = catalogue_of("a", {}, [{"name": "go", "inputSchema": {"type": "object"}}])
    assert MissingServers().words(Known(Directory([listed]), (), {"a": "it ended"}), 1) == ""
