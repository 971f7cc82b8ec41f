"""Another tool's status line behind ours, in real clients: both lines are on the screen."""

import json
import re

import pytest
from tests.e2e.claude_client import ClaudeClient, Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.interactive_client import Terminal, answer_every_question, in_a_terminal
from tests.e2e.offline_api import serving
from tests.e2e.test_claude_code_usage import OPUS
from tests.e2e.tokens_cli import tokens_json

pytestmark = pytest.mark.e2e

THEIRS = "case $(cat) in *session_id*) echo their-line told;; *) echo their-line alone;; esac"
OURS_THEN_THEIRS = re.compile(r"opus-5-5.*their-line told")


@pytest.mark.parametrize("client", ["newest_client", "old_client"])
@pytest.mark.parametrize("theirs", [THEIRS, f"{THEIRS}; echo told >&2; exit 3"])
def test_both_lines_are_shown_whatever_the_other_ends_with(
    client: str, theirs: str, sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    release: Release = request.getfixturevalue(client)
    answer_every_question(sandbox, release.version)
    path = sandbox.config / "settings.json"
    before = json.dumps({"statusLine": {"type": "command", "command": theirs, "padding": 0}})
    path.write_text(before, encoding="utf-8")
    tokens_json(sandbox, "install", "--yes", "--only", "statusline")
    with serving({}, sandbox.root / "api") as api:
        running = ClaudeClient(release, sandbox, api)
        with in_a_terminal(running, OPUS) as terminal:
            terminal.wait_for("both lines", lambda: shows_both(terminal))
    tokens_json(sandbox, "uninstall", "--yes")
    assert path.read_text(encoding="utf-8") == before


def shows_both(terminal: Terminal) -> bool:
    return OURS_THEN_THEIRS.search(" ".join(terminal.screen().split())) is not None
