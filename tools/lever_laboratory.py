"""Where levers are pulled: a project for every measurement, a real client, a fake API, offline.

Every experiment runs twice, once with nothing pulled, and what comes back are the requests of both.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the helpers of the end-to-end tests

from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.cluttered_project import Clutter, clutter_up
from tests.e2e.conversation import RequestKind
from tests.e2e.conversing_client import conversing
from tests.e2e.gateway_bed import Bed
from tests.e2e.install_clients import Release
from tests.e2e.installed import Machine
from tests.e2e.offline_api import OfflineApi, serving
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, Usage, text, tool_use
from tests.e2e.trim_project import furnish

from levers import Change, nothing
from tokenbudget.metering.tokenizer import BytePairCounter

WATCHER_SECONDS = 1.6
"""After so long a running client has seen that a settings file changed."""
CONNECT_SECONDS = 1.0
"""After so long the client has heard from every MCP server, and tells of them in its next request:
a lever that is pulled before would seem to take away what was never said."""
PARTS = ("system", "tools", "messages")
BILLING = "x-anthropic-billing-header:"
SAME_TOP = "/home/somebody/"
NUMBERED = re.compile(r"\d{4}/")
FULL_TOKENS = 130_000
"""What the window is reported to hold before the history's lever is pulled: more than the smallest
setting allows (67,000), less than where every client compacts by itself."""
SMALL = Usage(1_000, 100)
FILLING = 4
LONG_FILE = "worker.log"
"""What the product shortens when it is read, and more so in the terse mode."""


class Sent(NamedTuple):
    """One request: its size, and that of what the cache holds of it first."""

    size_bytes: int
    tokens: int
    system_bytes: int
    tools_bytes: int


class Running(NamedTuple):
    """The requests of one session: before a lever, after it, and after a compaction as well."""

    first: Sent
    next: Sent
    compacted: Sent
    rewrites: str = ""
    """From where on the second is not what the first was."""
    compactions: int = 0
    """Between the first and the second."""


class Combination(NamedTuple):
    """What decides about a request besides the project."""

    release: Release
    model: str
    search: str
    """`true` or `false`; '' where the release knows no tool search."""

    @property
    def variables(self) -> dict[str, str]:
        """The environment that asks for it."""
        return {"ENABLE_TOOL_SEARCH": self.search or "false"}

    @property
    def option(self) -> str:
        """The client's option for the model."""
        return f"--model={self.model}"


class Place(NamedTuple):
    """A sandbox in which something is measured."""

    clutter: Clutter
    variables: Mapping[str, str]


class Laboratory:
    """Makes a project for every measurement, each under a path of the same length."""

    def __init__(self, top: Path) -> None:
        self._top = top
        self._made = 0
        self._counter = BytePairCounter()

    # ── places ─────────────────────────────────────────────────────────────────────────────────

    def place(self) -> Place:
        """A new sandbox with the clutter in it."""
        sandbox = self._sandbox()
        return Place(clutter_up(sandbox.project, sandbox.config), {})

    def with_program(self, about: Combination) -> Place:
        """The same, with the client where a person has it, for what asks it to change its own."""
        place = self.place()
        sandbox = Sandbox(place.clutter.config.parent)
        with self.served({}) as served:
            Bed(about.release, sandbox, served.api, about.model)
        return place

    def hooked(self, release: Release) -> Place:
        """A new sandbox with our hooks wired, and tools that say much."""
        machine = Machine.create(self._sandbox())
        furnish(machine)
        sandbox = machine.sandbox
        (sandbox.project / ".claude").mkdir()
        sandbox.config.joinpath("settings.json").write_text('{"cleanupPeriodDays": 3650}')
        machine.install(release.version, "--only=hooks")
        return Place(Clutter(sandbox.project, sandbox.config), machine.variables)

    def _sandbox(self) -> Sandbox:
        self._made += 1
        return Sandbox.create(self._top / f"{self._made:04d}")

    # ── experiments ────────────────────────────────────────────────────────────────────────────

    def first_request(self, place: Place, about: Combination) -> Sent:
        """The first request of a session that is started here now."""
        with self.served({}) as served:
            variables = {**about.variables, **place.variables}
            served.client(place, about).run("hello", about.option, variables=variables)
            return self._weighed(served.bodies()[0])

    def running(
        self,
        place: Place,
        about: Combination,
        pull: Change = nothing,
        said: Sequence[str] = ("hello", "and hello", "hello again"),
        scripts: Scripts | None = None,
    ) -> Running:
        """A session in which a lever is pulled when all that is in every request has been sent."""
        variables = {**about.variables, **place.variables}
        first_words, second_words, after = said
        with self.served(scripts or {}) as served:
            client = served.client(place, about)
            with conversing(client, about.option, variables=variables) as session:
                session.say(first_words)
                time.sleep(CONNECT_SECONDS)
                session.say(second_words)
                first, known = len(served.bodies()), served.compactions()
                pull(place.clutter)
                time.sleep(WATCHER_SECONDS)
                session.say(after)
                second, compactions = len(served.bodies()), served.compactions() - known
                session.say("/compact")
                session.say("hello at last")
                bodies = served.bodies()
        last, now = bodies[first - 1], bodies[second - 1]
        first_sent, next_sent, last_sent = map(self._weighed, (last, now, bodies[-1]))
        lost = first_difference(last, now)
        return Running(first_sent, next_sent, last_sent, lost, compactions)

    def filled(self, place: Place, about: Combination, pull: Change = nothing) -> Running:
        """The same of a session whose window is rather full when the lever is pulled."""
        words = ("hello", "SCRIPT:fill", "hello again")
        return self.running(place, about, pull, words, {"fill": filling()})

    def looking(self, place: Place, about: Combination, pull: Change = nothing) -> Running:
        """The same of a session that reads much after the lever was pulled."""
        words = ("hello", "and hello", "SCRIPT:look")
        return self.running(place, about, pull, words, {"look": looking(place.clutter.project)})

    def read_of(self, place: Place, about: Combination, name: str) -> str:
        """What the model hears when it reads a file of the project."""
        path = str(place.clutter.project / name)
        script: Scripts = {
            "read": [Step((tool_use("Read", file_path=path),)), Step((text("Read."),))]
        }
        with self.served(script) as served:
            served.client(place, about).run("SCRIPT:read", about.option)
            last = served.bodies()[-1]["messages"]
        return next(
            json.dumps(block["content"])
            for message in last
            for block in message["content"]
            if isinstance(block, dict) and block.get("type") == "tool_result"
        )

    def served(self, scripts: Scripts) -> Served:
        """A fake API with these scripts, for one experiment."""
        self._made += 1
        return Served(scripts, self._top / f"api{self._made:04d}")

    def _weighed(self, body: JsonObject) -> Sent:
        """A request, measured. What differs from session to session is left out of the tokens."""
        whole = json.dumps(body)
        sizes = {name: len(json.dumps(body.get(name, []))) for name in PARTS}
        words = json.dumps(said_in(body), ensure_ascii=False).replace(f"{self._top}/", SAME_TOP)
        tokens = self._counter.count(NUMBERED.sub("0000/", words))
        return Sent(len(whole), tokens, sizes["system"], sizes["tools"])


