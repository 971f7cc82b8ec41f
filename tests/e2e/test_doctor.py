"""What `tokens doctor` says of the wiring is what the real client then does.

Each case changes the settings that `tokens install` wrote as a person, a tool or an organisation
might; the client runs; and the doctor's verdict is held against whether any hook of ours was heard.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, typed
from tests.e2e.interactive_client import answer_every_question, in_a_terminal
from tests.e2e.matrix import SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Step, text, tool_use

pytestmark = pytest.mark.e2e

SAYS_HI = Step((tool_use("Bash", command="echo hi", description="x"),))
SCRIPTS = {"tools": [SAYS_HI, Step((text("Done."),))]}
FLAGS = ("--allowedTools=Bash", f"--model={SONNET}")
EVERY = pytest.mark.parametrize(
    "release", [NEWEST, MIDDLE, OLD], ids=lambda release: release.version
)


class Case(NamedTuple):
    """Settings as somebody left them, and whether hooks then work."""

    change: Callable[[dict[str, Any]], object]
    """Takes the user's settings, and gives them back changed, as a document or a text."""
    local: str = ""
    """The project's local settings."""
    kind: str = ""
    """What the doctor finds; '' where hooks work."""
    only_in: str = ""
    """The one release in which that is so; '' is in every one."""


def with_hook(document: dict[str, Any], event: str, group: object) -> dict[str, Any]:
    """The settings with another tool's group of hooks."""
    groups = [*document["hooks"].get(event, []), group]
    return {**document, "hooks": {**document["hooks"], event: groups}}


CASES = {
    "as installed": Case(lambda document: document),
    "a comment": Case(
        lambda document: "// mine\n" + json.dumps(document), kind="settings-unreadable"
    ),
    "all disabled": Case(
        lambda document: {**document, "disableAllHooks": True}, kind="all-hooks-disabled"
    ),
    "disabled here": Case(
        lambda document: document, '{"disableAllHooks": true}', "all-hooks-disabled"
    ),
    "enabled here": Case(
        lambda document: {**document, "disableAllHooks": True}, '{"disableAllHooks": false}'
    ),
    "a name twice": Case(lambda document: '{"hooks": {}, ' + json.dumps(document)[1:]),
    "a wrong type": Case(lambda document: {**document, "model": 3}, kind="settings-refused"),
    "a wrong guard": Case(
        lambda document: with_hook(document, "PreToolUse", {"matcher": {"a": 1}, "hooks": []}),
        kind="settings-refused",
    ),
    "a wrong hook": Case(
        lambda document: with_hook(document, "Stop", {"hooks": [{"type": "nonsense"}]}),
        kind="unknown-event",
        only_in=OLD.version,
    ),
    "a new event": Case(
        lambda document: with_hook(document, "NotInvented", {"hooks": []}),
        kind="unknown-event",
        only_in=OLD.version,
    ),
    "a new kind": Case(
        lambda document: with_hook(
            document, "Stop", {"hooks": [{"type": "http", "url": "http://127.0.0.1:9/"}]}
        ),
        kind="unknown-event",
        only_in=OLD.version,
    ),
    "not managed": Case(
        lambda document: {
            **document,
            "allowManagedHooksOnly": True,
            "strictPluginOnlyCustomization": True,
        }
    ),
    "broken here": Case(lambda document: document, "{"),
    "moved away": Case(
        lambda document: json.loads(json.dumps(document).replace("/gateway ", "/gone ")),
        kind="paths-gone",
    ),
}


