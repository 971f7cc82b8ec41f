"""Servers that speak only the revision of the protocol without a handshake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.mcp import test_hub_sdk
from tests.gateway.mcp.hubs import configs, hub_over, run, tool, until

from tokenbudget.gateway.mcp import hub_stateless as stateless
from tokenbudget.gateway.mcp.hub_peer import RequestRefused
from tokenbudget.gateway.mcp.hub_session import Session
from tokenbudget.gateway.mcp.values import CallFailed


def test_what_an_answer_asks_for_is_given_and_the_call_repeated(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "stateless")) as case:
            answer = await case.hub.call(tool("stateless"), {})
            inputs = {"q": {"action": "accept", "content": {"seen": {"message": "Sure?"}}}}
            assert json.loads(str(answer.content[0]["text"])) == [inputs, "s1"]
            catalogue = await case.hub.catalogue("stateless")
            assert catalogue.version == "stateless 2"

    run(work)


def test_a_change_of_tools_is_heard(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "stateless")) as case:
            await case.hub.catalogue("stateless")
            await until(lambda: "more" in [one.name for one in case.client.changed[-1].tools])

    run(work)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("insisting", "insisting asks again and again for more input"),
        ("future", 'future says: "unsupported"'),
    ],
)
def test_a_fault_is_one_true_sentence(tmp_path: Path, fault: str, said: str) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, fault)) as case:
            with pytest.raises(CallFailed, match=said):
                await case.hub.call(tool(fault), {})

    run(work)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["stdio", "streamable-http"])
def test_everything_passes_through_a_server_of_the_sdk_without_a_handshake(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_: Session) -> None:
        raise RequestRefused("orders", {"message": "no handshake"})

    async def work() -> None:
        async with hub_over(
            tmp_path,
            servers,
            test_hub_sdk.LIMITS,
            test_hub_sdk.ENVIRONMENT,
            test_hub_sdk.Agreeing(),
        ) as case:
            assert len((await case.hub.catalogue("orders")).tools) == 4
            answer = await case.hub.call(tool("orders", "add"), {"first": 2, "second": 3})
            assert answer.structured == {"result": 5}
            seen: list[object] = []
            await case.hub.call(
                tool("orders", "steps"), {}, progress=lambda one: seen.append(one.get("message"))
            )
            assert seen == ["step 0", "step 1", "step 2"]
            await test_hub_sdk.requests(case)

    monkeypatch.setattr(Session, "_shake_hands", refused)
    with test_hub_sdk.served(way) as servers:
        run(work)


def test_what_is_said_of_a_message_in_the_head_of_a_request() -> None:
    message = {"method": "tools/call", "params": {"name": "go", "uri": "x://"}}
    assert stateless.headers_of(message) == {"mcp-method": "tools/call", "mcp-name": "go"}
    assert stateless.headers_of({"method": "ping", "params": None}) == {"mcp-method": "ping"}
    assert stateless.headers_of({"id": 1, "result": {}}) == {}


def test_a_meta_of_the_caller_is_kept() -> None:
    stamped = stateless.stamped({"a": 1, "_meta": {"b": 2}}, {"name": "c"}, {})
    assert stamped["a"] == 1
    assert isinstance(stamped["_meta"], dict)
    assert stamped["_meta"]["b"] == 2
    assert stamped["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
