import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import KINDS, names, targets, words

from tokenbudget.analysis.composition import Component, Item, components, files, whole_numbers
from tokenbudget.analysis.window_pieces import GROUPS, Held
from tokenbudget.ledger.windows import PieceRow
from tokenbudget.model import window

ERRORS = (0.1, 0.02)
"""P90 of a piece by itself, and what all have in common."""


def held(
    kind: str, tokens: float, name: str = "", target: str = "", *, is_exact: bool = False
) -> Held:
    """A piece in the window and what it counts."""
    piece = Held(PieceRow(0, 0, "", kind, name, target, "", 7, words(round(tokens))))
    piece.tokens = tokens
    piece.is_exact = is_exact
    return piece


def read(path: str, tokens: float) -> Held:
    return held(window.TOOL_RESULT, tokens, "Read", path)


def edited(path: str, tool: str = "Edit") -> Held:
    return held(window.TOOL_USE, 10, tool, path)


def composed(*pieces: Held, hidden: float = 0.0, total: int | None = None) -> dict[str, Component]:
    """Components by key."""
    counted = round(hidden + sum(piece.tokens for piece in pieces)) if total is None else total
    return {part.key: part for part in components(pieces, hidden, counted, ERRORS)}


def tokens_by_name(items: tuple[Item, ...]) -> dict[str, int]:
    return {item.name: item.tokens for item in items}


class TestWholeNumbers:
    @given(st.lists(st.floats(-1e3, 1e9), min_size=1, max_size=12), st.integers(0, 10**9))
    def test_they_add_up_exactly(self, parts: list[float], total: int) -> None:
        whole = whole_numbers(parts, total)

        assert sum(whole) == total
        assert min(whole) >= 0
        assert len(whole) == len(parts)

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
    def test_whole_parts_stay_as_they_are(self, parts: list[int]) -> None:
        assert whole_numbers(parts, sum(parts)) == parts

    @given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
    def test_no_part_moves_by_a_whole_token(self, parts: list[float]) -> None:
        total = round(sum(parts))

        whole = whole_numbers(parts, total)

        if total:
            scale = total / sum(parts)
            pairs = zip(parts, whole, strict=True)
            assert all(abs(part * scale - count) < 1 + 1e-6 for part, count in pairs)

    def test_the_largest_remainders_are_rounded_up(self) -> None:
        assert whole_numbers([1.2, 1.3, 1.5], 4) == [1, 1, 2]

    def test_parts_are_scaled_to_the_total(self) -> None:
        assert whole_numbers([1.0, 3.0], 400) == [100, 300]

    def test_what_no_part_claims_is_the_last_ones(self) -> None:
        assert whole_numbers([0.0, 0.0, -3.0], 7) == [0, 0, 7]
        assert whole_numbers([], 7) == []

    @pytest.mark.parametrize("total", [0, -5])
    def test_of_nothing_everyone_gets_nothing(self, total: int) -> None:
        assert whole_numbers([1.0, 2.0], total) == [0, 0]


class TestComponents:
    def test_they_add_up_to_the_reported_tokens(self) -> None:
        pieces = [held(window.SYSTEM_PROMPT, 10.4), held(window.PROMPT, 10.4)]

        found = composed(*pieces, hidden=10.2, total=31)

        assert sum(part.tokens for part in found.values()) == 31
        assert list(found) == ["system_prompt", "messages", "hidden"]

    def test_what_holds_nothing_is_not_shown(self) -> None:
        assert list(composed(held(window.PROMPT, 5))) == ["messages"]

    def test_errors_of_pieces_are_independent(self) -> None:
        found = composed(held(window.PROMPT, 300), held(window.PROMPT, 400))

        assert found["messages"].error_tokens == 50
        assert found["messages"].provenance == "calibrated"

    def test_what_all_pieces_miss_alike_does_not_even_out(self) -> None:
        found = composed(*[held(window.PROMPT, 10) for _ in range(900)])

        assert found["messages"].error_tokens == 180  # 2 % of 9,000; by themselves only 30

    def test_exact_pieces_have_no_part_in_the_error_of_others(self) -> None:
        found = composed(held(window.PROMPT, 300), held(window.PROMPT, 90_000, is_exact=True))

        assert found["messages"].error_tokens == 30
        assert found["messages"].provenance == "calibrated"

    def test_exact_pieces_have_no_error(self) -> None:
        pieces = [held(window.PROMPT, 300, is_exact=True), held(window.TEXT, 400, is_exact=True)]

        found = composed(*pieces)

        assert found["messages"].error_tokens == 0
        assert found["messages"].provenance == "exact"

    def test_a_small_piece_is_not_exact_because_its_error_is_small(self) -> None:
        found = composed(held(window.PROMPT, 4))

        assert found["messages"].provenance == "calibrated"

    def test_the_remainder_is_off_by_what_all_the_others_are(self) -> None:
        found = composed(held(window.SYSTEM_PROMPT, 300), held(window.PROMPT, 400), hidden=1_000)

        assert found["hidden"].error_tokens == 50
        assert found["hidden"].items == ()

    @given(
        st.lists(
            st.builds(held, st.sampled_from(KINDS), st.floats(0, 1e5), names, targets),
            max_size=20,
        ),
        st.floats(0, 1e5),
        st.integers(0, 10**6),
    )
    def test_children_add_up_to_items_and_items_to_components(
        self, pieces: list[Held], hidden: float, total: int
    ) -> None:
        found = components(pieces, hidden, total, ERRORS)

        assert sum(part.tokens for part in found) == total
        for part in found:
            assert part.key in GROUPS
            assert not part.items or sum(item.tokens for item in part.items) == part.tokens
            for item in part.items:
                assert 0 <= item.stale_tokens <= item.tokens
                if item.children:
                    assert sum(child.tokens for child in item.children) == item.tokens


