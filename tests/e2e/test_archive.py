"""Archive and recover under the real client: what it works with, and what it resumes.

The clock of `tokens` is forty days ahead, so that what the client has just written is old.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Done, Home
from tests.e2e.claude_client import ClaudeClient, ClientError, Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.interactive_client import answer_every_question, in_a_terminal
from tests.e2e.offline_api import serving

from tokenbudget.system.clock import SystemClock

AHEAD_SECONDS = 40 * 86_400
CLOCK = SystemClock()

pytestmark = pytest.mark.e2e


class Desk:
    """A client and `tokens` beside it, over the same files."""

    def __init__(self, client: ClaudeClient) -> None:
        self.client = client
        self.sandbox = client.sandbox
        ahead = datetime.fromtimestamp(CLOCK.now_ms() / 1000 + AHEAD_SECONDS, UTC)
        self.home = Home(self.sandbox.home, ahead)
        self.home.variables["CLAUDE_CONFIG_DIR"] = str(self.sandbox.config)

    def tokens(self, *arguments: str) -> Done:
        return self.home.run(*arguments)

    def transcripts(self) -> list[str]:
        """The sessions that the client has now."""
        return sorted(path.stem for path in self.sandbox.transcripts.glob("*/*.jsonl"))


@pytest.fixture
def desk(newest_client: Release, sandbox: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    with serving({}, tmp_path / "api") as api:
        yield Desk(ClaudeClient(newest_client, sandbox, api))


def test_a_session_that_came_back_is_resumed(desk: Desk) -> None:
    session = str(desk.client.run("hello")["session_id"])
    before = next(desk.sandbox.transcripts.glob("*/*.jsonl")).read_bytes()

    assert desk.tokens("archive", "--yes").code == 0
    assert desk.transcripts() == []
    with pytest.raises(ClientError):
        desk.client.run("go on", "--resume", session)
    assert desk.tokens("recover", session).code == 0
    assert next(desk.sandbox.transcripts.glob("*/*.jsonl")).read_bytes() == before

    resumed = desk.client.run("go on", "--resume", session)

    assert resumed["session_id"] == session
    assert next(desk.sandbox.transcripts.glob("*/*.jsonl")).read_bytes().startswith(before)


def test_a_session_in_a_terminal_stays_and_goes_when_that_is_closed(desk: Desk) -> None:
    answer_every_question(desk.sandbox, desk.client.release.version)
    with in_a_terminal(desk.client) as terminal:
        terminal.wait_for("session", lambda: any((desk.sandbox.config / "sessions").glob("*.json")))
        terminal.say("hello")
        terminal.wait_for("answer", lambda: bool(desk.client.api.exchanges()))
        terminal.wait_for("transcript", lambda: bool(desk.transcripts()))
        told = desk.tokens("archive", "--yes", "--json").json
    later = desk.tokens("archive", "--yes")

    assert told["rows"] == []
    assert [(left["reason"], left["message"][:26]) for left in told["left"]] == [
        ("live", "an agent works with it (pr")
    ]
    assert later.code == 0, later.err
    assert desk.transcripts() == []
