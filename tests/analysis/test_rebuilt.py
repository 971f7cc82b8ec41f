import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.window_builders import (
    SENT_KINDS,
    Story,
    names,
    plain_fit,
    targets,
    tokens_of,
    words,
)

from tokenbudget.analysis.composition import components
from tokenbudget.analysis.rebuilt import (
    CLOSE,
    rebuilt_window,
    record_notes,
    record_of,
)
from tokenbudget.analysis.window_pieces import Held
from tokenbudget.collector.measuring import CountedRequest
from tokenbudget.model import window
from tokenbudget.model.window import Piece, RebuiltRequest

FRAME_BYTES = 11


def recorded(
    *pieces: tuple[str, int] | tuple[str, int, str] | tuple[str, int, str, str],
    is_whole: bool = True,
    is_proven: bool = False,
    missing: int = 0,
    mismatched: int = 0,
) -> CountedRequest:
    """A record of pieces (kind, tokens, name, target), each of four bytes a token, and a frame."""
    told: list[Piece] = []
    measures = []
    for kind, tokens, *rest in pieces:
        name, target = (*rest, "", "")[:2]
        told.append(Piece(kind, name, target, "", 4 * tokens))
        measures.append(words(tokens))
    told.append(Piece(window.FRAME, "", "", "", FRAME_BYTES))
    measures.append(words(0))
    return CountedRequest(RebuiltRequest(told, is_whole, is_proven, missing, mismatched), measures)


def answered(prompt_tokens: int, *answer: tuple[str, int], output_tokens: int = 50) -> Story:
    """One request of one prompt; its answer, or a text of 50 tokens."""
    story = Story()
    story.put(window.PROMPT, 100)
    story.request("a", prompt_tokens, output_tokens)
    for kind, tokens in answer or ((window.TEXT, 50),):
        story.put(kind, tokens, link="a")
    return story


def told(held: list[Held]) -> list[tuple[str, object]]:
    return [(piece.kind, pytest.approx(piece.tokens)) for piece in held]


