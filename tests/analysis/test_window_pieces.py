import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import KINDS, request_row, words

from tokenbudget.analysis.window_pieces import (
    GROUPS,
    HIDDEN,
    Held,
    answer_keys,
    group_of,
    label_of,
    share_out,
)
from tokenbudget.ledger.windows import PieceRow
from tokenbudget.model import window

ROUNDING = 1e-6


def held(kind: str, tokens: float, words_tokens: int | None = None, name: str = "") -> Held:
    """A piece that was counted, by its words or without any."""
    measure = words(round(tokens) if words_tokens is None else words_tokens)
    piece = Held(PieceRow(0, 0, "", kind, name, "", "a", 8, measure))
    piece.tokens = piece.raw_tokens = tokens
    return piece


@pytest.mark.parametrize(
    ("kind", "name", "target", "group"),
    [
        (window.SYSTEM_PROMPT, "", "", "system_prompt"),
        (window.ENVIRONMENT, "date", "", "system_prompt"),
        (window.SYSTEM_TOOL, "Bash", "", "system_tools"),
        (window.MCP_TOOL, "mcp__git__log", "git", "mcp_tools"),
        (window.MCP_INSTRUCTIONS, "git", "git", "mcp_tools"),
        (window.DEFERRED_NAMES, "", "git", "mcp_tools"),
        (window.DEFERRED_NAMES, "", "", "system_tools"),
        (window.SKILL_LISTING, "", "", "skills"),
        (window.SKILL_BODY, "pdf", "", "skills"),
        (window.AGENT_LISTING, "", "", "agents"),
        (window.MEMORY_FILE, "/srv/CLAUDE.md", "", "memory_files"),
        (window.FILE, "file", "/a.py", "context_files"),
        (window.TOOL_RESULT, "Read", "/a.py", "context_files"),
        (window.TOOL_RESULT, "NotebookRead", "/a.ipynb", "context_files"),
        (window.TOOL_RESULT, "Read", "", "messages"),
        (window.TOOL_RESULT, "Edit", "/a.py", "messages"),
        (window.TOOL_RESULT, "Bash", "ls", "messages"),
        (window.TOOL_USE, "Read", "/a.py", "messages"),
        (window.PROMPT, "", "", "messages"),
        ("a kind of tomorrow", "", "", "messages"),
    ],
)
def test_every_piece_belongs_to_a_component(kind: str, name: str, target: str, group: str) -> None:
    assert group_of(kind, name, target) == group


@given(st.sampled_from(KINDS) | st.text(), st.text(), st.text())
def test_no_piece_belongs_to_the_remainder(kind: str, name: str, target: str) -> None:
    assert group_of(kind, name, target) in set(GROUPS) - {HIDDEN}


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        (window.REMINDER, "date_change", "reminder:date_change"),
        (window.FILE, "edited_text_file", "file:edited_text_file"),
        (window.TOOL_RESULT, "Bash", "tool_result"),
        (window.MCP_TOOL, "mcp__git__log", "mcp_tool"),
        (window.PROMPT, "", "prompt"),
    ],
)
def test_only_reminders_and_files_are_learnt_one_by_one(kind: str, name: str, label: str) -> None:
    assert label_of(kind, name) == label


def test_a_row_is_held_with_everything_that_it_says() -> None:
    row = PieceRow(700, 2, "", window.TOOL_RESULT, "Read", "/a.py", "call1", 88, words(20))

    piece = Held(row)

    assert (piece.kind, piece.name, piece.target, piece.link) == row[3:7]
    assert (piece.offset, piece.size_bytes, piece.measure) == (700, 88, words(20))
    assert (piece.group, piece.tokens, piece.is_exact) == ("context_files", 0.0, False)


