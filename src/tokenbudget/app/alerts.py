"""The alerts put together: look, decide, and keep what is to be sent.

Every evaluator calls `evaluate`: the refresh of the status line, the monitor at each tick, the
sender. They may do so at once; of each decision one of them is the winner. Nobody sends where a
person waits: `alert_delivery.wake_sender` starts a process for that.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts import words
from tokenbudget.alerts.delivery import BELL
from tokenbudget.alerts.explain import status_word
from tokenbudget.alerts.hours import parse_duration, parse_quiet_hours
from tokenbudget.alerts.notices import FIRE
from tokenbudget.alerts.rules import CONTEXT, LEVELS, SESSION_COST, fingerprint, tells_instead
from tokenbudget.alerts.state import CALM, FIRING, PENDING, Policy
from tokenbudget.alerts.store import LONGEST_WAIT_MS, evaluate_once
from tokenbudget.app.alert_decisions import ACTORS, acted_on, decisions_of
from tokenbudget.app.alert_delivery import give_up_stale_bells
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.observations import observations
from tokenbudget.dashboard.view_model import AlertLine, Decision
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.alerts.notices import Notice
    from tokenbudget.alerts.rules import Rule
    from tokenbudget.alerts.state import Alert, State
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.app.alert_rules import RuleBook
    from tokenbudget.app.alert_store import Waiting
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Actor

SLACK_MS = 500
"""A second look comes so much later than the wait of its alert ends."""
IN_A_COPY = "the alerts wait: they are decided only where their ledger can be written"
OF_ONE_SESSION = (CONTEXT, SESSION_COST)


class AlertOutcome(NamedTuple):
    """What came of one evaluation."""

    lines: tuple[AlertLine, ...] = ()
    """The alerts that fire or are about to, the worst first."""
    notices: tuple[Notice, ...] = ()
    """The decisions that this evaluation won."""
    decisions: tuple[Decision, ...] = ()
    """What actors did about them."""
    faults: tuple[str, ...] = ()
    """What is wrong with rules or settings, a sentence each; the rest is as good as it can be."""
    alerts: tuple[Alert, ...] = ()
    """Those that `lines` are of, in the same order."""
    next_work_ms: int | None = None
    """When a sender will have something to do; None for nothing."""

    def marks(self, session: str) -> int:
        """How many of them a status line of this session marks.

        Those that fire, that nobody has acknowledged, and that are not about another session.
        """
        return sum(
            alert.status == FIRING
            and not alert.is_acked
            and (alert.scope not in OF_ONE_SESSION or alert.scope_id == session)
            for alert in self.alerts
        )


def evaluate(
    bench: Workbench,
    windows: Mapping[str, SessionWindow],
    now_ms: int,
    actors: Sequence[Actor] = ACTORS,
) -> AlertOutcome:
    """Look at everything that the rules watch, decide, and keep what is to be sent.

    In a passing copy of the ledger (`--from`, a home that cannot be written) nothing is decided.

    Args:
        bench: The ledger, brought up to date, the reports of the status line taken in.
        windows: By session, those that are at hand; others are put together when needed.
        now_ms: The present.
        actors: Who may act on what was decided.

    Raises:
        LedgerUnusable, LedgerDamaged: the ledger cannot be written now; the next one decides.
    """
    book = read_rules(bench.settings.data_dir)
    faults = [book.fault] if book.fault else []
    if not book.rules:
        return AlertOutcome(faults=tuple(faults))
    if bench.ledger.path == TEMPORARY:
        return AlertOutcome(faults=(*faults, IN_A_COPY))
    try:
        policy = policy_of(bench.settings)
    except BadConfig as reason:
        policy = Policy()
        faults.append(f"{reason}; the alerts go by their defaults until then")
    store = LedgerAlerts(bench.ledger)
    seen = observations(bench, book.rules, windows, store.state().alerts, now_ms)
    won = evaluate_once(store, book.rules, seen, policy, now_ms)
    decisions = acted_on(bench, store, decisions_of(won, book.rules, seen), actors, now_ms)
    waiting = store.waiting()
    give_up_stale_bells(store, waiting, now_ms)
    state = store.state()
    alerts = open_alerts(state, book.rules)
    return AlertOutcome(
        lines_of(alerts, book),
        tuple(won),
        decisions,
        tuple(faults),
        tuple(alerts),
        next_work_ms(state, waiting, policy, now_ms),
    )


def policy_of(settings: Settings) -> Policy:
    """The manners that `[alerts]` of config.toml asks for.

    Raises:
        BadConfig: a value cannot be meant.
    """
    given = settings.alert_settings()
    try:
        repeat_ms = parse_duration(given.repeat)
    except BadRequest as reason:
        raise BadConfig(f"alerts.repeat in {settings.config_path}: {reason}") from reason
    if repeat_ms is None:
        raise BadConfig(f"alerts.repeat in {settings.config_path} must be a time such as 4h")
    if given.rate_per_hour < 1:
        raise BadConfig(f"alerts.rate_per_hour in {settings.config_path} must be 1 or more")
    if given.passing_level not in LEVELS:
        known = ", ".join(LEVELS)
        raise BadConfig(f"alerts.passing_level in {settings.config_path} must be one of {known}")
    try:
        quiet = parse_quiet_hours(given.quiet_hours, given.zone) if given.quiet_hours else None
    except BadConfig as reason:
        raise BadConfig(f"alerts.quiet_hours in {settings.config_path}: {reason}") from reason
    return Policy(
        repeat_ms=repeat_ms,
        rate_per_hour=given.rate_per_hour,
        quiet=quiet,
        passing_level=given.passing_level,
    )


def open_alerts(state: State, rules: Sequence[Rule]) -> list[Alert]:
    """The alerts that fire or are about to, the worst first; none that a higher rule tells of."""
    by_id = {rule.id: rule for rule in rules}
    open_ones = [a for a in state.alerts if a.status != CALM and a.rule_id in by_id]
    status_of = {alert.fingerprint: alert.status for alert in open_ones}
    shown = [
        alert
        for alert in open_ones
        if not any(
            status_of.get(fingerprint(other, alert.scope_id, alert.window_id))
            in (FIRING, alert.status)
            for other in rules
            if tells_instead(other, by_id[alert.rule_id])
        )
    ]
    return sorted(
        shown, key=lambda a: (a.status != FIRING, -LEVELS.index(_level(a, by_id)), a.since_ms)
    )


def next_work_ms(
    state: State, waiting: Sequence[Waiting], policy: Policy, now_ms: int
) -> int | None:
    """When something is to be sent, or to be looked at a second time; None for never.

    A crossing that was the last thing to happen in a session must be told too: whoever sees it
    first is gone when it has lasted long enough.
    """
    moments = [
        0 if one.due_ms > now_ms + LONGEST_WAIT_MS else one.due_ms
        for one in waiting
        if one.entry.channel != BELL
    ]
    moments += [
        ripe_ms + SLACK_MS
        for alert in state.alerts
        if alert.status == PENDING
        and alert.is_known
        and alert.seen_ms < (ripe_ms := alert.since_ms + policy.group_wait_ms)
    ]
    return min(moments, default=None)


def lines_of(alerts: Sequence[Alert], book: RuleBook) -> tuple[AlertLine, ...]:
    """Open alerts as a view shows them."""
    by_id = {rule.id: rule for rule in book.rules}
    return tuple(
        AlertLine(
            alert.rule_id,
            _level(alert, by_id),
            words.title(FIRE, alert),
            status_word(alert),
            alert.since_ms,
        )
        for alert in alerts
    )


def _level(alert: Alert, by_id: Mapping[str, Rule]) -> str:
    steps = by_id[alert.rule_id].steps
    return steps[min(max(alert.step, 0), len(steps) - 1)].level
