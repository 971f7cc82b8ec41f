"""What was decided and may be acted on; whoever decides never acts."""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """Something that would make room if it left: a file's copies, a server, a tool's results."""

    name: str
    tokens: int | None
    """`None` is unknown."""


class AlertDecision(NamedTuple):
    """One alert that was told, or withheld, as whatever can act gets to know it."""

    kind: str
    """`fire`, `escalate`, `repeat` or `resolve`."""
    rule_id: str
    scope: str
    scope_id: str
    """The session, for what belongs to one."""
    level: str
    """`info`, `warning`, `critical` or `emergency`."""
    recommendation: str
    """As the person is told; '' when it is over."""
    candidates: tuple[Candidate, ...]
    """What would free most, largest first."""
    at_ms: int
