"""Thirty turns with everything installed and the daemon running: what was billed is what is told.

Two books are held against each other. The fake API's says what each response cost; ours is what
`tokens export` lists, response for response. The requests of which no transcript can know are
named: each compaction, and the side calls (2.0.76 asks a small model for the paths that a shell
command read; 2.1.x tries a model out before it is set, and does not count that itself). What the
client's own sum has beyond the transcripts must be exactly their cost. Where the client records its
requests, every one of them is rebuilt and compared with what was sent; elsewhere the window's total
must be what was billed last.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.billing import Bill, Exchange, Response, bill_by_model, responses_of
from tests.e2e.claude_client import PERMISSIONS, ClaudeClient, ClientError, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import NEWEST, OLD, Release
from tests.e2e.installed import Machine, is_in_time_or_passed_on, main_requests
from tests.e2e.matrix import EVERY, OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import (
    JsonObject,
    Script,
    Scripts,
    Step,
    Usage,
    text,
    thinking,
    tool_use,
)
from tests.e2e.test_context import assert_adds_up, assert_as_sent
from tests.e2e.test_rebuilt_requests import equal_to_sent, paired
from tests.e2e.tokens_cli import tokens_json, usage_by_model

from rebuild_check import read_transcript
from tokenbudget.gateway.hooks.evidence import seen

pytestmark = pytest.mark.e2e

IN_TRANSCRIPTS = (RequestKind.MAIN, RequestKind.SUBAGENT)
IN_NONE = (RequestKind.COMPACTION, RequestKind.SIDE_CALL)
FLAGS = ("-p", "--input-format=stream-json", "--output-format=stream-json", "--verbose")
END_SECONDS = 30
HOOKS_AT_LEAST = 80
"""Two for each turn, one or two for each tool call."""
SET_MODEL = "set model "
PLAIN = "SCRIPT:plain"
FIELDS = tuple(name for name in Bill.__slots__ if name != "requests")


def turns(other_model: str, model: str) -> list[str]:
    """What is said, in thirty turns; the two changes of the model are none."""
    return [
        *("SCRIPT:tools", "SCRIPT:count", "/tokens monitor", "SCRIPT:fail", PLAIN),
        *("SCRIPT:delegate", PLAIN, "SCRIPT:side-by-side", "SCRIPT:overloaded", PLAIN),
        *("SCRIPT:look", "SCRIPT:look again", "/sc:mode compressed", "SCRIPT:long", PLAIN),
        "/compact",
        *(PLAIN, "SCRIPT:tools", "/tokens optimize", "SCRIPT:count"),
        *(SET_MODEL + other_model, PLAIN, "SCRIPT:tools", "SCRIPT:fail"),
        *(SET_MODEL + model, PLAIN, "SCRIPT:delegate", "SCRIPT:count", "/tokens monitor"),
        *("SCRIPT:full", "SCRIPT:look", PLAIN),
    ]


class Held(NamedTuple):
    """A conversation that was held: on which machine, and what was billed for it."""

    machine: Machine
    exchanges: list[Exchange]
    claimed: "Claimed"
    daemon: JsonObject


@pytest.fixture(scope="module")
def held(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], Held]]:
    name = test_the_ledger_is_what_was_billed_request_for_request.__name__
    with played_ahead(request, tmp_path_factory, name, hold) as found:
        yield found


def hold(release: Release, model: str, sandbox: Sandbox) -> Held:
    """Thirty turns, with everything installed."""
    machine = Machine.create(sandbox)
    machine.install(release.version)
    said = turns(SONNET if model == OPUS else OPUS, model)
    assert sum(not words.startswith(SET_MODEL) for words in said) == 30
    with serving(scripts(release, sandbox), sandbox.root / "api") as api, machine.daemon():
        client = ClaudeClient(release, sandbox, api)
        claimed = converse(client, machine, f"--model={model}", said)
        exchanges = api.exchanges()
        daemon = json.loads(machine.tokens("serve", "--status", "--json"))
    return Held(machine, exchanges, claimed, daemon)


@EVERY
def test_the_ledger_is_what_was_billed_request_for_request(
    release: Release, model: str, held: Callable[[Release, str], Held]
) -> None:
    machine, exchanges, claimed, daemon = held(runnable(release), model)
    show(release, model, exchanges, claimed)
    assert daemon["is_running"]
    assert daemon["answered"], "it writes its counts down now and then"
    assert daemon["faults"] == 0
    [hooked] = seen(str(machine.home), 0)
    assert sum(count for count, _ in hooked.events.values()) > HOOKS_AT_LEAST
    assert is_in_time_or_passed_on(hooked), hooked.last_fault
    assert len(main_requests(exchanges)) > 45
    assert {"main", "subagent", "compaction"} <= {each.kind for each in exchanges}
    assert_ledger_is_what_was_billed(machine, exchanges)
    assert_client_knows_the_unseen(release, claimed, exchanges)
    assert_composition(release, machine.sandbox, exchanges)


def assert_ledger_is_what_was_billed(machine: Machine, exchanges: list[Exchange]) -> None:
    """Request for request, then by model, as `usage` and `export` say it."""
    billed = {one.id: one for one in responses_of(exchanges, *IN_TRANSCRIPTS)}
    unseen = {one.id for one in responses_of(exchanges, *IN_NONE)}
    words = ("export", "json", "--tables", "requests", "--output", "-")
    rows: list[JsonObject] = json.loads(machine.tokens(*words))["tables"]["requests"]["rows"]
    assert Counter(row["request"] for row in rows) == Counter(list(billed))
    assert not unseen & {row["request"] for row in rows}
    for row in rows:
        assert (row["model"], bill_of(row)) == told_of(billed[row["request"]])
    subagents = {one.id for one in responses_of(exchanges, RequestKind.SUBAGENT)}
    assert {row["request"] for row in rows if row["is_subagent"]} == subagents
    assert usage_by_model(machine.sandbox) == bill_by_model(billed.values())


def bill_of(row: JsonObject) -> Bill:
    assert row["total_tokens"] == sum(row[name] for name in FIELDS)
    return Bill(**{name: row[name] for name in FIELDS}, requests=1)


def told_of(response: Response) -> tuple[str, Bill]:
    return response.model, response.bill


class Claimed(NamedTuple):
    """What the client itself says that it used, by model; of no old one."""

    by_model: dict[str, JsonObject]
    results: int


def assert_client_knows_the_unseen(
    release: Release, claimed: Claimed, exchanges: list[Exchange]
) -> None:
    """What the client claims beyond the transcripts is what the unseen requests cost."""
    assert responses_of(exchanges, RequestKind.COMPACTION), "there is one to account for"
    unseen = IN_NONE if release is OLD else (RequestKind.COMPACTION,)
    billed = bill_by_model(responses_of(exchanges, *IN_TRANSCRIPTS, *unseen))
    assert set(claimed.by_model) == set(billed)
    for name, used in claimed.by_model.items():
        whole = billed[name]
        assert used["inputTokens"] == whole.input_tokens, name
        assert used["outputTokens"] == whole.output_tokens, name
        assert used["cacheReadInputTokens"] == whole.cache_read_tokens, name
        written = whole.cache_write_5m_tokens + whole.cache_write_1h_tokens
        assert used["cacheCreationInputTokens"] == written, name


def assert_composition(release: Release, sandbox: Sandbox, exchanges: list[Exchange]) -> None:
    """Every recorded request is the sent one; the window is the last one's, in every client."""
    last = [each for each in main_requests(exchanges) if each.response][-1]
    assert last.response is not None
    context = tokens_json(sandbox, "context")
    if release is not NEWEST:
        assert context["record"] is None, "this client keeps no record"
        assert_adds_up(context, last.response.bill)
        return
    assert_as_sent(context, last, sandbox)
    transcripts = [read_transcript(path) for path in sorted(sandbox.transcripts.rglob("*.jsonl"))]
    pairs = list(paired(exchanges, transcripts))
    assert {each.kind for each, found in pairs if found is None} <= set(IN_NONE)
    recorded = [equal_to_sent(each, found) for each, found in pairs if found is not None]
    assert len(recorded) == sum(each.kind in IN_TRANSCRIPTS for each in exchanges)


