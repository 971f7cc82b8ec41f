"""What is told of the drains of some projects: findings, outcomes, and what can be applied."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.drains.ranking import Days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.findings import AppliedFix, Finding, Price
    from tokenbudget.model.actions import ActionRecord, Proposal


class Applied(NamedTuple):
    """A fix that was applied, and what came of it."""

    finding: str
    drain: str
    subject: str
    """'' for all that the drain is about in the project."""
    project: str
    outcome: AppliedFix


class LineCost(NamedTuple):
    """What a line for the agent costs."""

    tokens: int
    """In every request."""
    weekly_tokens: int


class Findings(NamedTuple):
    """What could be saved in some projects, and what earlier fixes saved."""

    rows: tuple[Finding, ...]
    """Ranked, the dearest first."""
    weekly_total: Price
    notes: tuple[str, ...]
    project: str | None = None
    """None: of all projects."""
    days: Days = Days(0, -1)
    """The observed period: from the first to the last day with use in it."""
    sessions: int = 0
    requests: int = 0
    weekly_bill: Amount = NOTHING
    """What a week of the period was billed in all."""
    applied: tuple[Applied, ...] = ()
    """The latest first."""
    proposals: Mapping[str, Proposal] = {}
    """What `--apply` would do, by the finding's id."""
    lines: Mapping[str, LineCost] = {}
    """Where that is to add a line for the agent, what the line costs."""
    session: str = ""
    """The one that all of it is about; '' for several."""
    is_fallback: bool = False
    """Whether all projects are meant because none is of the folder in which it was asked."""


class Application(NamedTuple):
    """One fix that is to be applied."""

    finding: Finding
    """The one that was named."""
    proposal: Proposal
    subject: str
    """What it is about: '' for all that the drain is about in the project."""
    predicted: Price
    """Per week: of all findings that it is about, less what it costs itself."""
    findings: int
    """How many these are."""
    line: LineCost | None = None
    """Of a line that asks the agent to do otherwise; None for all else."""


class Done(NamedTuple):
    """An application as it went."""

    application: Application
    action: ActionRecord

    @property
    def is_done(self) -> bool:
        """Whether every step is as it should be."""
        return all(one.outcome.state in ("done", "unchanged") for one in self.action.steps)
