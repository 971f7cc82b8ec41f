"""Changes that came too fast are told later, over whatever transport."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tokenbudget.gateway.mcp import hub_held, hub_http
from tokenbudget.gateway.mcp.hub_held import HeldChanges
from tokenbudget.gateway.mcp.hub_rates import MOST_NOTES_AT_ONCE
from tokenbudget.gateway.mcp.hub_sieve import Sieve
from tokenbudget.gateway.mcp.values import CallFailed

FLOOD = 3 * MOST_NOTES_AT_ONCE


class Hands:
    """Takes what is handed on."""

    def __init__(self) -> None:
        self.numbers: list[object] = []
        self.count = 0

    def received(self, message: Mapping[str, object]) -> bool:
        params = message["params"]
        assert isinstance(params, dict)
        self.numbers.append(params["number"])
        return False

    def dropped(self, count: int) -> None:
        self.count += count

    def lost_answer(self, number: int | None, why: CallFailed) -> None:
        raise AssertionError(why)

    def lose(self, why: str) -> None:
        raise AssertionError(why)


def test_the_last_change_is_told_where_a_library_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_held, "HELD_SECONDS", 0.01)

    async def work() -> Hands:
        sieve, hands = Sieve(asyncio.get_running_loop().time(), 0.0), Hands()
        held = HeldChanges(sieve, hands)
        for number in range(FLOOD):
            params: dict[str, object] = {"uri": "note://one", "number": number}
            method = "notifications/resources/updated"
            message: dict[str, object] = {"method": method, "params": params}
            await hub_http._handed_on(message, sieve, held, hands)
        async with asyncio.timeout(30):
            while FLOOD - 1 not in hands.numbers:  # noqa: ASYNC110 - a timer tells it
                await asyncio.sleep(0.01)
        held.close()
        return hands

    hands = asyncio.run(work())
    assert hands.numbers[-1] == FLOOD - 1
    assert hands.numbers[:MOST_NOTES_AT_ONCE] == list(range(MOST_NOTES_AT_ONCE))


def test_nothing_is_told_once_the_server_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_held, "HELD_SECONDS", 0.01)

    async def work() -> int:
        sieve, hands = Sieve(0.0), Hands()
        held = HeldChanges(sieve, hands)
        for number in range(FLOOD):
            note = {"method": "notifications/resources/updated", "params": {"number": number}}
            sieve.hand_on(note, 0, hands, 0.0)
        held.look()
        held.close()
        await asyncio.sleep(0.1)
        return len(hands.numbers)

    assert asyncio.run(work()) == MOST_NOTES_AT_ONCE
