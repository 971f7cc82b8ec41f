"""What the controller asks about one session, by index."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.window_sessions import Talk, words
from tests.control_desk import NOON_MS, SESSION, Desk

from tokenbudget.ledger.session_signals import LENT_MS, Boundary, Call, Extent
from tokenbudget.model.control import Receipt


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def at_ms(talk: Talk) -> int:
    return round(talk.at.timestamp() * 1000)


def test_how_far_a_session_has_come(desk: Desk) -> None:
    talk = desk.talk().ask().answer().ask(words(5_000))
    largest = talk.window_tokens
    desk.keep(talk.answer().compact("Short.").ask().answer().ask().answer(usage=None))
    agent = Talk(SESSION, cwd=str(desk.project), agent="a1", hidden_tokens=150_000).ask().answer()
    desk.keep(agent)
    with desk.bench() as bench:
        assert bench.ledger.session_signals.extent(SESSION) == Extent(3, largest)
        assert bench.ledger.session_signals.extent("nobody") == Extent(0, 0)


def test_the_boundaries_of_a_session_in_order(desk: Desk) -> None:
    talk = desk.talk().ask(words(5_000)).answer()
    before = talk.window_tokens
    talk.compact("Short.", trigger="manual")
    first_ms = at_ms(talk) - 20_000
    talk.ask().answer().compact("Short.")
    for line in talk.lines:
        if line.get("compactMetadata", {}).get("trigger") == "manual":
            line["compactMetadata"]["postTokens"] = 1_234
    desk.keep(talk)
    with desk.bench() as bench:
        [first, second] = bench.ledger.session_signals.boundaries(SESSION)
        assert bench.ledger.session_signals.boundaries("nobody") == []
    assert first == Boundary(first_ms, "manual", before, 1_234)
    assert (second.trigger, second.after_tokens) == ("auto", None)


@pytest.mark.parametrize(("later_ms", "is_ours"), [(0, True), (LENT_MS, True), (LENT_MS + 1, False),
                                                   (-1, False)])  # fmt: skip
def test_a_compaction_is_ours_within_a_day_after_its_receipt(
    desk: Desk, later_ms: int, *, is_ours: bool
) -> None:
    talk = desk.talk().ask(words(5_000)).answer()
    compacted = talk.window_tokens
    desk.keep(talk.compact("Short.").ask().answer())
    with desk.bench() as bench:
        [boundary] = bench.ledger.session_signals.boundaries(SESSION)
        lent_ms = boundary.at_ms - later_ms
        receipt = Receipt(
            0, SESSION, lent_ms, "history", ("history/compact",), "critical", 1, 1, None, "now", 1
        )
        with bench.ledger.control.transaction() as writing:
            writing.open_receipt(receipt, str(desk.project))
        ours = bench.ledger.session_signals.own_boundaries(SESSION)
    assert ours == ({compacted} if is_ours else set())


def test_sessions_by_their_length_the_last_one_first(desk: Desk) -> None:
    desk.past(3, turns=4)
    desk.keep(desk.talk().ask().answer())
    with desk.bench() as bench:
        rows = bench.ledger.session_signals.past_sessions(0, 10)
        assert [(row.session, row.requests) for row in rows] == [
            (SESSION, 1), ("past0", 4), ("past1", 4), ("past2", 4),
        ]  # fmt: skip
        assert len(bench.ledger.session_signals.past_sessions(0, 2)) == 2
        young = bench.ledger.session_signals.past_sessions(NOON_MS - 3_600_000, 10)
        assert [row.session for row in young] == [SESSION]


def test_what_was_put_into_the_main_thread(desk: Desk) -> None:
    desk.keep(desk.talk().attach("skill_listing", words(20)).ask().answer())
    agent = Talk(SESSION, cwd=str(desk.project), agent="a1").attach("date", words(3))
    desk.keep(agent.ask().answer())
    with desk.bench() as bench:
        assert bench.ledger.session_signals.injected(SESSION) == {"environment", "skill_listing"}


def test_the_calls_since_a_moment_with_what_they_name(desk: Desk) -> None:
    talk = desk.talk().ask().call("Bash", "ok", command="make")
    since_ms = at_ms(talk)
    talk.call("Read", "x", file_path="/srv/shop/a.py")
    talk.call("mcp__wiki__find", "y", query="z").call("Skill", "ok", skill="slides")
    desk.keep(talk.answer())
    with desk.bench() as bench:
        found = bench.ledger.session_signals.calls_since(SESSION, since_ms)
    assert [one._replace(at_ms=0) for one in found] == [
        Call(0, "Read", "", "/srv/shop/a.py"),
        Call(0, "mcp__wiki__find", "wiki", ""),
        Call(0, "Skill", "", "slides"),
    ]
    assert all(one.at_ms > since_ms for one in found)
