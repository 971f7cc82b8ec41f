"""Findings: drains added up over sessions, each with evidence, price, alternative and fix."""

from __future__ import annotations

from typing import Literal, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

Confidence = Literal["high", "medium", "low"]

FixKind = Literal["apply", "command", "advice"]
"""`apply`: `tokens optimize --apply ID` does it, journalled; `command`: a person runs it; `advice`:
a habit, or words for the agent."""


class Evidence(NamedTuple):
    """Where it can be seen."""

    session: str
    path: str
    """The transcript; '' for what is seen in a project's files."""
    line: int
    """0: no line."""
    at_ms: int
    detail: str


class Price(NamedTuple):
    """An amount, per week where nothing else is said, with half of its interval."""

    tokens: int
    error_tokens: int
    usd: Decimal | None
    """None: nothing of it has a price."""
    error_usd: Decimal | None


class Fix(NamedTuple):
    """What to do about it."""

    kind: FixKind
    text: str
    """An imperative: 'switch the playwright server off for this project'."""
    command: str
    """To be typed; '' for advice."""
    undo: str
    """How it is taken back; '' for advice."""
    proposal_id: str
    """`model.actions.Proposal.id`, for `apply`; '' else."""


class AppliedFix(NamedTuple):
    """What came of a fix that was applied."""

    action: int
    """`tokens undo` takes it back by this number."""
    applied_at_ms: int
    predicted: Price
    """Per week."""
    days_since: float
    before_tokens_per_week: int | None
    after_tokens_per_week: int | None
    """None: not enough use since to tell."""
    saved: Price | None
    """Per week, measured; None until then."""
    is_undone: bool


class Finding(NamedTuple):
    """One thing worth changing."""

    id: str
    """Stable over runs, typed by a person: `re-read/a1b2c3`."""
    drain: str
    title: str
    """The answer in a line: 'src/cart.py read 9 times unchanged'."""
    subject: str
    project: str
    """'' for all."""
    times: int
    sessions: int
    evidence: tuple[Evidence, ...]
    """The dearest first; at most a handful."""
    window_tokens: int
    """Room it takes in a window, on average where it occurs."""
    weekly: Price
    alternative: str
    tip: str
    """How to keep such tokens out of a window."""
    confidence: Confidence
    confidence_reason: str
    fix: Fix
    applied: AppliedFix | None = None
    spent: Price | None = None
    """What it came to in the whole period, with what counting may be off; None: not measured."""
