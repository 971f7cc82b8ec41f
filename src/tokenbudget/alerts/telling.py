"""From what happened to what is said about it, and whether it may be said now."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts import words
from tokenbudget.alerts.manners import silence_of
from tokenbudget.alerts.notices import (
    COVERED,
    DIGEST,
    ESCALATE,
    HELD_BACK,
    LATE,
    REPEAT,
    RESOLVE,
    SILENCED,
    SPENT,
    UNHEARD,
    Notice,
)
from tokenbudget.alerts.rules import COSTS, LEVELS, fingerprint, tells_instead
from tokenbudget.alerts.state import CALM, FIRING, PENDING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.alerts.manners import Desk
    from tokenbudget.alerts.rules import Observation, Rule
    from tokenbudget.alerts.state import Alert, Held, Silence, State


LATE_MS = 2 * 3_600_000
"""Where nobody has looked for so long, an end is no news any more: nobody wants to be told in the
morning that yesterday's session is over."""


class Happening(NamedTuple):
    """Something about one alert that may be worth telling."""

    kind: str
    alert: Alert
    rule: Rule
    seen: Observation | None
    reason: str = ""


def calmed(alert: Alert, now_ms: int) -> Alert:
    """The alert as if nothing had been, with what was last known of it."""
    return alert._replace(
        status=CALM,
        step=-1,
        told_step=-1,
        hushed_step=-1,
        is_heard=False,
        is_acked=False,
        since_ms=now_ms,
        told_at_ms=0,
        calm_since_ms=None,
    )


def covered(
    happenings: Sequence[Happening],
    alerts: Mapping[str, Alert],
    rules: Sequence[Rule],
    silences: Sequence[Silence],
    now_ms: int,
) -> set[str]:
    """The fingerprints of which a higher rule on the same channels tells already.

    Of a jump from 40 % to 85 % the rule of 80 tells, and that of 50 has nothing to add.
    """
    over = {h.alert.fingerprint for h in happenings if h.kind == RESOLVE}
    found = set()
    for happening in happenings:
        for twin in _twins(happening, alerts, rules, silences, now_ms):
            is_over = twin.fingerprint in over
            if is_over if happening.kind == RESOLVE else twin.status == FIRING:
                found.add(happening.alert.fingerprint)
    return found


def put_off(
    happenings: Sequence[Happening],
    alerts: Mapping[str, Alert],
    rules: Sequence[Rule],
    state: State,
    group_wait_ms: int,
) -> set[str]:
    """The fingerprints whose rise waits until it is known whether a higher rule tells of it.

    Of a rise from 60 % to 85 % the rule of 80 tells in 30 seconds, if it lasts; that of 50 else.
    """
    now_ms = state.clock_ms
    return {
        happening.alert.fingerprint
        for happening in happenings
        if happening.kind == ESCALATE
        for twin in _twins(happening, alerts, rules, state.silences, now_ms)
        if twin.status == PENDING and now_ms - twin.since_ms < group_wait_ms
    }


def _twins(
    happening: Happening,
    alerts: Mapping[str, Alert],
    rules: Sequence[Rule],
    silences: Sequence[Silence],
    now_ms: int,
) -> list[Alert]:
    """The alerts of other rules on the same thing that tell instead, if they are not silent."""
    alert = happening.alert
    marks = (
        fingerprint(rule, alert.scope_id, alert.window_id)
        for rule in rules
        if tells_instead(rule, happening.rule)
    )
    twins = [alerts[mark] for mark in marks if mark in alerts]
    return [twin for twin in twins if silence_of(twin, silences, now_ms) is None]


class Teller:
    """Turns happenings into notices, each with the next version."""

    def __init__(self, state: State, desk: Desk, covered: set[str], now_ms: int) -> None:
        self.sequence = state.sequence
        self._silences = state.silences
        self._desk = desk
        self._covered = covered
        self._now = now_ms

    def told(self, happening: Happening) -> tuple[Alert, Notice | None]:
        """The alert after it was told, and the notice; None when there is nothing new to say."""
        alert = happening.alert
        silence = silence_of(alert, self._silences, self._now)
        if happening.kind == RESOLVE:
            keeps = silence is not None and silence.until_ms is None
            return calmed(alert, self._now), self._resolved(happening, silence is not None, keeps)
        if silence is not None:
            if happening.kind == REPEAT or alert.step <= alert.hushed_step:
                return alert, None
            hushed = alert._replace(hushed_step=alert.step)
            return hushed, self._withheld(happening, SILENCED)
        notice = self._passed_on(happening)
        is_heard = alert.is_heard or notice.withheld != HELD_BACK
        told = alert._replace(
            told_step=alert.step, told_at_ms=self._now, is_heard=is_heard,
            is_acked=alert.is_acked and happening.kind == REPEAT,
        )  # fmt: skip
        return told, notice

    def digests(self, is_quiet_now: bool) -> list[Notice]:
        """What the quiet hours kept: ONE notice for each set of channels, once they are over."""
        if is_quiet_now:
            return []
        made, waiting = [], []
        for channels in dict.fromkeys(h.channels for h in self._desk.held):
            held = [h for h in self._desk.held if h.channels == channels]
            if channels and not any(self._desk.has_room(c, self._now) for c in channels):
                waiting += held
            else:
                made.append(self._desk.rated(self._digest(channels, held)))
        self._desk.held = tuple(waiting)
        return made

    def _resolved(self, happening: Happening, is_silenced: bool, keeps: bool) -> Notice | None:
        alert = happening.alert
        if keeps:
            return self._desk.pass_on(self._notice(happening))
        if alert.told_step < 0:
            return None
        if is_silenced:
            return self._withheld(happening, SILENCED)
        if not alert.is_heard:
            return self._withheld(happening, UNHEARD)
        if alert.scope in COSTS and not self._desk.holds(alert.fingerprint):
            return self._withheld(happening, SPENT)  # its day is over: nothing to be glad of
        if self._now - alert.seen_ms > LATE_MS:
            return self._withheld(happening, LATE)
        return self._passed_on(happening)

    def _passed_on(self, happening: Happening) -> Notice:
        if happening.alert.fingerprint in self._covered:
            return self._withheld(happening, COVERED)
        return self._desk.pass_on(self._notice(happening))

    def _withheld(self, happening: Happening, why: str) -> Notice:
        return self._notice(happening)._replace(channels=(), withheld=why)

    def _notice(self, happening: Happening) -> Notice:
        kind, alert, rule = happening.kind, happening.alert, happening.rule
        seen, now = happening.seen, self._now
        is_over = kind == RESOLVE
        level = LEVELS[0] if is_over else rule.steps[min(alert.step, len(rule.steps) - 1)].level
        items = seen.items if seen is not None else ()
        self.sequence += 1
        return Notice(
            kind,
            alert.fingerprint,
            self.sequence,
            rule.id,
            rule.scope,
            level,
            words.title(kind, alert, is_gone=seen is None),
            words.body(kind, alert, rule, seen, now, happening.reason),
            "" if is_over else words.recommendation(rule.scope, level, items),
            rule.channels,
            now,
        )

    def _digest(self, channels: tuple[str, ...], held: Sequence[Held]) -> Notice:
        self.sequence += 1
        return Notice(
            DIGEST,
            "digest|" + ",".join(channels),
            self.sequence,
            "",
            "",
            max((h.level for h in held), key=LEVELS.index),
            words.digest_title(held),
            words.digest_body(held, self._now),
            "",
            channels,
            self._now,
        )
