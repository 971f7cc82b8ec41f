"""`tokens gateway stats`: added up by hand from rows of an audit, and through the verb."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Home, response

from tokenbudget.app.gateway_stats import GatewayStats, audit_rows, counted_up, static_tokens
from tokenbudget.app.gateway_weights import weight_of
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.catalogue_cache import CatalogueCache
from tokenbudget.gateway.mcp.taken import catalogues_path
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.model.figures import Style
from tokenbudget.reports.gateway_stats import stats_document, stats_lines

TOOLS = [
    {"name": f"do_{word}", "description": f"Does {word}.", "inputSchema": {"type": "object"}}
    for word in ("one", "two", "three")
]
SHOP = catalogue_of("shop", {"serverInfo": {"name": "shop"}}, TOOLS)
COUNTER = BytePairCounter()
START = {"at": "2026-11-20T08:00:00Z", "event": "start", "session": "s1"}


def start(session: str = "s1", **servers: int) -> dict[str, object]:
    return {**START, "session": session, "servers": servers}


def call(server: str, tokens: int, tool: str = "do_one", **more: object) -> dict[str, object]:
    row = {"event": "call", "session": "s1", "server": server, "tool": tool, "via": "code"}
    return {**row, "outcome": "ok", "result_bytes": 9, "result_tokens": tokens, **more}


def run(tokens: int, code_bytes: int = 0) -> dict[str, object]:
    return {"event": "run", "session": "s1", "answer_tokens": tokens, "code_bytes": code_bytes}


def added(*rows: dict[str, object], requests: dict[str, int] | None = None) -> GatewayStats:
    return counted_up(rows, requests or {}, {"shop": SHOP}, COUNTER)


def test_results_are_what_servers_said_less_what_the_agent_was_told() -> None:
    rows = (start(shop=3, other=1), call("shop", 900), call("other", 100), run(50, 400))
    found = added(*rows, requests={"s1": 10})
    by_name = {one.name: one for one in found.servers}
    assert (by_name["shop"].raw_tokens, by_name["shop"].answer_tokens) == (900, 45)
    assert (by_name["other"].raw_tokens, by_name["other"].answer_tokens) == (100, 5)
    assert found.asked_tokens == 100
    assert found.own_tokens == 10 * found.static_tokens + 100
    # nobody knows what the tools of `other` would have cost
    assert found.avoided(is_deferred=False) is None


def test_schemas_are_paid_in_each_request_of_the_sessions_that_they_stood_in() -> None:
    rows = [start("s1", shop=3), start("s2", shop=3), call("shop", 10), run(10)]
    found = added(*rows, requests={"s1": 7, "s2": 5, "elsewhere": 100})
    weight = weight_of(SHOP, COUNTER)
    [shop] = found.servers
    assert (found.requests, shop.requests) == (12, 12)
    assert shop.schema_tokens == 12 * weight.schema_tokens
    assert shop.name_tokens is not None
    assert 12 * weight.name_tokens < shop.name_tokens < shop.schema_tokens
    net = shop.schema_tokens - 12 * static_tokens(COUNTER, ["shop"])
    assert found.avoided(is_deferred=False) == net
    assert shop.unused_tools == ("do_two", "do_three")


def test_a_direct_answer_counts_as_it_went_to_the_agent() -> None:
    direct = {"event": "answer", "server": "shop", "tool": "do_one", "answer_tokens": 30}
    found = added(start(shop=3), call("shop", 80, via="direct"), direct)
    assert (found.servers[0].raw_tokens, found.servers[0].answer_tokens) == (80, 30)


def test_what_is_never_called_is_named_and_refusals_are_counted() -> None:
    found = added(start(shop=3, idle=2), call("shop", 0, outcome="refused"))
    assert found.unused_servers == ("idle",)
    assert found.refused == 1


def test_a_session_without_a_name_counts_and_has_no_requests() -> None:
    found = added(start("", shop=3), start("", shop=3), requests={"": 9})
    assert (found.sessions, found.unseen_sessions, found.requests) == (2, 2, 0)


def test_a_server_that_was_called_stood_there_though_the_start_does_not_name_it() -> None:
    found = added(start("s1"), call("shop", 10), call("shop", 10), run(10), requests={"s1": 7})
    assert (found.sessions, found.requests, found.servers[0].requests) == (1, 7, 7)


def test_hostile_rows_are_no_numbers(tmp_path: Path) -> None:
    lines = [
        b"junk",
        b"[1]",
        b'{"event": "call", "server": "shop", "result_tokens": -5, "session": 3}',
        b'{"event": "call", "server": "shop", "result_tokens": true, "result_bytes": "x"}',
        b'{"event": "run", "answer_tokens": 1e999}',
        b'{"event": "start", "servers": ["shop"], "at": 7}',
        b'{"event": "find", "answer_bytes": null}',
        b"\xff\xfe",
    ]
    (tmp_path / "audit.jsonl").write_bytes(b"\n".join(lines))
    rows = list(audit_rows(str(tmp_path)))
    assert len(rows) == 5
    found = added(*rows)
    assert [(one.name, one.raw_tokens) for one in found.servers] == [("shop", 0)]


@pytest.fixture
def used(home: Home) -> Home:
    data = home.config.parent
    CatalogueCache(catalogues_path(str(data))).put(SHOP, "f")
    rows = [start("s1", shop=3), call("shop", 5_000), run(40), start("s9", shop=3)]
    audit = data / "gateway" / "audit.jsonl"
    audit.write_text("".join(json.dumps(row) + "\n" for row in rows))
    home.write_session("s1", response(1), response(2))
    return home


def test_the_verb_reads_audit_catalogues_and_ledger(used: Home) -> None:
    found = used.ask("gateway", "stats")
    assert (found["requests"], found["sessions_without_requests"]) == (2, 1)
    [row] = found["rows"]
    assert row["schema_tokens"] == 2 * row["schema_tokens_per_request"]
    assert row["unused_tools"] == ["do_two", "do_three"]
    totals = found["totals"]
    saved = row["schema_tokens"] + 5_000 - 40 - totals["gateway_tokens"]
    assert totals["avoided_tokens"] == saved
    assert found["basis"]["result_tokens"] == "measured"
    told = used.run("gateway", "stats", COLUMNS="80")
    assert all(len(line) <= 80 for line in told.lines)
    assert "5,000 tokens came from the servers, 40 went to the agent (measured)" in told.out


def test_before_it_was_used_there_is_nothing_to_add_up(home: Home) -> None:
    assert "not been used yet" in home.run("gateway", "stats").out
    assert home.ask("gateway", "stats")["rows"] == []


def test_what_a_flooding_server_said_in_vain_is_told() -> None:
    flood = {"event": "flood", "session": "s1", "server": "shop"}
    rows = (start(shop=3, other=1), {**flood, "dropped": 70_000}, {**flood, "dropped": 5_432})
    found = added(*rows, {**flood, "dropped": "many"})
    assert {one.name: one.dropped_messages for one in found.servers} == {"shop": 75_432, "other": 0}
    said = "\n".join(stats_lines(found, Style(200, is_styled=False)))
    assert "shop said more than anyone reads: 75,432 notifications dropped." in said
    assert "other said" not in said
    told = {
        row["server"]: row["dropped_messages"] for row in json.loads(stats_document(found))["rows"]
    }
    assert told == {"shop": 75_432, "other": 0}
