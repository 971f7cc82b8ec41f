"""What the writer of a summary is asked to keep, in the very request of the real client for it."""

from __future__ import annotations

import json

import pytest
from tests.e2e.claude_client import Sandbox
from tests.e2e.install_clients import Release
from tests.e2e.scripted_answers import Step, text, tool_use
from tests.e2e.test_hooks_wired import EACH, Desk, at_a_desk

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("install_outcomes")]

ASKED = "Keep exactly: the paths of the files in use"


def asked_in(desk: Desk) -> list[str]:
    """The requests in which it is asked, the first one being that for the summary."""
    bodies = [json.dumps(one.body, ensure_ascii=False) for one in desk.client.api.exchanges()]
    return [body for body in bodies if ASKED in body]


@EACH
@pytest.mark.parametrize("has_daemon", [False, True], ids=["alone", "daemon"])
def test_the_request_for_the_summary_names_what_is_in_use(
    release: Release, model: str, sandbox: Sandbox, *, has_daemon: bool
) -> None:
    read = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    fails = tool_use("Bash", command="ls nowhere", description="Fail")
    done = Step((text("Done."),))
    scripts = {"work": [Step((read,)), Step((fails,)), done], "hello": [done]}
    with at_a_desk(release, model, sandbox, scripts, has_daemon=has_daemon) as desk:
        desk.say("SCRIPT:work")
        assert not asked_in(desk)
        desk.say("/compact")
        [summary, *_] = asked_in(desk)
    said = summary.partition(ASKED)[2]
    assert "notes.txt" in said[:200]
    assert "the unresolved error of" in said[:200]


@EACH
def test_words_of_the_persons_own_are_left_alone(
    release: Release, model: str, sandbox: Sandbox
) -> None:
    read = tool_use("Read", file_path=str(sandbox.project / "notes.txt"))
    scripts = {"work": [Step((read,)), Step((text("Done."),))]}
    with at_a_desk(release, model, sandbox, scripts) as desk:
        desk.say("SCRIPT:work", "/compact Keep the plan of the migration.")
        assert not asked_in(desk)
