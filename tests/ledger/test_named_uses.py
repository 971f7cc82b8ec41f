"""The uses of every skill and agent, told from real transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, Talk
from tests.test_app_windows import QUIET, Desk

from tokenbudget.app import Workbench, open_workbench
from tokenbudget.app.windows import count_everything
from tokenbudget.collector.ingest import Want


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    home = Home(tmp_path / "home")
    first = Talk("s1").ask()
    first.call("Skill", "done", skill="deploy").call("Skill", "done", skill="deploy")
    first.call("Task", "done", subagent_type="critic", prompt="look")
    first.answer(attributionSkill="deploy").answer(attributionSkill="typed").write(home)
    second = Talk("s2", cwd="/srv/web", begin=BEGIN + timedelta(minutes=5)).ask()
    second.call("Skill", "done", skill="deploy").write(home)
    desk = Desk(home)
    with open_workbench(desk.settings(), QUIET, Want.DETAIL, clock=desk.clock) as opened:
        yield opened


def test_calls_count_and_credit_only_where_there_is_no_call(bench: Workbench) -> None:
    found = bench.ledger.named_uses()
    rows = [(one.name, one.session, one.cwd, one.uses) for one in found.skills]
    assert rows == [
        ("deploy", "s1", "/srv/shop", 2),
        ("deploy", "s2", "/srv/web", 1),
        ("typed", "s1", "/srv/shop", 1),
    ]
    assert all(one.last_ms > 0 for one in found.skills)
    assert [(one.name, one.uses) for one in found.agents] == [("critic", 1)]


def test_counting_the_windows_adds_no_second_use(bench: Workbench) -> None:
    before = bench.ledger.named_uses()
    count_everything(bench, lambda done, total: None)
    assert bench.ledger.named_uses() == before
