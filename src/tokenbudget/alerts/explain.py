"""Why a rule has spoken or is silent, in sentences."""

from __future__ import annotations

from tokenbudget.alerts import words
from tokenbudget.alerts.hours import is_quiet
from tokenbudget.alerts.inert import one_line
from tokenbudget.alerts.manners import HOUR_MS, silence_of
from tokenbudget.alerts.rules import MARGIN_SHARE, SHARES
from tokenbudget.alerts.state import CALM, FIRING, PENDING, Alert
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.alerts.rules import Rule
    from tokenbudget.alerts.state import Policy, State


def status_word(alert: Alert) -> str:
    """One word for a list; "no data" is never shown as calm."""
    if not alert.is_known:
        return "no data" if alert.status == CALM else f"{alert.status}, no data"
    return f"{alert.status}, acked" if alert.is_acked else alert.status


def why(state: State, rule: Rule, policy: Policy, now_ms: int) -> list[str]:
    """What the rule waits for, and how each of its alerts stands."""
    said = [_intent(rule)]
    alerts = [alert for alert in state.alerts if alert.rule_id == rule.id]
    if not alerts:
        said.append("Nothing that it watches has been seen yet.")
        said += _silence(_of_rule(rule), state, now_ms)
    for alert in alerts:
        said += _standing(alert, rule, state, policy, now_ms)
    if is_quiet(policy.quiet, now_ms):
        said.append(f"Quiet hours: only {policy.passing_level} and worse goes out now.")
    for sent in state.sent:
        recent = [at for at in sent.at_ms if now_ms - at < HOUR_MS]
        if sent.channel in rule.channels and len(recent) >= policy.rate_per_hour:
            said.append(
                f"{one_line(sent.channel)} has had its {policy.rate_per_hour} of this hour;"
                f" {sent.held_back} held back so far."
            )
    return said


def _intent(rule: Rule) -> str:
    steps = ", ".join(words.shown_value(rule.scope, step.at) for step in rule.steps)
    reach = ", ".join(map(one_line, rule.channels)) or "no channel: it is only shown"
    return f"{one_line(rule.id)} tells of the {words.NAMES[rule.scope]} at {steps} ({reach})."


def _standing(alert: Alert, rule: Rule, state: State, policy: Policy, now_ms: int) -> list[str]:
    name = one_line(alert.where or alert.scope_id or "it")
    lasted = shown_span(now_ms - alert.since_ms)
    first = words.shown_value(rule.scope, rule.steps[0].at)
    by_status = {
        CALM: f"{name}: {alert.value or 'unknown'}, below {first}, so nothing is said.",
        PENDING: f"{name}: {alert.value}, crossed {lasted} ago; told after"
        f" {shown_span(policy.group_wait_ms)} if it lasts.",
        FIRING: f"{name}: {alert.value}, firing for {lasted};"
        f" {_told(alert, state, policy, now_ms)}",
    }
    said = [by_status[alert.status]]
    if not alert.is_known:
        gap = shown_span(now_ms - alert.at_ms)
        said.append(f"No data for {gap}: it stands still and is neither raised nor cleared.")
    if alert.calm_since_ms is not None:
        said.append(
            f"It has been below for {shown_span(now_ms - alert.calm_since_ms)} and counts as over"
            f" after {shown_span(policy.resolve_wait_ms)}."
        )
    elif alert.status == FIRING and rule.scope in SHARES:
        clear = words.shown_value(rule.scope, float(rule.steps[0].at) - MARGIN_SHARE)
        said.append(f"It is over once below {clear} for {shown_span(policy.resolve_wait_ms)}.")
    return said + _silence(alert, state, now_ms)


def _told(alert: Alert, state: State, policy: Policy, now_ms: int) -> str:
    if alert.told_step < 0:
        return "not told yet."
    if any(held.fingerprint == alert.fingerprint for held in state.held):
        return "kept for the digest after the quiet hours."
    ago = shown_span(now_ms - alert.told_at_ms)
    heard = "" if alert.is_heard else " (held back by the rate limit)"
    if alert.is_acked:
        return f"told {ago} ago{heard}, acknowledged: no reminders."
    again = shown_span(policy.repeat_ms - (now_ms - alert.told_at_ms))
    return f"told {ago} ago{heard}, again in {again} if nothing changes."


def _of_rule(rule: Rule) -> Alert:
    """An alert that stands for whatever the rule may see."""
    return Alert("", rule.id, rule.scope, rule.scope_id, "")


def _silence(alert: Alert, state: State, now_ms: int) -> list[str]:
    silence = silence_of(alert, state.silences, now_ms)
    if silence is None:
        return []
    if silence.until_ms is None:
        return ["Silenced until it is resolved; that will be told."]
    return [f"Silenced for another {shown_span(silence.until_ms - now_ms)}."]