class Served:
    """A fake API, and clients for it; a context manager."""

    def __init__(self, scripts: Scripts, folder: Path) -> None:
        self._serving = serving(scripts, folder)
        self.api: OfflineApi

    def __enter__(self) -> Served:
        self.api = self._serving.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._serving.__exit__(None, None, None)

    def client(self, place: Place, about: Combination) -> ClaudeClient:
        """The client of a place."""
        return ClaudeClient(about.release, Sandbox(place.clutter.config.parent), self.api)

    def main(self) -> list[Exchange]:
        """The requests of the conversation so far."""
        return self._of(RequestKind.MAIN)

    def bodies(self) -> list[JsonObject]:
        """What they said."""
        return [each.body for each in self.main()]

    def compactions(self) -> int:
        """How often a summary was asked for."""
        return len(self._of(RequestKind.COMPACTION))

    def _of(self, kind: RequestKind) -> list[Exchange]:
        return [each for each in self.api.exchanges() if each.kind is kind]


def filling() -> list[Step]:
    """Steps of one turn after which the window is said to be rather full."""
    count = tool_use("Bash", command="seq 1 4000", description="Count")
    steps = [Step((count,), usage=SMALL) for _ in range(FILLING)]
    full = Usage(1_000, 100, cache_read_tokens=FULL_TOKENS - 1_000)
    return [*steps, Step((text("Counted."),), usage=full)]


def looking(project: Path) -> list[Step]:
    """Steps that read a long file."""
    read = tool_use("Read", file_path=str(project / LONG_FILE))
    return [Step((read,)), Step((text("Seen."),))]


def said_in(body: JsonObject) -> JsonObject:
    """What the model reads of a request, without what differs from session to session."""
    said = {name: body.get(name, []) for name in PARTS}
    if isinstance(said["system"], list):
        said["system"] = [part for part in said["system"] if BILLING not in str(part)]
    return said


def first_difference(last: JsonObject, now: JsonObject) -> str:
    """The part in which a request stops being what the one before it was; '' where it goes on."""
    old, new = _unmarked(said_in(last)), _unmarked(said_in(now))
    if old["tools"] != new["tools"]:
        return "tools"
    if old["system"] != new["system"]:
        return "system"
    is_longer = new["messages"][: len(old["messages"])] == old["messages"]
    return "" if is_longer else "messages"


def _unmarked(value: Any) -> Any:
    """Without the marks for the cache, which move on from request to request, and in one shape."""
    if isinstance(value, dict):
        plain = {key: _unmarked(one) for key, one in value.items() if key != "cache_control"}
        if isinstance(plain.get("content"), str):
            plain["content"] = [{"type": "text", "text": plain["content"]}]
        return plain
    return [_unmarked(one) for one in value] if isinstance(value, list) else value


Experiment = Callable[[Place, Combination, Change], Running]
