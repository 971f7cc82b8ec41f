"""Row by row, a ledger tells what its sums tell."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OPUS, Home, response
from tests.test_app_windows import Desk

from tokenbudget.app import Workbench
from tokenbudget.ledger import export_rows
from tokenbudget.ledger.export_rows import Limits
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.ledger.schema import SUMS

HOUR_MS = 3_600_000
TOKENS = SUMS[3:8]
SEARCHES = {"web_search_requests": 2}
EVERYTHING = Limits()


def attempts(*tokens: int) -> dict[str, Any]:
    """Usage of an answer that took several attempts, the last one being the top level's."""
    return {
        "output_tokens": tokens[-1],
        "iterations": [
            {"type": "message", "model": OPUS, "input_tokens": 100, "output_tokens": one}
            for one in tokens
        ],
    }


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Three projects; answers in several attempts, undated, without usage, with searches."""
    home = Home(tmp_path / "home")
    bare = response(7, at="2026-11-20T10:00:00Z")
    del bare["message"]["usage"]
    home.write_session(
        "s1",
        response(1, at="2026-11-20T08:00:00Z", usage=attempts(5, 6, 7)),
        response(2, at="2026-11-20T08:00:00Z"),
        response(
            3, at="2026-11-19T08:00:00Z", usage={"server_tool_use": {"web_search_requests": 2}}
        ),
        bare,
    )
    home.write_session(
        "s2",
        response(4, sessionId="s2", cwd="/srv/blog", usage=attempts(1, 2)),
        response(5, sessionId="s2", cwd="/srv/blog", at="never"),
        slug="-srv-blog",
    )
    home.write_session("s3", response(6, sessionId="s3", cwd=""), slug="-x")
    with Desk(home).open() as opened:
        yield opened


def rows_of(bench: Workbench, limits: Limits = EVERYTHING) -> list[tuple[Any, ...]]:
    return [row for batch in bench.ledger.export.requests(limits) for row in batch]


def added(rows: list[tuple[Any, ...]]) -> dict[str, int]:
    sums = {name: sum(row[9 + place] or 0 for row in rows) for place, name in enumerate(TOKENS)}
    return {**sums, "web_search_requests": sum(row[14] for row in rows)}


def summed(bench: Workbench, query: UsageQuery) -> dict[str, int]:
    found = bench.ledger.usage(query)
    return {
        name: sum(getattr(row, name) for row in found) for name in (*TOKENS, "web_search_requests")
    }


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 2_000])
def test_they_add_up_to_the_sums(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(export_rows, "BATCH_ROWS", batch_rows)

    rows = rows_of(bench)

    assert added(rows) == summed(bench, UsageQuery())
    assert len([row for row in rows if row[2] == 0]) == 7


def test_attempts_follow_their_answer_in_the_order_of_time(bench: Workbench) -> None:
    rows = rows_of(bench)

    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert [(row[2], row[10]) for row in rows if row[3] == "msg_1"] == [(0, 7), (1, 5), (2, 6)]


def test_limits_are_those_of_the_sums(bench: Workbench) -> None:
    projects = bench.ledger.names("project")
    noon_ms = rows_of(bench)[-1][0]
    for since_ms in (None, 1, noon_ms - 2 * HOUR_MS):
        for until_ms in (None, noon_ms):
            for ids in (None, [], [0], *([number] for number in projects), list(projects)):
                for session in (None, "s1", "s3", "nobody"):
                    limits = Limits(since_ms, until_ms, ids, session)
                    query = UsageQuery(
                        since_ms=since_ms, until_ms=until_ms, project_ids=ids, session=session
                    )
                    assert added(rows_of(bench, limits)) == summed(bench, query), limits


def test_files_tools_and_sessions_have_names(bench: Workbench) -> None:
    export = bench.ledger.export

    assert set(export.sessions().values()) == {"s1", "s2", "s3"}
    assert {fact.agent for fact in export.files().values()} == {"claude-code"}
    assert {fact.project for fact in export.files().values()} >= {"/srv/shop", "/srv/blog"}
    assert export.tools() == {}
