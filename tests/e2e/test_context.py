"""What `tokens context`, `budget` and `timeline` say of a real client's window.

The fake API knows what was sent and what it billed. The bytes of every component must be those of
the request that was really sent; the tokens must add up to what was billed for it.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.e2e.billing import Bill, Exchange
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Scripts
from tests.e2e.test_claude_code_usage import (
    OPUS,
    SMALL_WINDOW,
    SONNET,
    filling_the_window,
    one_subagent,
    three_tools,
)
from tests.e2e.tokens_cli import tokens_json

from rebuild_check import read_transcript
from tokenbudget.analysis.window_pieces import group_of
from tokenbudget.model import window
from tokenbudget.sources.claude_code.request_pieces import pieces_of

pytestmark = pytest.mark.e2e


def test_the_components_have_the_bytes_that_were_sent(
    newest_client: Release, sandbox: Sandbox
) -> None:
    (sandbox.project / "CLAUDE.md").write_text("Be brief.\n", encoding="utf-8")
    exchanges = run(newest_client, sandbox, {"tools": three_tools(sandbox)}, "SCRIPT:tools", OPUS)
    context = tokens_json(sandbox, "context")
    assert context["format"] == "tokenbudget/context/1"
    assert_as_sent(context, exchanges[-1], sandbox)
    [memory] = [
        row for row in context["rows"] if row["item"] and row["component"] == "memory_files"
    ]
    assert memory["item"] == str(sandbox.project / "CLAUDE.md")
    assert {row["component"] for row in context["rows"]} >= {"system_tools", "skills", "agents"}


def test_an_older_models_layout_as_well(newest_client: Release, sandbox: Sandbox) -> None:
    scripts = {"tools": three_tools(sandbox)}
    exchanges = run(newest_client, sandbox, scripts, "SCRIPT:tools", SONNET)
    assert_as_sent(tokens_json(sandbox, "context", "last"), exchanges[-1], sandbox)


def test_the_window_of_a_subagent(newest_client: Release, sandbox: Sandbox) -> None:
    exchanges = run(newest_client, sandbox, one_subagent("Agent"), "SCRIPT:delegate", OPUS)
    of_agent = [each for each in exchanges if each.kind is RequestKind.SUBAGENT]
    [file] = sandbox.transcripts.rglob("subagents/agent-*.jsonl")
    agent = file.stem.removeprefix("agent-")
    context = tokens_json(sandbox, "context", "--agent", agent[:6])
    assert context["agent_thread"] == agent
    assert_as_sent(context, of_agent[-1], sandbox)


def test_the_window_after_an_automatic_compaction(newest_client: Release, sandbox: Sandbox) -> None:
    exchanges = run(
        newest_client, sandbox, {"fill": filling_the_window()}, "SCRIPT:fill", OPUS, SMALL_WINDOW
    )
    context = tokens_json(sandbox, "context")
    assert_as_sent(context, exchanges[-1], sandbox)
    timeline = tokens_json(sandbox, "timeline")
    assert [row["event"] for row in timeline["rows"]] == [None] * 5 + ["compaction"]
    assert context["reserve_origin"] == "observed"


def test_an_old_client_keeps_no_record(old_client: Release, sandbox: Sandbox) -> None:
    scripts = {"tools": three_tools(sandbox)}
    exchanges = run(old_client, sandbox, scripts, "SCRIPT:tools", SONNET)
    main = [each for each in exchanges if each.kind is RequestKind.MAIN]
    context = tokens_json(sandbox, "context")
    assert context["record"] is None
    assert_adds_up(context, billed(main[-1]))
    hidden = [row for row in context["rows"] if row["component"] == "hidden"]
    assert hidden, "its system prompt and its tools stand in no transcript"


def test_the_budget_checks_the_window(newest_client: Release, sandbox: Sandbox) -> None:
    scripts = {"tools": three_tools(sandbox)}
    exchanges = run(newest_client, sandbox, scripts, "SCRIPT:tools", OPUS)
    budget = tokens_json(sandbox, "budget", "--check")
    assert budget["health_level"] == "healthy"
    bill = billed(exchanges[-1])
    assert budget["total_tokens"] == prompt_of(bill) + bill.output_tokens
    assert sum(row["tokens"] for row in budget["rows"]) == budget["total_tokens"]


def run(
    release: Release,
    sandbox: Sandbox,
    scripts: Scripts,
    prompt: str,
    model: str,
    variables: dict[str, str] | None = None,
) -> list[Exchange]:
    """One run of the client; what the API saw."""
    with _client(release, sandbox, scripts) as client:
        client.run(prompt, model, variables=variables or {})
        return client.api.exchanges()


@contextlib.contextmanager
def _client(release: Release, sandbox: Sandbox, scripts: Scripts) -> Iterator[ClaudeClient]:
    with serving(scripts, sandbox.root / "api") as api:
        yield ClaudeClient(release, sandbox, api)


def billed(exchange: Exchange) -> Bill:
    assert exchange.response is not None
    return exchange.response.bill


def prompt_of(bill: Bill) -> int:
    writes = bill.cache_write_5m_tokens + bill.cache_write_1h_tokens
    return bill.input_tokens + writes + bill.cache_read_tokens


def assert_as_sent(context: JsonObject, exchange: Exchange, sandbox: Sandbox) -> None:
    """The record is proven, and each component has the bytes of the request that was sent."""
    record = context["record"]
    assert record["is_proven"]
    sent, frame = bytes_sent(exchange, sandbox)
    assert record["bytes_by_component"] == sent
    assert record["frame_bytes"] == frame
    assert record["size_bytes"] == sum(sent.values()) + frame
    assert_adds_up(context, billed(exchange))


def bytes_sent(exchange: Exchange, sandbox: Sandbox) -> tuple[dict[str, int], int]:
    """The captured request cut by the same transcript's hints: bytes by component, and frame."""
    body = exchange.body
    best: tuple[dict[str, int], int] = ({}, 0)
    for path in sorted(sandbox.transcripts.rglob("*.jsonl")):
        transcript = read_transcript(path)
        if exchange.response and exchange.response.id in transcript.recorder.responses:
            sizes: Counter[str] = Counter()
            frame = 0
            parts = body.get("system"), body.get("tools"), body["messages"]
            for piece in pieces_of(*parts, transcript.hints):
                if piece.kind == window.FRAME:
                    frame += piece.size_bytes
                else:
                    sizes[group_of(piece.kind, piece.name, piece.target)] += piece.size_bytes
            best = dict(sizes), frame
    return best


def assert_adds_up(context: JsonObject, bill: Bill) -> None:
    """The tokens are those that were billed, and the components add up to them."""
    assert context["prompt_tokens"] == prompt_of(bill)
    assert context["total_tokens"] == prompt_of(bill) + bill.output_tokens
    whole = [row for row in context["rows"] if row["item"] is None]
    assert sum(row["tokens"] for row in whole) == context["total_tokens"]
    for component in whole:
        items = [
            row["tokens"]
            for row in context["rows"]
            if row["component"] == component["component"] and row["item"] and not row["part"]
        ]
        assert not items or sum(items) == component["tokens"]
