"""A home of its own for every test, and `tokens` run in it: in this process, or as a person would.

Nothing of the machine is read: HOME, the agent's folder and the ledger lie in a temporary folder.
"""

import contextlib
import gc
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sample_sessions import Truth, generate
from tokenbudget.cli import main
from tokenbudget.system.clock import SystemClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A Friday: when the samples end, and what the clock shows."""

SOURCE = Path(__file__).parents[2] / "src"
OPUS = "claude-opus-5-5"
PRICES = """
[prices."claude-opus*"]
input = 4
output = 20
cache_write_5m = 5
cache_write_1h = 8
cache_read = 0.4
fast = { multiplier = 6 }
[prices."claude-sonnet*"]
input = 2
output = 10
cache_write_5m = 2.5
cache_write_1h = 4
cache_read = 0.2
fast = { multiplier = 6 }
[prices."claude-haiku*"]
input = 0.5
output = 2.5
cache_write_5m = 0.625
cache_write_1h = 1
cache_read = 0.05
fast = { multiplier = 6 }
"""
"""Prices that no release of the bundled ones can move."""


class Done(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as a JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """Standard output by lines."""
        return self.out.splitlines()


def refuse_to_exit(code: int) -> None:
    """For a verb that ends its process at once: run it as a process of its own."""
    raise AssertionError(f"this would have ended the tests with {code}")


class Home:
    """A person's home folder with Claude Code in it."""

    def __init__(self, path: Path, now: datetime = NOON) -> None:
        self.path = path
        self.now = now
        self.claude = path / ".claude"
        self.config = path / "tokens" / "config.toml"
        self.variables: dict[str, str] = {}
        path.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """All that a command is told from outside."""
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "TZ": "UTC",
            "HOME": str(self.path),
            "TOKENS_HOME": str(self.config.parent),
            "TOKENS_BACKFILL": "off",
            "CLAUDE_CONFIG_DIR": str(self.claude),
            **self.variables,
        }

    def run(self, *arguments: str, **variables: str) -> Done:
        """`tokens …` in this process, with the clock at `now`."""
        out, err = io.StringIO(), io.StringIO()
        now_ms = round(self.now.timestamp() * 1000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("os.environ", {**self.environment, **variables})
            patch.setattr(SystemClock, "now_ms", lambda _: now_ms)
            patch.setattr("posix._exit", refuse_to_exit)  # the suite would end there, with 0
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = main(arguments)
                except SystemExit as ended:  # --help
                    code = int(ended.code or 0)
                finally:
                    gc.enable()
        return Done(code, out.getvalue(), err.getvalue())

    def ask(self, *arguments: str, **variables: str) -> Any:
        """The JSON object of a command that must succeed."""
        done = self.run(*arguments, "--json", **variables)
        assert (done.code, done.err) == (0, "")
        return done.json

    def command(self, *arguments: str) -> list[str]:
        """The command line of `tokens …` as a process."""
        return [sys.executable, "-m", "tokenbudget", *arguments]

    def spawn_environment(self, **variables: str) -> dict[str, str]:
        """The environment of such a process."""
        return {**self.environment, "PYTHONPATH": str(SOURCE), **variables}

    def modules(self, *arguments: str) -> set[str]:
        """Whole names of the modules that a command imports beyond those of the interpreter."""
        script = (
            "import sys; before = set(sys.modules)\n"
            "from tokenbudget.cli import main\n"
            "code = main()\n"
            "print(code, *set(sys.modules) - before, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=self.spawn_environment(),
        )
        code, *names = done.stderr.split()
        assert code == "0"
        return set(names)

    def spawn(self, *arguments: str, **variables: str) -> Done:
        """`tokens …` as a process of its own."""
        done = subprocess.run(
            self.command(*arguments),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            env=self.spawn_environment(**variables),
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def write_session(self, name: str, *lines: Mapping[str, object], slug: str = "-w") -> Path:
        """A transcript in the agent's folder."""
        return write_lines(self.claude / "projects" / slug / f"{name}.jsonl", lines)


def write_lines(path: Path, lines: Sequence[Mapping[str, object]]) -> Path:
    """A transcript anywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def response(number: int, at: str = "2026-11-20T09:00:00.000Z", **fields: Any) -> dict[str, Any]:
    """An assistant's line: by default 100 tokens in and 10 out in session 's1' of /srv/shop."""
    usage = {"input_tokens": 100, "output_tokens": 10, **fields.pop("usage", {})}
    message = {
        "id": f"msg_{number}",
        "role": "assistant",
        "model": fields.pop("model", OPUS),
        "stop_reason": fields.pop("stop_reason", "end_turn"),
        "usage": usage,
        "content": fields.pop("content", [{"type": "text", "text": "Done."}]),
    }
    return {
        "type": "assistant",
        "uuid": f"line-{number}",
        "requestId": f"req_{number}",
        "timestamp": at,
        "sessionId": "s1",
        "cwd": "/srv/shop",
        "gitBranch": "main",
        "version": "2.1.329",
        "message": message,
        **fields,
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which the agent has not run yet."""
    return Home(tmp_path / "home")


class Sample(NamedTuple):
    """A home with three weeks of sessions, and what a correct reader finds in them."""

    home: Home
    truth: Truth


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Sessions up to `NOON`, with prices that stay; shared, so only for commands that read."""
    home = Home(tmp_path_factory.mktemp("sample") / "home")
    truth = generate(home.claude, end=NOON, days=9, seed=1)
    home.config.parent.mkdir(mode=0o700)
    home.config.write_text(PRICES)
    return Sample(home, truth)


@pytest.fixture
def desk(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A `gateway_desk.Desk`: a project with MCP servers, which the test stands in."""
    from tests.cli.gateway_desk import desk_of

    made = desk_of(home, tmp_path)
    monkeypatch.chdir(made.project)
    return made
