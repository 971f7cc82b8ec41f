"""A command that is wrapped asks nobody who would not have been asked, and passes no rule."""

import dataclasses
import json
from collections.abc import Mapping

import pytest
from tests.e2e.ahead import project_sandbox
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, last_told, main_requests, typed
from tests.e2e.matrix import OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import Step, text, tool_use
from tests.e2e.trim_project import FAILURE, furnish

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

EACH = pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, OPUS), (MIDDLE, SONNET), (OLD, SONNET)],
    ids=lambda one: one.version if isinstance(one, Release) else one,
)
COMMAND = "pytest -v"
DONE = Step((text("Done."),))
WAY_BACK = "tokens recall"


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """What came of the command."""

    said: str
    denied: list[str]
    """The commands that somebody would have been asked about, or that are forbidden."""


def run_with(
    release: Release,
    model: str,
    sandbox: Sandbox,
    rules: Mapping[str, list[str]],
    config: str = "",
    command: str = COMMAND,
) -> Ran:
    """The failing test run in a client whose person has made these rules, and no others."""
    machine = Machine.create(sandbox)
    furnish(machine)
    toml = machine.home / "config.toml"
    toml.write_text(toml.read_text() + config, encoding="utf-8")
    settings = {"permissions": rules}
    sandbox.config.joinpath("settings.json").write_text(json.dumps(settings))
    machine.install(runnable(release).version, "--only=hooks")
    script = [Step((tool_use("Bash", command=command, description="Run it"),)), DONE]
    with serving({"tests": script}, sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)
        result = typed(client, machine, "SCRIPT:tests", f"--model={model}")
        said = last_told(main_requests(api.exchanges())[-1])
    denied = [one["tool_input"]["command"] for one in result["permission_denials"]]
    return Ran(said, denied)


MODERN = pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, OPUS), (MIDDLE, SONNET)],
    ids=lambda one: getattr(one, "version", one),
)


@MODERN
@pytest.mark.parametrize("rule", ["Bash(pytest:*)", "Bash(pytest -v)", "Bash"])
def test_what_runs_anyway_is_wrapped(
    release: Release, model: str, rule: str, sandbox: Sandbox
) -> None:
    ran = run_with(release, model, sandbox, {"allow": [rule]})
    assert ran.denied == []
    assert ran.said.startswith("Exit code 1")
    assert all(words in ran.said for words in FAILURE)
    assert WAY_BACK in ran.said


def test_the_oldest_where_a_hook_may_pass_what_is_forbidden_is_left_alone(
    old_client: Release, sandbox: Sandbox
) -> None:
    ran = run_with(old_client, SONNET, sandbox, {"allow": ["Bash"]})
    assert ran.denied == []
    assert WAY_BACK not in ran.said


@MODERN
def test_what_a_client_asks_about_whatever_a_rule_allows_is_left_alone(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    command = "pytest -k 'a\u00a0b'"
    ran = run_with(release, model, sandbox, {"allow": ["Bash(pytest:*)"]}, command=command)
    assert ran.denied == [command]


@EACH
@pytest.mark.parametrize(
    "rules",
    [
        {"allow": ["Bash(git status)"]},
        {"allow": ["Bash"], "deny": ["Bash(pytest:*)"]},
        {"allow": ["Bash"], "ask": ["Bash(pytest:*)"]},
    ],
    ids=["no-rule", "forbidden", "to-be-asked"],
)
def test_what_would_not_run_is_left_as_it_is(
    release: Release, model: str, rules: dict[str, list[str]], sandbox: Sandbox
) -> None:
    without = project_sandbox(sandbox.root.parent / "raw")
    as_it_was = run_with(release, model, without, rules, "[trim]\nwrap = false\n")
    ran = run_with(release, model, sandbox, rules)
    assert ran == as_it_was
    assert WAY_BACK not in ran.said
    assert release is OLD or ran.denied == [COMMAND]  # the oldest knows no rules that ask


@EACH
def test_a_rule_for_recall_lets_nobody_write_a_file(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    """The marks of `config.agent_session` are there in every client."""
    command = "tokens recall 123456789012 --output stolen"
    ran = run_with(release, model, sandbox, {"allow": ["Bash(tokens recall:*)"]}, command=command)
    assert ran.denied == []
    assert "--output is for a person" in ran.said
