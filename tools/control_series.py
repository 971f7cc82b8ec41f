"""What was recorded of a session that was played twice: with the controller, and left alone.

`control_session.py` records it with the real client, and `make_control_picture.py` draws it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

SERIES = Path("docs/control-session.json")
FORMAT = 1


class Action(NamedTuple):
    """Something that the controller did."""

    request: int
    """The last one before it."""
    lever: str
    level: str
    effect: str
    predicted_tokens: int
    measured_tokens: int | None
    """None: it took effect, and what it freed cannot be told."""


class Run(NamedTuple):
    """The script, played once."""

    used_tokens: tuple[int, ...]
    """Request after request."""
    actions: tuple[Action, ...]
    compacted_after: tuple[int, ...]
    """Numbers of the requests before each compaction."""
    refused_after: tuple[int, ...]
    """Numbers of those before a request that was refused because it was too long."""


class Series(NamedTuple):
    """What was recorded."""

    release: str
    model: str
    window_tokens: int
    usable_tokens: int
    auto: Run
    off: Run

    @property
    def requests(self) -> int:
        """Of the longer run."""
        return max(len(self.auto.used_tokens), len(self.off.used_tokens))

    def shares(self, run: Run) -> list[float]:
        """Of the usable window, request after request."""
        return [used / self.usable_tokens for used in run.used_tokens]


def series_of(text: str) -> Series:
    """What `control_session.py` wrote; ValueError where it is of another format."""
    found = json.loads(text)
    if found.get("format") != FORMAT:
        raise ValueError(f"{SERIES} is not of format {FORMAT}: make it anew")
    auto, off = (_run(found["runs"][mode]) for mode in ("auto", "off"))
    sizes = (found["window_tokens"], found["usable_tokens"])
    return Series(found["release"], found["model"], *sizes, auto, off)


def _run(found: dict[str, Any]) -> Run:
    return Run(
        tuple(each["used_tokens"] for each in found["requests"]),
        tuple(Action(*(each[name] for name in Action._fields)) for each in found["actions"]),
        tuple(each["after"] for each in found["compactions"]),
        tuple(found["refusals"]),
    )
