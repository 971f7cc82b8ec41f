"""Single facts of a session that the controller asks for: over or not, what came back, alerts."""

from __future__ import annotations

import os
from datetime import datetime

from tokenbudget.alerts.state import FIRING
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.alerts import OF_ONE_SESSION, lines_of
from tokenbudget.gateway.hooks.session_state import peeked
from tokenbudget.gateway.statusline_values import is_fit_session
from tokenbudget.model.control import MEMORY, SCRATCH, SERVERS, SKILLS
from tokenbudget.resources.client_features import version_parts
from tokenbudget.resources.evidence import server_key
from tokenbudget.resources.kind import typable
from tokenbudget.resources.mcp_deferral import WITH_THE_OFFICIAL, deferral_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.session_signals import Call
    from tokenbudget.model.control import Receipt

SILENT_MS = 4 * 3_600_000
"""A session that nobody has heard of for longer counts as ended; no cache lives as long."""
SESSION_END = "SessionEnd"
NAMES_ALONE = "deferred_tools_delta"
"""The kind of what a client puts in where it sends the names of tools and no schemas."""
ALWAYS_THERE = "environment"
"""What such a client puts into every session."""


def is_session_over(settings: Settings, facts: SessionRow, request_at_ms: int, now_ms: int) -> bool:
    """Whether the session has ended: its hooks said so last, or nobody has heard of it for long."""
    heard_ms = max(request_at_ms, _milliseconds(facts.last_at))
    if is_fit_session(facts.session):
        events = peeked(settings.data_dir, facts.session).events
        ended_ms = events.get(SESSION_END, [0, 0])[1]
        others = [at for name, (_, at) in events.items() if name != SESSION_END]
        if ended_ms and ended_ms >= max([request_at_ms, *others]):
            return True
        heard_ms = max([heard_ms, *others])
    return now_ms - heard_ms > SILENT_MS


def has_tool_search(bench: Workbench, facts: SessionRow) -> bool | None:
    """Whether the client keeps schemas of tools out of its requests; None is unknown.

    A client of a known release that does so says it in every session, by the names that it sends
    instead: there a session without them is one without tool search.
    """
    kinds = bench.ledger.session_signals.injected(facts.session)
    if NAMES_ALONE in kinds:
        return True
    parts = version_parts(facts.version)
    if parts is not None and parts >= WITH_THE_OFFICIAL and ALWAYS_THERE in kinds:
        return False
    return False if deferral_of(facts.version, {}) == "off" else None


def reloaded_ids(bench: Workbench, session: str, receipts: Sequence[Receipt]) -> tuple[str, ...]:
    """What the controller took out and the session used or asked for since, by id."""
    taken = {
        item: receipt.at_ms
        for receipt in receipts
        if receipt.lever in (SKILLS, SERVERS, MEMORY, SCRATCH) and receipt.action is not None
        for item in receipt.items
    }
    if not taken:
        return ()
    calls = bench.ledger.session_signals.calls_since(session, min(taken.values()))
    asked = [(_ids_of(call), call.at_ms) for call in calls]
    return tuple(
        sorted(
            id_
            for id_, at_ms in taken.items()
            if any(id_ in ids and called_ms > at_ms for ids, called_ms in asked)
        )
    )


def _ids_of(call: Call) -> frozenset[str]:
    """The ids that a call may be the use of: of a skill, a server, or a file by its end."""
    if call.server:
        return frozenset((typable(SERVERS, call.server), typable(SERVERS, server_key(call.server))))
    if call.tool == "Skill":
        bare = call.target.rpartition(":")[2]
        return frozenset((typable(SKILLS, call.target), typable(SKILLS, bare)))
    if call.tool in ("Read", "Edit", "Write") and call.target:
        return frozenset(
            typable(kind, name)
            for name in _ends_of(call.target)
            for kind in (f"{MEMORY}/twice", f"{SCRATCH}/sent")
        )
    return frozenset()


def _ends_of(path: str) -> Iterable[str]:
    """A path as it may be named from a project: its last parts, ever more of them."""
    parts = path.strip("/").split("/")[-6:]
    return ("/".join(parts[start:]) for start in range(len(parts)))


def alert_levels(bench: Workbench, session: str) -> tuple[str, ...]:
    """Levels of the alerts that fire for this session, or for everything."""
    book = read_rules(bench.settings.data_dir)
    if not book.rules:
        return ()
    known = {rule.id for rule in book.rules}
    firing = [
        alert
        for alert in LedgerAlerts(bench.ledger).state().alerts
        if alert.status == FIRING
        and alert.rule_id in known
        and (alert.scope not in OF_ONE_SESSION or alert.scope_id == session)
    ]
    return tuple(line.level for line in lines_of(firing, book))


def file_stamp(path: str) -> tuple[int, int] | None:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _milliseconds(stamp: str) -> int:
    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
