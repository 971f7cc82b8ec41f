"""What goes on now, as the ledger knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, Talk, plain_session
from tests.test_app_windows import NOON_MS, Desk

from tokenbudget.app import Workbench
from tokenbudget.ledger.queries import UsageQuery

BEGIN_MS = round(BEGIN.timestamp() * 1000)
HOUR_MS = 3_600_000


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(Home(tmp_path / "home"))


@pytest.fixture
def bench(desk: Desk) -> Iterator[Workbench]:
    """Two sessions, one with a subagent that spoke last."""
    plain_session("s1").write(desk.home)
    later = plain_session("s2", cwd="/srv/blog").ask("More.").answer()
    later.write(desk.home, "-srv-blog")
    helper = Talk("s2", cwd="/srv/blog", agent="a1")
    helper.at = later.at
    helper.ask().answer().write(desk.home, "-srv-blog")
    with desk.open() as opened:
        yield opened


def test_the_last_request_of_the_main_thread_speaks_for_a_session(bench: Workbench) -> None:
    found = bench.ledger.active_sessions(0, NOON_MS, 10)
    assert [(one.session, one.cwd) for one in found] == [("s2", "/srv/blog"), ("s1", "/srv/shop")]
    talk = plain_session("s1")
    assert found[1].window_tokens == talk.window_tokens
    assert found[1].at_ms == round(talk.at.timestamp() * 1000)
    assert found[1].told_window_tokens is None


@pytest.mark.parametrize("command", ["tokens", "sc:mode", "tokenbudget:tokens"])
def test_what_answered_a_command_of_ours_does_not_speak_for_the_session(
    desk: Desk, command: str
) -> None:
    """The command may have named a model of its own for that one turn."""
    talk = plain_session("s1")
    model, tokens = talk.model, talk.window_tokens
    talk.ask("<command-name>/tokens</command-name>").answer(
        model="claude-haiku-4-5", attributionSkill=command
    )
    talk.write(desk.home)
    with desk.open() as bench:
        [found] = bench.ledger.active_sessions(0, NOON_MS, 10)
        last = bench.ledger.last_context("s1")
    assert (found.model, found.window_tokens) == (model, tokens)
    assert last is not None
    assert last[:2] == (model, tokens)
    assert found.at_ms == round(talk.at.timestamp() * 1000), "it was used then all the same"


def test_another_skill_does_and_so_does_what_is_all_there_is(desk: Desk) -> None:
    small = "claude-haiku-4-5"
    theirs = plain_session("s1").ask("/deploy").answer(model=small, attributionSkill="deploy")
    theirs.write(desk.home)
    first = Talk("s2", cwd="/srv/blog").ask("/tokens")
    first.answer(model=small, attributionSkill="tokens").write(desk.home, "-srv-blog")
    with desk.open() as bench:
        assert {one.model for one in bench.ledger.active_sessions(0, NOON_MS, 10)} == {small}
        last = bench.ledger.last_context("s2")
    assert last is not None
    assert last[0] == small


def test_what_is_too_old_or_from_the_future_is_not_active(bench: Workbench) -> None:
    assert bench.ledger.active_sessions(NOON_MS, NOON_MS + HOUR_MS, 10) == []
    assert bench.ledger.active_sessions(0, BEGIN_MS - 1, 10) == []
    assert len(bench.ledger.active_sessions(0, NOON_MS, 1)) == 1


def test_what_the_agent_said_of_the_window_comes_along(bench: Workbench) -> None:
    bench.ledger.let_go()
    bench.ledger.windows.store_reports([], [("s1", NOON_MS, 1_000_000)])
    sizes = {
        one.session: one.told_window_tokens for one in bench.ledger.active_sessions(0, NOON_MS, 9)
    }
    assert sizes == {"s1": 1_000_000, "s2": None}


def test_the_last_requests_are_those_of_the_main_thread_oldest_first(bench: Workbench) -> None:
    found = bench.ledger.last_requests("s2", 0, 3)
    assert [one.session for one in found] == ["s2"] * 3
    assert found == sorted(found, key=lambda one: one.started_at_ms)
    assert found[-1].prompt_tokens == max(one.prompt_tokens or 0 for one in found)
    assert bench.ledger.last_requests("s2", NOON_MS, 3) == []
    assert bench.ledger.last_requests("none", 0, 3) == []


@pytest.mark.parametrize(
    ("question", "step"),
    [
        ("active", "SEARCH response USING INDEX response_time (started_at_ms>"),
        ("last", "SEARCH r USING INDEX response_session (session_id=? AND started_at_ms>?)"),
        ("usage", "SEARCH r USING INDEX response_session (session_id=?"),
        ("here", "USING INDEX file_session (session=?)"),
    ],
)
def test_nothing_is_searched_through(bench: Workbench, question: str, step: str) -> None:
    ledger, seen = bench.ledger, list[str]()
    questions: dict[str, Callable[[], object]] = {
        "active": lambda: ledger.active_sessions(BEGIN_MS, NOON_MS, 10),
        "last": lambda: ledger.last_requests("s1", BEGIN_MS, 10),
        "usage": lambda: ledger.usage(UsageQuery(session="s1")),
        "here": lambda: ledger.last_sessions("/srv/shop"),
    }
    ledger._connection.set_trace_callback(seen.append)
    questions[question]()
    ledger._connection.set_trace_callback(None)
    plan = ledger._connection.execute(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall()
    steps = [str(row[-1]) for row in plan]
    assert any(step in one for one in steps), steps
    assert not any(one.startswith("SCAN r") for one in steps)