class TestWindow:
    def test_pieces_that_add_up_stay_as_they_are_counted(self) -> None:
        counted = recorded((window.SYSTEM_PROMPT, 600), (window.PROMPT, 100))

        held, hidden = rebuilt_window(counted, answered(700).replay(), 700, plain_fit())

        assert told(held) == [
            (window.SYSTEM_PROMPT, 600),
            (window.PROMPT, 100),
            (window.TEXT, 50),
        ]
        assert hidden == 0

    def test_the_frame_is_no_piece(self) -> None:
        fit = plain_fit(frame=40.0)

        held, _ = rebuilt_window(recorded((window.PROMPT, 100)), answered(100).replay(), 100, fit)

        assert [piece.kind for piece in held] == [window.PROMPT, window.TEXT]

    def test_a_piece_keeps_what_the_record_says_of_it(self) -> None:
        counted = recorded((window.TOOL_RESULT, 100, "Read", "/a.py"))

        (piece, _), _ = rebuilt_window(counted, answered(100).replay(), 100, plain_fit())

        assert (piece.name, piece.target, piece.group) == ("Read", "/a.py", "context_files")
        assert (piece.size_bytes, piece.measure) == (400, words(100))
        assert not piece.is_exact

    @pytest.mark.parametrize("prompt_tokens", [1_250, 1_100, 900, 100])
    def test_counts_that_come_close_or_count_too_much_are_scaled(self, prompt_tokens: int) -> None:
        counted = recorded((window.SYSTEM_PROMPT, 800), (window.PROMPT, 200))
        replay = answered(prompt_tokens).replay()

        held, hidden = rebuilt_window(counted, replay, prompt_tokens, plain_fit())

        share = prompt_tokens / 1_000
        assert told(held[:2]) == [(window.SYSTEM_PROMPT, 800 * share), (window.PROMPT, 200 * share)]
        assert hidden == 0

    def test_more_than_that_is_the_remainder(self) -> None:
        counted = recorded((window.SYSTEM_PROMPT, 800), (window.PROMPT, 200))
        prompt_tokens = 1_000 + round(1_000 * CLOSE) + 1

        held, hidden = rebuilt_window(
            counted, answered(prompt_tokens).replay(), prompt_tokens, plain_fit()
        )

        assert told(held[:2]) == [(window.SYSTEM_PROMPT, 800), (window.PROMPT, 200)]
        assert hidden == pytest.approx(251)

    def test_a_record_of_nothing_leaves_everything_to_the_remainder(self) -> None:
        held, hidden = rebuilt_window(recorded(), answered(700).replay(), 700, plain_fit())

        assert told(held) == [(window.TEXT, 50)]
        assert hidden == 700

    def test_pieces_that_count_nothing_leave_everything_to_the_remainder(self) -> None:
        counted = recorded((window.PROMPT, 0))

        held, hidden = rebuilt_window(counted, answered(700).replay(), 700, plain_fit())

        assert told(held) == [(window.PROMPT, 0), (window.TEXT, 50)]
        assert hidden == 700

    def test_what_the_growth_of_the_window_told_goes_before_the_count(self) -> None:
        story = answered(1_000)
        story.put(window.TOOL_RESULT, 200, "Bash", "ls")
        story.turn("b", 1_000 + 50 + 220)
        counted = recorded(
            (window.SYSTEM_PROMPT, 900),
            (window.PROMPT, 100),
            (window.TEXT, 50),
            (window.TOOL_RESULT, 200, "Bash", "ls"),
        )

        held, hidden = rebuilt_window(counted, story.replay(), 1_270, plain_fit())

        assert [piece.tokens for piece in held[:4]] == pytest.approx([900, 100, 50, 220])
        assert hidden == 0

    def test_what_shrank_without_a_record_is_counted_as_the_record_shows_it(self) -> None:
        story = Story()
        story.put(window.FILE, 10_000, "file", "/a.py")
        story.put(window.PROMPT, 10_000)
        story.turn("a", 20_000, 50)
        story.turn("b", 10_050)  # the prompt is gone, and no line says so
        counted = recorded((window.FILE, 10_000, "file", "/a.py"), (window.TEXT, 50))

        held, hidden = rebuilt_window(counted, story.replay(), 10_050, plain_fit())

        assert held[0].tokens == pytest.approx(10_000, rel=0.01)
        assert hidden == pytest.approx(0)


class TestAnswer:
    def test_the_answer_follows_with_what_was_reported_of_it(self) -> None:
        replay = answered(
            700, (window.THINKING, 0), (window.TEXT, 30), (window.TOOL_USE, 20), (window.OTHER, 4),
            output_tokens=100,
        ).replay()  # fmt: skip

        held, _ = rebuilt_window(recorded((window.PROMPT, 700)), replay, 700, plain_fit())

        answer = held[1:]
        assert [piece.kind for piece in answer] == ["thinking", "text", "tool_use", "other"]
        assert sum(piece.tokens for piece in answer) == pytest.approx(100)

    def test_the_answer_is_not_scaled_with_the_request(self) -> None:
        replay = answered(500).replay()

        held, _ = rebuilt_window(recorded((window.PROMPT, 700)), replay, 500, plain_fit())

        assert tokens_of(replay, window.TEXT) == [held[-1].tokens] == [50]

    def test_earlier_answers_are_in_the_record_and_not_appended(self) -> None:
        story = answered(700)
        story.turn("b", 750, 20)

        counted = recorded((window.PROMPT, 700), (window.TEXT, 50))
        held, _ = rebuilt_window(counted, story.replay(), 750, plain_fit())

        assert told(held) == [(window.PROMPT, 700), (window.TEXT, 50), (window.TEXT, 20)]

    def test_what_waits_behind_the_answer_is_not_in_it(self) -> None:
        story = answered(700)
        story.put(window.TOOL_RESULT, 300, "Bash", "ls", "a")

        held, _ = rebuilt_window(recorded((window.PROMPT, 700)), story.replay(), 700, plain_fit())

        assert [piece.kind for piece in held] == [window.PROMPT, window.TEXT]


