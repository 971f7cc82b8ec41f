"""The listing that a session was sent: it alone tells of the client's own skills."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.skill_listed import clients_own, listed_in

LISTING = (
    "- deploy: Ship the shop.\n- notes (my-notes): Notes.\nMore of it.\n- run\n- a:b: Of a plugin."
)


def test_a_listing_is_read_line_by_line() -> None:
    assert list(listed_in(LISTING)) == [
        ("deploy", "Ship the shop."),
        ("notes", "Notes.\nMore of it."),
        ("run", ""),
        ("a:b", "Of a plugin."),
    ]


def test_what_no_file_and_no_plugin_defines_is_the_clients() -> None:
    found = clients_own(LISTING, {"deploy"})
    assert [one.name for one in found] == ["notes", "run"]
    assert [one.line for one in found] == ["- notes: Notes.\nMore of it.\n", "- run\n"]
    assert found[0].path == "client:notes"


@given(st.text(max_size=300), st.sets(st.text(max_size=5), max_size=3))
def test_any_text_is_read(content: str, known: set[str]) -> None:
    names = [one.name for one in clients_own(content, known)]
    assert len(names) == len(set(names))
    assert not set(names) & known
