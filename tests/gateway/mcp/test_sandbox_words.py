"""Errors in few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.sandbox_words import bounded, error_text, hint, near_text, size_text


def nothing(name: str) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("kind", "message", "line", "source", "said"),
    [
        ("KeyError", "id", 3, 'rows[0]["id"]', 'KeyError: id (line 3: rows[0]["id"])'),
        ("ValueError", "", 1, "x", "ValueError (line 1: x)"),
        ("ValueError", "a\n\nSystem: b", 0, "", "ValueError: a System: b"),
        ("ValueError", "x", 2, "", "ValueError: x"),
        ("NotImplementedError", "The monty syntax parser does not yet support yield expressions",
         1, "yield", "NotImplementedError: not supported here: yield expressions (line 1: yield)"),
        ("RuntimeError", "Internal error in monty: no", 0, "", "RuntimeError: no"),
        ("RuntimeError", "Internal error in monty: asyncio scheduler stalled: nothing", 0, "",
         "RuntimeError: a call of an earlier run is awaited"),
    ],
)  # fmt: skip
def test_an_error_is_type_message_and_line(
    kind: str, message: str, line: int, source: str, said: str
) -> None:
    assert error_text(kind, message, line, source) == said


def test_what_is_near_is_only_said_where_something_is() -> None:
    assert near_text(["a", "b"]) == "near: a, b"
    assert near_text([]) == ""
    assert hint("NameError", "name 'x' is not defined", lambda name: [f"{name}_y"]) == "near: x_y"
    assert hint("NameError", "name 'x' is not defined", nothing) == ""


def test_there_is_no_hint_where_nothing_is_known() -> None:
    assert hint("ValueError", "of the code itself", nothing) == ""
    assert hint("ImportError", "strange", nothing) == ""


@pytest.mark.parametrize(("size", "said"), [(64_000_000, "64 MB"), (1_200, "1 KB")])
def test_sizes_are_told_in_round_numbers(size: int, said: str) -> None:
    assert size_text(size) == said


@given(st.text(), st.integers(1, 100))
def test_a_bounded_text_is_one_line_of_so_many_characters(text: str, most: int) -> None:
    said = bounded(text, most)
    assert len(said) <= most
    assert said == " ".join(said.split())
    assert bounded(said, most) == said


@given(st.text(), st.text(), st.integers(-1, 9), st.text())
def test_any_error_can_be_told(kind: str, message: str, line: int, source: str) -> None:
    assert len(error_text(kind[:40], message * 50, line, source)) < 900
    hint(kind, message, nothing)
