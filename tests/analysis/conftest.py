"""A ledger of hand-made responses, at a time of the test's choosing."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tokenbudget.app import Terminal, Workbench, open_workbench
from tokenbudget.config.settings import settings_from

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""A Friday."""


TWO_ATTEMPTS = {
    "input_tokens": 100,
    "output_tokens": 10,
    "iterations": [
        {
            "input_tokens": 7,
            "output_tokens": 50,
            "cache_creation_input_tokens": 2000,
            "cache_creation": {"ephemeral_1h_input_tokens": 2000},
        },
        {"input_tokens": 100, "output_tokens": 10},
    ],
}
"""A response whose first attempt took 2,057 tokens, 2,000 of them into the 1-hour cache."""


class StoppedClock:
    """Always noon."""

    def now_ms(self) -> int:
        return round(NOON.timestamp() * 1000)

    def monotonic_seconds(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


Bench: TypeAlias = Callable[..., Workbench]


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[Bench]:
    """Makes a workbench that has read these lines."""
    with ExitStack() as stack:

        def made(*lines: dict[str, Any], zone: str = "UTC") -> Workbench:
            path = tmp_path / "sessions.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
            return stack.enter_context(
                open_workbench(
                    settings_from({"HOME": str(tmp_path)}),
                    Terminal(warn=pytest.fail, progress=lambda done, total: None),
                    zone_name=zone,
                    from_paths=[str(path)],
                    clock=StoppedClock(),
                )
            )

        yield made


def response(number: int, at: str, **fields: Any) -> dict[str, Any]:
    """An assistant's line of 100 tokens in and 10 out."""
    message = {
        "id": f"msg_{number}",
        "role": "assistant",
        "model": fields.pop("model", "claude-opus-5-5"),
        "stop_reason": "end_turn",
        "usage": fields.pop("usage", {"input_tokens": 100, "output_tokens": 10}),
        "content": [],
    }
    plain = {
        "type": "assistant",
        "uuid": f"line-{number}",
        "timestamp": at,
        "sessionId": "s1",
        "cwd": "/srv/shop",
        "message": message,
    }
    return {**plain, **fields}
