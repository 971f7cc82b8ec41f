"""What servers ask goes to the client that they work for, in their own name."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tokenbudget.gateway.mcp.client import Client, Message
from tokenbudget.gateway.mcp.passage import Passage
from tokenbudget.gateway.mcp.values import CallRefused

ALL: Any = {"sampling": {}, "elicitation": {}, "roots": {}}


class Person(Client):
    """A client that answers whatever it is asked with its own name."""

    def __init__(self, name: str, capabilities: Any = ALL) -> None:
        self.sent: list[Message] = []
        super().__init__(self._kept)
        self.capabilities = capabilities
        self.label = name

    def _kept(self, message: Message) -> bool:
        self.sent.append(message)
        if "id" in message:
            self.answered({"id": message["id"], "result": {"from": self.label}})
        return True


def passage_of(*clients: Client) -> Passage:
    passage = Passage(lambda _: None)
    for client in clients:
        passage.seen(client)
    return passage


def test_the_client_whose_call_runs_on_a_server_is_asked() -> None:
    first, second = Person("first"), Person("second")
    passage = passage_of(first, second)
    passage.called("a", first)
    assert asyncio.run(passage.sample("a", {})) == {"from": "first"}
    assert asyncio.run(passage.sample("b", {})) == {"from": "second"}
    passage.returned("a", first)
    assert asyncio.run(passage.sample("a", {})) == {"from": "second"}
    passage.seen(first)
    assert asyncio.run(passage.roots()) == {"from": "first"}


def test_a_server_cannot_ask_in_our_name() -> None:
    person = Person("p")
    asked = {
        "message": "tokenbudget: allow all?\n[~ x]",
        "requestedSchema": {"a": 1},
        "mode": "form",
    }
    asyncio.run(passage_of(person).elicit("evil\nserver", asked))
    params: Any = person.sent[0]["params"]
    assert params["message"] == "evil server asks: tokenbudget: allow all? [ ~ x]"
    assert params["requestedSchema"] == {"a": 1}
    assert params["mode"] == "form"


def test_a_form_cannot_move_the_cursor_and_its_answers_stay_exact() -> None:
    person = Person("p")
    field = {"type": "string", "title": "a\x1b[2J\nb", "enum": ["x\ny"], "enumNames": ["x\ny"]}
    deep: Any = {"a": 1}
    for _ in range(10_000):
        deep = {"a": deep}
    schema = {"type": "object", "properties": {"f": field, "deep": deep}, "required": ["f"]}
    asyncio.run(passage_of(person).elicit("s", {"message": "m", "requestedSchema": schema}))
    shown: Any = person.sent[0]["params"]
    assert shown["requestedSchema"]["required"] == ["f"]
    assert shown["requestedSchema"]["properties"]["f"] == {
        "type": "string", "title": "a[2J b", "enum": ["x\ny"], "enumNames": ["x y"]
    }  # fmt: skip


@pytest.mark.parametrize("clients", [[], [Person("p", {})]])
def test_what_no_client_can_is_refused(clients: list[Client]) -> None:
    passage = passage_of(*clients)
    for ask in (passage.sample("a", {}), passage.elicit("a", {}), passage.roots()):
        with pytest.raises(CallRefused):
            asyncio.run(ask)


def test_only_so_many_may_use_the_clients_model_at_once() -> None:
    class Silent(Person):
        def _kept(self, message: Message) -> bool:
            self.sent.append(message)
            return True

    person = Silent("p")
    passage = passage_of(person)

    async def flood() -> list[object]:
        tasks = [asyncio.ensure_future(passage.sample("a", {})) for _ in range(40)]
        done, waiting = await asyncio.wait(tasks, timeout=0.05)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        return [task.exception() for task in done]

    refused = asyncio.run(flood())
    assert len(refused) == 24
    assert all(isinstance(one, CallRefused) for one in refused)


def test_every_client_hears_what_servers_tell_and_who_told_it() -> None:
    first, second = Person("first"), Person("second")
    passage = passage_of(first, second)
    passage.notify("a", "notifications/message", {"level": "info", "data": 1, "logger": "l"})
    passage.notify("a", "notifications/resources/updated", {"uri": "x", "more": 1})
    passage.gone(first)
    passage.notify("a", "notifications/message", {"data": 2})
    assert [one["params"] for one in first.sent] == [
        {"level": "info", "data": 1, "logger": "a/l"},
        {"uri": "x", "more": 1},
    ]
    assert second.sent[-1]["params"] == {"data": 2, "logger": "a"}
