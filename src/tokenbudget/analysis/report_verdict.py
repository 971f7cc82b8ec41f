"""The one sentence of a report: how it stands, and what to do."""

from __future__ import annotations

from tokenbudget.model.figures import counted, dollars, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.report_data import ReportData

NO_SESSIONS = "There are no sessions yet: let the agent work once, or name some with --from PATH."
_EVEN = 0.005
"""A change that would be written as 0 %."""


def verdict_of(data: ReportData, last_use: str) -> str:
    """Cost and tokens, how they moved, the score, and the dearest thing to change.

    Args:
        data: The report.
        last_use: The last day on which anything was used, in any period; '' for none.
    """
    profile = data.profile
    if not profile.requests:
        if not last_use:
            return NO_SESSIONS
        return f"Nothing was used in this period; the last use was on {last_use} (--since)."
    sessions = counted(len(profile.sessions), "session")
    tokens = f"{short_count(profile.totals.total_tokens)} tokens"
    spent = f"{tokens} in {sessions}"
    if profile.totals.cost_pico_usd:
        spent = f"{dollars(profile.totals.cost_usd)} for {spent}"
    said = f"{spent}{_change(data)}{_score(data)}"
    return f"{said}; {_advice(data)}."


def _change(data: ReportData) -> str:
    if data.previous is None:
        return ""
    change = _ratio(data.profile.totals, data.previous)
    before = f"the {len(data.days)} days before" if len(data.days) > 1 else "the day before"
    if abs(change) < _EVEN:
        return f", as much as in {before}"
    if change > 1:
        return f", {change + 1:.1f} times as much as in {before}"
    return f", {abs(change):.0%} {'more' if change > 0 else 'less'} than in {before}"


def _ratio(now: Amount, before: Amount) -> float:
    if before.cost_pico_usd:
        return now.cost_pico_usd / before.cost_pico_usd - 1
    return now.total_tokens / before.total_tokens - 1 if before.total_tokens else 0.0


def _score(data: ReportData) -> str:
    score = data.efficiency
    return "" if score.score is None else f"; efficiency {score.score} of 100 ({score.grade})"


def _advice(data: ReportData) -> str:
    first = next(
        (one for one in data.findings if one.applied is None or one.applied.is_undone), None
    )
    if first is None:
        return "no drain worth a change was found"
    usd = first.weekly.usd
    worth = f"{short_count(first.weekly.tokens)} tokens" if usd is None else dollars(usd)
    return f"dearest to change: {first.title} (~{worth} a week)"
