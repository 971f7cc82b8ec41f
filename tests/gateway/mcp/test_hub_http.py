"""The hub over servers behind an address: streamable HTTP and SSE on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.gateway.mcp.http_servers import NOISE, HttpServer, http_server
from tests.gateway.mcp.hubs import ENVIRONMENT, QUICK, hub_over, run, tool, until

from tokenbudget.gateway.mcp.hub_rates import A_SECOND, MOST_NOTES_AT_ONCE
from tokenbudget.gateway.mcp.hub_sieve import UNASKED_HTTP_SECONDS
from tokenbudget.gateway.mcp.hub_values import HubLimits
from tokenbudget.gateway.mcp.server_config import ServerConfig, configs_from
from tokenbudget.gateway.mcp.values import Answer, CallFailed

SMALL = QUICK._replace(message_bytes=1_000_000)


def web(url: str, kind: str = "http") -> tuple[ServerConfig, ...]:
    entry = {"type": kind, "url": url, "headers": {"Authorization": "Bearer ${KEY}", "X-Two": "2"}}
    return configs_from({"mcpServers": {"web": entry}})


def place(server: HttpServer, kind: str) -> str:
    return f"{server.url}/{'mcp' if kind == 'http' else 'sse'}"


def called(folder: Path, fault: str, kind: str = "http", limits: HubLimits = SMALL) -> Answer:
    async def work() -> Answer:
        async with hub_over(folder, web(place(server, kind), kind), limits) as case:
            return await case.hub.call(tool("web"), {"a": 1})

    with http_server(fault) as server:
        return run(work)


@pytest.mark.parametrize(("kind", "fault"), [("http", "fine"), ("http", "events"), ("sse", "fine")])
def test_a_call_goes_through_one_connection(tmp_path: Path, kind: str, fault: str) -> None:
    environment = {**ENVIRONMENT, "KEY": "k-1"}

    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, kind), kind), SMALL, environment) as case:
            calls = (case.hub.call(tool("web"), {"n": n}) for n in range(20))
            answers = await asyncio.gather(*calls)
            assert [one.content[0]["text"] for one in answers] == [
                f'{{"n": {n}}}' for n in range(20)
            ]
            assert [one.name for one in (await case.hub.catalogue("web")).tools] == ["go"]

    with http_server(fault) as server:
        run(work)
        methods = [method for _, method, _ in server.seen]
        assert methods.count("initialize") == 1
        assert methods.count("tools/list") == 1
        assert all(headers["authorization"] == "Bearer k-1" for _, _, headers in server.seen)
        assert all(headers["x-two"] == "2" for _, _, headers in server.seen)
        if kind == "http":
            versions = {
                h.get("mcp-protocol-version") for _, m, h in server.seen if m == "tools/call"
            }
            sessions = {h.get("mcp-session-id") for _, m, h in server.seen if m == "tools/call"}
            assert (versions, sessions) == ({"2025-11-25"}, {"s-1"})
            assert methods[-1] == "DELETE"


def test_progress_comes_over_http(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, "http"))) as case:
            seen: list[object] = []
            await case.hub.call(tool("web"), {}, progress=lambda one: seen.append(dict(one)))
            assert seen == [{"progress": 1}]

    with http_server("events") as server:
        run(work)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            "locked",
            r"web refused the request \(HTTP 401\): it wants a key in `headers` or a log-in",
        ),
        ("moved", "not followed"),
        ("broken", "web answered with HTTP 500"),
        ("page", "Unexpected content type: text/html"),
        ("nojson", "web: the answer is no JSON that can be read"),
        ("bomb", "web: the answer is no JSON that can be read"),
        ("cut", "SSE stream ended without a response"),
        ("big", "web: the answer has more than 1,000,000 bytes: ask for less"),
    ],
)
def test_a_fault_over_http_is_one_true_sentence(tmp_path: Path, fault: str, said: str) -> None:
    with pytest.raises(CallFailed, match=said) as failure:
        called(tmp_path, fault)
    assert str(failure.value).startswith("web")
    assert len(str(failure.value)) < 200


@pytest.mark.parametrize(("kind", "fault"), [("http", "big"), ("http", "bigevent"), ("sse", "big")])
def test_fifty_megabytes_are_refused_in_bounded_memory(
    tmp_path: Path, kind: str, fault: str
) -> None:
    with pytest.raises(CallFailed):
        called(tmp_path, fault, kind)


def test_a_session_that_has_expired_is_begun_anew_and_the_call_repeated(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, "http"))) as case:
            answer = await case.hub.call(tool("web"), {"a": 1})
            assert answer.content[0]["text"] == '{"a": 1}'
            assert server.sessions == 2

    with http_server("expired") as server:
        run(work)
        assert [method for _, method, _ in server.seen].count("tools/call") == 2


def test_a_server_that_never_knows_its_own_session_is_not_asked_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, "http"))) as case:
            with pytest.raises(CallFailed, match="web ended the session"):
                await case.hub.call(tool("web"), {"a": 1})

    with http_server("forgetful") as server:
        run(work)
        assert [method for _, method, _ in server.seen].count("tools/call") == 2


def test_a_stream_that_ends_is_opened_again_by_the_next_call(tmp_path: Path) -> None:
    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, "sse"), "sse")) as case:
            for n in range(3):
                answer = await case.hub.call(tool("web"), {"n": n})
                assert answer.content[0]["text"] == f'{{"n": {n}}}'
                await until(lambda: case.hub.states()["web"] != "running")
                case.clock.now += 61

    with http_server("hangup") as server:
        run(work)
        assert [method for _, method, _ in server.seen].count("GET") == 3


@pytest.mark.parametrize("kind", ["http", "sse"])
def test_nobody_at_the_address_is_told_without_the_address(tmp_path: Path, kind: str) -> None:
    with http_server() as server:
        url = f"{place(server, kind)}?key=secret"

    async def work() -> None:
        async with hub_over(tmp_path, web(url, kind)) as case:
            with pytest.raises(
                CallFailed, match=r"^web cannot be reached \(ConnectError\)"
            ) as failure:
                await case.hub.call(tool("web"), {})
            assert "secret" not in str(failure.value)

    run(work)


def test_nothing_of_a_library_is_written_to_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for fault in ("nojson", "broken", "cut", "big"):
        with pytest.raises(CallFailed):
            called(tmp_path, fault)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kind", "fault"), [("http", "moved"), ("sse", "moved"), ("sse", "endpoint")]
)
def test_a_key_never_goes_to_another_address(tmp_path: Path, kind: str, fault: str) -> None:
    environment = {**ENVIRONMENT, "KEY": "k-canary"}
    limits = SMALL._replace(start_seconds=1.0)

    async def work() -> None:
        async with hub_over(tmp_path, web(place(server, kind), kind), limits, environment) as case:
            with pytest.raises(CallFailed) as failed:
                await case.hub.call(tool("web"), {"a": 1})
            assert "k-canary" not in str(failed.value)

    with http_server(fault) as server, http_server() as other:
        server.elsewhere = other.url
        run(work)
        assert server.seen
        assert other.seen == []


def test_a_noisy_server_has_to_wait_and_its_call_works(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    limits = SMALL._replace(start_seconds=20, call_seconds=20)

    async def work() -> float:
        servers = web(place(server, "http"))
        async with hub_over(
            tmp_path, servers, limits, dropped=lambda name, count: told.append((name, count))
        ) as case:
            await case.hub.catalogue("web")
            started = asyncio.get_running_loop().time()
            answer = await case.hub.call(tool("web"), {"n": 1})
            assert answer.content[0]["text"] == '{"n": 1}'
            return asyncio.get_running_loop().time() - started

    with http_server("noisy") as server:
        took_seconds = run(work)
    dropped = sum(count for _, count in told)
    assert NOISE - MOST_NOTES_AT_ONCE - A_SECOND * (took_seconds + 1) <= dropped < NOISE
    assert took_seconds >= (dropped - 10) * UNASKED_HTTP_SECONDS / 2