# ── the conversation ──────────────────────────────────────────────────────────────────────────────


def converse(client: ClaudeClient, machine: Machine, model: str, said: list[str]) -> Claimed:
    """Say all of it, each when the turn before is over, and let the client end by itself."""
    with subprocess.Popen(
        client.command(*FLAGS, *PERMISSIONS, model),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=client.sandbox.project,
        env={**client.environment(), **machine.variables},
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        results: list[JsonObject] = []
        try:
            events = (json.loads(line) for line in process.stdout if line.startswith("{"))
            for number, words in enumerate(said):
                process.stdin.write(json.dumps(message(number, words)) + "\n")
                process.stdin.flush()
                results += until_answered(events, words)
            process.stdin.close()
            process.wait(END_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return Claimed(results[-1].get("modelUsage", {}), len(results))


def message(number: int, words: str) -> JsonObject:
    """A turn of the person, or the order to go on with another model."""
    if words.startswith(SET_MODEL):
        order = {"subtype": "set_model", "model": words.removeprefix(SET_MODEL)}
        return {"type": "control_request", "request_id": f"order-{number}", "request": order}
    return {"type": "user", "message": {"role": "user", "content": words}}


def until_answered(events: Iterator[JsonObject], words: str) -> list[JsonObject]:
    """Read on until the turn is over, and with it the task that it has left in the background."""
    results: list[JsonObject] = []
    running = False
    for event in events:
        kind, subtype = event.get("type"), event.get("subtype")
        if kind == "control_response":
            return results
        if subtype == "task_started":
            running = True
        elif subtype == "task_notification":
            running = False
        elif kind == "result":
            results.append(event)
            if not running:
                return results
    raise ClientError(f"the client ended before it answered {words!r}")


# ── what the model does ───────────────────────────────────────────────────────────────────────────


def scripts(release: Release, sandbox: Sandbox) -> Scripts:
    """Tools, a subagent, failures; no two steps that name their usage cost the same."""
    notes = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    shopping = tool_use("Write", file_path=str(sandbox.project / "list.txt"), content="milk\n")
    done = Step((text("Done."),))
    task = {"description": "Count lines", "subagent_type": "general-purpose"}
    agent = tool_use("Task" if release is OLD else "Agent", prompt="SCRIPT:in-agent", **task)
    return {
        "plain": [done],
        "tools": tools(notes, shopping),
        "count": [Step((bash("wc -l notes.txt"),)), done],
        "fail": [Step((bash("exit 3"),)), Step((text("It failed."),), Usage(9, 83, 0, 17, 7001))],
        "delegate": [Step((agent,)), Step((text("I wait."),)), Step((text("Ten lines."),))],
        "in-agent": [
            # Slow enough to be still at work when the turn that started it is over.
            Step((bash("sleep 0.5; wc -l notes.txt"),), Usage(3, 31, 307, 0, 4001)),
            Step((text("10"),)),
        ],
        "side-by-side": [Step((notes, bash("echo a"), bash("exit 1"))), done],
        "overloaded": [Step((bash("echo a"),)), Step(status=529, error="try later")],
        "look": [Step((notes,)), done],
        "long": [Step((bash("seq 1 20000"),)), done],
        "full": [Step((bash("echo full"),), Usage(10, 30, 100, 0, 120_000)), done],
    }


def tools(notes: JsonObject, shopping: JsonObject) -> Script:
    return [
        Step((thinking("The notes come first."), text("I read the notes."), notes)),
        Step((bash("wc -l notes.txt"),), Usage(7, 71, 11, 13, 501)),
        Step((shopping,), Usage(5, 97, 0, 1009, 20_011)),
        Step((text("Done."),)),
    ]


def bash(command: str) -> JsonObject:
    return tool_use("Bash", command=command, description="Try it")


def show(release: Release, model: str, exchanges: list[Exchange], claimed: Claimed) -> None:
    kinds = Counter(str(each.kind) for each in exchanges)
    unseen = bill_by_model(responses_of(exchanges, *IN_NONE))
    print(f"\n{release.name}, {model}: {claimed.results} results, requests {dict(kinds)}")
    print(f"  in no transcript: {unseen}")
