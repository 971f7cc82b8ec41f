"""Questions to the client: each is answered once, refused, given up, or taken back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tokenbudget.gateway.mcp import client as client_module
from tokenbudget.gateway.mcp.client import Client, Message
from tokenbudget.gateway.mcp.values import CallRefused


class Wire:
    """Remembers what was sent, and answers from another thread as a door does."""

    def __init__(self, *answers: Message, is_open: bool = True) -> None:
        self.sent: list[Message] = []
        self._answers = list(answers)
        self._is_open = is_open
        self.client = Client(self.send)

    def send(self, message: Message) -> bool:
        self.sent.append(message)
        if "id" in message and self._answers:
            answer = {"id": message["id"], **self._answers.pop(0)}
            threading.Thread(target=self.client.answered, args=(answer,)).start()
        return self._is_open


def asked(wire: Wire) -> Message:
    return asyncio.run(wire.client.ask("roots/list", {"a": 1}))


def test_an_answer_comes_back_as_it_is() -> None:
    wire = Wire({"result": {"roots": [], "more": 1}})
    assert asked(wire) == {"roots": [], "more": 1}
    assert wire.sent[0]["method"] == "roots/list"
    assert wire.sent[0]["params"] == {"a": 1}


@pytest.mark.parametrize("answer", [{"error": {"code": -32601}}, {"result": 7}, {}])
def test_an_answer_that_is_none_is_a_refusal(answer: Any) -> None:
    with pytest.raises(CallRefused, match="the client refused roots/list"):
        asked(Wire(answer))


def test_a_client_that_is_gone_is_not_waited_for() -> None:
    with pytest.raises(CallRefused, match="cannot be reached"):
        asked(Wire(is_open=False))


def test_a_client_that_does_not_answer_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_SECONDS", 0.01)
    wire = Wire()
    with pytest.raises(CallRefused, match="did not answer"):
        asked(wire)
    assert wire.sent[1]["params"] == {"requestId": wire.sent[0]["id"]}


def test_an_answer_to_nothing_is_dropped() -> None:
    wire = Wire()
    for number in ("tokenbudget-1", 1, None, ["x"]):
        wire.client.answered({"id": number, "result": {}})
    assert wire.sent == []


@pytest.mark.parametrize(
    ("said", "can"),
    [({}, False), ({"elicitation": {}}, True), ({"elicitation": {"form": {}}}, True),
     ({"elicitation": {"url": {}}}, False), ({"elicitation": True}, False)],
)  # fmt: skip
def test_who_shows_forms_says_so(said: Any, can: bool) -> None:
    client = Client(lambda _: True)
    client.introduced({"capabilities": said, "clientInfo": {"name": "n\n\x1b[2J", "version": 7}})
    assert client.can_be_asked is can
    assert client.label == "n [2J"
