"""Sizes of prompts, foretold from words and other sessions."""

import pytest
from tests.analysis.backtest_threads import HIDDEN, MINUTE_MS, Part, thread

from blind_prompts import Growth, blinded
from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.model import window

RATE = 2.0


class Letters:
    """Half a token each, so that a recorded token is two of the counter's."""

    name = "letters"

    def count(self, text: str) -> int:
        return round(len(text) / RATE)


def recorded(session: str, sizes: list[int]) -> Timeline:
    parts = [Part(size, at, text="x" * size) for at, size in enumerate(sizes)]
    line = thread(parts, [0, *[MINUTE_MS] * (len(sizes) - 1)], output=0)
    keyed = [
        one._replace(request=one.request._replace(key=f"{session}{one.number}", session=session))
        for one in line.sendings
    ]
    return line._replace(session=session, path=f"p/{session}.jsonl", sendings=keyed)


def prompts(line: Timeline) -> list[int]:
    return [one.request.prompt_tokens or 0 for one in line.sendings]


def test_prompts_are_foretold_by_what_other_sessions_tell() -> None:
    lines = [recorded(name, [400, 1_000, 600, 2_000]) for name in "abc"]
    for line, blind in zip(lines, blinded(lines, Letters()), strict=True):
        assert prompts(blind) == pytest.approx(prompts(line), abs=30)


def test_its_own_prompts_are_not_looked_at() -> None:
    lines = [recorded(name, [400, 1_000, 600, 2_000]) for name in "ab"]
    before = prompts(blinded(lines, Letters())[0])
    own = lines[0]
    sendings = [
        one._replace(
            hidden_tokens=77_777.0,
            request=one.request._replace(cache_read_tokens=55_555 * (one.number + 1)),
        )
        for one in own.sendings
    ]
    pieces = [one._replace(tokens=one.tokens * 3) for one in own.pieces]
    lied = own._replace(sendings=sendings, pieces=pieces)
    assert prompts(blinded([lied, lines[1]], Letters())[0]) == before


def test_a_copy_of_its_own_beginning_is_no_other_session() -> None:
    own, other = recorded("a", [400, 1_000]), recorded("b", [400, 1_000])
    copied = [
        theirs._replace(request=theirs.request._replace(key=ours.request.key))
        for theirs, ours in zip(other.sendings, own.sendings, strict=True)
    ]
    [blind, _] = blinded([own, other._replace(sendings=copied)], Letters())
    assert prompts(blind)[0] < HIDDEN
    assert prompts(blinded([own, other], Letters())[0])[0] >= HIDDEN


def test_an_answer_takes_what_was_billed_for_it() -> None:
    parts = [
        Part(100, 0, text="x" * 100),
        Part(1, 1, window.TEXT, "x" * 60),
        Part(1, 1, window.THINKING, ""),
    ]
    line = thread(parts, [0, MINUTE_MS], output=500)
    [blind] = blinded([line], Letters())
    assert blind.pieces[1].tokens + blind.pieces[2].tokens == 500
    assert 0 < blind.pieces[1].tokens < blind.pieces[2].tokens


def test_a_line_through_nothing_is_the_usual_one() -> None:
    assert Growth().line() == (1.2, 10.0)
    through = Growth(count_count=5.0, count_pieces=3.0, pieces_pieces=2.0)
    exact = through._replace(count_grown=2 * 5.0 + 7 * 3.0, pieces_grown=2 * 3.0 + 7 * 2.0)
    assert exact.line() == pytest.approx((2.0, 7.0))
