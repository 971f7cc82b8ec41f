"""The work in one folder: how its sessions begin, and what is open in one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, HAIKU, Talk, plain_session
from tests.test_app_windows import NOON_MS, QUIET, Desk

from tokenbudget.app import Workbench, open_workbench
from tokenbudget.collector.ingest import Want

SHOP = ("/srv/shop",)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def bench(home: Home) -> Iterator[Workbench]:
    """Two sessions of a shop, one of them below it, and one of a folder with a longer name."""
    worked().write(home)
    plain_session("s2", cwd="/srv/shop/web", begin=BEGIN + timedelta(minutes=20)).write(home)
    plain_session("s3", cwd="/srv/shopping").write(home, "-srv-shopping")
    helper = Talk("s1", agent="a1")
    helper.ask().call("Edit", "done", file_path="/srv/shop/by_agent.py").write(home)
    desk = Desk(home)
    with open_workbench(desk.settings(), QUIET, Want.DETAIL, clock=desk.clock) as opened:
        yield opened


def worked() -> Talk:
    """A session with edits, an error that was put right, and one that was not."""
    talk = Talk("s1").ask("Fix the cart.")
    talk.call("Edit", "done", file_path="/srv/shop/a.py")
    talk.call("Edit", "done", file_path="/srv/shop/b.py")
    failed(talk, "Bash", command="make test")
    talk.call("Bash", "passed", command="make test")
    failed(talk, "Read", file_path="/srv/shop/gone.py")
    talk.call("Write", "done", file_path="/srv/shop/a.py")
    return talk.ask("Now the checkout.").answer()


def failed(talk: Talk, tool: str, **given: str) -> None:
    talk.call(tool, "it is not there", **given)
    talk.lines[-1]["message"]["content"][0]["is_error"] = True


def test_how_the_sessions_of_a_folder_began(bench: Workbench) -> None:
    found = bench.ledger.work.first_requests(SHOP)
    assert [one.session for one in found] == ["s1", "s2"]
    first = Talk("s1").ask("Fix the cart.")
    assert (found[0].model, found[0].prompt_tokens) == (HAIKU, first.window_tokens)
    assert bench.ledger.work.first_requests(["/srv/nothing"]) == []


def test_a_fork_is_left_out_for_it_begins_with_another_conversation(home: Home) -> None:
    original = plain_session("s1")
    original.write(home)
    fork = Talk("s9", begin=original.at)
    fork.lines = [{**line, "sessionId": "s9"} for line in original.lines]
    fork.ask("Go on.").answer().write(home)
    with Desk(home).open() as opened:
        assert [one.session for one in opened.ledger.work.first_requests(SHOP)] == ["s1"]


def test_the_last_session_of_a_folder_may_have_begun_below_it(bench: Workbench) -> None:
    work = bench.ledger.work
    assert work.last_session(SHOP) == "s2"
    assert work.last_session(["/srv"]) in ("s1", "s2", "s3")
    assert work.last_session(["/srv/shop/web/deep"]) == ""
    assert work.recent_sessions(SHOP, 0, 9) == ["s2", "s1"]
    assert work.recent_sessions(SHOP, 0, 1) == ["s2"]
    assert work.recent_sessions(SHOP, NOON_MS, 9) == []


def test_what_a_session_is_at(bench: Workbench) -> None:
    found = bench.ledger.work.open_work("s1", 5)
    assert found.edited == ("/srv/shop/a.py", "/srv/shop/b.py")
    assert found.failed == (("Read", "/srv/shop/gone.py"),)
    assert len(found.prompts) == 2
    assert bench.ledger.work.open_work("s1", 1).edited == ("/srv/shop/a.py",)
    assert bench.ledger.work.open_work("nothing", 5) == ((), (), ())


def test_what_was_written_to_a_file_the_last_call_first(bench: Workbench) -> None:
    work = bench.ledger.work
    paths = ["/srv/shop/a.py", "/srv/shop/b.py", "/srv/shop/gone.py", "/srv/\udcff"]
    found = work.writes_to(paths, 0, 9)
    assert [one.target for one in found] == [paths[0], paths[1], paths[0]]
    for one in found:
        line = bench.bodies.line(one.transcript, one.offset)
        assert line is not None
        assert one.tool_use_id.encode() in line
    assert work.writes_to(paths, 0, 1) == found[:1]
    assert work.writes_to(paths, NOON_MS, 9) == []
    assert work.writes_to([], 0, 9) == []


def test_what_compactions_left_is_known_where_the_client_said_so(home: Home) -> None:
    talk = plain_session("s1").compact("Cart.").answer()
    boundary = next(line for line in talk.lines if line.get("subtype") == "compact_boundary")
    boundary["compactMetadata"]["postTokens"] = 4_321
    talk.compact("Cart again.").answer().write(home)
    desk = Desk(home)
    with open_workbench(desk.settings(), QUIET, Want.DETAIL, clock=desk.clock) as opened:
        assert opened.ledger.work.summary_tokens(9) == [4_321]


def test_a_folder_that_is_no_text_is_where_nothing_began(bench: Workbench) -> None:
    work = bench.ledger.work
    assert work.first_requests(["/srv/\udcff"]) == []
    assert work.last_session(["/srv/\udcff"]) == ""


def test_what_the_calls_of_a_folder_touched_is_told_once_a_session(bench: Workbench) -> None:
    """A file that was written twice, and a look that failed."""
    touched = bench.ledger.work.touched(SHOP, 0, 99)
    names = ("a.py", "b.py", "gone.py")
    assert [one for one in touched if one[0] == "s1"] == [("s1", f"/srv/shop/{n}") for n in names]
    assert {session for session, _ in touched} <= {"s1", "s2"}
    assert bench.ledger.work.touched(SHOP, NOON_MS * 2, 99) == []
    assert len(bench.ledger.work.touched(SHOP, 0, 2)) == 2
