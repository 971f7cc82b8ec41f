"""A project in which a session runs, looked at as the controller does; time passes when told to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tests.cli.conftest import NOON, Home
from tests.cli.window_sessions import BEGIN, HAIKU, Talk, words

from tokenbudget.app import Terminal, Workbench, open_workbench
from tokenbudget.app.control_signals import Memory, look
from tokenbudget.config.settings import settings_from
from tokenbudget.gateway.hooks.session_state import Held as HeldState
from tokenbudget.model.control import Held, Signals

SESSION = "s1"
NOON_MS = round(NOON.timestamp() * 1000)
MINUTE_MS, DAY_S = 60_000, 86_400
QUIET = Terminal(warn=lambda text: None, progress=lambda done, total: None)
USABLE = 167_000
"""Of the 200,000 tokens of `HAIKU`."""
SETTINGS = ".claude/settings.local.json"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def now_ms(self) -> int:
        """What a test set."""
        return self.ms

    def monotonic_seconds(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.ms += round(seconds * 1000)


class Desk:
    """A home, a project in it, and the controller's eyes."""

    def __init__(self, top: Path) -> None:
        self.home = Home(top / "home")
        self.clock = Clock()
        self.memory = Memory()
        self.project = self.home.path / "shop"
        (self.project / ".claude").mkdir(parents=True)

    # ── the project ────────────────────────────────────────────────────────────────────────────

    def write(self, name: str, text: str, days: float = 60) -> Path:
        """A file of the project, changed so many days ago."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        at = NOON.timestamp() - days * DAY_S
        os.utime(path, (at, at))
        return path

    def servers(self, *names: str) -> None:
        """MCP servers of the project."""
        told = {name: {"command": name} for name in names}
        self.write(".mcp.json", json.dumps({"mcpServers": told}))

    def skill(self, name: str) -> None:
        """A skill of the project."""
        about = f"Helps with {name} in many words that every single request carries along."
        text = f"---\nname: {name}\ndescription: {about}\n---\n\nHow to {name}.\n"
        self.write(f".claude/skills/{name}/SKILL.md", text)

    def local(self) -> dict[str, object]:
        """What the project's local settings say."""
        found: dict[str, object] = json.loads((self.project / SETTINGS).read_text())
        return found

    # ── sessions ───────────────────────────────────────────────────────────────────────────────

    def talk(self, session: str = SESSION, days: float = 0, model: str = HAIKU) -> Talk:
        """A session of the project, with what the client says at its beginning."""
        begin = BEGIN - timedelta(days=days)
        talk = Talk(session, cwd=str(self.project), begin=begin, model=model)
        talk.attach("environment", words(40))
        return talk

    def past(self, count: int, turns: int = 3, **fields: float) -> None:
        """Sessions of the last days that used nothing much, each of `turns` requests."""
        for number in range(count):
            talk = self.talk(f"past{number}", days=number + 1)
            offered(talk)
            for _ in range(turns):
                talk.ask().answer()
            self.keep(talk)

    def keep(self, talk: Talk) -> Path:
        """Write the transcript, as old as its last line."""
        path = talk.write(self.home)
        at = talk.at.timestamp()
        os.utime(path, (at, at))
        return path

    def filled(self, share: float, session: str = SESSION) -> Talk:
        """A running session with so much of its usable window used, by reads and results."""
        talk = offered(self.talk(session)).ask("Please round the totals of the cart.")
        for number in range(8):
            path = self.write(f"src/part{number}.py", words(200 + number), days=8 - number / 10)
            talk.read(str(path), 200 + number)
        rest = round(share * USABLE) - talk.window_tokens
        for _ in range(4):
            talk.call("Bash", words(max(1, round(rest / 4 / 1.16) - 60)), command="make test")
        return talk.answer("It is fixed now.")

    # ── looking ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def bench(self) -> Iterator[Workbench]:
        """The ledger, brought up to date."""
        environment = {**self.home.environment, "TOKENS_WORKERS": "0", "TOKENS_BACKFILL": "inline"}
        with open_workbench(settings_from(environment), QUIET, clock=self.clock) as bench:
            yield bench

    def look(self, session: str = SESSION) -> Signals:
        """One look, in a ledger that is up to date."""
        with self.bench() as bench:
            found = look(bench, session, self.clock.ms, self.memory)
        assert found is not None
        return found

    def after(self, milliseconds: int) -> Desk:
        """Later."""
        self.clock.ms += milliseconds
        return self

    def hook(self, name: str, at_ms: int, session: str = SESSION) -> None:
        """Our hooks have heard of this event then."""
        state = HeldState(str(self.home.config.parent), session)
        state.state.events[name] = [1, at_ms]
        state.state.last_ms = at_ms
        assert state.save()
        state.release()


def offered(talk: Talk) -> Talk:
    """The client puts in the tools of two MCP servers by name, and a listing of skills."""
    names = [f"mcp__{server}__{verb}" for server in ("tickets", "wiki") for verb in ("find", "add")]
    text = "\n".join(names)
    talk.attach("deferred_tools_delta", text, addedNames=names, addedLines=names)
    for server in ("tickets", "wiki"):
        block = f"{server}: {words(600)}"
        talk.attach("mcp_instructions_delta", block, addedNames=[server], addedBlocks=[block])
    return talk


def of_lever(signals: Signals, lever: str) -> list[Held]:
    """What could leave by one lever."""
    return [one for one in signals.held if one.lever == lever]
