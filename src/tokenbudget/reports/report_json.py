"""A report as one JSON object, `tokenbudget/report/1`; `docs/report.md` tells every field.

Everything is in it, nothing is cut: the other three formats show a part of this. What `profile` and
`optimize` tell as well stands here under the same names.
"""

from __future__ import annotations

from tokenbudget.analysis.drains.ranking import total_of
from tokenbudget.metering.cost import format_usd
from tokenbudget.reports.json import document
from tokenbudget.reports.optimize_json import finding_fields, price_fields
from tokenbudget.reports.profile_json import (
    amount_fields,
    consumer_fields,
    cost_fields,
    efficiency_fields,
    list_fields,
    tree_fields,
)
from tokenbudget.reports.report_words import change_of, figures, open_findings, zone_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.profile import Profile
    from tokenbudget.analysis.report_data import ReportData

    Fields = dict[str, Any]

FORMAT = 1


def report_json(data: ReportData) -> str:
    """The whole report."""
    zone = zone_of(data)
    fields = {
        **_head(data, zone),
        **_profile(data.profile, zone),
        "days": [
            {
                "day": day.day,
                "sessions": day.sessions,
                "requests": day.requests,
                **amount_fields(day.amount),
            }
            for day in data.days
        ],
        "heat": [
            {
                "weekday": cell.weekday,
                "hour": cell.hour,
                "total_tokens": cell.tokens,
                "requests": cell.requests,
                "cost_usd": _pico(cell.cost_pico_usd),
            }
            for cell in data.heat
        ],
        "costs": cost_fields(data.costs),
        "efficiency": efficiency_fields(data.efficiency),
        "could_be_saved": price_fields(total_of(open_findings(data)), ""),
        "findings_period": data.findings_period,
        "findings": [finding_fields(one, zone) for one in data.findings],
        "alerts": [{"at": zone.stamp(one.at_ms), **_rest(one)} for one in data.alerts],
        "actions": [{"at": zone.stamp(one.at_ms), **_rest(one)} for one in data.actions],
        "cleanups": [{"at": zone.stamp(one.at_ms), **_rest(one)} for one in data.cleanups],
        "has_content": data.has_content,
        "prompts": [{"session": name, "prompt": prompt} for name, prompt in data.prompts],
        "notes": list(data.profile.notes),
        "method": list(data.method),
    }
    return document("report", FORMAT, fields) + "\n"


def _head(data: ReportData, zone: Zone) -> Fields:
    return {
        "title": data.title,
        "made_at": zone.stamp(data.made_at_ms),
        "timezone": data.zone_name,
        "version": data.version,
        "prices_as_of": data.prices_as_of,
        "period": data.period,
        "since": zone.stamp(data.profile.since_ms or 0),
        "until": zone.stamp(data.profile.until_ms or 0),
        "verdict": data.verdict,
        "figures": [one._asdict() for one in figures(data)],
        "totals": amount_fields(data.profile.totals),
        "previous": None if data.previous is None else amount_fields(data.previous),
        "change": change_of(data),
    }


def _pico(pico_usd: int) -> str:
    from decimal import Decimal

    return format_usd(Decimal(pico_usd).scaleb(-12))


def _rest(row: Any) -> Fields:
    """Its fields but the moment, which is told as a time."""
    return {name: value for name, value in row._asdict().items() if name != "at_ms"}


def _profile(profile: Profile, zone: Zone) -> Fields:
    return {
        "requests": profile.requests,
        "unknown_usage_requests": profile.unknown_requests,
        "unattributed": amount_fields(profile.unattributed),
        "consumers": {
            kind: [consumer_fields(kind, one, profile.totals) for one in found]
            for kind, found in profile.consumers.items()
        },
        **list_fields(profile, zone),
        "tree": tree_fields(profile.tree),
    }
