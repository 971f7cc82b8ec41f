"""What a real Claude Code client was billed, and what `tokens` counts from its transcripts.

A fake API bills each response its own amounts. The transcripts can know the responses of agents
(main thread and subagents), and these must be counted to the token. Two kinds of request are
billed and stand in no transcript: compactions, and the side calls of old clients (2.0.76 asks a
small model which paths a shell command read). No reader of transcripts can count them, so the
tests take them off the bill, by the kind that the fake gave each request before any transcript
was read, and check that they are indeed absent.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.billing import Bill, Exchange, bill_by_model, responses_of
from tests.e2e.claude_client import SUBSCRIPTION, ClaudeClient, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Script, Scripts, Step, Usage, text, thinking, tool_use
from tests.e2e.tokens_cli import usage_by_model
from tests.e2e.transcripts import client_versions, response_ids, sessions_of

pytestmark = pytest.mark.e2e

OPUS = "--model=claude-opus-5-5"
SONNET = "--model=claude-sonnet-4-5"
SMALL_WINDOW = {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000"}
IN_TRANSCRIPTS = (RequestKind.MAIN, RequestKind.SUBAGENT)
IN_NONE = (RequestKind.COMPACTION, RequestKind.SIDE_CALL)


def test_a_session_with_three_tools(newest_client: Release, sandbox: Sandbox) -> None:
    with client_on(newest_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        client.run("SCRIPT:tools", OPUS)
        exchanges = client.api.exchanges()
    assert client_versions(sandbox.transcripts) == {newest_client.version}
    assert kinds_of(exchanges) == ["main"] * 4
    assert (sandbox.project / "list.txt").read_text() == "milk\n"
    assert_counted_as_billed(sandbox, exchanges)


def test_a_background_subagent_with_a_file_of_its_own(
    newest_client: Release, sandbox: Sandbox
) -> None:
    with client_on(newest_client, sandbox, one_subagent("Agent", model="haiku")) as client:
        client.run("SCRIPT:delegate", OPUS)
        exchanges = client.api.exchanges()
    assert sorted(kinds_of(exchanges)) == ["main"] * 3 + ["subagent"] * 2
    assert len(list(sandbox.transcripts.rglob("subagents/agent-*.jsonl"))) == 1
    assert len(counted_and_billed(sandbox, exchanges)) == 2, "one row for each of the two models"


def test_a_session_resumed_by_a_second_run(newest_client: Release, sandbox: Sandbox) -> None:
    with client_on(newest_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        first = client.run("SCRIPT:tools", OPUS)
        assert_counted_as_billed(sandbox, client.api.exchanges())
        second = client.run("SCRIPT:tools", OPUS, f"--resume={first['session_id']}")
        exchanges = client.api.exchanges()
    assert second["session_id"] == first["session_id"]
    assert kinds_of(exchanges) == ["main"] * 8
    assert_counted_as_billed(sandbox, exchanges)


def test_a_subscription_writes_the_cache_for_an_hour(
    newest_client: Release, sandbox: Sandbox
) -> None:
    with client_on(newest_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        dataclasses.replace(client, credentials=SUBSCRIPTION).run("SCRIPT:tools", OPUS)
        exchanges = client.api.exchanges()
    first = responses_of(exchanges, RequestKind.MAIN)[0]
    assert first.bill.cache_write_1h_tokens > 0
    assert_counted_as_billed(sandbox, exchanges)


def test_a_fork_copies_responses_that_are_counted_once(
    newest_client: Release, sandbox: Sandbox
) -> None:
    with client_on(newest_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        first = client.run("SCRIPT:tools", OPUS)
        client.run("SCRIPT:tools", OPUS, f"--resume={first['session_id']}", "--fork-session")
        exchanges = client.api.exchanges()
    assert kinds_of(exchanges) == ["main"] * 8
    copied = responses_of(exchanges, RequestKind.MAIN)[0]
    assert len(sessions_of(sandbox.transcripts, copied.id)) == 2
    assert_counted_as_billed(sandbox, exchanges)


def test_an_automatic_compaction_is_billed_but_in_no_transcript(
    newest_client: Release, sandbox: Sandbox
) -> None:
    with client_on(newest_client, sandbox, {"fill": filling_the_window()}) as client:
        result = client.run("SCRIPT:fill", OPUS, variables=SMALL_WINDOW)
        exchanges = client.api.exchanges()
    assert kinds_of(exchanges) == ["main"] * 5 + ["compaction", "main"]
    counted = counted_and_billed(sandbox, exchanges)["claude-opus-5-5"]
    [compaction] = responses_of(exchanges, RequestKind.COMPACTION)
    # The client's own total holds the compaction too: the gap is real, and exactly this wide.
    whole, claimed = counted + compaction.bill, result["modelUsage"]["claude-opus-5-5"]
    assert claimed["inputTokens"] == whole.input_tokens
    assert claimed["outputTokens"] == whole.output_tokens
    assert claimed["cacheReadInputTokens"] == whole.cache_read_tokens


def test_a_compaction_by_command_is_billed_but_in_no_transcript(
    newest_client: Release, sandbox: Sandbox
) -> None:
    with client_on(newest_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        first = client.run("SCRIPT:tools", OPUS)
        client.run("/compact", OPUS, f"--resume={first['session_id']}")
        exchanges = client.api.exchanges()
    assert kinds_of(exchanges) == ["main"] * 4 + ["compaction"]
    assert_counted_as_billed(sandbox, exchanges)


def test_an_old_client_with_warm_up_agents_and_side_calls(
    old_client: Release, sandbox: Sandbox
) -> None:
    with client_on(old_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        client.run("SCRIPT:tools", SONNET)
        exchanges = client.api.exchanges()
    assert client_versions(sandbox.transcripts) == {old_client.version}
    # Two warm-up agents, each with a file beside the session, and one look at the paths that the
    # shell command read.
    assert sorted(kinds_of(exchanges)) == ["main"] * 4 + ["side_call"] + ["subagent"] * 2
    assert_counted_as_billed(sandbox, exchanges)


def test_an_old_client_with_a_subagent(old_client: Release, sandbox: Sandbox) -> None:
    with client_on(old_client, sandbox, one_subagent("Task")) as client:
        client.run("SCRIPT:delegate", SONNET)
        exchanges = client.api.exchanges()
    assert sorted(kinds_of(exchanges)) == ["main"] * 2 + ["side_call"] + ["subagent"] * 4
    assert_counted_as_billed(sandbox, exchanges)


def test_an_old_client_resumed(old_client: Release, sandbox: Sandbox) -> None:
    with client_on(old_client, sandbox, {"tools": three_tools(sandbox)}) as client:
        first = client.run("SCRIPT:tools", SONNET)
        client.run("SCRIPT:tools", SONNET, f"--resume={first['session_id']}")
        exchanges = client.api.exchanges()
    assert kinds_of(exchanges).count("main") == 8
    assert_counted_as_billed(sandbox, exchanges)


@contextlib.contextmanager
def client_on(release: Release, sandbox: Sandbox, scripts: Scripts) -> Iterator[ClaudeClient]:
    """A client whose API answers from these scripts."""
    with serving(scripts, sandbox.root / "api") as api:
        yield ClaudeClient(release, sandbox, api)


def three_tools(sandbox: Sandbox) -> Script:
    """Think, read, run and write; every kind of token, and no two steps cost the same."""
    notes, shopping = str(sandbox.project / "notes.txt"), str(sandbox.project / "list.txt")
    return [
        Step(
            (
                thinking("The notes come first."),
                text("I read the notes."),
                tool_use("Read", file_path=notes),
            )
        ),
        Step(
            (tool_use("Bash", command="wc -l notes.txt", description="Count lines"),),
            Usage(7, 71, 11, 13, 501),
        ),
        Step(
            (tool_use("Write", file_path=shopping, content="milk\n"),),
            Usage(5, 97, 0, 1009, 20_011),
        ),
        Step((text("Done."),)),
    ]


def one_subagent(tool: str, **arguments: str) -> Scripts:
    """An agent that hands one task on, by the tool's name in that client."""
    task = {"description": "Count lines", "subagent_type": "general-purpose", **arguments}
    count = tool_use("Bash", command="wc -l notes.txt", description="Count lines")
    return {
        "delegate": [
            Step((tool_use(tool, prompt="SCRIPT:count", **task),)),
            Step((text("I wait for the count."),)),
            Step((text("Ten lines."),)),
        ],
        "count": [Step((count,), Usage(3, 31, 307, 0, 4001)), Step((text("10"),))],
    }


