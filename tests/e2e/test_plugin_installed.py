"""The plugin in the real client: valid, wired by settings alone or by the client's own verbs."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversing_client import conversing
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, Slash, last_told, main_requests, typed
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import CHECKOUT, serving
from tests.e2e.test_slash_commands import ACTIONS, COMMANDS

from tokenbudget.gateway.command_files import plugin_folder

pytestmark = pytest.mark.e2e

TIMEOUT_SECONDS = 60
NAMED = "tokenbudget@tokenbudget"


@pytest.mark.parametrize("folder", [CHECKOUT, Path(plugin_folder())], ids=["checkout", "package"])
@pytest.mark.parametrize("release", [NEWEST, MIDDLE, OLD], ids=lambda each: each.version)
def test_the_client_finds_it_valid(
    release: Release, folder: Path, sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    with client_with_tokens(release, sandbox) as (client, machine):
        manifests = folder / ".claude-plugin"
        for manifest in sorted(manifests.glob("*.json")):
            said = verb(client, machine, "validate", str(manifest))
            print(said)
            assert "Validation passed" in said
            # What a public directory of plugins would like to have (an icon) is another matter.
            assert "warning" not in said.replace("directory warning", "")


@pytest.fixture(scope="module")
def by_settings(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], None]]:
    name = test_settings_alone_wire_it_and_its_commands_run.__name__
    with played_ahead(request, tmp_path_factory, name, wire_by_settings) as played:
        yield played


@pytest.mark.parametrize("release", [NEWEST, MIDDLE], ids=lambda each: each.version)
def test_settings_alone_wire_it_and_its_commands_run(
    release: Release, by_settings: Callable[[Release, str], None]
) -> None:
    by_settings(runnable(release), "")


def wire_by_settings(release: Release, _: str, sandbox: Sandbox) -> None:
    with client_with_tokens(release, sandbox) as (client, machine):
        machine.install(release.version, "--only", "plugin,statusline")
        if release is MIDDLE:
            typed(client, machine, "hello", f"--model={OPUS}")  # loads it from the next start on
        assert ask(client, machine, "/tokenbudget:tokens monitor").arguments == ("monitor",)
        asked_all: dict[str, tuple[str, ...]]
        asked_all = {f"/tokenbudget:tokens {name}": (name,) for name in ACTIONS}
        asked_all |= {name.replace("/", "/tokenbudget:", 1): run for name, run in COMMANDS.items()}
        with conversing(client, f"--model={OPUS}", variables=machine.variables) as talk:
            for words, arguments in asked_all.items():
                slash = answered(client, machine, words, talk.say)
                assert slash.arguments == arguments
        wired = json.loads((sandbox.config / "settings.json").read_text())
        assert wired["enabledPlugins"] == {NAMED: True}
        assert "hooks" not in wired
        assert hooks_ran(machine)
        machine.tokens("uninstall", "--yes")
        runs = len(machine.slashes())
        typed(client, machine, "/tokenbudget:tokens monitor", f"--model={OPUS}")
        assert len(machine.slashes()) == runs, "gone"


@pytest.fixture(scope="module")
def by_verbs(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], None]]:
    name = test_the_clients_own_verbs_install_it_from_the_checkout.__name__
    with played_ahead(request, tmp_path_factory, name, install_by_verbs) as played:
        yield played


@pytest.mark.parametrize("release", [NEWEST, OLD], ids=lambda each: each.version)
def test_the_clients_own_verbs_install_it_from_the_checkout(
    release: Release, by_verbs: Callable[[Release, str], None]
) -> None:
    """2.0.76 takes a plugin in this way only, and keeps a copy of it."""
    by_verbs(runnable(release), "")


def install_by_verbs(release: Release, _: str, sandbox: Sandbox) -> None:
    with client_with_tokens(release, sandbox) as (client, machine):
        verb(client, machine, "marketplace", "add", str(CHECKOUT))
        verb(client, machine, "install", NAMED)
        assert ask(client, machine, "/tokenbudget:tokens alert").arguments == ("alert",)
        assert ask(client, machine, "/tokenbudget:sc:mode").arguments == ("mode",)
        assert hooks_ran(machine)


@contextlib.contextmanager
def client_with_tokens(
    release: Release, sandbox: Sandbox
) -> Iterator[tuple[ClaudeClient, Machine]]:
    machine = Machine.create(sandbox)
    with serving({}, sandbox.root / "api") as api:
        yield ClaudeClient(runnable(release), sandbox, api), machine


def ask(client: ClaudeClient, machine: Machine, words: str) -> Slash:
    """Type a command as the first prompt of a session; its one run, and what the model was told."""
    model = f"--model={SONNET if client.release is OLD else OPUS}"
    return answered(client, machine, words, lambda said: typed(client, machine, said, model))


def answered(
    client: ClaudeClient, machine: Machine, words: str, say: Callable[[str], object]
) -> Slash:
    runs, requests = len(machine.slashes()), len(main_requests(client.api.exchanges()))
    say(words)
    [slash] = machine.slashes()[runs:]
    [request, *_] = main_requests(client.api.exchanges())[requests:]
    assert slash.printed.strip(), f"{words} says nothing"
    assert slash.printed.strip() in last_told(request)
    return slash


def verb(client: ClaudeClient, machine: Machine, *words: str) -> str:
    """What `claude plugin …` says; it must end well."""
    done = subprocess.run(
        client.command("plugin", *words),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        cwd=client.sandbox.project,
        env={**client.environment(), **machine.variables},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def hooks_ran(machine: Machine) -> bool:
    """Whether our hooks have noted a session."""
    return any((machine.home / "hooks" / "sessions").glob("*.json"))
