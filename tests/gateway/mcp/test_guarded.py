"""Every call passes rules, the person and the audit; nothing else leads to a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.mcp.hubs import ManualClock

from tokenbudget.gateway.mcp.audit import Audit
from tokenbudget.gateway.mcp.client import Client, Message, Request
from tokenbudget.gateway.mcp.guarded import CODE, DIRECT, Guard, raw_text, shown_arguments
from tokenbudget.gateway.mcp.hub_values import Progress
from tokenbudget.gateway.mcp.passage import Passage
from tokenbudget.gateway.mcp.rules import Rules
from tokenbudget.gateway.mcp.values import Answer, CallFailed, CallRefused, Tool

READ = Tool("gitlab", "get_issue", "", "", {"properties": {"id": {}}}, None, {})
DELETE = READ._replace(name="delete_issue")
ANSWER = Answer([{"type": "text", "text": "four words of text"}], None, is_error=False)
YES = {"action": "accept", "content": {"allow": True}}
FORMS: dict[str, object] = {"elicitation": {"form": {}}}


class Words:
    """Counts words."""

    name = "words"

    def count(self, text: str) -> int:
        return len(text.split())


class Servers:
    """Answers every call, and remembers them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self.fault: Exception | None = None
        self.progress: list[Message] = []
        self.answer = ANSWER

    async def call(
        self, tool: Tool, arguments: Mapping[str, object], *, progress: Progress | None = None
    ) -> Answer:
        self.calls.append((tool.name, arguments))
        for said in self.progress if progress else []:
            assert progress is not None
            progress(said)
        if self.fault is not None:
            raise self.fault
        return self.answer


class Scene:
    """A guard, its servers, and a client whose person answers as a test says."""

    def __init__(self, folder: Path, rules: Rules, capabilities: Mapping[str, object]) -> None:
        self.folder = folder
        self.servers = Servers()
        self.sent: list[Message] = []
        self.says: object = {"action": "cancel"}
        self.client = Client(self._sent)
        self.client.capabilities = capabilities
        self.client.label = "client 1"
        audit = Audit(str(folder), ManualClock(), "session")
        passage = Passage(lambda _: None)
        self.guard = Guard(
            self.servers, rules, audit, ManualClock(), Words(), lambda t, _: f"a_{t.name}", passage
        )

    def _sent(self, message: Message) -> bool:
        self.sent.append(message)
        if "id" in message and self.says is not None:
            self.client.answered({"id": message["id"], "result": self.says})
        return True

    def visit(self, via: str = CODE, token: object = None) -> Any:
        return self.guard.visit(Request(self.client, token), via)

    @property
    def asked(self) -> list[Any]:
        return [one["params"] for one in self.sent if one.get("method") == "elicitation/create"]

    @property
    def rows(self) -> list[Any]:
        text = (self.folder / "audit.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


def done(work: Callable[[], Awaitable[object]]) -> object:
    async def run() -> object:
        return await work()

    return asyncio.run(run())


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, Rules(), FORMS)


def test_what_reads_goes_through_and_is_written_down(scene: Scene) -> None:
    assert done(lambda: scene.visit().call(READ, {"id": "12345"})) == ANSWER
    assert scene.asked == []
    assert scene.rows[0] | {"at": "", "ms": 0} == {
        "at": "", "event": "call", "session": "session", "client": "client 1", "server": "gitlab",
        "tool": "get_issue", "alias": "a_get_issue", "via": "code", "verdict": "allow",
        "outcome": "ok", "ms": 0, "arguments": {"id": 5}, "result_bytes": 18, "result_tokens": 4,
    }  # fmt: skip


def test_a_refused_call_never_reaches_its_server(scene: Scene) -> None:
    scene.guard.rules = Rules(deny=("gitlab.*",))
    with pytest.raises(CallRefused, match="denied by a rule"):
        done(lambda: scene.visit().call(READ, {}))
    assert scene.servers.calls == []
    assert [(row["verdict"], row["outcome"]) for row in scene.rows] == [("deny", "refused")]


@pytest.mark.parametrize(
    "says",
    [
        {"action": "cancel"}, {"action": "decline"}, {"action": "accept"}, {}, {"action": True},
        {"action": "accept", "content": {"allow": "true"}},
        {"action": "accept", "content": {"remember": True}},
        {"action": "cancel", "content": {"allow": True}},
        {"action": "accept", "content": [True]},
    ],
)  # fmt: skip
def test_only_a_plain_yes_lets_it_through(scene: Scene, says: object) -> None:
    scene.says = says
    is_answered = isinstance(says, dict) and says.get("action") in ("accept", "decline")
    words = "the person refused" if is_answered else "nobody consented to"
    with pytest.raises(CallRefused, match=words):
        done(lambda: scene.visit().call(DELETE, {}))
    assert scene.servers.calls == []


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": None}, {"elicitation": {"url": {}}}])
def test_a_client_without_forms_is_not_asked(tmp_path: Path, capabilities: Any) -> None:
    scene = Scene(tmp_path, Rules(), capabilities)
    with pytest.raises(CallRefused, match="this client cannot ask"):
        done(lambda: scene.visit().call(DELETE, {}))
    assert not scene.sent
    assert not scene.servers.calls


