"""A command that prints hugely: what the real client gives the agent, and how all of it is had."""

import dataclasses
import json
import re

import pytest
from tests.e2e.ahead import project_sandbox
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, Release
from tests.e2e.installed import Machine, last_told, main_requests, typed
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Step, text, tool_use
from tests.e2e.test_trim_session import wait_until_warm

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

MODERN = pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, OPUS), (MIDDLE, SONNET)],
    ids=lambda one: getattr(one, "version", one),
)
FILES = 1_500
FAILING = "ls -R parts nowhere"
LOOKING = "find parts -name '*.py'"
DONE = Step((text("Done."),))
CLIENT_CUTS_A_FAILURE_TO = 10_000
HANDLE = re.compile(r"tokens recall (\d+)")


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """What came of the command."""

    said: str
    sent_bytes: int
    """Of the request that holds the result."""
    denied: list[str]


def run(
    release: Release, model: str, machine: Machine, command: str, config: str = "[trim]\n"
) -> Ran:
    """The command in a client whose person allows the shell."""
    sandbox = machine.sandbox
    for number in range(FILES):
        folder = sandbox.project / "parts" / f"part_{number % 30}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"module_{number}.py").touch()
    toml = machine.home / "config.toml"
    toml.write_text(toml.read_text() + config, encoding="utf-8")
    sandbox.config.joinpath("settings.json").write_text('{"permissions": {"allow": ["Bash"]}}')
    machine.install(runnable(release).version, "--only=hooks")
    script = [Step((tool_use("Bash", command=command, description="Look"),)), DONE]
    with machine.daemon(), serving({"look": script}, sandbox.root / "api") as api:
        if "on = false" not in config:
            wait_until_warm(machine)
        client = ClaudeClient(release, sandbox, api)
        result = typed(client, machine, "SCRIPT:look", f"--model={model}")
        request = main_requests(api.exchanges())[-1]
    denied = [one["tool_input"]["command"] for one in result["permission_denials"]]
    return Ran(last_told(request), len(json.dumps(request.body)), denied)


def both(release: Release, model: str, sandbox: Sandbox, command: str) -> tuple[Ran, Ran, Machine]:
    """Without and with us."""
    raw = Machine.create(project_sandbox(sandbox.root.parent / "raw"))
    machine = Machine.create(sandbox)
    plain = run(release, model, raw, command, "[trim]\non = false\n")
    return plain, run(release, model, machine, command), machine


def recalled(machine: Machine, said: str) -> list[str]:
    """The lines of the original."""
    [handle] = HANDLE.findall(said)
    original = machine.sandbox.root / "original"
    machine.tokens("recall", handle, "--output", str(original))
    return original.read_text().splitlines()


def modules(lines: list[str]) -> set[str]:
    """The files that these lines name."""
    names = {line.rpartition("/")[2] for line in lines}
    return {name for name in names if name.startswith("module_")}


ALL_MODULES = {f"module_{number}.py" for number in range(FILES)}


@MODERN
def test_a_listing_that_fails_is_narrowed_with_its_exit_code(
    release: Release, model: str, sandbox: Sandbox, trim_account: dict[str, str]
) -> None:
    plain, ran, machine = both(release, model, sandbox, FAILING)
    assert plain.denied == ran.denied == []
    assert plain.said.startswith("Exit code 2")
    assert ran.said.startswith("Exit code 2")
    assert len(ran.said) < CLIENT_CUTS_A_FAILURE_TO < len(plain.said) + 100
    assert ran.sent_bytes < plain.sent_bytes
    assert "nowhere" in ran.said
    lines = recalled(machine, ran.said)
    assert modules(lines) == ALL_MODULES
    assert any("nowhere" in line for line in lines)
    trim_account[f"{release.name}, a listing that fails"] = account(plain, ran, lines)


@MODERN
def test_what_finds_nothing_is_no_failure(release: Release, model: str, sandbox: Sandbox) -> None:
    """A client knows the exit codes of some programs by their words: those stay."""
    plain, ran, _ = both(release, model, sandbox, "grep -rn nowhere parts")
    assert ran.said == plain.said
    assert not ran.said.startswith("Exit code")


@MODERN
def test_an_output_that_the_client_would_put_away_is_narrowed(
    release: Release, model: str, sandbox: Sandbox, trim_account: dict[str, str]
) -> None:
    plain, ran, machine = both(release, model, sandbox, LOOKING)
    assert "persisted-output" in plain.said
    assert "persisted-output" not in ran.said
    assert len(ran.said) < 14_000
    lines = recalled(machine, ran.said)
    assert len(lines) == FILES
    assert modules(lines) == ALL_MODULES
    [place] = re.findall(r"or read (/\S+)\]", ran.said)
    assert "/tool-results/" in place
    trim_account[f"{release.name}, a search that succeeds"] = account(plain, ran, lines)


def account(plain: Ran, ran: Ran, lines: list[str]) -> str:
    """In one line."""
    size = sum(len(line) + 1 for line in lines)
    return (
        f"of {size:,} characters the client gave {len(plain.said):,}, with us {len(ran.said):,}"
        f" ({plain.sent_bytes:,} and {ran.sent_bytes:,} bytes sent)"
    )
