"""Results are shortened in the real client: less is sent, edits succeed, and nothing is lost."""

import contextlib
import dataclasses
import itertools
import json
import subprocess
from collections.abc import Iterator

import pytest
from tests.e2e.ahead import project_sandbox
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, main_requests
from tests.e2e.interactive_client import CLOCK
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.orders_mcp_server import orders
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, text, tool_use
from tests.e2e.trim_project import (
    CART,
    FAILURE,
    FAULT,
    ORDERS,
    TEST_RUN,
    furnish,
    mcp_options,
)

from tokenbudget.compression.handles import handle_of

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

MODERN = pytest.mark.parametrize(
    ("release", "model", "has_daemon"),
    [(NEWEST, OPUS, True), (NEWEST, SONNET, False), (MIDDLE, SONNET, True)],
    ids=lambda one: one.version if isinstance(one, Release) else str(one),
)
PERMISSIONS = {"permissions": {"allow": ["Bash", "Read", "Edit", "Grep", "mcp__shop"]}}
ALLOWED = "--allowedTools=Grep,ToolSearch,mcp__shop__list_orders"
TESTS = handle_of(TEST_RUN.encode())
CALLS = ("orders", "log", "grep", "mcp", "tests", "cart", "edit cart", "edit log", "recall")
WARM_SECONDS = 20
DONE = Step((text("Done."),))


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """A session that is over."""

    result: JsonObject
    sent_bytes: list[int]
    """Of each request of the main thread."""
    results: dict[str, JsonObject]
    """The tool results of `CALLS`, as the last request has them."""
    beside: str
    """All that the last request says."""

    @property
    def before_recall_bytes(self) -> list[int]:
        """Of all but the last, which brings back what there is nothing of without shortening."""
        return self.sent_bytes[:-1]

    def said(self, name: str) -> str:
        """The text of a result."""
        return _text(self.results[name]["content"])


@contextlib.contextmanager
def a_session(
    release: Release, model: str, sandbox: Sandbox, has_daemon: bool, config: str = ""
) -> Iterator[tuple[Session, Machine, ClaudeClient]]:
    """The scripted session, done on a machine with tokens on it."""
    machine = Machine.create(sandbox)
    furnish(machine)
    sandbox.config.joinpath("settings.json").write_text(json.dumps(PERMISSIONS))
    toml = machine.home / "config.toml"
    toml.write_text(toml.read_text() + config, encoding="utf-8")
    machine.install(runnable(release).version, "--only=hooks")
    daemon = machine.daemon() if has_daemon else contextlib.nullcontext()
    with serving(scripts(release, sandbox), sandbox.root / "api") as api, daemon:
        client = ClaudeClient(release, sandbox, api)
        if has_daemon and not config:
            wait_until_warm(machine)
        options = (f"--model={model}", ALLOWED, *mcp_options(machine))
        result = client.run("SCRIPT:work", *options, variables=machine.variables)
        yield _session(result, client), machine, client


def wait_until_warm(machine: Machine) -> None:
    """Ask as the client would until a result is shortened: by then the daemon has all it needs.

    What comes before that goes on as it is, as it should, and nothing could be said of it here.
    """
    settings = json.loads((machine.sandbox.config / "settings.json").read_text())
    command = settings["hooks"]["PostToolUse"][0]["hooks"][0]["command"]
    until = CLOCK.monotonic_seconds() + WARM_SECONDS
    for number in itertools.count():
        asked = json.dumps(asked_about_orders(machine, f"warm-{number}")).encode()
        done = subprocess.run(
            ["sh", "-c", command],
            input=asked,
            stdout=subprocess.PIPE,
            check=True,
            timeout=WARM_SECONDS,
            cwd=machine.sandbox.project,
            env={**machine.sandbox.environment(), **machine.variables},
        )
        if b"ToolOutput" in done.stdout:
            return
        assert CLOCK.monotonic_seconds() < until
        CLOCK.sleep(0.1)


def asked_about_orders(machine: Machine, session: str) -> JsonObject:
    """What a client asks after the call of a server's tool, of a session that nobody has."""
    return {
        "session_id": session,
        "transcript_path": str(machine.sandbox.transcripts / "p" / f"{session}.jsonl"),
        "cwd": str(machine.sandbox.project),
        "hook_event_name": "PostToolUse",
        "tool_name": SHOP,
        "tool_use_id": "toolu_1",
        "tool_input": {"count": ORDERS},
        "tool_response": [{"type": "text", "text": orders(ORDERS)}],
    }


def scripts(release: Release, sandbox: Sandbox) -> Scripts:
    log, cart = (str(sandbox.project / name) for name in ("worker.log", "src/cart.py"))
    find = () if release is OLD else (tool_use("ToolSearch", query=f"select:{SHOP}"),)
    calls = [
        tool_use("Bash", command="orders", description="List orders"),
        tool_use("Read", file_path=log),
        tool_use("Grep", pattern="def price", path=str(sandbox.project), output_mode="content"),
        *find,
        tool_use(SHOP, count=ORDERS),
        tool_use("Bash", command="pytest -v", description="Run the tests"),
        tool_use("Read", file_path=cart),
        tool_use("Edit", file_path=cart, old_string="cents * 107 //", new_string="cents * 108 //"),
        tool_use("Edit", file_path=log, old_string=FAULT, new_string="(mended)\n"),
        tool_use("Bash", command=f"tokens recall {TESTS}", description="All of the test run"),
    ]
    return {"work": [*(Step((call,)) for call in calls), DONE], "more": [DONE]}


