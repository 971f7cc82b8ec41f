"""What `tokens compact` frees of a cluttered project, as the real client's requests show.

Sessions make the evidence; then one session's first request is compared with that of a session
after the cleanup, and with one after it was taken back. The sizes are those of the bodies that the
client really sent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.cluttered_project import SERVERS, Clutter, add_old_sessions, clutter_up
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import Release
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Script, Step, text, tool_use
from tests.e2e.test_claude_code_usage import OPUS, SONNET
from tests.e2e.test_context import bytes_sent
from tests.e2e.tokens_cli import tokens_json

from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.system.clock import SystemClock

pytestmark = pytest.mark.e2e

SESSIONS = 6
OLD_SESSIONS = 5
LEAST_FREED_TOKENS = 10_000
DATE_BYTES = 64
"""By so much requests of two sessions may differ: ids, and the date."""
DEFAULT, OFF = "", "false"
READ = ("notes.txt", "README.md", "src/app.py", ".mcp.json")
TIMEOUT_SECONDS = 120


class Sent(NamedTuple):
    """The first request of a session."""

    size_bytes: int
    tokens: int
    """By our vocabulary, of everything that the model reads."""
    reported_tokens: int
    """What the API billed for it."""
    rebuilt_bytes: int
    """The same request as `tokens context` rebuilds it from the transcript, to the byte."""


class Stage:
    """A cluttered project with a client that has worked in it."""

    def __init__(self, client: ClaudeClient, model: str, search: str) -> None:
        self.client, self.model, self.search = client, model, search
        self.sandbox = client.sandbox
        self.clutter: Clutter = clutter_up(self.sandbox.project, self.sandbox.config)
        self._counter = BytePairCounter()

    def work(self, prompt: str) -> None:
        self.client.run(prompt, self.model, variables={"ENABLE_TOOL_SEARCH": self.search})

    def first_request(self) -> Sent:
        """Of a session that begins now."""
        known = len(self.client.api.exchanges())
        self.work("hello")
        [exchange] = self.client.api.exchanges()[known:]
        assert exchange.kind is RequestKind.MAIN
        assert exchange.response is not None
        body, bill = exchange.body, exchange.response.bill
        said = {name: body.get(name) for name in ("system", "tools", "messages")}
        record = tokens_json(self.sandbox, "context")["record"]
        sent, frame = bytes_sent(exchange, self.sandbox)
        assert record["is_proven"]
        assert record["size_bytes"] == sum(sent.values()) + frame
        written = bill.cache_write_5m_tokens + bill.cache_write_1h_tokens
        return Sent(
            len(json.dumps(body)),
            self._counter.count(json.dumps(said, ensure_ascii=False)),
            bill.input_tokens + written + bill.cache_read_tokens,
            record["size_bytes"],
        )

    def tokens(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`tokens …` as a person runs it in the project."""
        own_data = {"TOKENS_HOME": str(self.sandbox.root / "tokens")}
        return subprocess.run(
            [sys.executable, "-m", "tokenbudget", *words],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=self.sandbox.project,
            env={**self.sandbox.environment(), **own_data},
        )

    def tree(self) -> dict[str, tuple[str, int]]:
        """Every file of the project and every old transcript: the hash of its bytes, its mode.

        What the archive keeps of a session stays when its originals come back: a copy more.
        """
        tops = (self.sandbox.project, self.sandbox.transcripts)
        paths = [path for top in tops for path in sorted(top.rglob("*")) if path.is_file()]
        kept = self.sandbox.project / ".claude" / "sessions"
        return {
            str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
            for path in paths
            if kept not in path.parents
        }


@contextlib.contextmanager
def staged(release: Release, sandbox: Sandbox, model: str, search: str) -> Iterator[Stage]:
    scripts = {"work": reading(sandbox)}
    with serving(scripts, sandbox.root / "api") as api:
        stage = Stage(ClaudeClient(release, sandbox, api), model, search)
        for _ in range(SESSIONS):
            stage.work("SCRIPT:work")
        now_seconds = SystemClock().now_ms() // 1000
        add_old_sessions(stage.clutter, OLD_SESSIONS, now_seconds)
        yield stage


