"""The hub over small real servers that do what they should."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.gateway.mcp.hubs import QUICK, configs, fault, hub_over, run, tool, until

from tokenbudget.gateway.mcp.hub_peer import RequestRefused
from tokenbudget.gateway.mcp.hub_values import HubLimits, as_told
from tokenbudget.gateway.mcp.server_config import configs_from
from tokenbudget.gateway.mcp.values import CallFailed


def test_a_call_goes_through_and_the_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine")) as case:
            given = {"text": "é\ud800", "deep": [{"a": None}], "n": 10**30}
            answer = await case.hub.call(tool("fine"), given)
            assert answer.structured == given
            assert json.loads(str(answer.content[0]["text"])) == given
            assert not answer.is_error

    run(work)


def test_many_calls_at_once_start_a_server_once_and_are_not_mixed_up(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine", "other")) as case:
            names = ["fine", "other"] * 100
            calls = (case.hub.call(tool(name), {"n": n}) for n, name in enumerate(names))
            answers = await asyncio.gather(*calls)
            assert [answer.structured for answer in answers] == [{"n": n} for n in range(200)]
            assert len(case.pids()) == 2
            assert case.hub.states() == {"fine": "running", "other": "running"}

    run(work)


def test_a_catalogue_is_taken_at_the_start_and_found_without_one_later(tmp_path: Path) -> None:
    async def first() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine")) as case:
            catalogue = await case.hub.catalogue("fine")
            assert [one.name for one in catalogue.tools] == ["go"]
            assert catalogue.offers == {"tools", "logging", "resources"}
            assert case.client.changed == [catalogue]

    async def second() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine")) as case:
            (catalogue,) = await case.hub.catalogues()
            assert [one.name for one in catalogue.tools] == ["go"]
            assert len(case.pids()) == 1
            await case.hub.call(tool("fine"), {})
            assert case.client.changed == []

    run(first)
    run(second)


def test_a_server_that_changes_its_tools_is_asked_again_once(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "changes")) as case:
            await case.hub.call(tool("changes"), {})
            await until(lambda: len(case.client.changed) > 1)
            assert [one.name for one in case.client.changed[-1].tools] == ["go", "more"]
            assert len(case.client.changed) == 2
            fresh = await case.hub.catalogue("changes", fresh=True)
            assert fresh == case.client.changed[-1]

    run(work)


def test_progress_reaches_its_call_and_begins_the_time_anew(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(call_seconds=0.6)
        async with hub_over(tmp_path, configs(tmp_path, "slow"), limits) as case:
            await case.hub.catalogue("slow")
            seen: list[object] = []
            answer = await case.hub.call(
                tool("slow"), {"steps": 8}, progress=lambda one: seen.append(dict(one))
            )
            assert answer.content == [{"type": "text", "text": "done"}]
            assert seen == [{"progress": step, "total": 4} for step in range(8)]

    run(work)


def test_progress_that_nobody_listens_to_begins_the_time_anew_too(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(call_seconds=0.6)
        async with hub_over(tmp_path, configs(tmp_path, "slow"), limits) as case:
            answer = await case.hub.call(tool("slow"), {"steps": 8})
            assert answer.content == [{"type": "text", "text": "done"}]

    run(work)


def test_the_clients_own_limits_hold() -> None:
    limits = HubLimits(start_seconds=30, call_seconds=120)
    assert as_told(limits, {}) == limits
    told = as_told(limits, {"MCP_TIMEOUT": "60000", "MCP_TOOL_TIMEOUT": "1500"})
    assert (told.start_seconds, told.call_seconds) == (60, 1.5)
    odd = {"MCP_TIMEOUT": "soon", "MCP_TOOL_TIMEOUT": "٣"}
    assert as_told(limits, odd) == limits


def test_progress_does_not_keep_a_call_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(call_seconds=0.3, longest_call_seconds=0.4)
        async with hub_over(tmp_path, configs(tmp_path, "slow"), limits) as case:
            with pytest.raises(CallFailed, match=r"did not answer tools/call within 0\.4 seconds"):
                await case.hub.call(tool("slow"), {"steps": 9}, progress=lambda _: None)

    run(work)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("elicitation/create", {"action": "accept", "content": {"seen": {"a": 1}}}),
        ("roots/list", {"roots": [{"uri": "file:///project"}]}),
        ("ping", {}),
        ("sampling/createMessage", {"code": -1, "message": "the client does not sample"}),
        ("files/delete", {"code": -32601, "message": "no files/delete"}),
    ],
)
def test_what_a_server_asks_is_answered_by_the_client(
    tmp_path: Path, method: str, said: object
) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "asks")) as case:
            answer = await case.hub.call(tool("asks"), {"methods": [method]})
            assert json.loads(str(answer.content[0]["text"])) == said

    run(work)


def test_while_a_person_is_asked_a_call_does_not_run_out_of_time(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(call_seconds=0.4)
        async with hub_over(tmp_path, configs(tmp_path, "asks"), limits) as case:
            await case.hub.catalogue("asks")
            case.client.gate.clear()
            methods = {"methods": ["elicitation/create"]}
            call = asyncio.ensure_future(case.hub.call(tool("asks"), methods))
            await asyncio.sleep(0.5)
            assert not call.done()
            case.client.gate.set()
            assert not (await call).is_error

    run(work)


def test_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "hang")) as case:
            call = asyncio.ensure_future(case.hub.call(tool("hang"), {}))
            await until(
                lambda: "never" in (case.log() if case.hub.states()["hang"] == "running" else "")
            )
            call.cancel()
            await until(
                lambda: 'cancelled {"requestId": 3, "reason": "no longer needed"}' in case.log()
            )
            assert call.cancelled() or not call.done()
            assert case.hub.states() == {"hang": "running"}

    run(work)


def test_other_requests_go_through_as_they_are(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, configs(tmp_path, "fine")) as case:
            asked = {"uri": "x://y", "_meta": {"unknown": 1}}
            read = await case.hub.request("fine", "resources/read", asked)
            assert read == {"asked": asked, "method": "resources/read"}
            with pytest.raises(RequestRefused, match='fine says: "no"') as refused:
                await case.hub.request("fine", "prompts/get", {})
            assert refused.value.error == {"code": -32601, "message": "no"}

    run(work)


def test_a_server_that_is_not_asked_for_long_is_stopped_and_comes_back(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(idle_seconds=600)
        async with hub_over(tmp_path, configs(tmp_path, "fine"), limits) as case:
            await case.hub.call(tool("fine"), {})
            case.clock.now += 599
            await case.hub.stop_idle()
            assert case.hub.states() == {"fine": "running"}
            case.clock.now += 1
            await case.hub.stop_idle()
            assert case.hub.states() == {"fine": "stopped"}
            await case.hub.call(tool("fine"), {})
            assert len(case.pids()) == 2

    run(work)


def test_a_server_whose_resources_are_watched_is_not_stopped(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(idle_seconds=1)
        async with hub_over(tmp_path, configs(tmp_path, "fine"), limits) as case:
            await case.hub.request("fine", "resources/subscribe", {"uri": "x://y"})
            case.clock.now += 2
            await case.hub.stop_idle()
            assert case.hub.states() == {"fine": "running"}

    run(work)


def test_the_level_of_logging_is_told_to_a_server_that_is_started_again(tmp_path: Path) -> None:
    async def work() -> None:
        limits = QUICK._replace(idle_seconds=600)
        async with hub_over(tmp_path, configs(tmp_path, "fine"), limits) as case:
            await case.hub.request("fine", "logging/setLevel", {"level": "debug"})
            case.clock.now += 600
            await case.hub.stop_idle()
            await case.hub.call(tool("fine"), {})
            await until(lambda: case.log() == "level debug\nlevel debug\n")
            assert len(case.pids()) == 2

    run(work)


def test_a_server_has_the_gateways_environment_without_the_agents_secrets(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": "/home/x", "HTTPS_PROXY": "http://p", "OWN": "1",
        "ANTHROPIC_API_KEY": "sk-1", "CLAUDE_CODE_MESSAGING_TOKEN": "t",
        "CLAUDE_CODE_OAUTH_TOKEN": "t", "ANTHROPIC_CUSTOM_HEADERS": "x-key: 1",
        "CLAUDE_PROJECT_DIR": "/p", "BASH_FUNC_x%%": "() { :; }",
    }  # fmt: skip
    entry = {
        **fault("environment", tmp_path),
        "env": {"OWN": "${HOME}/own", "KEY": "${ANTHROPIC_API_KEY}"},
    }
    servers = configs_from({"mcpServers": {"environment": entry}})

    async def work() -> dict[str, str]:
        async with hub_over(tmp_path, servers, environment=environment) as case:
            answer = await case.hub.call(tool("environment"), {})
            found: dict[str, str] = json.loads(str(answer.content[0]["text"]))
            return found

    found = run(work)
    found.pop("LC_CTYPE", None)  # Python's own
    assert found == {
        "PATH": "/usr/bin:/bin", "HOME": "/home/x", "HTTPS_PROXY": "http://p",
        "CLAUDE_PROJECT_DIR": "/p", "OWN": "/home/x/own", "KEY": "sk-1",
    }  # fmt: skip


def test_an_unknown_server_is_told(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, ()) as case:
            with pytest.raises(CallFailed, match="there is no server 'x'"):
                await case.hub.call(tool("x"), {})

    run(work)