def filling_the_window() -> Script:
    """Small steps, then one that reports more context than `SMALL_WINDOW` holds."""
    step = tool_use("Bash", command="wc -l notes.txt", description="Count lines")
    small = [Step((step,), Usage(10, 20 + n, 100, 0, 5000 * n)) for n in range(4)]
    return [*small, Step((step,), Usage(10, 30, 100, 0, 150_000))]


def kinds_of(exchanges: list[Exchange]) -> list[str]:
    return [str(exchange.kind) for exchange in exchanges]


def assert_counted_as_billed(sandbox: Sandbox, exchanges: list[Exchange]) -> None:
    counted_and_billed(sandbox, exchanges)


def counted_and_billed(sandbox: Sandbox, exchanges: list[Exchange]) -> dict[str, Bill]:
    """The bill per model of what transcripts can know, once `tokens` has counted the same.

    Found by itself through `CLAUDE_CONFIG_DIR`, and read from a folder with `--from`.
    """
    assert_visible_as_classified(sandbox.transcripts, exchanges)
    billed = bill_by_model(responses_of(exchanges, *IN_TRANSCRIPTS))
    assert usage_by_model(sandbox) == billed
    assert usage_by_model(sandbox, "--from", str(sandbox.transcripts)) == billed
    return billed


def assert_visible_as_classified(transcripts: Path, exchanges: list[Exchange]) -> None:
    """The rule that takes requests off the bill is true of this session."""
    written = response_ids(transcripts)
    assert {response.id for response in responses_of(exchanges, *IN_TRANSCRIPTS)} == written
    assert not any(response.id in written for response in responses_of(exchanges, *IN_NONE))