sent_pieces = st.lists(
    st.tuples(st.sampled_from(SENT_KINDS), st.integers(0, 100_000), names, targets), max_size=12
)


@settings(max_examples=100, deadline=None)
@given(sent_pieces, st.integers(1, 1_000_000), st.floats(0.1, 3))
def test_whatever_was_recorded_pieces_and_remainder_add_up(
    pieces: list[tuple[str, int, str, str]], prompt_tokens: int, ratio: float
) -> None:
    fit = plain_fit(ratio=ratio)
    replay = answered(prompt_tokens).replay(fit)

    held, hidden = rebuilt_window(recorded(*pieces), replay, prompt_tokens, fit)

    assert hidden >= 0
    assert all(piece.tokens >= 0 for piece in held)
    assert sum(piece.tokens for piece in held) + hidden == pytest.approx(prompt_tokens + 50)
    found = components(held, hidden, prompt_tokens + 50, (0.1, 0.02))
    assert sum(part.tokens for part in found) == prompt_tokens + 50


class TestRecord:
    def test_bytes_are_told_by_component(self) -> None:
        found = record_of(
            recorded(
                (window.SYSTEM_PROMPT, 100),
                (window.SYSTEM_TOOL, 200, "Bash"),
                (window.PROMPT, 10),
                (window.TEXT, 20),
                (window.TOOL_RESULT, 5, "Read", "/a.py"),
            )
        )

        assert found.bytes_by_component == (
            ("system_prompt", 400),
            ("system_tools", 800),
            ("messages", 120),
            ("context_files", 20),
        )
        assert (found.frame_bytes, found.size_bytes) == (FRAME_BYTES, 1_340 + FRAME_BYTES)

    @given(sent_pieces)
    def test_bytes_add_up_to_the_whole_request(
        self, pieces: list[tuple[str, int, str, str]]
    ) -> None:
        counted = recorded(*pieces)

        found = record_of(counted)

        total = sum(size for _, size in found.bytes_by_component) + found.frame_bytes
        assert total == found.size_bytes
        assert total == sum(piece.size_bytes for piece in counted.request.pieces)

    @pytest.mark.parametrize(
        ("is_whole", "is_proven", "said"),
        [
            (True, True, "every byte proven by the client's digest"),
            (True, False, "every part found"),
            (False, False, "in part"),
        ],
    )
    def test_it_says_how_far_it_can_be_trusted(
        self, is_whole: bool, is_proven: bool, said: str
    ) -> None:
        found = record_of(recorded(is_whole=is_whole, is_proven=is_proven))

        assert (found.words, found.is_whole, found.is_proven) == (said, is_whole, is_proven)


class TestNotes:
    def test_a_whole_record_needs_none(self) -> None:
        assert record_notes(recorded()) == []

    @pytest.mark.parametrize(("missing", "said"), [(1, "lacks 1 part:"), (3, "lacks 3 parts:")])
    def test_parts_that_are_missing_are_told(self, missing: int, said: str) -> None:
        (note,) = record_notes(recorded(is_whole=False, missing=missing))

        assert note == (
            f"the client's record of the last request {said} what is shown is what its lines tell"
        )

    @pytest.mark.parametrize(
        ("mismatched", "who", "have"), [(1, "1 part", "has"), (2, "2 parts", "have")]
    )
    def test_parts_with_another_hash_are_told(self, mismatched: int, who: str, have: str) -> None:
        (note,) = record_notes(recorded(is_whole=False, mismatched=mismatched))

        assert note == (
            f"{who} of the client's record of the last request {have} another hash than it noted:"
            " what is shown is what its lines tell"
        )

    def test_both_are_told(self) -> None:
        notes = record_notes(recorded(is_whole=False, missing=1, mismatched=1))

        assert [note.split()[0] for note in notes] == ["the", "1"]
