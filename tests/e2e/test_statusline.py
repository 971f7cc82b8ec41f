"""The status line in a real client: started by it, shown by it, and refreshed behind its back."""

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.claude_client import SUBSCRIPTION, ClaudeClient, Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.interactive_client import Terminal, answer_every_question, in_a_terminal
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, text
from tests.e2e.test_claude_code_usage import OPUS
from tests.e2e.tokens_cli import tokens_json

from tokenbudget.gateway.statusline_files import statusline_command
from tokenbudget.gateway.statusline_reports import take_spool, window_size_of
from tokenbudget.system.clock import SystemClock

pytestmark = pytest.mark.e2e

WINDOW_TOKENS = 1_000_000
BEFORE = re.compile(r"opus-5-5 +\?% of 1M +\$0\.00")
AFTER = re.compile(r"opus-5-5 +● healthy +▕.*▏ +1% of 1M .*\$0\.0[1-9]")
REFRESHED = re.compile(r"opus-5-5 +● healthy +▕.*▏ +1% of 1M +[\d.]+K?/min .*\$0\.0[1-9]")


def test_the_client_starts_it_shows_it_and_gets_what_the_refresh_found(
    newest_client: Release, sandbox: Sandbox
) -> None:
    scripts = {"hello": [Step((text("Hello there."),))]}
    with session(newest_client, sandbox, scripts) as (terminal, _):
        terminal.wait_for("line before a prompt", lambda: shows(terminal, BEFORE))
        [entry, *_] = take_spool(str(tokens_home(sandbox))).entries
        assert (entry.model, entry.version) == ("claude-opus-5-5", newest_client.version)
        assert window_size_of(entry) == WINDOW_TOKENS

        terminal.say("SCRIPT:hello")
        terminal.wait_for("line with usage", lambda: shows(terminal, AFTER))
        terminal.wait_for("snapshot", lambda: bool(snapshots(sandbox)))
        terminal.say("SCRIPT:hello")
        terminal.wait_for("burn rate in the line", lambda: shows(terminal, REFRESHED))

        [transcript] = sandbox.transcripts.rglob("*.jsonl")
        [snapshot] = snapshots(sandbox)
        assert snapshot["session"] == entry.session == transcript.stem
        assert snapshot["window_tokens"] == WINDOW_TOKENS
        assert snapshot["burn_tokens_per_minute"] > 0
        assert float(snapshot["cost_usd"]) > 0
        assert snapshot["cache"] == "warm"
        assert snapshot["cache_hit_share"] == pytest.approx(0.9, abs=0.01)
    assert tokens_json(sandbox, "budget")["window_origin"] == "reported"


def test_a_subscriptions_limits_arrive_in_the_line_and_in_the_budget(
    newest_client: Release, sandbox: Sandbox
) -> None:
    now = SystemClock().now_ms() // 1000
    headers = {
        "anthropic-ratelimit-unified-status": "allowed",
        "anthropic-ratelimit-unified-5h-utilization": "0.42",
        "anthropic-ratelimit-unified-5h-reset": str(now + 7200),
        "anthropic-ratelimit-unified-7d-utilization": "0.17",
        "anthropic-ratelimit-unified-7d-reset": str(now + 400_000),
    }
    scripts = {"hello": [Step((text("Hello there."),), headers=headers)]}
    with session(newest_client, sandbox, scripts, is_subscriber=True) as (terminal, client):
        terminal.wait_for("line before a prompt", lambda: shows(terminal, BEFORE))
        terminal.say("SCRIPT:hello")
        limits = re.compile(r"5h 42% .*7d 17%")
        terminal.wait_for("limits in the line", lambda: shows(terminal, limits))
        assert [each.kind for each in client.api.exchanges()], "nothing else can have answered"
    budget = tokens_json(sandbox, "budget")
    assert budget["limits"]["five_hour"]["used_share"] == 0.42
    assert budget["limits"]["seven_day"]["used_share"] == 0.17


@contextlib.contextmanager
def session(
    release: Release, sandbox: Sandbox, scripts: Scripts, is_subscriber: bool = False
) -> Iterator[tuple[Terminal, ClaudeClient]]:
    """A client in a terminal whose settings wire the line in, drawn anew every second."""
    answer_every_question(sandbox, release.version)
    command = statusline_command(sys.executable, str(tokens_home(sandbox)))
    wired = {"type": "command", "command": command, "refreshInterval": 1}
    settings = json.dumps({"statusLine": wired})
    (sandbox.config / "settings.json").write_text(settings, encoding="utf-8")
    with serving(scripts, sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)
        if is_subscriber:
            client = ClaudeClient(release, sandbox, api, SUBSCRIPTION)
        with in_a_terminal(client, OPUS) as terminal:
            yield terminal, client


def shows(terminal: Terminal, line: re.Pattern[str]) -> bool:
    """Whether the line is on the screen, however the client places its parts."""
    return line.search(" ".join(terminal.screen().split())) is not None


def tokens_home(sandbox: Sandbox) -> Path:
    """Where `tokens_json` has its data, too."""
    return sandbox.root / "tokens"


def snapshots(sandbox: Sandbox) -> list[JsonObject]:
    """Every snapshot that was written so far."""
    paths = (tokens_home(sandbox) / "statusline").glob("*.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
