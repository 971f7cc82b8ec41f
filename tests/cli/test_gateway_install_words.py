"""What `tokens gateway install`, `status` and `uninstall` say, and when they refuse."""

from __future__ import annotations

import json
import sys

import pytest
from tests.cli.gateway_desk import SHARED, Desk
from tests.e2e.gateway_bed import many_tools


def test_a_mode_that_changes_is_shown_as_that(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--yes")
    done = desk.home.run("gateway", "install", "--mode", "docs=direct", "--yes")
    assert "behind already, code until now" in done.out
    assert "docs is direct, from the next session on" in done.out
    assert "0 servers" not in done.out
    again = desk.home.run("gateway", "install", "--mode", "docs=direct", "--yes")
    assert "2 servers behind the gateway already" in again.out
    desk.home.ask("gateway", "uninstall", "--yes")


def test_a_shared_file_damaged_later_is_told_and_holds_nothing_up(desk: Desk) -> None:
    before = desk.everything()
    desk.home.ask("gateway", "install", "--yes")
    desk.shared.write_text("{")
    status = desk.home.ask("gateway", "status")
    assert [row["trouble"] for row in status["rows"]] == ["", ""]
    assert ["damaged" in one for one in status["troubles"]] == [True]
    assert desk.home.ask("gateway", "uninstall", "--yes")["faults"] == []
    desk.shared.write_text(SHARED)
    assert desk.everything() == before


def test_the_way_that_was_taken_is_named_where_it_is_not_kept_to(desk: Desk) -> None:
    desk.home.ask("gateway", "install", "--shared", "--yes")
    refused = desk.home.run("gateway", "install")
    assert "with --shared; keep to it (tokens gateway install --shared)" in refused.err
    desk.home.ask("gateway", "uninstall", "--yes")


def test_what_is_wrong_does_not_say_the_name_twice(desk: Desk) -> None:
    desk.shared.write_text(json.dumps({"mcpServers": {"a": {"command": 5}, "b": {}}}))
    rows = desk.home.ask("gateway", "install", "--dry-run")["rows"]
    assert [row["note"].split()[0] for row in rows] == ["`command`", "has"]


def test_without_the_sandbox_no_server_is_taken_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.everything()
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    done = desk.home.run("gateway", "install", "--yes")
    assert done.code == 4
    assert "pip install 'tokenbudget[mcp]'" in done.err
    assert desk.everything() == before
    both = ("--mode", "github=direct", "--mode", "docs=compact")  # these need none
    assert desk.home.run("gateway", "install", *both, "--yes").code == 0
    desk.home.ask("gateway", "uninstall", "--yes")


def test_what_stays_listed_is_not_said_to_be_gone(desk: Desk) -> None:
    desk.shared.write_text(json.dumps({"mcpServers": {"many": many_tools("many", 3)}}))
    desk.home.ask("gateway", "install", "--yes")
    desk.home.run("gateway", "status", "--check")
    desk.home.ask("gateway", "uninstall", "--yes")
    plan = desk.home.run("gateway", "install", "--dry-run").out
    assert "then at most 450 for the gateway." in " ".join(plan.split())
    plan = desk.home.run("gateway", "install", "--mode", "many=direct", "--dry-run").out
    assert "and the tools that stay listed (many)." in " ".join(plan.split())
