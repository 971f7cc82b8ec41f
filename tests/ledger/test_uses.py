"""What a project's sessions used, told from real transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, Talk
from tests.test_app_windows import NOON_MS, QUIET, Desk

from tokenbudget.app import Workbench, open_workbench
from tokenbudget.app.windows import count_everything
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.uses import ProjectUses
from tokenbudget.resources.evidence import DAY_MS, evidence_of

SHOP = "/srv/shop"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def offered(talk: Talk, *servers: str) -> Talk:
    names = [f"mcp__{server}__look" for server in servers]
    talk.attach("deferred_tools_delta", "\n".join(names), addedNames=names, removedNames=[])
    blocks = [f"Use the {server} tools." for server in servers]
    text = "\n".join(f"## {server}\n{block}" for server, block in zip(servers, blocks, strict=True))
    return talk.attach("mcp_instructions_delta", text, addedNames=list(servers), addedBlocks=blocks)


@pytest.fixture
def bench(home: Home) -> Iterator[Workbench]:
    """Three sessions of a shop: one below it, one of a subagent besides; and another project."""
    first = offered(Talk("s1"), "tracker", "wiki").ask()
    first.call("mcp__tracker__look", "found", id="7").call("Skill", "done", skill="deploy")
    first.call("Task", "done", subagent_type="critic", prompt="look")
    first.read(f"{SHOP}/node_modules/a/index.js", 40).read(f"{SHOP}/src/app.py", 4)
    first.call("Edit", "done", file_path=f"{SHOP}/src/app.py")
    first.answer(attributionSkill="release-notes").write(home)
    second = offered(Talk("s2", cwd=f"{SHOP}/web", begin=BEGIN + timedelta(minutes=5)), "tracker")
    second.ask().answer().ask("/x").answer().write(home)
    helper = Talk("s1", agent="a1").ask()
    helper._calls = 50  # ids of its own
    helper.call("mcp__wiki__look", "found").write(home)
    other = offered(Talk("s9", cwd="/srv/shopping"), "tracker").ask()
    other.call("Skill", "done", skill="unrelated").write(home, "-srv-shopping")
    old = Talk("s0", begin=BEGIN - timedelta(days=40)).ask()
    old.call("Skill", "done", skill="ancient").write(home)
    desk = Desk(home)
    with open_workbench(desk.settings(), QUIET, Want.DETAIL, clock=desk.clock) as opened:
        yield opened


def uses_of(bench: Workbench, project: str = SHOP) -> ProjectUses:
    return bench.ledger.project_uses((project,), NOON_MS - 30 * DAY_MS, NOON_MS)


def names(rows: object) -> dict[str, int]:
    assert isinstance(rows, tuple)
    return {row.name: row.calls for row in rows}


def test_sessions_of_the_folder_and_below_count_and_others_do_not(bench: Workbench) -> None:
    uses = uses_of(bench)

    assert len(uses.session_starts_ms) == 2
    assert uses.requests == 9  # of main threads: seven and two
    assert uses.first_ms is not None
    assert uses.last_ms is not None
    assert uses.first_ms < uses.last_ms < NOON_MS


def test_calls_are_told_by_server_skill_and_agent(bench: Workbench) -> None:
    uses = uses_of(bench)

    assert names(uses.servers) == {"tracker": 1, "wiki": 1}  # also what a subagent called
    assert names(uses.skills) == {"deploy": 1, "release-notes": 1}
    assert names(uses.agents) == {"critic": 1}


def test_a_call_without_an_answer_that_we_have_is_a_use(bench: Workbench) -> None:
    bench.ledger.let_go()
    bench.ledger._connection.execute("UPDATE tool_call SET response_id = NULL")
    uses = uses_of(bench)
    assert names(uses.servers) == {"tracker": 1, "wiki": 1}
    assert names(uses.agents) == {"critic": 1}
    assert "deploy" in names(uses.skills)


def test_an_older_period_sees_older_uses(bench: Workbench) -> None:
    uses = bench.ledger.project_uses((SHOP,), NOON_MS - 60 * DAY_MS, NOON_MS - 30 * DAY_MS)

    assert names(uses.skills) == {"ancient": 1}
    assert uses.servers == ()


def test_reads_and_edits_are_told_by_path(bench: Workbench) -> None:
    uses = uses_of(bench)

    reads = {row.path: row.result_bytes for row in uses.reads}
    assert set(reads) == {f"{SHOP}/node_modules/a/index.js", f"{SHOP}/src/app.py"}
    assert reads[f"{SHOP}/node_modules/a/index.js"] > 100
    assert [row.path for row in uses.edits] == [f"{SHOP}/src/app.py"]


def test_what_was_offered_is_seen_once_transcripts_are_counted(bench: Workbench) -> None:
    before = uses_of(bench)
    assert (before.counted_sessions, before.offered) == (0, ())

    bench.ledger.let_go()
    count_everything(bench, lambda done, total: None)
    uses = uses_of(bench)

    assert uses.counted_sessions == 2
    assert {row.name: row.sessions for row in uses.offered} == {"tracker": 2, "wiki": 1}


def test_a_project_without_sessions_used_nothing(bench: Workbench) -> None:
    uses = uses_of(bench, "/srv/elsewhere")

    assert uses == ProjectUses((), 0, None, None, 0, (), (), (), (), (), (), 0)


def test_evidence_speaks_of_the_same(bench: Workbench) -> None:
    found = evidence_of(bench.ledger, SHOP, NOON_MS)

    assert found.sessions == 2
    assert found.days == 30
    assert found.servers["tracker"].calls == 1
    assert found.read_below(f"{SHOP}/node_modules").calls == 1
    assert found.read_below(f"{SHOP}/node_mod").calls == 0
    assert found.edited_below(SHOP) == 1
    assert found.requests_per_week == 9  # an hour of work is taken for a week
