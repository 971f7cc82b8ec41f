"""What `tokens optimize` found dearest, kept so that the first screen can name it at no cost."""

from __future__ import annotations

import json

from tokenbudget.analysis.overview import Worth
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.drains.found import Findings
    from tokenbudget.app import Workbench

MOST = 3
FRESH_MS = 7 * 86_400_000
"""Older advice is not shown: what it is about may be over."""


def keep_worth(bench: Workbench, found: Findings) -> None:
    """Keep the dearest findings that nothing was done about yet; a ledger that is busy keeps none.

    Only what was found by the standard question belongs here, not a part of it.
    """
    if bench.ledger.path == TEMPORARY:
        return
    open_ones = [one for one in found.rows if one.applied is None][:MOST]
    rows = [
        [one.id, one.title, None if one.weekly.usd is None else str(one.weekly.usd),
         one.weekly.tokens]
        for one in open_ones
    ]  # fmt: skip
    told = json.dumps({"at_ms": bench.clock.now_ms(), "rows": rows})
    try:
        bench.ledger.let_go()
        bench.ledger.keep_advice(told)
    except LedgerUnusable:
        return


def worth_doing(bench: Workbench) -> tuple[Worth, ...]:
    """What was kept, where it is fresh; nothing where it cannot be read."""
    kept = bench.ledger.kept_advice()
    try:
        told = json.loads(kept or "{}")
        age_ms = bench.clock.now_ms() - int(told["at_ms"])
        rows = [
            Worth(str(name), str(title), str(usd or ""), int(tokens))
            for name, title, usd, tokens in told["rows"]
        ]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple(rows) if 0 <= age_ms <= FRESH_MS else ()
