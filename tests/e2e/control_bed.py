"""A session that fills its window with real results in a cluttered project, and what was sent.

The script is the same whatever is done about it: one long turn in which source after source is
read, with a command between them that waits until it is let go, so that something outside may look
and act. The fake API bills a quarter of the bytes and refuses what is larger than the window; what
a compaction or an unloaded server frees is counted in bytes that were really sent.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.e2e.claude_client import ClaudeClient, ClientError, Sandbox
from tests.e2e.cluttered_project import DAY_SECONDS, Clutter, clutter_up
from tests.e2e.control_script import PARTS, WORKED_ON, part_of, scripts, source
from tests.e2e.conversation import RequestKind
from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import Release
from tests.e2e.installed import Machine
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject

from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()
WINDOW_TOKENS, RESERVE_TOKENS = 200_000, 33_000
USABLE_TOKENS = WINDOW_TOKENS - RESERVE_TOKENS
VARIABLES = {"CLAUDE_CODE_DISABLE_1M_CONTEXT": "1", "DISABLE_MICROCOMPACT": "1"}
"""The window of every model is the small one: the large one would be five times the waiting."""
BYTES_PER_TOKEN = 4
_MEMORY = re.compile(r"Codebase and user instructions are shown below.*?</system-reminder>")
"""Memory files and rules, as the client tells them: after a compaction even within a result."""
PAST_SESSIONS = 6
GATE_SECONDS = 60
_GATE = """\
#!/bin/sh
touch '{folder}/'"$1.waits"
for left in $(seq {tries}); do [ -e '{folder}/'"$1.open" ] && break; sleep 0.05; done
echo "step $1 is checked"
"""


class Sent(NamedTuple):
    """One answered request: of the conversation, or for a summary of it."""

    kind: RequestKind
    response: str
    at_ms: float
    """By a clock that only goes forward."""
    size_bytes: int
    prompt_tokens: int
    """As billed."""
    output_tokens: int
    memory_bytes: int
    """Of what the project's memory files and rules say in it."""
    servers: int
    """Tools of MCP servers that are sent whole."""

    @property
    def used_tokens(self) -> int:
        """What stands in the window once it is answered."""
        return self.prompt_tokens + self.output_tokens

    @property
    def share(self) -> float:
        """Of the usable window."""
        return self.used_tokens / USABLE_TOKENS


class Bed:
    """A machine, a cluttered project, and a session that is talking in it."""

    def __init__(self, client: ClaudeClient, machine: Machine, session: Conversation) -> None:
        self.client, self.machine, self._session = client, machine, session
        self._edited = self.read = 0
        self._sent: dict[str, Sent | None] = {}

    @property
    def project(self) -> Path:
        """Where it works."""
        return self.machine.sandbox.project

    def say(self, words: str) -> JsonObject:
        """One turn of the person; the client's result."""
        return self._session.say(words)

    def edit(self) -> bool:
        """Edit what the session works on; whether the file shows it."""
        self.say(f"SCRIPT:edit-{self._edited}")
        is_done = f"edited {self._edited + 1}" in (self.project / WORKED_ON).read_text("utf-8")
        self._edited += is_done
        return is_done

    def read_on(self) -> None:
        """A turn in which one more source is read."""
        self.say(f"SCRIPT:read-{self.read}")
        self.read += 1

    def work(self, between: Callable[[], None]) -> None:
        """One long turn; `between` is called after each step, while the agent waits for it.

        It ends early where the conversation is compacted, for its prompt is gone then.
        """
        turn = threading.Thread(target=self.say, args=(f"SCRIPT:work-{self.read}",), daemon=True)
        turn.start()
        gates = gates_of(self.machine)
        until = CLOCK.monotonic_seconds() + GATE_SECONDS
        while turn.is_alive():
            if CLOCK.monotonic_seconds() > until:
                raise ClientError(f"nothing came after step {self.read}")
            if not (gates / f"{self.read}.waits").exists():
                turn.join(0.05)
                continue
            between()
            (gates / f"{self.read}.open").touch()
            self.read, until = self.read + 1, CLOCK.monotonic_seconds() + GATE_SECONDS

    def sent(self) -> list[Sent]:
        """Every answered request of the conversation, and for a summary, in their order."""
        for path in sorted((self.machine.sandbox.root / "api" / "records").glob("*.json")):
            if path.name not in self._sent:
                self._sent[path.name] = sent_of(json.loads(path.read_bytes()))
        return [one for one in self._sent.values() if one is not None]


