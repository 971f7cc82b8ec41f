"""What the engine remembers between two evaluations: a plain value that any store can keep.

    calm ──(first step reached)──▶ pending ──(30 s later)──▶ firing ──(5 min below)──▶ calm
              nothing is sent if it falls back while pending

Times are milliseconds since 1970 on the clock of `State.clock_ms`.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tokenbudget.alerts.hours import QuietHours

STATE_FORMAT = "tokenbudget/alert-state/1"

CALM, PENDING, FIRING = "calm", "pending", "firing"


class Policy(NamedTuple):
    """The manners. Defaults are Alertmanager's where it has them."""

    group_wait_ms: int = 30_000
    """A crossing that is over inside it is never told."""
    resolve_wait_ms: int = 5 * 60_000
    """How long it must have been below before it counts as over (`resolve_timeout`)."""
    repeat_ms: int = 4 * 3_600_000
    rate_per_hour: int = 6
    """Messages per channel."""
    stale_ms: int = 60_000
    """Without an observation for longer than two intervals of the monitor there is no data."""
    quiet: QuietHours | None = None
    passing_level: str = "critical"
    """From this level on, quiet hours do not hold a notice."""


class Alert(NamedTuple):
    """One rule on one window."""

    fingerprint: str
    rule_id: str
    scope: str
    scope_id: str
    window_id: str
    status: str = CALM
    step: int = -1
    """The highest step reached since it fired; until then the present one."""
    told_step: int = -1
    hushed_step: int = -1
    """The highest step that a silence kept from being told."""
    is_heard: bool = False
    """Whether any message about it went out, or waits for the digest."""
    is_acked: bool = False
    since_ms: int = 0
    """When the present status began."""
    told_at_ms: int = 0
    calm_since_ms: int | None = None
    """Since when it has been below while firing."""
    value: str = ""
    """The last known value, as text."""
    at_ms: int = 0
    """When that was so."""
    seen_ms: int = 0
    """When the engine last got an observation, known or not."""
    is_known: bool = True
    """False is "no data": everything else stands still."""
    where: str = ""


class Silence(NamedTuple):
    """Say nothing about a rule for a while, or about one alert until it is over."""

    rule_id: str
    """'' is every rule."""
    fingerprint: str
    """'' is every alert of the rule."""
    until_ms: int | None
    """`None` is until it is resolved."""


class Held(NamedTuple):
    """What the quiet hours kept for the digest: one alert, however often it moved."""

    fingerprint: str
    channels: tuple[str, ...]
    level: str
    title: str
    at_ms: int
    over_ms: int | None = None


class Sent(NamedTuple):
    """What went to one channel."""

    channel: str
    at_ms: tuple[int, ...] = ()
    """Messages of the last hour."""
    held_back: int = 0
    """Since the last one that went out."""


class State(NamedTuple):
    """Everything; equal states behave alike."""

    alerts: tuple[Alert, ...] = ()
    """By fingerprint, ascending."""
    silences: tuple[Silence, ...] = ()
    held: tuple[Held, ...] = ()
    sent: tuple[Sent, ...] = ()
    sequence: int = 0
    """The version of the latest decision; it only grows."""
    clock_ms: int = 0


def silenced_for(state: State, rule_id: str, for_ms: int, now_ms: int) -> State:
    """The state with a rule ('' for all) silenced for so long; a later end replaces an earlier."""
    others = tuple(s for s in state.silences if (s.rule_id, s.fingerprint) != (rule_id, ""))
    return state._replace(silences=(*others, Silence(rule_id, "", now_ms + for_ms)))


def silenced_until_resolved(state: State, rule_id: str) -> State:
    """The state with whatever fires under a rule ('' for all) silenced until it is over.

    Raises:
        BadRequest: nothing fires.
    """
    firing = _firing(state, rule_id)
    if not firing:
        raise BadRequest("nothing is firing there, so nothing can be resolved; use --for 2h")
    marks = {alert.fingerprint for alert in firing}
    others = tuple(s for s in state.silences if s.fingerprint not in marks)
    made = tuple(Silence(alert.rule_id, alert.fingerprint, None) for alert in firing)
    return state._replace(silences=others + made)


def unsilenced(state: State, rule_id: str) -> State:
    """The state without the silences of a rule ('' for all)."""
    kept = tuple(s for s in state.silences if rule_id and s.rule_id != rule_id)
    return state._replace(silences=kept)


def acked(state: State, rule_id: str) -> State:
    """The state with whatever fires under a rule ('' for all) acknowledged: no more repeats.

    Raises:
        BadRequest: nothing fires.
    """
    firing = {alert.fingerprint for alert in _firing(state, rule_id)}
    if not firing:
        raise BadRequest("nothing is firing there; see tokens alert list")
    alerts = tuple(
        alert._replace(is_acked=True) if alert.fingerprint in firing else alert
        for alert in state.alerts
    )
    return state._replace(alerts=alerts)


def state_fields(state: State) -> dict[str, Any]:
    """The state as JSON values."""
    return {
        "format": STATE_FORMAT,
        "alerts": [alert._asdict() for alert in state.alerts],
        "silences": [silence._asdict() for silence in state.silences],
        "held": [held._asdict() for held in state.held],
        "sent": [sent._asdict() for sent in state.sent],
        "sequence": state.sequence,
        "clock_ms": state.clock_ms,
    }


def state_from(fields: Mapping[str, Any]) -> State:
    """The state of such values.

    Raises:
        ValueError: they are of another format, or damaged.
    """
    if fields.get("format") != STATE_FORMAT:
        raise ValueError("this is no state of alerts, or one of another version")
    try:
        return State(
            tuple(Alert(**alert) for alert in fields["alerts"]),
            tuple(Silence(**silence) for silence in fields["silences"]),
            tuple(Held(**{**h, "channels": tuple(h["channels"])}) for h in fields["held"]),
            tuple(Sent(**{**s, "at_ms": tuple(s["at_ms"])}) for s in fields["sent"]),
            int(fields["sequence"]),
            int(fields["clock_ms"]),
        )
    except (KeyError, TypeError) as damage:
        raise ValueError(f"the state of the alerts is damaged: {damage}") from damage


def _firing(state: State, rule_id: str) -> list[Alert]:
    return [a for a in state.alerts if a.status == FIRING and rule_id in ("", a.rule_id)]
