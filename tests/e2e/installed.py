"""A sandbox in which `tokens install` has wired itself, as on a person's machine.

Its `tokens` is a console script like the one that an installer makes, and keeps in a file of its
own what each `tokens slash` printed, so that a test can look for those very bytes in the request
that the client sends next.
"""

import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, ClientError, Sandbox
from tests.e2e.conversation import RequestKind
from tests.e2e.install_clients import PROGRAM_FOLDERS
from tests.e2e.scripted_answers import JsonObject

from tokenbudget.gateway.hooks.evidence import SeenSession
from tokenbudget.system.clock import SystemClock

TIMEOUT_SECONDS = 60
READY_SECONDS = 20
_SCRIPT = """\
#!{python}
import contextlib, io, json, os, sys, time
from tokenbudget.cli import main
if sys.argv[1:2] != ["slash"]:
    sys.exit(main())
kept = io.StringIO()
with contextlib.redirect_stdout(kept):
    code = main()
sys.stdout.write(kept.getvalue())
record = {{"arguments": sys.argv[2:], "printed": kept.getvalue(), "code": code}}
path = os.path.join({printed!r}, f"{{time.time_ns()}}.json")
with open(path, "w", encoding="utf-8") as handle:
    json.dump(record, handle)
sys.exit(code)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Slash:
    """One run of `tokens slash`: what it was given, and what it printed."""

    arguments: tuple[str, ...]
    printed: str
    code: int


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """A sandbox with `tokens` on it."""

    sandbox: Sandbox

    @classmethod
    def create(cls, sandbox: Sandbox) -> "Machine":
        """A sandbox that gets its `tokens`; nothing is wired yet, and no hook starts a daemon."""
        machine = cls(sandbox)
        for folder in (machine.program.parent, machine.printed, machine.home):
            folder.mkdir(parents=True, mode=0o700)
        script = _SCRIPT.format(python=sys.executable, printed=str(machine.printed))
        machine.program.write_text(script, encoding="utf-8")
        machine.program.chmod(0o755)
        machine.home.joinpath("config.toml").write_text("[serve]\nautostart = false\n")
        return machine

    @property
    def program(self) -> Path:
        return self.sandbox.root / "bin" / "tokens"

    @property
    def printed(self) -> Path:
        return self.sandbox.root / "printed"

    @property
    def home(self) -> Path:
        """Where `tests.e2e.tokens_cli` has its data, too."""
        return self.sandbox.root / "tokens"

    @property
    def variables(self) -> dict[str, str]:
        """What a client's environment has to say beside its own: `tokens` is on the PATH."""
        return {
            "TOKENS_HOME": str(self.home),
            "PATH": f"{self.program.parent}:{PROGRAM_FOLDERS}",
        }

    def tokens(self, *words: str) -> str:
        """What a command line of `tokens` prints; it must end well."""
        done = subprocess.run(
            [str(self.program), *words],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=self.sandbox.project,
            env=self._environment(),
        )
        said = f"tokens {' '.join(words)} exited with {done.returncode}: {done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout

    def install(self, version: str, *options: str) -> None:
        """`tokens install` for a client of this version."""
        self.tokens("install", "--yes", "--client-version", version, *options)

    def slashes(self) -> list[Slash]:
        """Every run of `tokens slash` so far."""
        paths = sorted(self.printed.glob("*.json"))
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return [Slash(tuple(one["arguments"]), one["printed"], one["code"]) for one in records]

    @contextlib.contextmanager
    def daemon(self) -> Iterator[None]:
        """`tokens serve` beside the client until the block ends."""
        keeper = DaemonKeeper([str(self.program), "serve"], self.sandbox, self._environment())
        try:
            self._wait_for_daemon(keeper)
            yield
        finally:
            keeper.end()

    def _wait_for_daemon(self, keeper: "DaemonKeeper") -> None:
        clock = SystemClock()
        until = clock.monotonic_seconds() + READY_SECONDS
        while not (self.home / "run" / "daemon.sock").exists():
            if keeper.has_failed or clock.monotonic_seconds() > until:
                raise ClientError("no daemon")
            clock.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        return {**self.sandbox.environment(), **self.variables}


class DaemonKeeper:
    """Keeps a daemon running: it ends by itself when a file of the program is edited."""

    def __init__(self, command: list[str], sandbox: Sandbox, environment: dict[str, str]) -> None:
        self._command, self._sandbox, self._environment = command, sandbox, environment
        self._is_ended = threading.Event()
        self._process = self._started()
        self.has_failed = False
        self._keeping = threading.Thread(target=self._keep, daemon=True)
        self._keeping.start()

    def end(self) -> None:
        """End it, by its own id."""
        self._is_ended.set()
        while self._keeping.is_alive():  # it may be starting just now
            self._process.terminate()
            self._keeping.join(1)

    def _keep(self) -> None:
        while self._process.wait() == 0 and not self._is_ended.is_set():
            self._process = self._started()
        self.has_failed = not self._is_ended.is_set()

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._sandbox.project,
            env=self._environment,
        )


def typed(client: ClaudeClient, machine: Machine, words: str, *options: str) -> JsonObject:
    """Have the client take one prompt, with no more permission than a person gave it: none."""
    flags = ["-p", words, "--output-format=json", *options]
    environment = {**client.environment(), **machine.variables}
    done = subprocess.run(
        client.command(*flags),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        cwd=client.sandbox.project,
        env=environment,
    )
    if done.returncode != 0:
        raise ClientError(f"exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    result: JsonObject = json.loads(done.stdout)
    return result


def is_in_time_or_passed_on(hooked: SeenSession) -> bool:
    """Whether nothing went wrong in our hooks but, on a busy machine, the time to shorten a result.

    Its deadline is 0.2 seconds; what misses it goes on as it was, and stands as a fault.
    """
    is_late = "TimeoutError in tokenbudget.gateway.daemon.trim_process" in hooked.last_fault
    return is_late or not hooked.faults


def main_requests(exchanges: list[Exchange]) -> list[Exchange]:
    """Those of the conversation itself."""
    return [each for each in exchanges if each.kind is RequestKind.MAIN]


def told(exchange: Exchange) -> str:
    """All that a request's messages say to the model."""
    return "\n".join(_words(message["content"]) for message in exchange.body["messages"])


def last_told(exchange: Exchange) -> str:
    """What the newest message of the person says."""
    of_person = [one for one in exchange.body["messages"] if one["role"] == "user"]
    return _words(of_person[-1]["content"])


def _words(content: str | list[JsonObject]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", block.get("content", ""))) for block in content)
