"""The words for what fills a window."""

from __future__ import annotations

import pytest

from tokenbudget.model import window
from tokenbudget.model.window import EVENTS, PREFIX, WRITTEN, Measure, mcp_server

KINDS = [
    value
    for name, value in vars(window).items()
    if name.isupper() and isinstance(value, str) and name != "MCP_PREFIX"
]


@pytest.mark.parametrize(
    ("tool", "server"),
    [
        ("mcp__docs__search", "docs"),
        ("mcp__docs__search__deep", "docs"),
        ("mcp__two_words__search", "two_words"),
        ("mcp__docs", "docs"),
        ("mcp__", ""),
        ("Read", ""),
        ("xmcp__docs__search", ""),
        ("", ""),
    ],
)
def test_a_tool_of_a_server_names_it(tool: str, server: str) -> None:
    assert mcp_server(tool) == server


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(set(KINDS)) == len(KINDS)
    assert set(KINDS) >= EVENTS | PREFIX | WRITTEN


def test_what_happens_to_a_window_is_no_part_of_it() -> None:
    assert not EVENTS & (PREFIX | WRITTEN)
    assert window.END not in EVENTS


def test_what_stands_before_the_conversation_was_not_written_by_the_model() -> None:
    assert not PREFIX & WRITTEN


def test_a_measure_is_in_bytes_beside_its_tokens() -> None:
    in_bytes = [name for name in Measure._fields if name.endswith("_bytes")]
    assert ["bpe_tokens", *in_bytes] == list(Measure._fields)
