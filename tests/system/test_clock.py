"""The real clock tells wall time, and time that never runs back."""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.system.clock import SystemClock


def test_wall_time_is_in_milliseconds_since_1970() -> None:
    told = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    assert 2025 < told.year < 2200


def test_measured_time_goes_on_while_sleeping() -> None:
    clock = SystemClock()
    began = clock.monotonic_seconds()
    clock.sleep(0.01)
    assert clock.monotonic_seconds() - began >= 0.009
