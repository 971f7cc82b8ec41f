"""What a server says that nobody asked for: a little passes, the rest is paid for in waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.hub_rates import A_SECOND, MOST_NOTES_AT_ONCE
from tokenbudget.gateway.mcp.hub_sieve import (
    DROPPED_SECONDS,
    JUNK_SECONDS,
    LEAST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MOST_HELD,
    MOST_KINDS,
    UNASKED_SECONDS,
    Sieve,
)

NOTE: Mapping[str, object] = {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}


class Hands:
    """Takes messages; answers of ours are those with an even id."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []

    def received(self, message: Mapping[str, object]) -> bool:
        self.messages.append(message)
        number = message.get("id")
        return isinstance(number, int) and number % 2 == 0


def feed(sieve: Sieve, message: Mapping[str, object], to: Hands, now: float) -> None:
    """One message, as the reader of lines does it."""
    line = json.dumps(message).encode()
    if sieve.takes_line(line, now):
        sieve.hand_on(message, len(line), to, now)


def test_a_flood_of_one_kind_hides_no_other_and_no_answer() -> None:
    sieve, hands = Sieve(0.0), Hands()
    for _ in range(10_000):
        feed(sieve, NOTE, hands, 0.0)
    assert len(hands.messages) == MOST_NOTES_AT_ONCE
    assert sieve.dropped == 10_000 - MOST_NOTES_AT_ONCE
    for more in ({"method": "notifications/tools/list_changed"}, {"id": 2, "result": {}}):
        feed(sieve, more, hands, 0.0)
        assert hands.messages[-1] == more
    feed(sieve, NOTE, hands, 1.0)
    assert hands.messages[-1] == NOTE


def test_the_progress_of_one_call_hides_no_other_calls() -> None:
    sieve, hands = Sieve(0.0), Hands()

    for _ in range(1_000):
        feed(sieve, step(1), hands, 0.0)
    feed(sieve, step(2), hands, 0.0)
    assert hands.messages[-1] == step(2)
    assert len(hands.messages) == MOST_NOTES_AT_ONCE + 1


def test_what_only_looks_like_a_request_is_dropped_as_well() -> None:
    sieve, hands = Sieve(0.0), Hands()
    note = {**NOTE, "params": {"data": {"id": 1}}}
    for _ in range(500):
        feed(sieve, note, hands, 0.0)
    assert (len(hands.messages), sieve.dropped) == (MOST_NOTES_AT_ONCE, 400)


def test_kinds_without_end_are_told_apart_to_a_point() -> None:
    sieve, hands = Sieve(0.0), Hands()
    for number in range(20_000):
        feed(sieve, {"method": f"m{number}", "params": {}}, hands, 0.0)
    assert len(hands.messages) <= MOST_KINDS + MOST_NOTES_AT_ONCE


def test_who_says_little_is_never_held_up() -> None:
    sieve, hands = Sieve(0.0), Hands()
    for second in range(100):
        for _ in range(A_SECOND):
            feed(sieve, NOTE, hands, float(second))
        for number in range(10):
            feed(sieve, {"id": 2 * number, "result": {}}, hands, float(second))
            feed(sieve, {"id": 2 * number + 1, "method": "ping"}, hands, float(second))
        assert sieve.pause_seconds(float(second)) == 0.0
    assert sieve.dropped == 0


PIECES = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 400)), min_size=1, max_size=40)


@given(PIECES)
def test_whatever_comes_is_paid_for_in_time(pieces: list[tuple[int, int]]) -> None:
    now, sieve, hands, cost = 0.0, Sieve(0.0), Hands(), 0.0
    for notes, pings in pieces:
        before = sieve.dropped
        for _ in range(notes):
            feed(sieve, NOTE, hands, now)
        for _ in range(pings):
            feed(sieve, {"id": 1, "method": "ping"}, hands, now)
        piece = (sieve.dropped - before) * DROPPED_SECONDS + pings * UNASKED_SECONDS
        cost += min(piece, LONGEST_PAUSE_SECONDS)
        pause = sieve.pause_seconds(now)
        assert pause <= LONGEST_PAUSE_SECONDS
        now += pause
    assert now >= cost - LEAST_PAUSE_SECONDS - 1e-6


def step(token: object) -> Mapping[str, object]:
    """Progress of one call."""
    return {"method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}


def test_calls_that_ended_leave_room_for_those_that_begin() -> None:
    sieve, hands = Sieve(0.0), Hands()
    told = 0
    for token in range(3 * MOST_KINDS):
        for turn in range(10):
            feed(sieve, step(token), hands, token * 0.5 + turn / A_SECOND)
            told += 1
    for turn in range(1_000):
        for later in ("a", "b", "c"):
            feed(sieve, step(later), hands, 1_000 + turn / A_SECOND)
            told += 1
    assert (len(hands.messages), sieve.dropped) == (told, 0)


CHANGED = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


def updated(uri: str, number: int = 0) -> Mapping[str, object]:
    """A resource that is another now."""
    params = {"uri": uri, "number": number}
    return {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params}


def in_line(message: Mapping[str, object]) -> Mapping[str, object]:
    return message


def with_an_id(message: Mapping[str, object]) -> Mapping[str, object]:
    """One whose line cannot be told from a request's unread."""
    return {**message, "_meta": {"id": 1}}


@pytest.mark.parametrize("form", [in_line, with_an_id])
def test_that_something_changed_is_told_in_the_end(
    form: Callable[[Mapping[str, object]], Mapping[str, object]],
) -> None:
    sieve, hands = Sieve(0.0), Hands()
    for number in range(1_000):
        feed(sieve, form(CHANGED), hands, 0.0)
        for uri in ("a", "b"):
            feed(sieve, form(updated(uri, number)), hands, 0.0)
    assert sieve.is_holding
    assert list(sieve.due(0.0)) == []
    told = list(sieve.due(1.0))
    wanted = (CHANGED, updated("a", 999), updated("b", 999))
    assert told == [form(message) for message in wanted]
    assert list(sieve.due(9.0)) == []


def test_one_that_was_told_since_is_not_told_again() -> None:
    sieve, hands = Sieve(0.0), Hands()
    for _ in range(MOST_NOTES_AT_ONCE + 1):
        feed(sieve, CHANGED, hands, 0.0)
    feed(sieve, CHANGED, hands, 1.0)
    assert not sieve.is_holding


def test_what_is_held_is_bounded() -> None:
    sieve, hands = Sieve(0.0), Hands()
    for number in range(20_000):
        feed(sieve, updated(f"u{number}"), hands, 0.0)
        feed(sieve, updated(f"{number}" + "x" * 2_000), hands, 0.0)
    told, now = [], 0.0
    while sieve.is_holding:
        now += 1.0
        told += list(sieve.due(now))
    assert told == [updated(f"u{number}") for number in range(20_000 - MOST_HELD, 20_000)]


def test_junk_is_paid_for_too() -> None:
    sieve = Sieve(0.0)
    for _ in range(10_000):
        sieve.junk(20)
    assert sieve.pause_seconds(0.0) > 10_000 * JUNK_SECONDS
