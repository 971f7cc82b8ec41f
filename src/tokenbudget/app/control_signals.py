"""One look at a session for the controller: everything that its decision rests on, and cheaply.

A tick at which nothing was written costs a few questions by index. What follows from the requests
is worked out when there is a new one; taking the window apart and looking through the project cost
more, and are done only where the window is near a boundary, at most once a minute.
"""

from __future__ import annotations

import os

from tokenbudget.analysis.calibrating import kept_fits
from tokenbudget.app.compacting import Scene
from tokenbudget.app.compacting_place import spellings
from tokenbudget.app.control_figures import Experiences, cache_of
from tokenbudget.app.control_held import Ground, Offer, held_of, offers_of, told_window
from tokenbudget.app.control_history import neighbours
from tokenbudget.app.control_moments import alert_levels, is_session_over
from tokenbudget.app.control_told import Subject, project_of, told_of
from tokenbudget.app.windows import limits_of
from tokenbudget.app.windows_looked import LookedWindows
from tokenbudget.budget.health import MARGIN_SHARE, STANDARD
from tokenbudget.gateway.hooks.hook_settings import wishes_in
from tokenbudget.gateway.hooks.session_state import FOLDER
from tokenbudget.metering.calibration import fit_of
from tokenbudget.model.control import HISTORY, SERVERS
from tokenbudget.model.errors import BadConfig, TokenBudgetError
from tokenbudget.resources.evidence import evidence_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.app.control_told import Told
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.model.control import Signals
    from tokenbudget.resources.evidence import Evidence

REST_MS, STILL_MS = 60_000, 600_000
"""What is dear to look at is looked at once in this time; and without a new request, in this."""
EVIDENCE_MS = 600_000
"""What a project uses is asked again after so long."""
GROWN_SHARE = 0.05
"""Of the usable window: after so much more, what was seen of it holds no longer."""


class Seen:
    """What is remembered of one session between two looks."""

    def __init__(self) -> None:
        self.told: Told | None = None
        self.window: SessionWindow | None = None
        self.offers: tuple[Offer, ...] = ()
        self.looked_at_ms: int | None = None
        """When the window was last taken apart and the project looked through."""
        self.looked_key = ""
        """Of the request that it stood at then."""
        self.looked_compactions = self.looked_tokens = 0


class Memory:
    """What need not be looked at again, of any number of sessions; one for each process."""

    def __init__(self) -> None:
        self.sessions: dict[str, Seen] = {}
        self.experiences = Experiences()
        self.evidence: dict[str, tuple[int, Evidence | None]] = {}
        self.windows = LookedWindows()

    def offers(self, session: str) -> tuple[Offer, ...]:
        """What could leave its window, as of the last look: what `held` in its signals was of."""
        seen = self.sessions.get(session)
        return () if seen is None else seen.offers

    def keep_only(self, sessions: Sequence[str]) -> None:
        """Forget all others."""
        for name in set(self.sessions).difference(sessions):
            del self.sessions[name]
        self.windows.keep_only(sessions)


def look(bench: Workbench, session: str, now_ms: int, memory: Memory) -> Signals | None:
    """How the session stands now; None where the ledger knows no such session.

    Args:
        bench: The ledger, brought up to date; it is written only to keep what was counted.
        session: Its whole id.
        now_ms: The present, by the clock that the tick is given too.
        memory: Of this process, the same at every look.
    """
    facts = next((r for r in bench.ledger.sessions_beginning(session, 1)), None)
    if facts is None or facts.session != session:
        memory.sessions.pop(session, None)
        return None
    seen = memory.sessions.setdefault(session, Seen())
    receipts = bench.ledger.control.receipts(session=session)
    subject = Subject(bench, facts, project_of(bench, facts), receipts, now_ms)
    told = seen.told = told_of(subject, seen.told, memory.experiences)
    signals = told.signals
    now = signals._replace(
        observed_at_ms=now_ms,
        cache=cache_of(told.rows, signals.model, signals.used_tokens or 0, bench.book, now_ms),
        is_over=is_session_over(bench.settings, facts, signals.request_at_ms, now_ms),
        alerts=alert_levels(bench, session),
        neighbours=_neighbours(subject),
    )
    _look_through(subject, now, told.rows, seen, memory)
    parts = () if seen.window is None else seen.window.components
    return now._replace(
        composition={part.key: part.tokens for part in parts}, held=held_of(seen.offers)
    )


