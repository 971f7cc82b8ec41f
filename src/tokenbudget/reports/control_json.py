"""The controller as JSON: how it stands, what it did, what one look rests on.

Format `tokenbudget/control/1` (history: `tokenbudget/control-history/1`). Shares are of the usable
window; money is a decimal string, negative where an action costs; null is unknown.
"""

from __future__ import annotations

import json

from tokenbudget.model.control_words import decision_words, is_back, receipt_words
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.control_history import totals_of, usd_text
from tokenbudget.reports.json import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tokenbudget.analysis.periods import Zone
    from tokenbudget.model.control import Decision, Held, Receipt, Signals
    from tokenbudget.model.control_standing import Standing
    from tokenbudget.optimizer.deciding import Judged

FORMAT = 1


def standing_document(standings: Sequence[Standing], zone: Zone) -> str:
    """How it stands with each of these sessions."""
    rows = [standing_fields(one, zone) for one in standings]
    return document("control", FORMAT, {"rows": rows, "totals": {"sessions": len(rows)}})


def standing_line(standing: Standing, settled: Sequence[Receipt], zone: Zone) -> str:
    """The same of one session in one line, for a stream; with what was settled by this look."""
    fields = standing_fields(standing, zone)
    return json.dumps(
        {
            "format": f"tokenbudget/control/{FORMAT}",
            **fields,
            "settled": [receipt_fields(one, zone) for one in settled],
        }
    )


def standing_fields(standing: Standing, zone: Zone) -> dict[str, object]:
    """One session."""
    return {
        "session": standing.session,
        "project": one_line(standing.project) or None,
        "title": one_line(standing.title) or None,
        "mode": standing.mode,
        "watched_by": one_line(standing.watcher) or None,
        "looked_at": zone.stamp(standing.looked_at_ms) if standing.looked_at_ms else None,
        "level": standing.level,
        "used_tokens": standing.used_tokens,
        "usable_tokens": standing.usable_tokens,
        "window_tokens": standing.window_tokens,
        "usable_share": standing.share,
        "decision": decision_fields(standing.last, zone),
        "decisions": [decision_fields(one, zone) for one in standing.decisions],
        "receipts": [receipt_fields(one, zone, standing.undone) for one in standing.receipts],
        "marks": [
            {
                "lever": one.lever,
                "items": [one_line(item) for item in one.items],
                "since": zone.stamp(one.at_ms),
            }
            for one in standing.marks
        ],
        "pins": [one_line(pin) for pin in standing.pins],
        "reloaded": [one_line(item) for item in standing.reloaded],
        "levers": [{**one._asdict(), "error_share": one.error_share} for one in standing.levers],
    }


def decision_fields(decision: Decision | None, zone: Zone) -> dict[str, object] | None:
    """What one look came to; None where there was none."""
    if decision is None:
        return None
    foretold = decision.prediction
    prediction = None
    if foretold is not None:
        prediction = {**foretold._asdict(), "usd": usd_text(foretold.usd)}
        prediction["known_by"] = one_line(foretold.known_by)
    return {
        "at": zone.stamp(decision.at_ms),
        "kind": decision.kind,
        "level": decision.level,
        "code": decision.code,
        "words": decision_words(decision),
        "reason": one_line(decision.reason),
        "next": one_line(decision.next) or None,
        "lever": decision.lever or None,
        "items": [one_line(item) for item in decision.items],
        "prediction": prediction,
    }


def receipt_fields(receipt: Receipt, zone: Zone, undone: Collection[int] = ()) -> dict[str, object]:
    """What an action was to do, and what it did."""
    settled = receipt.settled_at_ms
    return {
        "id": receipt.id,
        "session": receipt.session,
        "at": zone.stamp(receipt.at_ms),
        "level": receipt.level,
        "lever": receipt.lever,
        "items": [one_line(item) for item in receipt.items],
        "action": receipt.action,
        "effect": receipt.effect,
        "before_tokens": receipt.before_tokens,
        "predicted_tokens": receipt.predicted_tokens,
        "measured_tokens": receipt.measured_tokens,
        "error_share": receipt.error_share,
        "predicted_usd": usd_text(receipt.predicted_usd),
        "measured_usd": usd_text(receipt.measured_usd),
        "outcome": receipt.outcome or "open",
        "is_undone": is_back(receipt, undone),
        "words": receipt_words(receipt),
        "settled_at": None if settled is None else zone.stamp(settled),
    }


def history_document(receipts: Sequence[Receipt], zone: Zone, undone: Collection[int] = ()) -> str:
    """Every action with its receipt, the latest first."""
    totals = totals_of(receipts)
    fields = {
        "rows": [receipt_fields(one, zone, undone) for one in receipts],
        "totals": {
            **totals._asdict(),
            "error_share": totals.error_share,
            "measured_usd": usd_text(totals.measured_usd),
            "predicted_usd": usd_text(totals.predicted_usd),
        },
    }
    return document("control-history", FORMAT, fields)


def dry_document(
    standing: Standing, seen: Signals | None, level: str, judged: Sequence[Judged], zone: Zone
) -> str:
    """One look at one session with what it rests on; nothing was changed."""
    row = standing_fields(standing, zone)
    if seen is not None:
        row |= dry_fields(seen, level, judged, zone)
    return document("control", FORMAT, {"is_dry_run": True, "rows": [row]})


def dry_fields(
    seen: Signals, level: str, judged: Sequence[Judged], zone: Zone
) -> dict[str, object]:
    """What one look rests on: the inputs, and each lever with its verdict."""
    return {
        "level_acted_on": level,
        "inputs": {
            **_without(seen._asdict(), "observed_at_ms", "request_at_ms"),
            "project": one_line(seen.project),
            "observed_at": zone.stamp(seen.observed_at_ms),
            "request_at": zone.stamp(seen.request_at_ms) if seen.request_at_ms else None,
            "share": seen.share,
            "cache": seen.cache._asdict(),
            "composition": {one_line(part): tokens for part, tokens in seen.composition.items()},
            "held": [_held_fields(one, zone) for one in seen.held],
        },
        "levers_weighed": [_judged_fields(one) for one in judged],
    }


def _held_fields(held: Held, zone: Zone) -> dict[str, object]:
    used = held.last_used_ms
    plain = _without(held._asdict(), "last_used_ms")
    texts = {key: one_line(value) for key, value in plain.items() if isinstance(value, str)}
    return {**plain, **texts, "last_used_at": None if used is None else zone.stamp(used)}


def _without(fields: Mapping[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key not in keys}


def _judged_fields(one: Judged) -> dict[str, object]:
    option, foretold = one.option, one.option.prediction
    return {
        "lever": option.lever,
        "mode": option.mode,
        "items": [one_line(item) for item in option.choice.items],
        "predicted_tokens": option.tokens,
        "trust": option.factor,
        "break_even_requests": foretold.break_even_requests,
        "predicted_usd": usd_text(foretold.usd),
        "effect": foretold.effect,
        "known_by": one_line(foretold.known_by) or None,
        "kind": one.verdict.kind,
        "code": one.verdict.code,
        "why": one_line(one.verdict.why),
        "next": one_line(one.verdict.next) or None,
    }
