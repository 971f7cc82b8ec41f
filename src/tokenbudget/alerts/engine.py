"""Decide what to tell: rules and observations in, a new state and decisions out.

Nothing here reads a clock, a file or a setting; the same input gives the same decisions.
"""

from __future__ import annotations

from tokenbudget.alerts import words
from tokenbudget.alerts.hours import is_quiet
from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.manners import Desk, lasting
from tokenbudget.alerts.notices import ESCALATE, FIRE, REPEAT, RESOLVE
from tokenbudget.alerts.rules import fingerprint, is_below, is_sound, step_of, without_overlap
from tokenbudget.alerts.state import CALM, FIRING, PENDING, Alert
from tokenbudget.alerts.telling import Happening, Teller, calmed, covered, put_off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.alerts.notices import Notice
    from tokenbudget.alerts.rules import Observation, Rule
    from tokenbudget.alerts.state import Policy, State

SKEW_MS = 60_000
"""Evaluators that run at once read the clock in another order than they write; up to here a clock
that seems to go back is taken to stand still. More than that is a changed clock."""

CALM_KEPT_MS = 86_400_000
"""An alert that is calm and not seen any more is forgotten after a day, ..."""

FROZEN_KEPT_MS = 30 * 86_400_000
"""... one that fires and whose data never came back, after 30."""


def evaluate(
    rules: Sequence[Rule],
    observations: Sequence[Observation],
    state: State,
    policy: Policy,
    now_ms: int,
) -> tuple[State, list[Notice]]:
    """The state after these observations, and every decision, also what was withheld.

    Observations that were given before change nothing. An alert that gets none stands still.
    """
    present = on_this_clock(state, now_ms)
    now = present.clock_ms
    desk = Desk(present.sent, present.held, policy, is_quiet(policy.quiet, now))
    alerts, happenings = observed(rules, observations, present, policy, now)
    teller = Teller(present, desk, covered(happenings, alerts, rules, present.silences, now), now)
    notices = teller.digests(is_quiet(policy.quiet, now))
    waiting = put_off(happenings, alerts, rules, present, policy.group_wait_ms)
    for happening in happenings:
        if happening.alert.fingerprint in waiting:
            continue
        alert, notice = teller.told(happening)
        alerts[alert.fingerprint] = alert
        if notice is not None:
            notices.append(notice)
    over = {h.alert.fingerprint for h in happenings if h.kind == RESOLVE}
    return (
        present._replace(
            alerts=tuple(alerts[mark] for mark in sorted(alerts) if _is_kept(alerts[mark], now)),
            silences=lasting(present.silences, now, over),
            held=desk.held,
            sent=desk.sent(now),
            sequence=teller.sequence,
        ),
        notices,
    )


def on_this_clock(state: State, now_ms: int) -> State:
    """The state on the clock as it stands now.

    When the clock was set back, every remembered time is set back with it: what had lasted an hour
    has lasted an hour still, and what was to end in an hour will.
    """
    back_ms = state.clock_ms - now_ms
    if back_ms <= SKEW_MS:
        return state._replace(clock_ms=max(state.clock_ms, now_ms))
    return state._replace(
        clock_ms=now_ms,
        alerts=tuple(_set_back(alert, back_ms) for alert in state.alerts),
        silences=tuple(
            s if s.until_ms is None else s._replace(until_ms=s.until_ms - back_ms)
            for s in state.silences
        ),
        held=tuple(
            h._replace(
                at_ms=h.at_ms - back_ms, over_ms=None if h.over_ms is None else h.over_ms - back_ms
            )
            for h in state.held
        ),
        sent=tuple(s._replace(at_ms=tuple(at - back_ms for at in s.at_ms)) for s in state.sent),
    )


def observed(
    rules: Sequence[Rule],
    observations: Sequence[Observation],
    state: State,
    policy: Policy,
    now_ms: int,
) -> tuple[dict[str, Alert], list[Happening]]:
    """Every alert after these observations, by fingerprint, and what happened to which."""
    ladders = without_overlap(rules)
    windows = _Windows(state.alerts, {rule.id for rule in rules})
    for seen in sorted(observations, key=lambda seen: seen.at_ms):
        present = seen._replace(at_ms=min(seen.at_ms, now_ms))  # nothing is known of the future
        for rule in ladders:
            if rule.scope == seen.scope and rule.scope_id in ("", seen.scope_id):
                _observe(windows, rule, present, policy, now_ms)
    for alert in list(windows.alerts.values()):
        if now_ms - alert.seen_ms > policy.stale_ms:
            windows.alerts[alert.fingerprint] = _frozen(alert, alert.seen_ms)
    return windows.alerts, list(windows.happened.values())


