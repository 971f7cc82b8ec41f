"""The loop beside the reader: started late, cancelled from outside, gone when it is told to."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest

from tokenbudget.gateway.mcp.engine import Engine, EngineStopped


class Room:
    """What an engine is built of here."""

    def __init__(self) -> None:
        self.thread = threading.current_thread().name
        self.events: list[str] = []

    async def close(self) -> None:
        self.events.append("closed")

    def kill(self) -> None:
        self.events.append("killed")


class Built:
    """An engine and the rooms that it made."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.engine = Engine(self._build)

    def _build(self) -> Any:
        self.rooms.append(Room())
        return self.rooms[-1]


async def _name(room: Any) -> object:
    return room.thread


async def _for_ever(room: Any) -> object:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        room.events.append("cancelled")
        raise
    return None


def test_nothing_is_built_before_it_is_needed_and_then_once() -> None:
    built = Built()
    assert not built.engine.is_started
    assert [built.engine.submit(_name).result(5) for _ in range(3)] == ["engine"] * 3
    assert len(built.rooms) == 1
    built.engine.close()


def test_work_can_be_cancelled_from_outside() -> None:
    built = Built()
    future = built.engine.submit(_for_ever)
    built.engine.submit(_name).result(5)
    future.cancel()
    with pytest.raises(CancelledError):
        future.result(5)
    built.engine.submit(_name).result(5)
    assert built.rooms[0].events == ["cancelled"]
    built.engine.close()


def test_an_end_is_in_order_and_takes_what_runs_along() -> None:
    built = Built()
    built.engine.submit(_for_ever)
    built.engine.submit(_name).result(5)
    built.engine.close()
    assert built.rooms[0].events == ["closed", "cancelled", "killed"]
    with pytest.raises(EngineStopped):
        built.engine.submit(_name)
    built.engine.close()


def test_an_engine_that_never_ran_ends_without_a_word() -> None:
    built = Built()
    built.engine.close()
    built.engine.kill()
    assert built.rooms == []
    with pytest.raises(EngineStopped):
        built.engine.submit(_name)


def test_what_cannot_be_built_is_told_to_everybody_who_asks() -> None:
    def fails() -> Any:
        raise ImportError("no module named monty")

    engine = Engine(fails)
    for _ in range(2):
        with pytest.raises(EngineStopped, match="ImportError: no module named monty"):
            engine.submit(_name)
    engine.close()


def test_a_room_that_does_not_close_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenbudget.gateway.mcp.engine.CLOSE_SECONDS", 0.05)
    built = Built()
    built.engine.submit(_name).result(5)

    async def hangs() -> None:
        await asyncio.Event().wait()

    built.rooms[0].close = hangs  # type: ignore[method-assign]
    built.engine.close()
    assert "killed" in built.rooms[0].events
