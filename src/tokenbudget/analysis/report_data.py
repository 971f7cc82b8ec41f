"""Everything that a report shows, computed; the reporters of the four formats only lay it out."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.cost_analysis import CostAnalysis
    from tokenbudget.analysis.efficiency import Efficiency
    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.profile import Profile


class DayRow(NamedTuple):
    """One local day of the timeline; days without use are in it."""

    day: str
    """2026-11-20."""
    amount: Amount
    requests: int
    sessions: int
    kind_pico_usd: tuple[int, ...] = ()
    """Its money by kind of token, in the order of `Amount`; () where that is not split."""


class HeatCell(NamedTuple):
    """An hour of a weekday, in the report's zone."""

    weekday: int
    """0 is Monday."""
    hour: int
    tokens: int
    requests: int
    cost_pico_usd: int


class AlertRow(NamedTuple):
    """Something that an alert did."""

    at_ms: int
    rule: str
    severity: str
    event: str
    detail: str


class ActionRow(NamedTuple):
    """Something that was changed, and what it saved."""

    id: int
    at_ms: int
    cause: str
    project: str
    title: str
    predicted_tokens: int | None
    """Per request, freed."""
    freed_bytes: int
    saved_tokens_per_week: int | None
    """Measured; None: not measured yet."""
    is_undone: bool


class CleanupRow(NamedTuple):
    """A clean-up of the controller in a session: what it was to free, and what it freed."""

    at_ms: int
    session: str
    level: str
    """Of the window's health, when it was done."""
    lever: str
    items: int
    """Things that were taken out."""
    predicted_tokens: int
    measured_tokens: int | None
    """By the first request after it took effect; None: not seen, or not to be told."""
    measured_usd: float | None
    """Saved over the requests that were expected then; None: unknown."""
    outcome: str
    """'' while it is open; else as `model.control.Receipt` has it."""


class ReportData(NamedTuple):
    """One report."""

    title: str
    made_at_ms: int
    zone_name: str
    version: str
    """Of the product."""
    prices_as_of: str
    period: str
    """'2026-10-22 to 2026-11-20', 'all time', 'no sessions yet'."""
    verdict: str
    """One sentence: how it stands and what to do."""
    profile: Profile
    efficiency: Efficiency
    costs: CostAnalysis
    findings: tuple[Finding, ...]
    """Ranked."""
    days: tuple[DayRow, ...]
    heat: tuple[HeatCell, ...]
    alerts: tuple[AlertRow, ...]
    actions: tuple[ActionRow, ...]
    previous: Amount | None
    """Of the period of the same length before this one; None: no such period."""
    has_content: bool
    """Whether prompt texts are in it (`--with-content`)."""
    prompts: tuple[tuple[str, str], ...]
    """(session, first prompt), only with content."""
    method: tuple[str, ...]
    """How each figure is known, a sentence each."""
    findings_period: str = ""
    """The days with use that findings are priced by; '' where there are none."""
    cleanups: tuple[CleanupRow, ...] = ()
    """The latest first."""