def _neighbours(subject: Subject) -> tuple[int, ...]:
    """Of a session whose servers are out, or whose history is to be compacted; else nobody asks."""
    is_asked = any(
        one.action is not None
        and (one.lever == SERVERS or (one.lever == HISTORY and one.settled_at_ms is None))
        for one in subject.receipts
    )
    if not is_asked:
        return ()
    return neighbours(subject.bench, subject.facts, subject.project, subject.now_ms)


# ── what is dear to look at ──────────────────────────────────────────────────────────────────────


def _look_through(
    subject: Subject, now: Signals, rows: Sequence[RequestRow], seen: Seen, memory: Memory
) -> None:
    """Take the window apart and look through the project, where that is due."""
    share = now.share
    if share is None:
        return  # after a compaction: what was there has gone, and what is there nobody has told
    is_low = share < _warning_share(subject) - MARGIN_SHARE
    if is_low and not subject.is_awaiting:
        seen.window, seen.offers, seen.looked_at_ms = None, (), None
        return
    if not _is_due(now, seen, is_awaited=subject.is_next_awaited):
        return
    seen.looked_at_ms, seen.looked_key = now.observed_at_ms, now.request_key
    seen.looked_compactions, seen.looked_tokens = now.compactions, now.used_tokens or 0
    try:
        seen.window = memory.windows.window(subject.bench, now.session)
        seen.offers = () if is_low else _offers(subject, now, rows, seen.window, memory)
    except (TokenBudgetError, OSError):
        seen.window, seen.offers = None, ()  # its size is known all the same


def _warning_share(subject: Subject) -> float:
    """Where the warning begins in this project; by default where nobody can mean what is set."""
    settings = subject.bench.settings._replace(working_dir=subject.project)
    try:
        return limits_of(settings).warning_share
    except BadConfig:
        return STANDARD.warning_share


def _is_due(now: Signals, seen: Seen, *, is_awaited: bool) -> bool:
    """Once a minute; at once where the window is quite another one, or a request is awaited."""
    if seen.looked_at_ms is None or now.compactions != seen.looked_compactions:
        return True
    if abs((now.used_tokens or 0) - seen.looked_tokens) >= GROWN_SHARE * (now.usable_tokens or 0):
        return True
    is_new = now.request_key != seen.looked_key
    rest_ms = STILL_MS if not is_new else 0 if is_awaited else REST_MS
    return not 0 <= now.observed_at_ms - seen.looked_at_ms < rest_ms


def _offers(
    subject: Subject,
    now: Signals,
    rows: Sequence[RequestRow],
    window: SessionWindow,
    memory: Memory,
) -> tuple[Offer, ...]:
    bench, project = subject.bench, subject.project
    if not project or not os.path.isdir(project):
        return ()
    fit = fit_of(now.model, kept_fits(bench.ledger.windows.calibrations()))
    evidence = _evidence(bench, project, memory, subject.now_ms)
    home = bench.settings.data_dir
    since_ms = rows[0].started_at_ms if rows else 0
    ground = Ground(
        scene=Scene(project, subject.facts, window, evidence, fit, now.model),
        requests=now.requests,
        expected_requests=now.expected_requests,
        calls=bench.ledger.session_signals.calls_since(now.session, since_ms),
        asked_at_ms=[row.started_at_ms for row in rows],
        wishes=wishes_in(home),
        is_hooked=os.path.exists(f"{home}{FOLDER}/{now.session}.json"),
        has_tool_search=now.has_tool_search,
        told_tokens=told_window(bench, project),
        now_ms=subject.now_ms,
    )
    return offers_of(bench, ground)


def _evidence(bench: Workbench, project: str, memory: Memory, now_ms: int) -> Evidence:
    """What the project's sessions use: days of them, which the last minutes hardly change."""
    at_ms, found = memory.evidence.get(project, (0, None))
    if found is None or not 0 <= now_ms - at_ms < EVIDENCE_MS:
        found = evidence_of(bench.ledger, spellings(project), now_ms)
        memory.evidence[project] = (now_ms, found)
    return found
