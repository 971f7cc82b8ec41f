"""Our hooks in the real client, wired by `tokens install`: what they see, say, stop and deny."""

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.installed import Machine, is_in_time_or_passed_on, main_requests
from tests.e2e.interactive_client import CLOCK
from tests.e2e.matrix import EVERY, OPUS, SONNET, runnable
from tests.e2e.offline_api import serving
from tests.e2e.scripted_answers import JsonObject, Scripts, Step, Usage, text, tool_use

from tokenbudget.gateway.daemon.status import status_of
from tokenbudget.gateway.hooks.evidence import SeenSession, seen

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

EACH = pytest.mark.parametrize(
    ("release", "model"),
    [(NEWEST, OPUS), (MIDDLE, SONNET), (OLD, OPUS)],
    ids=lambda one: one.version if isinstance(one, Release) else one,
)
"""Every client once: here the model makes no difference."""
NO_COMPACTION = {"DISABLE_AUTO_COMPACT": "1"}
CTX = re.compile(r"ctx (\d+)% \(")
DONE = Step((text("Done."),))
FILE_LINES = 600
WINDOW_TOKENS = 150_000
"""The person's own figure: below what any of these clients lets a session fill."""
CONFIG = f'[windows]\n"claude-*" = {WINDOW_TOKENS}\n'
END_SECONDS = 8


class Desk:
    """A client with our hooks, in conversation."""

    def __init__(self, client: ClaudeClient, machine: Machine, say: Conversation) -> None:
        self.client, self.machine, self.conversation = client, machine, say

    def say(self, *prompts: str) -> JsonObject:
        """Say these one after the other; the last answer."""
        answers = [self.conversation.say(words) for words in prompts]
        return answers[-1]

    def requests(self) -> list[str]:
        """The messages of each request of the main thread, as they were sent."""
        sent = main_requests(self.client.api.exchanges())
        return [json.dumps(one.body["messages"], ensure_ascii=False) for one in sent]

    def results(self) -> list[str]:
        """What each tool call gave, as the last request has it."""
        last = main_requests(self.client.api.exchanges())[-1].body["messages"]
        blocks = [
            block for one in last if isinstance(one["content"], list) for block in one["content"]
        ]
        found = [block["content"] for block in blocks if block["type"] == "tool_result"]
        return [json.dumps(one, ensure_ascii=False) for one in found]


@contextlib.contextmanager
def at_a_desk(
    release: Release,
    model: str,
    sandbox: Sandbox,
    scripts: Scripts,
    hooks_config: str = "",
    has_daemon: bool = False,
) -> Iterator[Desk]:
    """A machine on which tokens is installed for this client, and a conversation on it."""
    machine = Machine.create(sandbox)
    config = machine.home / "config.toml"
    config.write_text(config.read_text() + CONFIG + hooks_config, encoding="utf-8")
    machine.install(runnable(release).version, "--only=hooks")
    daemon = machine.daemon() if has_daemon else contextlib.nullcontext()
    with serving(scripts, sandbox.root / "api") as api, daemon:
        client = ClaudeClient(release, sandbox, api)
        with conversing(client, f"--model={model}", variables=NO_COMPACTION) as conversation:
            yield Desk(client, machine, conversation)


# ── what they see ─────────────────────────────────────────────────────────────────────────────────


@EVERY
def test_every_wired_event_is_seen(release: Release, model: str, sandbox: Sandbox) -> None:
    assert_every_wired_event_is_seen(release, model, sandbox, has_daemon=False)


