"""What `tokens skills --apply` changes is what the real client then leaves out; nothing else is.

For every release and model of the matrix: each setting that is offered makes the first request
smaller, by bytes, and what is known to do nothing is not offered. A project's skills, a command, an
agent and a plugin are unused in six sessions; a skill that CLAUDE.md names keeps its name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import MIDDLE, OLD, Release, program
from tests.e2e.matrix import EVERY, runnable
from tests.e2e.offline_api import OfflineApi, serving
from tests.e2e.scripted_answers import JsonObject
from tests.e2e.tokens_cli import tokens_json

from tokenbudget.system.clock import SystemClock

pytestmark = pytest.mark.e2e

DAY_SECONDS = 86_400
SESSIONS = 6
SAME_BYTES = 64
"""By so much requests of two sessions may differ: ids, and the date."""
ESCAPED = 1.05
"""What a line takes more as JSON."""
PLUGIN = "demo@market"
WORDS = "Helps with {}: use it when somebody asks for {} or wants an older one compared."
UNUSED = ("alpha-one", "beta-two", "gamma-three")
NAMED = "delta-four"
HAND = {
    "skillOverrides": {
        "alpha-one": "off",
        "beta-two": "user-invocable-only",
        "gamma-three": "name-only",
        "ship": "off",
        "demo:plug-one": "off",
        "plug-one": "off",
    },
    "permissions": {"deny": ["Agent(critic)", f"Skill({NAMED})"]},
}
"""Every value that may be offered, each for a thing of its own; and two that do nothing."""


class Bed:
    """A project with skills of every kind, and sessions that used none of them."""

    def __init__(self, release: Release, sandbox: Sandbox, api: OfflineApi, model: str) -> None:
        self.release, self.sandbox, self.model = release, sandbox, model
        self.client = ClaudeClient(release, sandbox, api)
        self.api = api
        own = sandbox.project / ".claude"
        for name in (*UNUSED, NAMED):
            put(own / f"skills/{name}/SKILL.md", matter(name) + "\nDo it well.\n")
        put(own / "commands/ship.md", matter("ship") + "\nShip.\n")
        put(own / "agents/critic.md", matter("critic") + "\nYou are.\n")
        put(sandbox.project / "CLAUDE.md", f"Before a migration use the `{NAMED}` skill.\n")
        self._market()
        for number in range(SESSIONS):
            self._session(number)

    @property
    def local(self) -> Path:
        return self.sandbox.project / ".claude" / "settings.local.json"

    def first_request(self) -> tuple[int, str]:
        """Bytes and words of what the model reads first in a session that begins now."""
        known = len(self.api.exchanges())
        self.client.run("hello", f"--model={self.model}")
        found = [one for one in self.api.exchanges()[known:] if one.kind is RequestKind.MAIN]
        body: JsonObject = found[0].body
        said = {name: body.get(name, []) for name in ("tools", "messages")}
        return len(json.dumps(said)), json.dumps(said)

    def _market(self) -> None:
        market = self.sandbox.root / "market"
        plugins = [{"name": "demo", "source": "./demo", "description": "d"}]
        listing = {"name": "market", "owner": {"name": "x"}, "plugins": plugins}
        put(market / ".claude-plugin/marketplace.json", json.dumps(listing))
        manifest = {"name": "demo", "version": "1.0.0", "description": "d"}
        put(market / "demo/.claude-plugin/plugin.json", json.dumps(manifest))
        put(market / "demo/skills/plug-one/SKILL.md", matter("plug-one") + "\nDo.\n")
        put(market / "demo/agents/plug-agent.md", matter("plug-agent") + "\nYou are.\n")
        if self.release in (OLD, MIDDLE):  # these load what was installed with their own command
            for words in (("marketplace", "add", str(market)), ("install", PLUGIN)):
                self._told("plugin", *words)
            for path in (self.sandbox.config / "plugins").rglob("*.md"):
                age(path)
            return
        source = {"source": {"source": "directory", "path": str(market)}}
        settings = {"extraKnownMarketplaces": {"market": source}, "enabledPlugins": {PLUGIN: True}}
        put(self.sandbox.config / "settings.json", json.dumps(settings))

    def _told(self, *words: str) -> None:
        node = [program("node") or "node"] if self.release.needs_node else []
        subprocess.run(
            [*node, str(self.release.path), *words],
            check=True,
            cwd=self.sandbox.project,
            env=self.sandbox.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )

    def _session(self, number: int) -> None:
        at = SystemClock().now_ms() / 1000 - (number + 1) * DAY_SECONDS
        stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        session = f"0000000{number}-aaaa-4bbb-8ccc-00000000000{number}"
        usage = {"input_tokens": 12, "output_tokens": 40, "cache_read_input_tokens": 20_000}
        message = {
            "id": f"msg_{number}",
            "role": "assistant",
            "type": "message",
            "model": self.model,
            "stop_reason": "end_turn",
            "usage": usage,
            "content": [{"type": "text", "text": "Done."}],
        }
        line = {
            "type": "assistant",
            "uuid": f"u{number}",
            "timestamp": stamp,
            "sessionId": session,
            "cwd": str(self.sandbox.project),
            "version": self.release.version,
            "isSidechain": False,
            "requestId": f"r{number}",
            "message": message,
        }
        slug = "".join(c if c.isalnum() else "-" for c in str(self.sandbox.project))
        put(self.sandbox.transcripts / slug / f"{session}.jsonl", json.dumps(line) + "\n")


def matter(name: str) -> str:
    return f"---\nname: {name}\ndescription: {WORDS.format(name, name)}\n---\n"


def put(path: Path, words: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words, encoding="utf-8")
    if path.suffix == ".md":
        age(path)


def age(path: Path) -> None:
    """What is new is not judged."""
    at = SystemClock().now_ms() / 1000 - 60 * DAY_SECONDS
    os.utime(path, (at, at))


def is_told(name: str, words: str) -> bool:
    """Whether there is a line or, in the oldest client, an entry of this name."""
    return re.search(rf"(?:- |<name>\\n){re.escape(name)}(?![\w-])", words) is not None


def is_described(name: str, words: str) -> bool:
    return WORDS.format(name, name)[:40] in words


@pytest.fixture
def bed(
    release: Release, model: str, install_outcomes: dict[str, str], tmp_path: Path, sandbox: Sandbox
) -> Iterator[Bed]:
    assert install_outcomes
    with serving({}, tmp_path / "api") as api:
        yield Bed(runnable(release), sandbox, api, model)


@EVERY
def test_what_is_applied_leaves_the_first_request_and_comes_back(bed: Bed) -> None:
    before, words = bed.first_request()
    is_old = bed.release is OLD
    for name in (*UNUSED, NAMED, "ship", "critic", "demo:plug-one", "demo:plug-agent"):
        assert is_told(name, words), name

    plan = tokens_json(bed.sandbox, "skills")
    own = [row for row in plan["rows"] if row["scope"] == "client" and row["is_chosen"]]
    assert bool(own) != is_old  # its listing stands in the transcript of the session before
    done = tokens_json(bed.sandbox, "skills", "--apply", "--yes")
    after, then = bed.first_request()
    undone = tokens_json(bed.sandbox, "undo", str(done["action"]), "--yes")

    assert done["is_done"]
    offered = {row["id"].partition("/")[0] for row in done["rows"]}
    assert offered == ({"plugins"} if is_old else {"skills", "agents", "plugins"})
    saved = before - after
    assert saved > SAME_BYTES, f"{saved} of {before:,} bytes"
    assert not is_told("demo:plug-one", then)
    assert not is_told("demo:plug-agent", then)
    for name in (*UNUSED, "ship", "critic"):
        assert is_told(name, then) == is_old, name
    for name in (NAMED, *(row["name"] for row in own)):
        assert is_told(name, then), name
    assert is_described(NAMED, then) == is_old
    # What leaves the lines is the most, for its room may go to others; JSON spells some characters
    # in several. (The oldest client tells an entry in more words than a line.)
    most = plan["totals"]["freed_bytes"]
    assert is_old or 0.7 * most <= saved <= ESCAPED * most + SAME_BYTES
    assert undone["format"].startswith("tokenbudget/undo/")
    assert not bed.local.exists()
    assert abs(bed.first_request()[0] - before) <= SAME_BYTES


@EVERY
def test_each_value_does_what_is_said_of_it_and_what_does_nothing_is_not_offered(bed: Bed) -> None:
    before, _ = bed.first_request()
    bed.local.write_text(json.dumps(HAND))
    after, words = bed.first_request()

    is_old = bed.release is OLD
    for name in ("alpha-one", "beta-two", "ship", "critic"):
        assert is_told(name, words) == is_old, name
    assert is_told("gamma-three", words)
    assert is_described("gamma-three", words) == is_old
    # Neither a rule against a skill nor an override of a plugin's does anything.
    assert is_told(NAMED, words)
    assert is_told("demo:plug-one", words)
    assert (before - after > SAME_BYTES) != is_old
    rows = {row["name"]: row for row in tokens_json(bed.sandbox, "skills")["rows"]}
    told = {"alpha-one": "off", "beta-two": "user-invocable-only", "gamma-three": "name-only"}
    for name, state in told.items():
        assert rows[name]["state"] == ("on" if is_old else state)
    assert rows["demo:plug-one"]["state"] == "on"
    assert rows[NAMED]["state"] == "on"