@EVERY
@pytest.mark.parametrize("name", CASES)
def test_the_verdict_is_what_the_client_does(
    release: Release, name: str, sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    case = CASES[name]
    machine = Machine.create(sandbox)
    machine.install(runnable(release).version)
    leave(sandbox, case)

    with serving(SCRIPTS, sandbox.root / "api") as api:
        result = typed(ClaudeClient(release, sandbox, api), machine, "SCRIPT:tools", *FLAGS)
    wiring = json.loads(machine.tokens("doctor", "--json"))["wiring"]

    assert result["result"] == "Done."  # whatever is wrong with hooks, the turn goes on
    is_working = not case.kind or case.only_in not in ("", release.version)
    heard = {line["event"] for line in wiring["events"] if line["seen"]}
    assert bool(heard) == is_working
    assert wiring["is_effective"] == is_working, wiring["answer"]
    blocking = {one["kind"] for one in wiring["troubles"] if one["is_blocking"]}
    assert (case.kind in blocking) != is_working


@EVERY
def test_the_evidence_names_the_client(
    release: Release, sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    machine = Machine.create(sandbox)
    machine.install(runnable(release).version)
    with serving(SCRIPTS, sandbox.root / "api") as api:
        typed(ClaudeClient(release, sandbox, api), machine, "SCRIPT:tools", *FLAGS)

    wiring = json.loads(machine.tokens("doctor", "--json"))["wiring"]

    hooks = next(part for part in wiring["parts"] if part["name"] == "hooks")
    assert (hooks["state"], hooks["version"]) == ("effective", release.version)
    heard = {line["event"]: line["seen"] for line in wiring["events"] if line["seen"]}
    assert {"SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"} <= set(heard)
    [client] = [one for one in wiring["clients"] if one["version"] == release.version]
    assert client["hooks_seen"] == hooks["seen"] == sum(heard.values())
    assert client["is_known"]


@EVERY
def test_the_plugin_is_effective_where_the_client_loads_it(
    release: Release, sandbox: Sandbox, install_outcomes: dict[str, str]
) -> None:
    machine = Machine.create(sandbox)
    machine.install(runnable(release).version, "--only", "plugin")
    with serving(SCRIPTS, sandbox.root / "api") as api:
        for _ in range(2):  # 2.1.270 loads it from the second session on
            typed(ClaudeClient(release, sandbox, api), machine, "SCRIPT:tools", *FLAGS)

    wiring = json.loads(machine.tokens("doctor", "--json"))["wiring"]

    plugin = next(part for part in wiring["parts"] if part["name"] == "plugin")
    is_loaded = release is not OLD  # which loads none that settings name
    assert plugin["state"] == ("effective" if is_loaded else "broken")
    assert wiring["is_effective"] == is_loaded
    blocking = {one["kind"] for one in wiring["troubles"] if one["is_blocking"]}
    assert ("plugin-not-loaded" in blocking) != is_loaded


def test_a_line_on_the_screen_is_the_evidence(newest_client: Release, sandbox: Sandbox) -> None:
    machine = Machine.create(sandbox)
    machine.install(newest_client.version)
    answer_every_question(sandbox, newest_client.version)
    with serving(SCRIPTS, sandbox.root / "api") as api:
        client = ClaudeClient(newest_client, sandbox, api)
        with in_a_terminal(client, f"--model={SONNET}") as terminal:
            terminal.wait_for("a line", lambda: "of 200K" in terminal.screen())
            terminal.wait_for("its report", lambda: _statusline(machine)["state"] == "effective")

    found = _statusline(machine)
    assert (found["state"], found["version"]) == ("effective", newest_client.version)


def _statusline(machine: Machine) -> JsonObject:
    wiring = json.loads(machine.tokens("doctor", "--wiring", "--json"))["wiring"]
    part: JsonObject = next(part for part in wiring["parts"] if part["name"] == "statusline")
    return part


def leave(sandbox: Sandbox, case: Case) -> None:
    """Change the settings as the case has it."""
    path = sandbox.config / "settings.json"
    changed = case.change(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(changed if isinstance(changed, str) else json.dumps(changed), encoding="utf-8")
    if case.local:
        folder = sandbox.project / ".claude"
        folder.mkdir(exist_ok=True)
        folder.joinpath("settings.local.json").write_text(case.local, encoding="utf-8")