SHOP = "mcp__shop__list_orders"


def _session(result: JsonObject, client: ClaudeClient) -> Session:
    requests = main_requests(client.api.exchanges())
    last = requests[-1].body["messages"]
    blocks = [b for one in last if isinstance(one["content"], list) for b in one["content"]]
    calls = {b["id"]: b for b in blocks if b["type"] == "tool_use"}
    answers = [
        b
        for b in blocks
        if b["type"] == "tool_result" and calls[b["tool_use_id"]]["name"] != "ToolSearch"
    ]
    sizes = [len(json.dumps(one.body)) for one in requests]
    said = json.dumps(last, ensure_ascii=False)
    return Session(result, sizes, dict(zip(CALLS, answers, strict=True)), said)


def _text(content: str | list[JsonObject]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content)


@MODERN
def test_less_is_sent_edits_succeed_and_the_original_comes_back(
    release: Release,
    model: str,
    has_daemon: bool,
    sandbox: Sandbox,
    trim_account: dict[str, str],
) -> None:
    plain_box = project_sandbox(sandbox.root.parent / "raw")  # a path as long as the other one
    with a_session(release, model, plain_box, has_daemon, "[trim]\non = false\n") as (plain, _, _):
        assert "[~" not in plain.beside
    with a_session(release, model, sandbox, has_daemon) as (session, machine, client):
        assert session.result["is_error"] is False
        assert_shortened(session, plain, has_daemon)
        assert_edits_succeeded(session, machine)
        assert TEST_RUN.strip() in session.said("recall")
        original = sandbox.root / "original"
        machine.tokens("recall", TESTS, "--output", str(original))
        assert original.read_bytes() == TEST_RUN.encode()
        assert_transcript_is_valid(client, session, model)

    how = "daemon" if has_daemon else "in process"
    trim_account[f"{release.name}, {model}, {how}"] = account(plain, session)
    most = 0.8 if has_daemon else 1
    assert session.before_recall_bytes[-1] < most * plain.before_recall_bytes[-1]


def account(plain: Session, trimmed: Session) -> str:
    """What was sent until the recall, in one line."""
    parts = [
        f"{name} {sum(one.before_recall_bytes):,} bytes in {len(one.before_recall_bytes)} requests,"
        f" the last {one.before_recall_bytes[-1]:,}"
        for name, one in (("as it was", plain), ("shortened", trimmed))
    ]
    share = 1 - sum(trimmed.before_recall_bytes) / sum(plain.before_recall_bytes)
    return f"{'; '.join(parts)}: {share:.0%} less"


def assert_shortened(session: Session, plain: Session, has_daemon: bool) -> None:
    short = [name for name in CALLS if len(session.said(name)) < 0.8 * len(plain.said(name))]
    # Where no daemon holds the vocabulary, a hook that takes too long lets a result through.
    assert set(short) >= ({"orders", "log", "mcp", "tests"} if has_daemon else {"tests"})
    assert FAULT.strip() in session.beside
    tests = session.results["tests"]
    assert tests["is_error"] is True
    assert session.said("tests").startswith("Exit code 1")
    assert all(words in session.said("tests") for words in FAILURE)
    assert f"tokens recall {TESTS}" in session.said("tests")
    rows = json.loads(orders(ORDERS))
    assert str(rows[-1]["id"]) in session.said("orders")
    assert all(line in session.said("cart") for line in CART.splitlines())
    finds = [line for line in CART.splitlines() if "def price" in line]
    assert all(line in session.said("grep") for line in finds)


def assert_edits_succeeded(session: Session, machine: Machine) -> None:
    for name in ("edit cart", "edit log"):
        assert not session.results[name].get("is_error"), session.said(name)
    project = machine.sandbox.project
    assert "cents * 108 //" in (project / "src" / "cart.py").read_text()
    log = (project / "worker.log").read_text()
    assert FAULT not in log
    assert "(mended)" in log


def assert_transcript_is_valid(client: ClaudeClient, session: Session, model: str) -> None:
    """Each line is JSON, each call has its result, and the client goes on from it."""
    [path] = [
        path for path in client.sandbox.transcripts.rglob("*.jsonl") if "subagents" not in str(path)
    ]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    contents = [line["message"]["content"] for line in lines if "message" in line]
    blocks = [block for one in contents if isinstance(one, list) for block in one]
    asked = {block["id"] for block in blocks if block["type"] == "tool_use"}
    answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
    assert asked == answered
    again = client.run(
        "SCRIPT:more", f"--model={model}", f"--resume={session.result['session_id']}"
    )
    assert (again["is_error"], again["result"]) == (False, "Done.")


def test_of_the_oldest_client_only_servers_are_shortened(
    old_client: Release, sandbox: Sandbox, trim_account: dict[str, str]
) -> None:
    with a_session(old_client, SONNET, sandbox, True) as (session, machine, _):
        assert len(session.said("mcp")) < 0.8 * len(orders(ORDERS))
        assert session.said("orders") == orders(ORDERS)
        assert_edits_succeeded(session, machine)
    trim_account[old_client.name] = (
        f"of an MCP result {len(orders(ORDERS)):,} characters became {len(session.said('mcp')):,}"
    )
