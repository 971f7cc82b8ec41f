"""Every hook event that a client knows is seen to fire, or stands below with the reason.

What a client knows is read from its program; what fires is written down by a hook on every event,
while one conversation, one run and one terminal provoke all that can be provoked without a network.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.e2e import eliciting_mcp_server
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.conversing_client import Conversation, conversing
from tests.e2e.install_clients import MIDDLE, NEWEST, OLD, Release
from tests.e2e.interactive_client import CLOCK, Terminal, answer_every_question, in_a_terminal
from tests.e2e.matrix import EVERY, runnable
from tests.e2e.offline_api import serving
from tests.e2e.recording_hooks import Recorder, events_known_to, wire, wire_recorder
from tests.e2e.scripted_answers import Script, Scripts, Step, Usage, text, tool_use

from tokenbudget.resources.client_features import features_of

pytestmark = pytest.mark.e2e

WAIT_SECONDS = 8
DOWN, ENTER = "\x1b[B", "\r"
_MODERN = {
    "PermissionDenied": "only the classifier of auto mode says so, and the fake API is none",
    "TeammateIdle": "needs a team of agents, an experiment that is switched off",
}
UNSEEN: Mapping[str, Mapping[str, str]] = {
    NEWEST.version: _MODERN,
    MIDDLE.version: _MODERN,
    OLD.version: {},
}
"""By client: what it knows and nothing here makes fire, with the reason."""


@EVERY
def test_every_event_that_the_client_knows_fires_or_is_listed(
    release: Release,
    model: str,
    install_outcomes: dict[str, str],
    sandbox: Sandbox,
    hook_account: dict[str, str],
) -> None:
    known = events_known_to(runnable(release))
    assert known == features_of(release.version).events
    recorder = Recorder.create(sandbox.root / "recorded")
    wire_recorder(sandbox, recorder, known)
    with serving(scripts_for(release, sandbox), sandbox.root / "api") as api:
        client = ClaudeClient(release, sandbox, api)
        in_conversation(client, model, recorder)
        if release is not OLD:
            in_runs(client, model)
        in_terminal(client, model, recorder)

    unseen = known - recorder.events()
    reasons = UNSEEN[release.version]
    hook_account[f"{release.name}, {model}"] = "; ".join(
        [f"{len(known) - len(unseen)} of {len(known)} hook events fired"]
        + [f"not {event}: {reasons.get(event, 'no reason known')}" for event in sorted(unseen)]
    )
    assert unseen == set(reasons)


# ── what provokes them ────────────────────────────────────────────────────────────────────────────


def scripts_for(release: Release, sandbox: Sandbox) -> Scripts:
    """What the model does in each turn."""
    done = Step((text("Done."),))
    delegate = "Task" if release is OLD else "Agent"
    task = {"description": "Greet", "subagent_type": "general-purpose", "prompt": "SCRIPT:hello"}
    # In the background it would have the last word, in a turn of its own.
    waits = {} if release is OLD else {"run_in_background": False}
    return {
        "hello": [Step((text("Hello."),))],
        "tools": [
            Step((tool_use("Bash", command="wc -l notes.txt", description="Count lines"),)),
            Step((tool_use("Bash", command="exit 3", description="Fail"),)),
            Step((tool_use("WebFetch", url="http://127.0.0.1:1/", prompt="What?"),)),
            Step((tool_use(delegate, **task, **waits),)),
            done,
        ],
        "fill": filling_any_window(),
        "tasks": [
            Step((tool_use("TaskCreate", subject="Buy", description="Milk", activeForm="Buying"),)),
            Step((tool_use("TaskUpdate", taskId="1", status="completed"),)),
            done,
        ],
        "worktree": [
            Step((tool_use("ToolSearch", query="select:EnterWorktree,ExitWorktree"),)),
            Step((tool_use("EnterWorktree", name="aside"),)),
            Step((tool_use("ExitWorktree", action="remove", discard_changes=True),)),
            done,
        ],
        "move": [
            Step((tool_use("Bash", command="mkdir -p sub && cd sub", description="Go"),)),
            done,
        ],
        "too-long": [Step(status=400, error="prompt is too long: 250000 tokens > 200000 maximum")],
        "ask": [Step((tool_use("mcp__asker__ask"),)), done],
        "risky": [Step((tool_use("Bash", command="touch a; rm a", description="Risk"),)), done],
    }


def filling_any_window() -> Script:
    """Small steps, then one that reports more context than any window of these tests holds."""
    step = tool_use("Bash", command="wc -l notes.txt", description="Count lines")
    small = [Step((step,), Usage(10, 20 + n, 100, 0, 5000 * n)) for n in range(4)]
    return [*small, Step((step,), Usage(10, 30, 100, 0, 190_000)), Step((text("Full."),))]


def in_conversation(client: ClaudeClient, model: str, recorder: Recorder) -> None:
    """Most events: tools, failure, permission, subagent, both compactions, another model, files."""
    project = client.sandbox.project
    (project / "CLAUDE.md").write_text("Be brief.\n", encoding="utf-8")
    (project / "watched.txt").write_text("one\n", encoding="utf-8")
    commands = client.sandbox.config / "commands"
    commands.mkdir()
    (commands / "greet.md").write_text("---\ndescription: Greet.\n---\nSCRIPT:hello\n")
    is_old = client.release is OLD
    window = {} if is_old else {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000"}
    with conversing(client, f"--model={model}", variables=window) as conversation:
        for words in ("SCRIPT:tools", "/greet", "SCRIPT:fill", "SCRIPT:hello", "/compact"):
            conversation.say(words)
        if not is_old:
            what_is_new(client, conversation, recorder)
        conversation.end()
        wait_for(recorder, "SessionEnd")


def what_is_new(client: ClaudeClient, conversation: Conversation, recorder: Recorder) -> None:
    """What only the clients of today know."""
    conversation.say("/model claude-haiku-4-5")
    conversation.say("SCRIPT:hello")
    touch_settings(client.sandbox)
    (client.sandbox.project / "watched.txt").write_text("one, two\n", encoding="utf-8")
    wait_for(recorder, "ConfigChange", "FileChanged")
    for name in ("tasks", "move", "too-long"):
        conversation.say(f"SCRIPT:{name}")
    wait_for(recorder, "StopFailure")


def touch_settings(sandbox: Sandbox) -> None:
    path = sandbox.config / "settings.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    wire(sandbox, settings["hooks"], env={"NEW": "1"})


def in_runs(client: ClaudeClient, model: str) -> None:
    """A tool server that asks the person, in a run that sets the project up; then a worktree."""
    server = {"command": sys.executable, "args": [str(Path(eliciting_mcp_server.__file__))]}
    servers = client.sandbox.project / ".mcp.json"
    servers.write_text(json.dumps({"mcpServers": {"asker": server}}), encoding="utf-8")
    allowed = "--allowedTools=mcp__asker__ask,ToolSearch,EnterWorktree,ExitWorktree"
    client.run("SCRIPT:ask", f"--model={model}", allowed, "--init")
    servers.unlink()
    client.run("SCRIPT:worktree", f"--model={model}", allowed)


def in_terminal(client: ClaudeClient, model: str, recorder: Recorder) -> None:
    """What only somebody at a terminal is asked."""
    answer_every_question(client.sandbox, client.release.version)
    aside = client.sandbox.root / "aside"
    aside.mkdir()
    before = len(recorder.payloads())
    with in_a_terminal(client, f"--model={model}") as terminal:
        terminal.wait_for("session", lambda: started(recorder, before))
        terminal.screen()
        if client.release is OLD:
            terminal.say("SCRIPT:risky")
            terminal.wait_for("question", lambda: recorder.has("Notification"))
        else:
            add_folder(terminal, aside, recorder)


def started(recorder: Recorder, before: int) -> bool:
    names = [payload["hook_event_name"] for payload in recorder.payloads()[before:]]
    return "SessionStart" in names


def add_folder(terminal: Terminal, folder: Path, recorder: Recorder) -> None:
    """Add a folder; the newest client asks twice, and the first time its first answer is no."""
    terminal.say(f"/add-dir {folder}")
    terminal.wait_for("folder", lambda: is_added(terminal, recorder))


def is_added(terminal: Terminal, recorder: Recorder) -> bool:
    if not recorder.has("DirectoryAdded"):
        question = " ".join(terminal.screen().split())
        if "No, leave it out" in question:
            terminal.press(DOWN, ENTER)
        elif "Yes, for this session" in question:
            terminal.press(ENTER)
    return recorder.has("DirectoryAdded")


def wait_for(recorder: Recorder, *events: str) -> None:
    """Give late hooks some time; whether they came is for the account to say."""
    until = CLOCK.monotonic_seconds() + WAIT_SECONDS
    for _ in ticks():
        if set(events) <= recorder.events() or CLOCK.monotonic_seconds() > until:
            return


def ticks() -> Iterator[None]:
    while True:
        yield
        CLOCK.sleep(0.1)
