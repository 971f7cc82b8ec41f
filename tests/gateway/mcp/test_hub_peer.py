"""One side of JSON-RPC, with the other side played by the test."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.mcp.hubs import run

from tokenbudget.gateway.mcp.hub_peer import MOST_WAITING, Allowed, Peer
from tokenbudget.gateway.mcp.values import CallFailed

ALLOWED = Allowed(5, 5)
ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 4), st.floats(), st.text(max_size=3),
    st.lists(st.none(), max_size=1), st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
)  # fmt: skip
MESSAGES = st.dictionaries(
    st.sampled_from(["id", "method", "params", "result", "error", "jsonrpc"]),
    ANYTHING | st.sampled_from(["notifications/progress", "notifications/cancelled", "ping"]),
)


class Other:
    """The other side: what it was sent, and what it asks."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []
        self.told_of: list[str] = []
        self.gate = asyncio.Event()
        self.peer = Peer("it", self.send, self)

    async def send(self, message: dict[str, object]) -> None:
        self.sent.append(message)

    async def asked(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        if method == "wait":
            await self.gate.wait()
        if method == "fail":
            raise RuntimeError("of ours")
        return {"method": method}

    def told(self, method: str, params: Mapping[str, object]) -> None:
        self.told_of.append(method)


def test_answers_find_their_requests_in_any_order() -> None:
    async def work() -> None:
        other = Other()
        calls = [
            asyncio.ensure_future(other.peer.request("m", {"n": n}, ALLOWED)) for n in range(3)
        ]
        await asyncio.sleep(0)
        for message in reversed(other.sent):
            other.peer.received({"id": message["id"], "result": {"of": message["params"]}})
        assert await asyncio.gather(*calls) == [{"of": {"n": n}} for n in range(3)]
        assert not other.peer.is_busy

    run(work)


def test_every_request_fails_when_the_other_side_is_lost_and_later_ones_at_once() -> None:
    async def work() -> None:
        other = Other()
        calls = [asyncio.ensure_future(other.peer.request("m", {}, ALLOWED)) for _ in range(3)]
        await asyncio.sleep(0)
        other.peer.lose("it is gone")
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(one) for one in failures] == ["it is gone"] * 3
        with pytest.raises(CallFailed, match="it is gone"):
            await other.peer.request("m", {}, ALLOWED)
        assert len(other.sent) == 3

    run(work)


def test_a_request_of_the_other_side_can_be_cancelled_by_it() -> None:
    async def work() -> None:
        other = Other()
        other.peer.received({"id": "a", "method": "wait"})
        other.peer.received({"id": 2, "method": "wait"})
        await asyncio.sleep(0)
        other.peer.received({"method": "notifications/cancelled", "params": {"requestId": "a"}})
        await asyncio.sleep(0)
        other.gate.set()
        await asyncio.sleep(0.01)
        assert other.sent == [{"jsonrpc": "2.0", "id": 2, "result": {"method": "wait"}}]

    run(work)


def test_a_fault_of_ours_is_told_as_such_to_who_asked() -> None:
    async def work() -> None:
        other = Other()
        other.peer.received({"id": 1, "method": "fail", "params": {}})
        await asyncio.sleep(0.01)
        error = {"code": -32603, "message": "the gateway failed"}
        assert other.sent == [{"jsonrpc": "2.0", "id": 1, "error": error}]

    run(work)


@settings(max_examples=200)
@given(st.lists(MESSAGES, max_size=6))
def test_whatever_comes_every_request_ends(messages: list[dict[str, object]]) -> None:
    async def work() -> None:
        other = Other()
        other.gate.set()
        calls = [asyncio.ensure_future(other.peer.request("m", {}, ALLOWED)) for _ in range(2)]
        await asyncio.sleep(0)
        for message in messages:
            other.peer.received(message)
        await asyncio.sleep(0)
        other.peer.lose("over")
        for one in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(one, (dict, CallFailed))
        assert not other.peer.is_busy

    run(work)


def test_nothing_is_left_of_many_requests() -> None:
    async def work() -> None:
        other = Other()

        async def one() -> None:
            call = asyncio.ensure_future(other.peer.request("m", {}, ALLOWED, lambda _: None))
            await asyncio.sleep(0)
            number = other.sent.pop()["id"]
            other.peer.received(
                {"method": "notifications/progress", "params": {"progressToken": number}}
            )
            other.peer.received({"id": number, "result": {}})
            await call
            other.peer.received({"id": f"s{number}", "method": "ping"})
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            other.sent.clear()

        for _ in range(100):
            await one()
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(2_000):
            await one()
        gc.collect()
        assert len(gc.get_objects()) - before < 100

    run(work)


def test_a_server_that_asks_without_end_and_never_reads_fills_no_memory() -> None:
    async def work() -> None:
        other = Other()
        reads = asyncio.Event()

        async def send(message: dict[str, object]) -> None:
            await reads.wait()

        other.peer = Peer("it", send, other)
        for number in range(20_000):
            other.peer.received({"id": number, "method": "ping"})
        assert len(asyncio.all_tasks()) <= MOST_WAITING + 2  # this one too
        reads.set()
        await asyncio.sleep(0)

    run(work)
