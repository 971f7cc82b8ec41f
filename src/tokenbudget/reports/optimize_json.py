"""What `tokens optimize` finds, as JSON.

Formats: `tokenbudget/optimize/1`; `tokenbudget/optimize-apply/1` for what `--apply` did or would
do; `tokenbudget/optimize-drains/1` for the list of drains.
"""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.drains.catalogue import DRAINS, drain_of
from tokenbudget.analysis.drains.ranking import interval, is_small
from tokenbudget.metering.cost import format_usd
from tokenbudget.reports.json import document
from tokenbudget.reports.optimize_words import day_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.drains.found import Application, Applied, Done, Findings
    from tokenbudget.analysis.findings import AppliedFix, Finding, Price
    from tokenbudget.analysis.periods import Zone

FORMAT = 1


def findings_document(
    found: Findings, rows: Sequence[Finding], zone: Zone, file: str | None = None
) -> str:
    """The findings (all, or those that were asked for) and what earlier fixes came to."""
    has_days = found.days.length > 0
    bill = found.weekly_bill
    fields: dict[str, object] = {
        "project": found.project,
        "session": found.session or None,
        "timezone": zone.name,
        "first_day": day_words(found.days.first) if has_days else None,
        "last_day": day_words(found.days.last) if has_days else None,
        "weeks": round(found.days.weeks, 4) if has_days else None,
        "sessions": found.sessions,
        "requests": found.requests,
        "rows": [finding_fields(one, zone) for one in rows],
        "totals": {
            **price_fields(found.weekly_total, ""),
            "findings": len(found.rows),
            "billed_tokens_per_week": bill.total_tokens,
            "billed_usd_per_week": format_usd(bill.cost_usd),
        },
        "applied": [_applied_fields(one, zone) for one in found.applied],
        "notes": list(found.notes),
        "file": file,
    }
    return document("optimize", FORMAT, fields)


def finding_fields(one: Finding, zone: Zone) -> dict[str, object]:
    """One finding, as reports hold it too."""
    drain = drain_of(one.drain)
    return {
        "id": one.id,
        "drain": one.drain,
        "title": one.title,
        "subject": one.subject,
        "project": one.project,
        "times": one.times,
        "sessions": one.sessions,
        "window_tokens": one.window_tokens,
        **price_fields(one.weekly, ""),
        **_range_fields(one.weekly),
        **_spent_fields(one.spent),
        "confidence": one.confidence,
        "confidence_reason": one.confidence_reason,
        "rule": drain.rule if drain else "",
        "alternative": one.alternative,
        "tip": one.tip,
        "fix_kind": one.fix.kind,
        "fix": one.fix.text,
        "fix_command": one.fix.command or None,
        "undo": one.fix.undo or None,
        "is_small": is_small(one, drain),
        "evidence": [
            {
                "session": seen.session or None,
                "path": seen.path or None,
                "line": seen.line or None,
                "at": zone.stamp(seen.at_ms),
                "detail": seen.detail,
            }
            for seen in one.evidence
        ],
        "applied": None if one.applied is None else _outcome_fields(one.applied, zone),
    }


def apply_document(
    applications: Sequence[Application],
    texts: Sequence[Sequence[str]],
    done: Sequence[Done],
) -> str:
    """What was, or would be, changed."""
    by_id = {one.application.finding.id: one for one in done}
    rows = []
    for one, changes in zip(applications, texts, strict=True):
        mine = by_id.get(one.finding.id)
        rows.append(
            {
                "id": one.finding.id,
                "title": one.proposal.title,
                "project": one.finding.project,
                "changes": list(changes),
                **price_fields(one.predicted, "predicted_"),
                "action": None if mine is None else mine.action.id,
                "is_done": mine is not None and mine.is_done,
            }
        )
    return document("optimize-apply", FORMAT, {"rows": rows, "is_done": bool(done)})


def drains_document() -> str:
    """Every drain that is looked for, in the order in which they charge."""
    rows = [
        {
            "drain": one.id,
            "title": one.title,
            "rule": one.rule,
            "alternative": one.alternative,
            "tip": one.tip,
            "fix": one.fix,
            "least_tokens_per_week": one.least_tokens_per_week,
        }
        for one in DRAINS
    ]
    return document("optimize-drains", FORMAT, {"rows": rows})


def price_fields(price: Price, prefix: str) -> dict[str, object]:
    """An amount per week with its error; `prefix` says of what."""
    return {
        f"{prefix}tokens_per_week": price.tokens,
        f"{prefix}tokens_per_week_error": price.error_tokens,
        f"{prefix}usd_per_week": _usd(price.usd),
        f"{prefix}usd_per_week_error": _usd(price.error_usd),
    }


def _range_fields(weekly: Price) -> dict[str, object]:
    """The interval itself, which is not symmetric where it begins at nothing."""
    usd_range = None
    if weekly.usd is not None:
        ends = interval(float(weekly.usd), float(weekly.error_usd or 0))
        usd_range = [format_usd(Decimal(str(end))) for end in ends]
    tokens = interval(weekly.tokens, weekly.error_tokens)
    return {
        "tokens_per_week_range": [round(end) for end in tokens],
        "usd_per_week_range": usd_range,
    }


def _spent_fields(spent: Price | None) -> dict[str, object]:
    """What was, beside what a week may bring."""
    return {
        "tokens_in_period": None if spent is None else spent.tokens,
        "tokens_in_period_error": None if spent is None else spent.error_tokens,
        "usd_in_period": None if spent is None else _usd(spent.usd),
        "usd_in_period_error": None if spent is None else _usd(spent.error_usd),
    }


def _usd(usd: Decimal | None) -> str | None:
    return None if usd is None else format_usd(usd)


def _applied_fields(one: Applied, zone: Zone) -> dict[str, object]:
    return {
        "finding": one.finding,
        "drain": one.drain,
        "subject": one.subject or None,
        "project": one.project,
        **_outcome_fields(one.outcome, zone),
    }


def _outcome_fields(one: AppliedFix, zone: Zone) -> dict[str, object]:
    saved = one.saved
    return {
        "action": one.action,
        "applied_at": zone.stamp(one.applied_at_ms),
        "days_since": round(one.days_since, 3),
        **price_fields(one.predicted, "predicted_"),
        "before_tokens_per_week": one.before_tokens_per_week,
        "after_tokens_per_week": one.after_tokens_per_week,
        "saved_tokens_per_week": None if saved is None else saved.tokens,
        "saved_tokens_per_week_error": None if saved is None else saved.error_tokens,
        "saved_usd_per_week": None if saved is None else _usd(saved.usd),
        "saved_usd_per_week_error": None if saved is None else _usd(saved.error_usd),
        "is_undone": one.is_undone,
    }
