"""Whatever is wrong with our hooks, the conversation goes as it would without any.

Each fault is run beside a client without hooks, in a sandbox of its own: the result, the transcript
and every request must be the same (`alike` says what is left out of the comparison). Our hooks are
wired by `tokens install` and told to say nothing, so that what they would rightly add does not
hide what a fault adds.

Garbage on stdout is tried on no SessionStart and no UserPromptSubmit: every client takes whatever a
command prints there for words to the model. Ours prints one JSON object or nothing, which the
daemons that lie show.
"""

import contextlib
import dataclasses
import json
import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.alike import Run, run_alike
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, Usage, text, tool_use

from tokenbudget.gateway.hook_files import http_hook

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

SILENT = "[hooks]\ntell = false\nguard = false\n"
NEWEST_CLIENT, *OLDER = CLIENTS = ((NEWEST, OPUS), (MIDDLE, SONNET), (OLD, SONNET))
WORDS_OF_STDOUT = ("SessionStart", "UserPromptSubmit")
SECONDS = 1

Damage = Callable[[Machine, str], str]


# ── commands that do other things than ours ───────────────────────────────────────────────────────


def exits(_: Machine, __: str) -> str:
    return "echo out; echo err >&2; exit 1"


def crashes(_: Machine, __: str) -> str:
    return "kill -SEGV $$"


def hangs(_: Machine, __: str) -> str:
    return "sleep 20"


def prints_garbage(_: Machine, __: str) -> str:
    return "head -c 100000 /dev/urandom"


def without_python(_: Machine, command: str) -> str:
    return shlex.join(["/nowhere/python", *shlex.split(command)[1:]])


def with_broken_client(machine: Machine, command: str) -> str:
    """The hook's own file is damaged."""
    return in_folder(command, broken(machine, "hook_client.py"))


def with_broken_parts(machine: Machine, command: str) -> str:
    """The hook's own file is whole, and what it falls back on is damaged."""
    folder = broken(machine, "hooks/in_process.py")
    words = shlex.split(command)
    source = Path(next(word for word in words if word.endswith("/gateway")))
    (folder / "hook_client.py").write_bytes((source / "hook_client.py").read_bytes())
    return in_folder(command, folder)


def broken(machine: Machine, name: str) -> Path:
    folder = machine.sandbox.root / "broken" / "gateway"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("def answer(:\n", encoding="utf-8")
    return folder


def in_folder(command: str, folder: Path) -> str:
    words = [str(folder) if word.endswith("/gateway") else word for word in shlex.split(command)]
    assert str(folder) in words
    return shlex.join(words)


COMMANDS: tuple[Damage, ...] = (
    exits,
    crashes,
    hangs,
    prints_garbage,
    without_python,
    with_broken_client,
    with_broken_parts,
)

# ── daemons that answer otherwise than ours ───────────────────────────────────────────────────────

REPLIES: dict[str, bytes | None] = {
    "hangs": None,
    "dies": b"",
    "garbage": os.urandom(100_000),
    "half": b'00000400\n{"hookSpecificOutput": {"hookEventName',
    "words": b"00000011\nBAD ANSWER.",
    "endless-head": b"9" * 100,
}
"""What the daemon says to everything; None is nothing, for as long as one asks."""


@contextlib.contextmanager
def answering(home: Path, reply: bytes | None) -> Iterator[None]:
    """Something at the daemon's socket."""
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    kept = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home / "run" / "daemon.sock"))
        server.listen(50)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    asked, _ = server.accept()
                    kept.append(asked)
                    if reply is not None:
                        with contextlib.suppress(OSError):
                            asked.sendall(reply)
                        asked.close()

        threading.Thread(target=serve, daemon=True).start()
        yield
        assert kept, "the hooks have asked it"
        server.shutdown(socket.SHUT_RDWR)
        for asked in kept:
            asked.close()


def named(one: object) -> str:
    """How a case is called."""
    if isinstance(one, tuple):
        return f"{one[0].version}-{one[1]}"
    return getattr(one, "__name__", str(one))


EVERY_CLIENT = pytest.mark.parametrize("pair", CLIENTS, indirect=True, ids=named)

