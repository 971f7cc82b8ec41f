"""`/tokens` and the `/sc` commands in the real client, as `tokens install` wires them for a person.

What the command printed has to stand, byte for byte, in the client's next request. The clients are
given no permission beyond the command's own: whatever else an argument might start, does not.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.e2e.ahead import AT_ONCE, played_ahead
from tests.e2e.billing import Exchange
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, Slash, last_told, main_requests, typed
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Script, Step, text, tool_use
from tests.e2e.test_context import billed, prompt_of

from tokenbudget.gateway.command_files import rendered

pytestmark = pytest.mark.e2e

ACTIONS = {
    "monitor": "of ",
    "alert": "alert",
    "profile": "Bash",
    "optimize": "drain",
    "report": "token-report.text",
    "archive": "rchive",
    "compact": "",
    "export": "token-export.csv",
}
"""Every action, and a word that it cannot do without."""
COMMANDS = {
    "/sc:optimize-tokens": ("optimize",),
    "/sc:cleanup-context": ("compact",),
    "/sc:mode compressed": ("mode", "compressed"),
}
FEW = ("/tokens monitor", "/tokens optimize", "/sc:mode compressed", "/tokens monitor")
MOST_CHARACTERS = 2_500
"""Of an output, which the model reads for as long as the session lasts."""


def test_every_action_and_command_tells_the_model_what_it_printed(
    sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    with session(runnable(NEWEST), sandbox, OPUS) as (talk, client, machine):
        talk.say("SCRIPT:work")
        for action, word in ACTIONS.items():
            slash = ask(talk, client, machine, f"/tokens {action}")
            assert slash.arguments == (action,)
            assert word in slash.printed
        for typed_words, arguments in COMMANDS.items():
            assert ask(talk, client, machine, typed_words).arguments == arguments
        show(machine.slashes())
    context = sandbox.project / ".claude" / "context"
    assert {"token-report.text", "token-export.csv"} <= {each.name for each in context.iterdir()}


class Asked(NamedTuple):
    """What a few commands said, and the last request before them."""

    last: Exchange
    slashes: list[Slash]


@pytest.fixture(scope="module")
def asked(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    install_outcomes: dict[str, str],
) -> Iterator[Callable[[Release, str], Asked]]:
    name = test_a_few_on_every_client_and_model.__name__
    with played_ahead(request, tmp_path_factory, name, ask_a_few) as found:
        yield found


@pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, SONNET), (MIDDLE, OPUS), (MIDDLE, SONNET), (OLD, OPUS), (OLD, SONNET)],
    ids=lambda each: each.version if isinstance(each, Release) else each,
)
def test_a_few_on_every_client_and_model(
    release: Release, model: str, asked: Callable[[Release, str], Asked]
) -> None:
    """The second look at the window tells of the same model, whichever answered the first one."""
    last, slashes = asked(runnable(release), model)
    bill = billed(last)
    for monitored in (slashes[0], slashes[-1]):
        assert monitored.arguments == ("monitor",)
        assert f"· {model.removeprefix('claude-')}" in monitored.printed
    assert f"· {prompt_of(bill) + bill.output_tokens:,} used ·" in slashes[0].printed


def ask_a_few(release: Release, model: str, sandbox: Sandbox) -> Asked:
    with session(release, sandbox, model) as (talk, client, machine):
        for name, words in rendered(str(machine.program), True).items():  # with a model named
            (sandbox.config / name).write_text(words, encoding="utf-8")
        talk.say("SCRIPT:work")
        last = main_requests(client.api.exchanges())[-1]
        for words in FEW:
            ask(talk, client, machine, words)
        assert "haiku" in main_requests(client.api.exchanges())[-1].body["model"]
    return Asked(last, machine.slashes())


def test_what_is_shown_is_this_session(sandbox: Sandbox, install_outcomes: dict[str, str]) -> None:
    """Two sessions of one project: each asks for itself, by the id that the client gives it."""
    with session(runnable(NEWEST), sandbox, OPUS) as (talk, client, machine):
        talk.say("SCRIPT:work")
        with conversing(client, f"--model={SONNET}", variables=machine.variables) as other:
            other.say("SCRIPT:work")
            assert "sonnet" in ask(other, client, machine, "/tokens monitor").printed
            assert "opus" in ask(talk, client, machine, "/tokens monitor").printed


MARK = "@MARK"
REFUSED = (
    f"monitor; touch {MARK}",
    f"monitor && touch {MARK}",
    f"monitor & touch {MARK}",
    f"monitor | tee {MARK}",
    f"monitor > {MARK}",
    f"monitor\ntouch {MARK}",
    f"$(touch {MARK})",
    f"<(touch {MARK})",
    "it's",
)
"""Arguments for which the client asks a person first: here there is none, so nothing runs."""


@pytest.mark.parametrize("release", [NEWEST, MIDDLE, OLD], ids=lambda each: each.version)
def test_an_argument_starts_nothing_else(
    release: Release, sandbox: Sandbox, tmp_path: Path, install_outcomes: dict[str, str]
) -> None:
    machine = installed(runnable(release), sandbox)
    mark = tmp_path / "mark"
    arguments = REFUSED if release is NEWEST else REFUSED[:1]
    with serving({}, sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)

        def try_out(argument: str) -> None:
            typed(client, machine, f"/tokens {argument}", f"--model={SONNET}")
            assert not mark.exists(), argument

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(try_out, [one.replace(MARK, str(mark)) for one in arguments]))
        assert machine.slashes() == []
        assert main_requests(api.exchanges()) == [], "the model is not asked either"

        # Backticks end the command before them, and quotes keep words together.
        typed(client, machine, f"/tokens `touch {mark}`", f"--model={SONNET}")
        typed(client, machine, f'/tokens "; touch {mark}; "', f"--model={SONNET}")
    assert not mark.exists()
    assert [each.arguments for each in machine.slashes()] == [(), (f"; touch {mark}; ",)]


def test_a_wrong_argument_costs_a_line_and_not_the_turn(
    sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    """A command that fails would take the whole turn with it, in silence (2.0.76, 2.1.270)."""
    with session(runnable(NEWEST), sandbox, OPUS) as (talk, client, machine):
        talk.say("SCRIPT:work")
        for words in ("/tokens nonsense", "/tokens alert 80 90", "/tokens report docx"):
            slash = ask(talk, client, machine, words)
            assert len(slash.printed) < MOST_CHARACTERS


# ── the session ───────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def session(
    release: Release, sandbox: Sandbox, model: str
) -> Iterator[tuple[Conversation, ClaudeClient, Machine]]:
    """A conversation with everything installed."""
    machine = installed(release, sandbox)
    with serving({"work": working(sandbox)}, sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)
        with conversing(client, f"--model={model}", variables=machine.variables) as talk:
            yield talk, client, machine


def installed(release: Release, sandbox: Sandbox) -> Machine:
    """The sandbox, wired for this client."""
    machine = Machine.create(sandbox)
    machine.install(release.version)
    commands = sandbox.config / "commands"
    assert f"Bash({machine.program} slash" in (commands / "tokens.md").read_text()
    assert json.loads((sandbox.config / "settings.json").read_text())["hooks"]
    return machine


def ask(talk: Conversation, client: ClaudeClient, machine: Machine, words: str) -> Slash:
    """Type a command; the one run of `tokens slash`, whose output the next request holds."""
    runs, requests = len(machine.slashes()), len(main_requests(client.api.exchanges()))
    talk.say(words)
    [slash] = machine.slashes()[runs:]
    new = main_requests(client.api.exchanges())[requests:]
    assert new, f"{words}: the model was not asked"
    assert slash.code == 0, "a failure would cost the turn"
    assert slash.printed.strip(), f"{words} says nothing"
    assert slash.printed.strip() in last_told(new[0])
    assert len(slash.printed) < MOST_CHARACTERS
    return slash


def working(sandbox: Sandbox) -> Script:
    """A little work, so that there is something to tell."""
    notes = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    count = tool_use("Bash", command="wc -l notes.txt", description="Count lines")
    return [Step((notes,)), Step((count,)), Step((text("Done."),))]


def show(slashes: list[Slash]) -> None:
    print()
    for slash in slashes:
        print(f"/tokens {' '.join(slash.arguments)}: {len(slash.printed)} characters")
        print("    " + slash.printed.strip().replace("\n", "\n    "))
