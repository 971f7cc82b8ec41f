"""What was read from the cache is a beginning of the window, from whichever end it is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import KINDS, request_row, words

from tokenbudget.analysis.window_cache import WHOLE_CACHE, read_groups
from tokenbudget.analysis.window_pieces import GROUPS, HIDDEN, Held
from tokenbudget.ledger.windows import PieceRow
from tokenbudget.model import window

NOTHING = dict.fromkeys(GROUPS, 0.0)
pieces = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 5_000)), max_size=12)


def held(kind: str, tokens: float) -> Held:
    made = Held(PieceRow(0, 0, "", kind, "name", "", "", 0, words(0)))
    made.tokens = tokens
    return made


def window_of(held_pieces: list[Held], hidden_tokens: float) -> dict[str, float]:
    found = NOTHING | {HIDDEN: hidden_tokens}
    for piece in held_pieces:
        found[piece.group] += piece.tokens
    return found


def walked(read: float, held_pieces: list[Held], hidden_tokens: float) -> dict[str, float]:
    """The plain way: the remainder, then the prefix, then the rest, until all is spent."""
    found = NOTHING | {HIDDEN: min(read, hidden_tokens)}
    left = read - found[HIDDEN]
    for piece in sorted(held_pieces, key=lambda piece: piece.kind not in window.PREFIX):
        taken = min(left, piece.tokens)
        found[piece.group] += taken
        left -= taken
    return found


@given(pieces, st.integers(0, 20_000), st.floats(0, 1.5))
def test_either_end_gives_what_the_plain_way_gives(
    given_pieces: list[tuple[str, int]], hidden_tokens: int, share: float
) -> None:
    some = [held(kind, tokens) for kind, tokens in given_pieces]
    now = window_of(some, hidden_tokens)
    read = int(share * sum(now.values()))
    request = request_row("r", 0)._replace(cache_read_tokens=read)
    found = read_groups(request, NOTHING, now, some)
    assert found == pytest.approx(walked(read, some, hidden_tokens))


def test_nearly_everything_that_was_there_is_read_in_proportion() -> None:
    some = [held(window.SYSTEM_PROMPT, 6_000), held(window.PROMPT, 4_000)]
    older = window_of(some, 0)
    request = request_row("r", 0)._replace(cache_read_tokens=round(10_000 * WHOLE_CACHE))
    found = read_groups(request, older, older, some)
    assert sum(found.values()) == pytest.approx(9_500)
    assert found[some[0].group] == pytest.approx(5_700)


def test_what_has_been_told_since_is_no_longer_read_as_the_remainder() -> None:
    some = [held(window.PROMPT, 9_000)]
    older, now = NOTHING | {HIDDEN: 10_000.0}, window_of(some, 1_000)
    request = request_row("r", 0)._replace(cache_read_tokens=10_000)
    assert read_groups(request, older, now, some)[HIDDEN] == 1_000
