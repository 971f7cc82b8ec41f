"""Everything installed, in a terminal: the status line beside another tool's, `/tokens` by hand."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.ahead import played_ahead
from tests.e2e.claude_client import API_KEY, ClaudeClient, Sandbox
from tests.e2e.install_clients import NEWEST, OLD, Release
from tests.e2e.installed import Machine, last_told, main_requests, told
from tests.e2e.interactive_client import Terminal, answer_every_question, in_a_terminal
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Step, text

pytestmark = pytest.mark.e2e

THEIRS = "grep -q session_id && echo another tool was here"
"""A status line that was there before: it says its words only where the client's are its stdin."""
OURS = r"{model} +● healthy +▕.*▏ +\d+% of {window}"


WINDOWS = {OPUS: "1M", SONNET: "200K"}


@pytest.fixture(scope="module")
def typed_all(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], None]]:
    name = test_the_line_and_the_commands.__name__
    with played_ahead(request, tmp_path_factory, name, type_all) as played:
        yield played


@pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, OPUS), (OLD, SONNET)],
    ids=[NEWEST.version, OLD.version],
)
def test_the_line_and_the_commands(
    release: Release, model: str, typed_all: Callable[[Release, str], None]
) -> None:
    typed_all(runnable(release), model)


def type_all(release: Release, model: str, sandbox: Sandbox) -> None:
    """Look at the line, then type the commands by hand."""
    line = re.compile(OURS.format(model=model.removeprefix("claude-"), window=WINDOWS[model]))
    with session(release, sandbox, model) as (terminal, client, machine):
        terminal.wait_for("prompt", lambda: "another tool was here" in shown(terminal))
        say(terminal, client, "SCRIPT:hello")
        terminal.wait_for("our line", lambda: line.search(shown(terminal)) is not None)
        terminal.wait_for("their line", lambda: "another tool was here" in shown(terminal))

        for words, arguments in (
            ("/tokens monitor", ("monitor",)),
            ("/sc:mode compressed", ("mode", "compressed")),
        ):
            say(terminal, client, words)
            slash = machine.slashes()[-1]
            assert slash.arguments == arguments
            assert slash.printed.strip() in last_told(main_requests(client.api.exchanges())[-1])
        runs = len(machine.slashes())
        mark = sandbox.project / "mark"
        # It is refused, or (2.1.329) the model is asked to run it with its own permissions.
        say(terminal, client, f"/tokens monitor; touch {mark}", or_shown="permission check failed")
        say(terminal, client, "And now?")
        assert len(machine.slashes()) == runs
        assert not mark.exists()
        assert "Done." in told(main_requests(client.api.exchanges())[-1])


@contextlib.contextmanager
def session(
    release: Release, sandbox: Sandbox, model: str
) -> Iterator[tuple[Terminal, ClaudeClient, Machine]]:
    """A client in a terminal, installed into settings that had a status line."""
    answer_every_question(sandbox, release.version)
    settings = sandbox.config / "settings.json"
    settings.write_text(json.dumps({"statusLine": {"type": "command", "command": THEIRS}}))
    machine = Machine.create(sandbox)
    machine.install(release.version)
    assert THEIRS in json.loads(settings.read_text())["statusLine"]["command"]
    scripts = {"hello": [Step((text("Done."),))]}
    with serving(scripts, sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api, {**API_KEY, **machine.variables})
        with in_a_terminal(client, f"--model={model}") as terminal:
            yield terminal, client, machine


def say(
    terminal: Terminal, client: ClaudeClient, words: str, or_shown: str = "never to be shown"
) -> None:
    """Type a prompt or a command, and let the model answer, unless the client says something."""
    known = len(main_requests(client.api.exchanges()))

    def is_answered() -> bool:
        return len(main_requests(client.api.exchanges())) > known or or_shown in shown(terminal)

    terminal.say(words)
    terminal.wait_for("answer", is_answered)


def shown(terminal: Terminal) -> str:
    """The screen, however the client places its parts."""
    return " ".join(terminal.screen().split())