# ── the comparison ────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Pair:
    """A client without hooks, whose run is known, and what the other one is made of."""

    release: Release
    model: str
    folder: Path
    without: Run

    def machine(self, name: str) -> Machine:
        """A sandbox with our hooks."""
        machine = Machine.create(sandbox_in(self.folder / name))
        config = machine.home / "config.toml"
        config.write_text(config.read_text() + SILENT, encoding="utf-8")
        machine.install(self.release.version, "--only=hooks")
        return machine

    def run(self, sandbox: Sandbox) -> Run:
        return run_in(self.release, self.model, sandbox)


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    release, model = request.param
    folder = tmp_path_factory.mktemp("pair")
    without = run_in(runnable(release), model, sandbox_in(folder / "nohook"))
    assert without.result["result"] == "Done."
    return Pair(release, model, folder, without)


@pytest.mark.parametrize(
    ("pair", "damage"),
    [
        *((NEWEST_CLIENT, one) for one in COMMANDS),
        *((client, one) for client in OLDER for one in (exits, prints_garbage, hangs)),
    ],
    indirect=["pair"],
    ids=named,
)
def test_a_damaged_command_changes_nothing(pair: Pair, damage: Damage) -> None:
    machine = pair.machine(f"c{COMMANDS.index(damage):05}")
    damaged = 0
    with edited_hooks(machine) as hooks:
        for event, hook in every_hook(hooks):
            if damage is prints_garbage and event in WORDS_OF_STDOUT:
                continue
            hook["command"] = damage(machine, hook["command"])
            hook["timeout"] = SECONDS
            damaged += 1
    assert damaged > 5
    assert_alike(pair.run(machine.sandbox), pair.without)


@pytest.mark.parametrize(
    ("pair", "reply"),
    [
        *((NEWEST_CLIENT, one) for one in REPLIES),
        *((client, one) for client in OLDER for one in ("hangs", "half")),
    ],
    indirect=["pair"],
    ids=named,
)
def test_a_daemon_that_lies_changes_nothing(pair: Pair, reply: str) -> None:
    machine = pair.machine(f"d{list(REPLIES).index(reply):05}")
    with answering(machine.home, REPLIES[reply]):
        with_fault = pair.run(machine.sandbox)
    assert_alike(with_fault, pair.without)


@EVERY_CLIENT
def test_nobody_at_the_http_port_changes_nothing(pair: Pair) -> None:
    """2.0.76 knows no such hook, for which it ignores the file's; the turn goes on all the same."""
    machine = pair.machine("h00000")
    with edited_hooks(machine) as hooks:
        for _, hook in every_hook(hooks):
            hook.clear()
            hook.update(http_hook(9, "secret"))
    assert_alike(pair.run(machine.sandbox), pair.without)


@EVERY_CLIENT
def test_whole_hooks_that_have_nothing_to_say_change_nothing(pair: Pair) -> None:
    """That the comparison can be met at all; it fails where anything is said."""
    machine = pair.machine("w00000")
    assert_alike(pair.run(machine.sandbox), pair.without)
    spoken = pair.machine("s00000")
    with edited_hooks(spoken) as hooks:
        for event, hook in every_hook(hooks):
            if event == "UserPromptSubmit":
                hook["command"] = "echo words"
    assert pair.run(spoken.sandbox).requests != pair.without.requests


def assert_alike(one: Run, other: Run) -> None:
    assert one.result == other.result
    assert one.requests == other.requests
    assert one.transcript == other.transcript
    assert one.additions == other.additions


@contextlib.contextmanager
def edited_hooks(machine: Machine) -> Iterator[JsonObject]:
    """The hooks of the person's settings, written back as the block leaves them."""
    path = machine.sandbox.config / "settings.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    yield settings["hooks"]
    path.write_text(json.dumps(settings), encoding="utf-8")


def every_hook(hooks: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for event, groups in hooks.items():
        for group in groups:
            for hook in group["hooks"]:
                yield event, hook


def sandbox_in(folder: Path) -> Sandbox:
    sandbox = Sandbox.create(folder)
    (sandbox.project / "notes.txt").write_text("Buy milk.\n" * 10, encoding="utf-8")
    return sandbox


def run_in(release: Release, model: str, sandbox: Sandbox) -> Run:
    with serving(scripts(sandbox), sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)
        return run_alike(client, "SCRIPT:work", f"--model={model}")


def scripts(sandbox: Sandbox) -> Scripts:
    """A call that works, one that fails, a read; what they cost is said, not reckoned by bytes."""
    used = Usage(12, 30, 400, 0, 9000)
    calls = (
        tool_use("Bash", command="wc -l notes.txt", description="Count lines"),
        tool_use("Bash", command="exit 3", description="Fail"),
        tool_use("Read", file_path=str(sandbox.project / "notes.txt")),
    )
    return {"work": [*(Step((call,), used) for call in calls), Step((text("Done."),), used)]}