@EACH
def test_every_wired_event_is_seen_by_the_daemon(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    assert_every_wired_event_is_seen(release, model, sandbox, has_daemon=True)


def assert_every_wired_event_is_seen(
    release: Release, model: str, sandbox: Sandbox, has_daemon: bool
) -> None:
    with at_a_desk(release, model, sandbox, everyday(release), has_daemon=has_daemon) as desk:
        desk.say("SCRIPT:work", "/compact")
        if release is not OLD:
            desk.say("/model claude-haiku-4-5", "SCRIPT:hello")
        desk.conversation.end()
        wired = set(json.loads((sandbox.config / "settings.json").read_text())["hooks"])
        found = wait_for_end(desk.machine)

    assert {"SessionStart", "PreToolUse", "PreCompact", "SessionEnd"} <= wired
    assert set(found.events) == wired
    assert (found.version, found.compactions) == (release.version, 1)
    assert is_in_time_or_passed_on(found), found.last_fault
    assert all(times > 0 and last_ms > 0 for times, last_ms in found.events.values())


def test_a_daemon_killed_between_two_turns_loses_nothing(
    newest_client: Release, sandbox: Sandbox
) -> None:
    scripts = everyday(newest_client)
    with at_a_desk(newest_client, OPUS, sandbox, scripts, has_daemon=True) as desk:
        desk.say("SCRIPT:hello")
        daemon = status_of(str(desk.machine.home)).pid
        assert daemon
        os.kill(daemon, signal.SIGKILL)
        assert desk.say("SCRIPT:work")["result"] == "Done."
        desk.conversation.end()
        found = wait_for_end(desk.machine)
    assert is_in_time_or_passed_on(found), found.last_fault
    assert {name: found.events[name][0] for name in ("UserPromptSubmit", "Stop", "PreToolUse")} == {
        "UserPromptSubmit": 2,
        "Stop": 2,
        "PreToolUse": 2,
    }


def everyday(release: Release) -> Scripts:
    task = {"description": "Greet", "subagent_type": "general-purpose", "prompt": "SCRIPT:hello"}
    waits = {} if release is OLD else {"run_in_background": False}
    return {
        "hello": [Step((text("Hello."),))],
        "work": [
            Step((tool_use("Bash", command="wc -l notes.txt", description="Count lines"),)),
            Step((tool_use("Bash", command="exit 3", description="Fail"),)),
            Step((tool_use("Task" if release is OLD else "Agent", **task, **waits),)),
            DONE,
        ],
    }


def wait_for_end(machine: Machine) -> SeenSession:
    until = CLOCK.monotonic_seconds() + END_SECONDS
    while True:
        [found] = seen(str(machine.home), 0)
        if "SessionEnd" in found.events or CLOCK.monotonic_seconds() > until:
            return found
        CLOCK.sleep(0.1)


# ── what they say ─────────────────────────────────────────────────────────────────────────────────


@EVERY
def test_each_threshold_is_told_once_and_in_time(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    """Two calls at each height, for a client may write an answer down after its call's hook."""
    told = [("52", "53"), ("72", "73"), ("82", "83"), ("91", "92")]
    heights = [0.40, 0.41, *(int(each) / 100 for pair in told for each in pair), 0.93]
    with at_a_desk(release, model, sandbox, {"fill": filling(heights)}) as desk:
        desk.say("SCRIPT:fill")
        requests = desk.requests()

    assert len(CTX.findall(requests[-1])) == len(told)
    assert requests[-1].count("You must compact or start anew") == 1
    for at, pair in enumerate(told):
        first_reached, last_reached = 3 + 2 * at, 4 + 2 * at
        before, after = requests[first_reached - 1], requests[last_reached]
        assert not any(f"ctx {height}% (" in before for height in pair)
        assert sum(after.count(f"ctx {height}% (") for height in pair) == 1


@EACH
def test_health_is_told_with_a_prompt_only_when_it_changed(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    scripts = {
        "low": [Step((text("Low."),), share(0.3))],
        "high": [Step((text("High."),), share(0.62))],
    }
    with at_a_desk(release, model, sandbox, scripts) as desk:
        desk.say("SCRIPT:low", "SCRIPT:low", *["SCRIPT:high"] * 4)
        requests = desk.requests()
    counts = [len(CTX.findall(one)) for one in requests]
    # A client may write an answer down only after the next prompt's hook has looked for it.
    assert counts in ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1])


@EACH
def test_after_a_compaction_the_snapshot_arrives(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    read = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    fails = tool_use("Bash", command="ls nowhere", description="Fail")
    scripts = {"work": [Step((read,)), Step((fails,)), DONE], "hello": [DONE]}
    with at_a_desk(release, model, sandbox, scripts) as desk:
        desk.say("SCRIPT:work", "/compact", "SCRIPT:hello")
        before, after = desk.requests()[-2:]
    assert "Files in use" not in before
    assert after.count("Files in use") == 1
    assert "notes.txt" in after.partition("Files in use")[2]
    assert after.count("Unresolved: ") == 1


# ── what they stop and deny ───────────────────────────────────────────────────────────────────────


@EACH
def test_the_hard_stop_ends_the_turn(release: Release, model: str, sandbox: Sandbox) -> None:
    stop = '[hooks]\nstop_at = "60%"\n'
    scripts = {"fill": filling([0.4, 0.7, 0.71, 0.72, 0.73])}
    with at_a_desk(release, model, sandbox, scripts, hooks_config=stop) as desk:
        result = desk.say("SCRIPT:fill")
        requests = desk.requests()
    assert len(requests) in (2, 3), (
        "the second answer is beyond the limit; the third, if it was late"
    )
    if release is not OLD:
        assert result["terminal_reason"] == "hook_stopped"


@EACH
def test_a_guard_denies_once(release: Release, model: str, sandbox: Sandbox) -> None:
    lines = (f"line {number} of a text that is long enough\n" for number in range(FILE_LINES))
    file = sandbox.project / "long.txt"
    file.write_text("".join(lines), encoding="utf-8")
    read = Step((tool_use("Read", file_path=str(file)),))
    show = Step((tool_use("Bash", command="cat long.txt", description="Show"),))
    scripts = {"again": [read, read, read, DONE], "cat": [show, show, DONE]}
    with at_a_desk(release, model, sandbox, scripts) as desk:
        desk.say("SCRIPT:again", "SCRIPT:cat")
        first, second, third, denied, shown = desk.results()

    assert len(first) > 20_000 < len(shown)
    assert "This puts ~" in denied
    if release is MIDDLE:  # this client answers by itself, and we leave it to that
        assert "file unchanged since your last Read" in second
        assert "file unchanged since your last Read" in third
    else:
        assert "is unchanged and still in ctx" in second
        assert len(third) > 20_000


# ── the window ────────────────────────────────────────────────────────────────────────────────────


def share(height: float) -> Usage:
    """What an answer reports so that it fills this share of the window, and a little."""
    return Usage(10, 50, 100, 0, int(WINDOW_TOKENS * height) + 500)


def filling(heights: list[float]) -> list[Step]:
    """A tool call at each height, of a length that calls have: 2.1.270 writes lines down later."""
    step = tool_use("Bash", command="sleep 0.2; wc -l notes.txt", description="Count lines")
    return [*(Step((step,), share(height)) for height in heights), DONE]