class TestItems:
    def test_the_largest_comes_first(self) -> None:
        tools = [held(window.SYSTEM_TOOL, n, name) for n, name in ((5, "A"), (9, "B"), (7, "C"))]

        assert [item.name for item in composed(*tools)["system_tools"].items] == ["B", "C", "A"]

    def test_mcp_tools_are_told_by_server(self) -> None:
        found = composed(
            held(window.MCP_TOOL, 100, "mcp__git__log", "git"),
            held(window.MCP_TOOL, 50, "mcp__git__diff", "git"),
            held(window.MCP_INSTRUCTIONS, 20, "git", "git"),
            held(window.DEFERRED_NAMES, 30, "", "web"),
        )["mcp_tools"]

        assert tokens_by_name(found.items) == {"git": 170, "web": 30}
        assert tokens_by_name(found.items[0].children) == {
            "mcp__git__log": 100,
            "mcp__git__diff": 50,
            "instructions": 20,
        }

    def test_messages_are_told_by_kind_and_then_by_name(self) -> None:
        found = composed(
            held(window.PROMPT, 10),
            held(window.TEXT, 20),
            held(window.TOOL_RESULT, 300, "Bash", "ls"),
            held(window.TOOL_RESULT, 200, "Grep", "x"),
            held(window.THINKING, 5),
            held(window.SUMMARY, 7),
            held("a kind of tomorrow", 1),
        )["messages"]

        assert tokens_by_name(found.items) == {
            "tool results": 500,
            "assistant text": 20,
            "your prompts": 10,
            "summary of what was compacted": 7,
            "thinking": 5,
            "other": 1,
        }
        assert tokens_by_name(found.items[0].children) == {"Bash": 300, "Grep": 200}
        assert found.items[1].children == ()

    def test_a_single_call_still_says_of_which_tool_it_was(self) -> None:
        (calls,) = composed(held(window.TOOL_USE, 30, "Bash"))["messages"].items

        assert tokens_by_name(calls.children) == {"Bash": 30}

    def test_words_about_mcp_servers_that_name_none_stand_apart(self) -> None:
        (item,) = composed(held(window.MCP_INSTRUCTIONS, 30))["mcp_tools"].items

        assert (item.name, item.children) == ("all servers", ())

    def test_memory_files_are_told_by_path(self) -> None:
        found = composed(
            held(window.MEMORY_FILE, 30, "/srv/CLAUDE.md"),
            held(window.MEMORY_FILE, 50, "~/.claude/CLAUDE.md"),
        )["memory_files"]

        assert tokens_by_name(found.items) == {"~/.claude/CLAUDE.md": 50, "/srv/CLAUDE.md": 30}

    def test_pieces_of_one_name_are_one_item(self) -> None:
        (item,) = composed(held(window.PROMPT, 10), held(window.PROMPT, 20))["messages"].items

        assert (item.tokens, item.pieces, item.size_bytes) == (30, 2, 14)


class TestFiles:
    def test_reads_are_counted_by_path(self) -> None:
        found = files([read("/a.py", 100), read("/b.py", 300), read("/a.py", 120)])

        assert [(use.path, use.tokens, use.reads) for use in found] == [
            ("/b.py", 300, 1),
            ("/a.py", 220, 2),
        ]

    def test_what_the_client_attached_is_no_read(self) -> None:
        (use,) = files([held(window.FILE, 50, "file", "/a.py")])

        assert (use.tokens, use.reads) == (50, 0)

    def test_a_second_read_overtakes_the_first(self) -> None:
        (use,) = files([read("/a.py", 100), read("/a.py", 120)])

        assert use.stale_tokens == 100

    @pytest.mark.parametrize("tool", ["Edit", "MultiEdit", "Write", "NotebookEdit"])
    def test_an_edit_overtakes_what_was_read_before(self, tool: str) -> None:
        (use,) = files([read("/a.py", 100), edited("/a.py", tool)])

        assert use.stale_tokens == 100

    def test_what_was_read_after_the_edit_is_up_to_date(self) -> None:
        (use,) = files([read("/a.py", 100), edited("/a.py"), read("/a.py", 120)])

        assert use.stale_tokens == 100

    def test_an_edit_of_another_file_does_not_matter(self) -> None:
        found = files([read("/a.py", 100), edited("/b.py"), read("/c.py", 90)])

        assert [use.stale_tokens for use in found] == [0, 0]

    @pytest.mark.parametrize("tool", ["Bash", "Grep", "Read"])
    def test_a_tool_that_does_not_write_makes_nothing_stale(self, tool: str) -> None:
        (use,) = files([read("/a.py", 100), edited("/a.py", tool)])

        assert use.stale_tokens == 0

    def test_the_items_of_the_component_say_the_same(self) -> None:
        pieces = [read("/a.py", 100), read("/a.py", 120), read("/b.py", 80)]

        items = composed(*pieces)["context_files"].items

        assert [(item.name, item.tokens, item.reads, item.stale_tokens) for item in items] == [
            ("/a.py", 220, 2, 100),
            ("/b.py", 80, 1, 0),
        ]

    def test_items_and_their_stale_part_are_scaled_alike(self) -> None:
        pieces = [read("/a.py", 100), read("/a.py", 100)]

        (item,) = composed(*pieces, total=400)["context_files"].items

        assert (item.tokens, item.stale_tokens) == (400, 200)
