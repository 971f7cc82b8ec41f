"""What the screens of a window share; the sample window of the other tests in this folder."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.analysis.window_size import WindowSize
from tokenbudget.ledger.inspection import SessionRow
from tokenbudget.model.figures import text_width
from tokenbudget.reports.window import (
    counted_tokens,
    fields_of,
    headed,
    heading,
    note_lines,
    percent,
    size_words,
)

AT_MS = 1_795_176_000_000
"""2026-11-20 12:00 UTC."""
FACTS = SessionRow(
    session="332633f4-730f-48aa-ac74-a8ae49494781",
    title="",
    git_branch="fix-cart",
    version="2.1.329",
    cwd="/home/me/shop",
    first_at="2026-11-20T09:00:00Z",
    last_at="2026-11-20T10:00:00.500Z",
    project="/home/me/shop/",
    agent="claude-code",
    is_gone=False,
)
SIZE = WindowSize(200_000, "published", 33_000, "assumed")
UNKNOWN_SIZE = WindowSize(None, "unknown", None, "unknown")


def window(**fields: Any) -> SessionWindow:
    """A window of 40,000 tokens with nothing in it, unless it is told otherwise."""
    plain = SessionWindow(
        agent="",
        model="claude-haiku-4-5",
        size=SIZE,
        calibration_steps=0,
        calibration_median_error=None,
        calibration_p90_error=0.15,
        prompt_tokens=39_000,
        answer_tokens=1_000,
        waiting_tokens=0,
        at_ms=AT_MS,
        changed_since="",
        called_servers=(),
        requests=4,
        unexplained_requests=0,
        record=None,
        components=(),
        samples=(),
        crossings=(),
        cost=None,
        notes=(),
        agents=(),
    )
    return plain._replace(**fields)


class TestHeading:
    def test_names_project_branch_and_model(self) -> None:
        assert heading(FACTS, window()) == "shop · fix-cart · claude-haiku-4-5"

    def test_prefers_a_title(self) -> None:
        titled = FACTS._replace(title="Round the cart")

        assert heading(titled, window()) == "shop · Round the cart · claude-haiku-4-5"

    def test_falls_back_to_the_beginning_of_the_id(self) -> None:
        bare = FACTS._replace(git_branch="", project="")

        assert heading(bare, window(model="")) == "332633f4"

    def test_names_the_subagent(self) -> None:
        assert " · subagent abc · " in heading(FACTS, window(agent="abc"))

    def test_cleans_what_it_names(self) -> None:
        facts = FACTS._replace(title="\x1b]0;owned\x07title", project="/a\u202eb")

        assert heading(facts, window(model="m\x9b31m")) == "ab · ]0;ownedtitle · m31m"


class TestHeaded:
    @given(st.text("a購 ", max_size=90), st.integers(4, 160))
    def test_never_leaves_the_width(self, right: str, width: int) -> None:
        assert text_width(headed("📊 Token Budget Status", right, width)) <= width

    def test_stands_at_the_right_edge(self) -> None:
        assert headed("Title", "right", 20) == "Title          right"

    def test_the_end_gives_way(self) -> None:
        assert headed("Title", "a long heading", 15) == "Title  a long …"


class TestFigures:
    @pytest.mark.parametrize(
        ("tokens", "whole", "shown"),
        [(1, 3, "33.3%"), (0, 200_000, "0.0%"), (5, None, ""), (5, 0, ""), (3, 2, "150.0%")],
    )
    def test_a_share_has_one_digit(self, tokens: int, whole: int | None, shown: str) -> None:
        assert percent(tokens, whole) == shown

    def test_a_tilde_marks_what_was_counted(self) -> None:
        assert (counted_tokens(1_200, True), counted_tokens(1_200, False)) == ("1,200", "~1,200")

    @pytest.mark.parametrize(
        ("origin", "said"),
        [
            ("setting", "your setting"),
            ("observed", "observed in this session"),
            ("published", "published for the model"),
            ("unknown", "not known"),
        ],
    )
    def test_the_origin_of_a_size_is_told(self, origin: str, said: str) -> None:
        assert size_words(window(size=SIZE._replace(origin=origin))) == said

    def test_fields_add_up(self) -> None:
        fields = fields_of(window(), FACTS)

        assert fields["total_tokens"] == 40_000
        assert fields["free_tokens"] == 160_000
        assert fields["until_compaction_tokens"] == 127_000

    @pytest.mark.parametrize("changed", ["compaction", "rewound", "cleared"])
    def test_after_a_change_the_total_is_unknown_and_the_request_is_not(self, changed: str) -> None:
        fields = fields_of(window(changed_since=changed), FACTS)

        unknown = ("total_tokens", "free_tokens", "until_compaction_tokens")
        assert [fields[name] for name in unknown] == [None] * 3
        assert (fields["prompt_tokens"], fields["answer_tokens"]) == (39_000, 1_000)

    def test_what_is_unknown_is_null(self) -> None:
        fields = fields_of(window(size=UNKNOWN_SIZE, prompt_tokens=None, model=""), FACTS)

        assert {name for name, value in fields.items() if value is None} == {
            "agent_thread",
            "model",
            "window_tokens",
            "reserve_tokens",
            "prompt_tokens",
            "total_tokens",
            "free_tokens",
            "until_compaction_tokens",
        }


class TestNotes:
    def test_each_is_wrapped_behind_its_mark(self) -> None:
        lines = note_lines(window(notes=("one two three four five six", "seven")), 20)

        assert lines == ["  ! one two three", "    four five six", "  ! seven"]

    @given(st.lists(st.text("a購b ", min_size=1, max_size=200), max_size=3), st.integers(20, 100))
    def test_never_leave_the_width(self, notes: list[str], width: int) -> None:
        shown = note_lines(window(notes=tuple(notes)), width)

        assert all(text_width(line) <= width for line in shown)

    def test_are_cleaned(self) -> None:
        assert note_lines(window(notes=("the window of m\x1b[2J",)), 80) == [
            "  ! the window of m[2J"
        ]