def test_the_same_words_in_the_same_place_are_the_same_piece_wherever_the_line_stands() -> None:
    row = PieceRow(0, 0, "", window.SYSTEM_TOOL, "Bash", "", "", 88, words(20))

    assert Held(row).identity == Held(row._replace(byte_offset=900)).identity
    assert Held(row).identity != Held(row._replace(name="Read")).identity
    assert Held(row).identity != Held(row._replace(measure=words(21))).identity


class TestSharing:
    def test_blocks_share_the_output_as_they_were_counted(self) -> None:
        answer = [held(window.TEXT, 10), held(window.TOOL_USE, 30)]

        share_out(answer, request_row("a", 100, 80))

        assert [piece.tokens for piece in answer] == [20, 60]
        assert [piece.raw_tokens for piece in answer] == [20, 60]
        assert not any(piece.is_exact for piece in answer)

    def test_a_block_alone_is_exact(self) -> None:
        (piece,) = answer = [held(window.TEXT, 10)]

        share_out(answer, request_row("a", 100, 80))

        assert (piece.tokens, piece.is_exact) == (80, True)

    def test_blocks_that_count_nothing_share_alike(self) -> None:
        answer = [held(window.OTHER, 0), held(window.OTHER, 0)]

        share_out(answer, request_row("a", 100, 80))

        assert [piece.tokens for piece in answer] == [40, 40]

    def test_reported_thinking_goes_to_the_thoughts_with_or_without_words(self) -> None:
        answer = [held(window.THINKING, 8.0, 0), held(window.THINKING, 24.0, 24)]
        answer.append(held(window.TEXT, 5))

        share_out(answer, request_row("a", 100, 80, thinking_tokens=60))

        assert [piece.tokens for piece in answer] == pytest.approx([15, 45, 20])

    def test_more_thinking_than_output_is_not_believed(self) -> None:
        answer = [held(window.THINKING, 5), held(window.TEXT, 5)]

        share_out(answer, request_row("a", 100, 80, thinking_tokens=500))

        assert [piece.tokens for piece in answer] == [80, 0]

    def test_thinking_that_left_no_block_is_in_what_was_said(self) -> None:
        answer = [held(window.TEXT, 5)]

        share_out(answer, request_row("a", 100, 80, thinking_tokens=60))

        assert [piece.tokens for piece in answer] == [80]

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([*sorted(window.WRITTEN), window.OTHER]),
                st.floats(0, 1e6),
                st.integers(0, 3),
            ),
            min_size=1,
            max_size=6,
        ),
        st.integers(0, 10**6),
        st.none() | st.integers(0, 10**6),
    )
    def test_blocks_always_add_up_to_the_output(
        self, blocks: list[tuple[str, float, int]], output: int, thinking: int | None
    ) -> None:
        answer = [held(kind, tokens, counted) for kind, tokens, counted in blocks]

        share_out(answer, request_row("a", 100, output, thinking_tokens=thinking))

        assert sum(piece.tokens for piece in answer) == pytest.approx(output)
        assert all(piece.tokens >= -ROUNDING for piece in answer)

    def test_words_beside_thoughts_that_take_everything_never_count_below_nothing(self) -> None:
        answer = [held(window.THINKING, 265_777.98200481426), held(window.TEXT, 0)]

        share_out(answer, request_row("a", 100, 505, thinking_tokens=505))

        assert answer[1].tokens >= 0


def test_only_what_a_model_wrote_names_its_response() -> None:
    """A tool's result bears the id of its call; a hostile one may bear that of a response."""
    measure = words(1)
    kinds = (window.TEXT, window.THINKING, window.TOOL_USE, window.OTHER, window.PROMPT)
    rows = [PieceRow(0, 0, "", kind, "", "", kind, 8, measure) for kind in kinds]
    rows.append(PieceRow(0, 0, "", window.TOOL_RESULT, "", "", "r1", 8, measure))
    rows.append(PieceRow(0, 0, "", window.TEXT, "", "", "", 8, measure))

    assert answer_keys(rows) == {window.TEXT, window.THINKING, window.TOOL_USE, window.OTHER}