def sent_of(record: JsonObject) -> Sent | None:
    """A record of the fake API; None for what is no part of the conversation, or was refused."""
    if record.get("kind") not in (RequestKind.MAIN, RequestKind.COMPACTION):
        return None
    if "billed" not in record:
        return None
    billed, body = record["billed"], record["body"]
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    prompt = sum(billed["usage"][name] for name in parts)
    return Sent(
        kind=RequestKind(record["kind"]),
        response=billed["id"],
        at_ms=record["at_ms"],
        size_bytes=len(json.dumps(body)),
        prompt_tokens=prompt,
        output_tokens=billed["usage"]["output_tokens"],
        memory_bytes=sum(len(told) for told in _MEMORY.findall(json.dumps(body["messages"]))),
        servers=sum(tool["name"].startswith("mcp__") for tool in body.get("tools", ())),
    )


def gates_of(machine: Machine) -> Path:
    """Where steps of a long turn say that they wait, and are let go."""
    return machine.sandbox.root / "gates"


def unfreed_share(sent: Sequence[Sent]) -> float:
    """How full the usable window would be, had nothing ever left it."""
    used = [one.used_tokens for one in sent if one.kind is RequestKind.MAIN]
    grown = sum(max(0, now - was) for was, now in itertools.pairwise(used))
    return (used[0] + grown) / USABLE_TOKENS


@contextlib.contextmanager
def bed(
    release: Release,
    model: str,
    sandbox: Sandbox,
    config: str,
    past_requests: int,
    variables: Mapping[str, str],
) -> Iterator[Bed]:
    """A session of this client and model, on a machine where tokens is installed.

    Args:
        release: The client.
        model: The one that it asks.
        sandbox: All that it may touch.
        config: Goes into the machine's config.toml.
        past_requests: Of each of this person's past sessions: as many are expected of this one.
        variables: Further ones of the client's environment.
    """
    machine = Machine.create(sandbox)
    toml = machine.home / "config.toml"
    windows = f'[windows]\n"{model}" = {WINDOW_TOKENS}\n'
    toml.write_text(f"{toml.read_text()}{windows}{config}", encoding="utf-8")
    furnish(machine)
    clutter = clutter_up(sandbox.project, sandbox.config)
    add_sources(clutter)
    add_past_sessions(clutter, release, model, past_requests)
    machine.install(release.version)
    told = {**machine.variables, **VARIABLES, **variables}
    with serving(scripts(sandbox.project), sandbox.root / "api", WINDOW_TOKENS) as api:
        client = ClaudeClient(release, sandbox, api)
        with conversing(client, f"--model={model}", variables=told) as session:
            yield Bed(client, machine, session)


def furnish(machine: Machine) -> None:
    """The command that waits."""
    folder = gates_of(machine)
    folder.mkdir()
    gate = machine.program.parent / "check-step"
    tries = GATE_SECONDS * 20  # where a test ended before it, nobody lets it go
    gate.write_text(_GATE.format(folder=folder, tries=tries), encoding="utf-8")
    gate.chmod(0o755)


# ── what is there ────────────────────────────────────────────────────────────────────────────────


def add_sources(clutter: Clutter) -> None:
    """What there is to read, and the mark of the file that is edited."""
    app = clutter.project / WORKED_ON
    app.write_text(f"{app.read_text()}# edited 0\n", encoding="utf-8")
    for number in range(PARTS):
        (clutter.project / part_of(number)).write_text(source(number), encoding="utf-8")


def add_past_sessions(clutter: Clutter, release: Release, model: str, requests: int) -> None:
    """Sessions of the last days, which say how long a session of this person goes on."""
    folder = clutter.config / "projects" / clutter.slug
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(PAST_SESSIONS):
        session = f"0000000{number}-aaaa-4bbb-8ccc-00000000000{number}"
        at_seconds = CLOCK.now_ms() / 1000 - (number + 1) * DAY_SECONDS
        known: JsonObject = {
            "sessionId": session,
            "cwd": str(clutter.project),
            "version": release.version,
            "isSidechain": False,
        }
        lines = (
            json.dumps({**known, **_past_answer(session, turn, model, at_seconds + turn * 20)})
            for turn in range(requests)
        )
        (folder / f"{session}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _past_answer(session: str, turn: int, model: str, at_seconds: float) -> JsonObject:
    stamp = datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    usage = {
        "input_tokens": 12,
        "output_tokens": 40,
        "cache_creation_input_tokens": 600,
        "cache_read_input_tokens": 30_000 + 600 * turn,
    }
    message = {
        "id": f"msg_{session}_{turn}",
        "role": "assistant",
        "type": "message",
        "model": model,
        "stop_reason": "end_turn",
        "usage": usage,
        "content": [{"type": "text", "text": "Done."}],
    }
    line = {"type": "assistant", "uuid": f"{session}-{turn}", "timestamp": stamp}
    return {**line, "requestId": f"req_{session}_{turn}", "message": message}