class _Windows:
    """The alerts, which of them belong to one rule on one thing, and what happened to each.

    Of several observations in one evaluation the last one decides what there is to tell.
    """

    def __init__(self, alerts: Sequence[Alert], rule_ids: set[str]) -> None:
        self.alerts = {a.fingerprint: a for a in alerts if a.rule_id in rule_ids}
        self.happened: dict[str, Happening] = {}
        self._marks: dict[tuple[str, str], set[str]] = {}
        for alert in self.alerts.values():
            self._mark(alert)

    def of(self, rule: Rule, scope_id: str) -> list[Alert]:
        marks = self._marks.get((rule.id, scope_id), set())
        return [self.alerts[mark] for mark in sorted(marks) if mark in self.alerts]

    def put(self, alert: Alert, happening: Happening | None = None) -> None:
        self.alerts[alert.fingerprint] = alert
        self._mark(alert)
        self.happened.pop(alert.fingerprint, None)
        if happening is not None:
            self.happened[alert.fingerprint] = happening

    def end(self, alert: Alert, rule: Rule, reason: str) -> None:
        """Its session or window is no more. What fires is kept until it was told."""
        if alert.status == FIRING:
            self.put(alert, Happening(RESOLVE, alert, rule, None, reason))
        else:
            self.alerts.pop(alert.fingerprint, None)

    def _mark(self, alert: Alert) -> None:
        self._marks.setdefault((alert.rule_id, alert.scope_id), set()).add(alert.fingerprint)


def _observe(windows: _Windows, rule: Rule, seen: Observation, policy: Policy, now_ms: int) -> None:
    known = windows.of(rule, seen.scope_id)
    if not seen.is_over and not (seen.is_known and is_sound(seen)):
        for alert in known:
            windows.put(_frozen(alert, now_ms))
        return
    others = [alert for alert in known if alert.window_id != seen.window_id]
    if any(alert.at_ms > seen.at_ms for alert in others):
        return  # a late word from a window that is gone
    for alert in others:
        windows.end(alert, rule, "A new window has begun.")
    mark = fingerprint(rule, seen.scope_id, seen.window_id)
    fresh = Alert(mark, rule.id, rule.scope, seen.scope_id, seen.window_id, since_ms=now_ms)
    alert = windows.alerts.get(mark, fresh)
    if seen.is_over:
        windows.end(alert, rule, "It has ended.")
    elif seen.at_ms >= alert.at_ms:  # not older than what is known
        moved, kind = advanced(_updated(alert, rule, seen, now_ms), rule, seen, policy, now_ms)
        below = f"It is below {words.shown_value(rule.scope, rule.steps[0].at)} again."
        windows.put(moved, Happening(kind, moved, rule, seen, below) if kind else None)


def advanced(
    alert: Alert, rule: Rule, seen: Observation, policy: Policy, now_ms: int
) -> tuple[Alert, str]:
    """The alert after a known value, and what kind of notice it is worth; '' is none."""
    reached = step_of(rule, seen.value)
    is_over = is_below(rule, seen.value)
    if alert.status == CALM:
        if reached < 0:
            return alert, ""
        alert = alert._replace(status=PENDING, since_ms=now_ms)
    if alert.status == PENDING:
        if is_over:
            return calmed(alert, now_ms), ""
        alert = alert._replace(step=reached)  # as it stands: a peak that did not last is no step
        if reached < 0 or now_ms - alert.since_ms < policy.group_wait_ms:
            return alert, ""  # a message must not tell of a value below its own threshold
        alert = alert._replace(status=FIRING)
    alert = alert._replace(step=max(alert.step, reached))
    return _while_firing(alert, reached, is_over, policy, now_ms)


def _while_firing(
    alert: Alert, reached: int, is_over: bool, policy: Policy, now_ms: int
) -> tuple[Alert, str]:
    if is_over:
        since = now_ms if alert.calm_since_ms is None else alert.calm_since_ms
        alert = alert._replace(calm_since_ms=since)
        return alert, RESOLVE if now_ms - since >= policy.resolve_wait_ms else ""
    alert = alert._replace(calm_since_ms=None)
    if alert.step > alert.told_step:
        return alert, FIRE if alert.told_step < 0 else ESCALATE
    is_due = now_ms - alert.told_at_ms >= policy.repeat_ms and reached >= 0
    return alert, REPEAT if is_due and not alert.is_acked else ""


def _updated(alert: Alert, rule: Rule, seen: Observation, now_ms: int) -> Alert:
    return alert._replace(
        value=words.shown_value(rule.scope, seen.value),
        at_ms=seen.at_ms,
        seen_ms=now_ms,
        is_known=True,
        where=one_line(seen.where, 80),
    )


def _frozen(alert: Alert, seen_ms: int) -> Alert:
    """No data: nothing moves, and the time below begins anew when data comes back."""
    return alert._replace(is_known=False, calm_since_ms=None, seen_ms=seen_ms)


def _set_back(alert: Alert, back_ms: int) -> Alert:
    calm = alert.calm_since_ms
    return alert._replace(
        since_ms=alert.since_ms - back_ms,
        told_at_ms=alert.told_at_ms - back_ms,
        calm_since_ms=None if calm is None else calm - back_ms,
        at_ms=alert.at_ms - back_ms,
        seen_ms=alert.seen_ms - back_ms,
    )


def _is_kept(alert: Alert, now_ms: int) -> bool:
    kept_ms = CALM_KEPT_MS if alert.status == CALM else FROZEN_KEPT_MS
    return now_ms - alert.seen_ms <= kept_ms
