"""What `tokens compact` proposes, did and measured, as JSON.

Formats: `tokenbudget/compact/1`, and `tokenbudget/compact-measure/1` for what was measured alone.
"""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import total, totals_by_effect
from tokenbudget.metering.cost import format_usd
from tokenbudget.reports.compact_words import weekly_usd
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.compact_plan import (
        CompactPlan,
        KindWeight,
        PastAction,
        Receipt,
    )
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.actions import Proposal, Weight

FORMAT = 1


def compact_document(plan: CompactPlan, zone: Zone, receipt: Receipt | None = None) -> str:
    """The plan, and what was done if it was, as one object."""
    window = plan.window
    fields: dict[str, object] = {
        "project": plan.project,
        "session": plan.facts.session if plan.facts else None,
        "model": plan.model or None,
        "window_tokens": window.size.tokens if window else None,
        "used_tokens": window.total_tokens if window else None,
        "health_level": plan.level,
        "requests_per_week": plan.weekly_requests,
        "rows": [_row(plan, one) for one in plan.proposals],
        "totals": _totals(plan),
        "sent_tokens": plan.sent_tokens,
        "kinds": [_kind_fields(one) for one in plan.kinds.values()],
        "conversation": _talk_fields(plan, zone),
        "last_action": _past_fields(plan.past, zone),
        "notes": list(plan.notes),
        "is_done": receipt is not None,
        "receipt": None if receipt is None else _receipt_fields(receipt, zone),
    }
    return document("compact", FORMAT, fields)


def measure_document(project: str, past: PastAction | None, zone: Zone) -> str:
    """The same as an object."""
    fields = {"project": project, "last_action": _past_fields(past, zone)}
    return document("compact-measure", FORMAT, fields)


def _row(plan: CompactPlan, one: Proposal) -> dict[str, object]:
    usd = weekly_usd(plan, one.freed.tokens or 0)
    weekly = None
    if plan.weekly_requests is not None and one.freed.tokens is not None:
        weekly = round(one.freed.tokens * plan.weekly_requests)
    return {
        "id": one.id,
        "kind": one.resource,
        "title": one.title,
        "reason": one.reason,
        **_weight_fields(one.freed),
        "freed_bytes": one.freed_bytes,
        "effect": one.effect,
        "tokens_per_week": weekly,
        "usd_per_week": None if usd is None or weekly is None else format_usd(usd),
        "is_chosen": one.id in plan.chosen,
        "steps": len(one.steps),
        "command": one.command or None,
    }


def _weight_fields(weight: Weight) -> dict[str, object]:
    return {
        "freed_tokens": weight.tokens,
        "freed_tokens_error": weight.error_tokens,
        "freed_tokens_basis": weight.basis,
    }


def _totals(plan: CompactPlan) -> dict[str, object]:
    whole = total(plan.meant)
    return {
        "proposals": whole.proposals,
        **_weight_fields(whole.weight),
        "unknown_weights": whole.unknown,
        "freed_bytes": whole.freed_bytes,
        "by_effect": {
            effect: {**_weight_fields(sums.weight), "freed_bytes": sums.freed_bytes}
            for effect, sums in totals_by_effect(plan.meant).items()
        },
    }


def _kind_fields(one: KindWeight) -> dict[str, object]:
    return {
        "kind": one.kind,
        "items": one.items,
        "tokens": one.tokens,
        "unknown_weights": one.unknown,
        "size_bytes": one.size_bytes,
    }


def _talk_fields(plan: CompactPlan, zone: Zone) -> dict[str, object] | None:
    if plan.talk is None:
        return None
    cache = plan.talk.cache
    return {
        "command": plan.talk.command,
        **_weight_fields(plan.talk.freed),
        "cache_is_warm": cache.is_warm,
        "cache_cold_at": None if cache.cold_at_ms is None else zone.stamp(cache.cold_at_ms),
    }


def _past_fields(past: PastAction | None, zone: Zone) -> dict[str, object] | None:
    if past is None:
        return None
    proof = past.proof
    fields: dict[str, object] = {
        "id": past.id,
        "at": zone.stamp(past.at_ms),
        "is_measured": proof is not None,
    }
    if proof is not None:
        fields |= {
            "model": proof.model,
            "first_request_before_tokens": proof.before_tokens,
            "first_request_after_tokens": proof.after_tokens,
            "sessions_before": proof.before_sessions,
            "spread_before_tokens": proof.before_spread_tokens,
            "session_after": proof.after_session,
            "measured_freed_tokens": proof.freed_tokens,
            "predicted_freed_tokens": proof.predicted_tokens,
        }
    return fields


def _receipt_fields(receipt: Receipt, zone: Zone) -> dict[str, object]:
    return {
        "action": receipt.action.id,
        "at": zone.stamp(receipt.action.at_ms),
        "steps": [
            {"number": one.number, "state": one.outcome.state, "message": one.outcome.message}
            for one in receipt.action.steps
        ],
        "before": [_kind_fields(one) for one in receipt.before.values()],
        "after": [_kind_fields(one) for one in receipt.after.values()],
        "sent_tokens_before": receipt.sent_tokens[0],
        "sent_tokens_after": receipt.sent_tokens[1],
        "faults": list(receipt.faults),
    }