def test_a_yes_holds_for_one_call_unless_it_is_to_be_remembered(scene: Scene) -> None:
    scene.says = YES
    done(lambda: scene.visit().call(DELETE, {}))
    done(lambda: scene.visit().call(DELETE, {}))
    assert len(scene.asked) == 2
    scene.says = {"action": "accept", "content": {"allow": True, "remember": True}}
    done(lambda: scene.visit().call(DELETE, {}))
    scene.says = {"action": "cancel"}
    done(lambda: scene.visit().call(DELETE, {}))
    assert len(scene.asked) == 3
    with pytest.raises(CallRefused):
        done(lambda: scene.visit().call(DELETE._replace(name="delete_all"), {}))


def test_whoever_wants_to_be_asked_each_time_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Rules(ask=("gitlab.get_*",)), FORMS)
    scene.says = {"action": "accept", "content": {"allow": True, "remember": True}}
    done(lambda: scene.visit().call(READ, {}))
    done(lambda: scene.visit().call(READ, {}))
    assert len(scene.asked) == 2


def test_a_no_is_not_asked_again_in_the_same_run(scene: Scene) -> None:
    async def nags() -> None:
        visit = scene.visit()
        for _ in range(3):
            with pytest.raises(CallRefused):
                await visit.call(DELETE, {})

    done(nags)
    assert len(scene.asked) == 1


def test_calls_at_once_ask_one_after_the_other(scene: Scene) -> None:
    scene.says = None

    async def at_once() -> None:
        visit = scene.visit()
        calls = [asyncio.ensure_future(visit.call(DELETE, {"id": n})) for n in range(3)]
        for expected in (1, 2, 3):
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(scene.asked) == expected
            number = scene.sent[-1]["id"]
            scene.client.answered({"id": number, "result": YES})
        await asyncio.gather(*calls)

    done(at_once)
    assert len(scene.servers.calls) == 3


def test_the_person_sees_what_is_to_be_done_on_one_line(scene: Scene) -> None:
    with pytest.raises(CallRefused):
        done(lambda: scene.visit().call(DELETE, {"id": "a\nb\x1b[2J", "x" * 500: ["y" * 900]}))
    message = scene.asked[0]["message"]
    assert message.startswith("tokenbudget: allow gitlab.delete_issue(id=")
    assert message.isprintable()
    assert len(message) < 2_500
    assert 'id="a\\nb\\u001b[2J"' in message


@pytest.mark.parametrize(
    "value", ["/srv/**", "<b>/etc", "`rm -rf`", "## x", "[~ ours]", "a\u202eb"]
)
def test_the_person_sees_exactly_what_is_sent(value: str) -> None:
    shown = shown_arguments({"path": value})
    assert shown.isprintable()
    assert json.loads(shown.removeprefix("path=")) == value


def test_a_long_argument_does_not_hide_the_next() -> None:
    shown = shown_arguments({"note": "x" * 50_000, "path": "/", **{f"p{n}": n for n in range(30)}})
    assert "characters, path=" in shown
    assert "… +49," in shown
    assert shown.endswith("… and 12 more arguments")


def test_a_consent_is_for_the_tool_as_it_was(scene: Scene) -> None:
    scene.says = {"action": "accept", "content": {"allow": True, "remember": True}}
    done(lambda: scene.visit().call(DELETE, {}))
    done(lambda: scene.visit().call(DELETE, {}))
    assert len(scene.asked) == 1
    done(lambda: scene.visit().call(DELETE._replace(description="now of all projects"), {}))
    assert len(scene.asked) == 2


def test_a_broken_server_is_written_down_and_told(scene: Scene) -> None:
    scene.servers.fault = CallFailed("it is gone")
    with pytest.raises(CallFailed):
        done(lambda: scene.visit().call(READ, {}))
    assert scene.rows[0]["outcome"] == "failed"


def test_a_cancelled_call_is_written_down(scene: Scene) -> None:
    scene.says = None

    async def cancels() -> None:
        task = asyncio.ensure_future(scene.visit().call(DELETE, {}))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])

    done(cancels)
    assert scene.rows[0]["outcome"] == "refused"
    assert scene.sent[-1]["method"] == "notifications/cancelled"


def test_progress_of_a_direct_call_is_passed_on_as_it_is(scene: Scene) -> None:
    scene.servers.progress = [{"progress": 5, "total": 9, "message": "m", "more": 1}]
    done(lambda: scene.visit(DIRECT, token=7).call(READ, {}))
    said = {"progressToken": 7, "progress": 5, "total": 9, "message": "m", "more": 1}
    assert [one["params"] for one in scene.sent] == [said]
    scene.sent.clear()
    done(lambda: scene.visit(DIRECT).call(READ, {}))
    assert scene.sent == []  # it did not ask for any


def test_a_value_counts_once_though_it_is_said_twice() -> None:
    twice = Answer([{"type": "text", "text": '{"a": 1}'}], {"a": 1}, is_error=False)
    assert raw_text(twice) == '{"a":1}'
    assert raw_text(Answer([{"type": "image", "data": "x"}, {"text": 1}], None, False)) == ""


def test_arguments_that_are_no_json_are_shown_as_far_as_they_go() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown_arguments({"a": {1}, "b": deep, "c": 1}) == ("a=…, b=… (too deep to show), c=1")