def reading(sandbox: Sandbox) -> Script:
    """Steps that use tools, and nothing of the clutter."""
    read = [tool_use("Read", file_path=str(sandbox.project / name)) for name in READ]
    count = tool_use("Bash", command="wc -l notes.txt", description="Count lines")
    return [*(Step((one,)) for one in read), Step((count,)), Step((text("Done."),))]


@pytest.mark.parametrize(("model", "search"), [(OPUS, DEFAULT), (OPUS, OFF), (SONNET, DEFAULT)])
def test_a_cleanup_frees_what_it_says_and_is_taken_back_to_the_byte(
    newest_client: Release, sandbox: Sandbox, model: str, search: str
) -> None:
    with staged(newest_client, sandbox, model, search) as stage:
        before = stage.first_request()
        was = stage.tree()

        looked = stage.tokens("compact", "--dry-run")
        assert (looked.returncode, stage.tree()) == (0, was), looked.stderr
        assert stage.tokens("compact").returncode == 4, "nobody can be asked here"
        assert stage.tree() == was

        done = stage.tokens("compact", "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        plan = json.loads(done.stdout)
        print(looked.stdout)
        assert stage.tree() != was
        assert plan["receipt"]["faults"] == []
        assert_settings_can_be_read(sandbox.project)

        after = stage.first_request()
        measured = json.loads(stage.tokens("compact", "--measure", "--json").stdout)
        print(stage.tokens("compact", "--measure").stdout)

        undone = stage.tokens("undo", "--yes")
        assert undone.returncode == 0, undone.stdout + undone.stderr
        now = stage.tree()
        new = {path for path in now if path not in was}
        assert all(path.endswith(".jsonl") for path in new), "only the session in between is new"
        assert {path: facts for path, facts in now.items() if path in was} == was
        again = stage.first_request()

    show(model, search, before, after, again, plan, measured)
    assert before.tokens - after.tokens >= LEAST_FREED_TOKENS
    assert abs(again.size_bytes - before.size_bytes) <= DATE_BYTES
    assert_predicted(plan, before, after)
    proof = measured["last_action"]
    assert proof["first_request_after_tokens"] == after.reported_tokens
    assert proof["predicted_freed_tokens"] == plan["totals"]["freed_tokens"]


def assert_settings_can_be_read(project: Path) -> None:
    settings = json.loads((project / ".claude" / "settings.local.json").read_text())
    assert sorted(settings["disabledMcpjsonServers"]) == sorted(SERVERS)


def assert_predicted(plan: JsonObject, before: Sent, after: Sent) -> None:
    """What was predicted holds within its own error, in the tokens that the API reports."""
    freed = before.reported_tokens - after.reported_tokens
    predicted, error = (plan["totals"][f"freed_tokens{part}"] for part in ("", "_error"))
    assert abs(predicted - freed) <= error, f"predicted {predicted} ± {error}, measured {freed}"


def show(
    model: str, search: str, before: Sent, after: Sent, again: Sent, plan: JsonObject,
    measured: JsonObject,
) -> None:  # fmt: skip
    totals = plan["totals"]
    print(f"\n{model}, tool search {search or 'as the client has it'}")
    print(f"  {'':18}{'before':>10}{'after':>10}{'freed':>10}{'undone':>10}")
    for field in Sent._fields:
        was, now, then = (getattr(sent, field) for sent in (before, after, again))
        print(f"  {field:18}{was:>10,}{now:>10,}{was - now:>10,}{then:>10,}")
    print(f"  predicted {totals['freed_tokens']:,} ± {totals['freed_tokens_error']:,} tokens")
    print(f"  measured by tokens compact --measure: {measured['last_action']}")
