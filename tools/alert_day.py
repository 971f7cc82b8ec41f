"""A day of alerts on a clock that is made up: what a person would have got, and what not.

    python tools/alert_day.py            print the log
    python tools/alert_day.py --write    put it into docs/alerts.md

Usage is seen every 30 seconds and wavers by up to 3.5 points, as the use of a window does that is
filled, edited and compacted. Nothing is random: every run prints the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from math import sin
from pathlib import Path
from zoneinfo import ZoneInfo

from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.hours import parse_quiet_hours
from tokenbudget.alerts.memory_store import MemoryStore
from tokenbudget.alerts.notices import Notice
from tokenbudget.alerts.rules import (
    CONTEXT,
    DAY_COST,
    FIVE_HOUR,
    Item,
    Observation,
    cost_rule,
    limit_window_id,
    share_rule,
    step_of,
)
from tokenbudget.alerts.sending import send_due
from tokenbudget.alerts.state import Policy, acked, silenced_for
from tokenbudget.alerts.store import OutboxEntry, evaluate_once
from tokenbudget.model.spans import shown_span

PAGE = Path(__file__).parents[1] / "docs" / "alerts.md"
BEGIN, END = "<!-- the log: tools/alert_day.py --write -->", "<!-- end of the log -->"

ZONE = ZoneInfo("Europe/Paris")
START_MS = int(datetime(2026, 11, 20, 8, tzinfo=ZONE).timestamp() * 1_000)
TICK_MS, HOUR_MS, DAY_MS = 30_000, 3_600_000, 86_400_000

RULES = [
    share_rule(CONTEXT, 50, ["slack"]),
    share_rule(FIVE_HOUR, 80, ["slack"]),
    cost_rule(DAY_COST, "10", ["slack"]),
]
POLICY = Policy(quiet=parse_quiet_hours("22:00-07:00", "Europe/Paris"))

Course = list[tuple[float, float]]
"""Hours on the wall (over 24 is the next day) and percent, joined by straight lines."""

SESSIONS: dict[str, tuple[str, Course]] = {
    "s1": ("webshop · fix-cart", [(9, 10), (10, 47), (10.6, 53), (11.4, 92), (11.5, 92),
                                  (11.51, 21), (12.3, 34)]),
    "s2": ("api · flaky tests", [(13, 40), (13.5, 80), (16.5, 80), (16.6, 30), (17, 30)]),
    "s3": ("docs · typo", [(14, 20), (14.1, 30)]),
    "s4": ("nightly · migrate", [(22.5, 20), (23.2, 60), (25, 74), (26, 76), (26.5, 93),
                                 (27, 93), (27.01, 15), (30, 25)]),
}  # fmt: skip
LIMIT: Course = [(9, 0), (13.3, 93), (14, 95), (14, 0), (17, 40), (19, 55), (19, 0),
                 (24, 30), (24, 0), (29, 60), (29, 0), (32, 5)]  # fmt: skip
RESETS = (14, 19, 24, 29, 34)
COST: Course = [(8, 0), (12, 4), (17, 8), (22.5, 9), (23.6, 11), (24, 12),
                (24, 0), (32, 3)]  # fmt: skip
ITEMS = (Item("src/cart.py", 18_400), Item("npm test", 14_100), Item("docs/api.md", 7_700))


class FakeClock:
    """Wall and stopwatch in one; it moves when it is told to, or slept on."""

    def __init__(self) -> None:
        self.now = START_MS

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.now

    def monotonic_seconds(self) -> float:
        """Seconds since some moment."""
        return self.now / 1_000

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.now += int(seconds * 1_000)


class Chat:
    """A chat that is down between 11:05 and 11:12 and otherwise takes everything."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.got: list[tuple[int, OutboxEntry]] = []

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Take the message, or answer 503."""
        if 11 + 5 / 60 <= hour_of(self._clock.now) < 11 + 12 / 60:
            return Delivery(False, "answered 503", is_retryable=True)
        self.got.append((self._clock.now, entry))
        return Delivery(True, "delivered")


def hour_of(at_ms: int) -> float:
    """Hours on the wall since the midnight before the start."""
    return 8 + (at_ms - START_MS) / HOUR_MS


def on(course: Course, hour: float) -> float | None:
    """Where a course stands; None before and after it."""
    for (since, low), (until, high) in pairwise(course):
        if since <= hour < until:
            return low + (high - low) * (hour - since) / (until - since)
    return None


def wavering(percent: float, at_ms: int) -> float:
    """Up and down by up to 3.5 points, without a pattern that one could see."""
    t = at_ms / 60_000
    return max(0.0, percent + 2.2 * sin(t * 1.7) + 1.3 * sin(t * 0.61))


def seen_at(at_ms: int) -> Iterator[Observation]:
    """What there is to see at this time."""
    hour = hour_of(at_ms)
    for session, (where, course) in SESSIONS.items():
        percent = on(course, hour)
        if percent is not None:
            if session == "s3" and 14.05 <= hour < 14.05 + 25 / 3_600:
                percent = 60  # a large paste, taken back at once
            share = wavering(percent, at_ms) / 100
            is_known = not (session == "s2" and 15 <= hour < 15.7)  # nothing to read for a while
            yield Observation(
                CONTEXT, session, "", share, at_ms, is_known, where=where, items=ITEMS
            )
        elif course[-1][0] <= hour < course[-1][0] + 0.1:
            yield Observation(CONTEXT, session, "", 0.0, at_ms, is_over=True, where=where)
    used = on(LIMIT, hour)
    if used is not None:
        reset_ms = START_MS + int((next(r for r in RESETS if r > hour) - 8) * HOUR_MS)
        yield Observation(
            FIVE_HOUR, "account", limit_window_id(reset_ms), int(used) / 100, at_ms, where="account"
        )
    spent = on(COST, hour)
    day = "2026-11-20" if hour < 24 else "2026-11-21"
    if spent is not None:
        yield Observation(
            DAY_COST, "all", day, Decimal(f"{spent:.2f}"), at_ms, where="all projects"
        )


def lived() -> tuple[list[Notice], Chat, MemoryStore, int]:
    """The whole day: decisions, what arrived, what is remembered, and crossings of a step."""
    clock, store = FakeClock(), MemoryStore()
    chat, notices, crossings = Chat(clock), list[Notice](), 0
    before: dict[tuple[str, str], int] = {}
    for at_ms in range(START_MS, START_MS + DAY_MS, TICK_MS):
        clock.now = at_ms
        seen = list(seen_at(at_ms))
        notices += evaluate_once(store, RULES, seen, POLICY, at_ms)
        send_due(store, {"slack": chat}, clock)
        _deeds(store, at_ms)
        for rule in RULES:
            for one in (o for o in seen if o.scope == rule.scope and o.is_known):
                step = step_of(rule, one.value)
                crossings += step > before.get((rule.id, one.scope_id), -1)
                before[rule.id, one.scope_id] = step
    return notices, chat, store, crossings


def _deeds(store: MemoryStore, at_ms: int) -> None:
    """What the person does: acknowledge at 13:20, silence for an hour at 16:00."""
    if at_ms == START_MS + int(5.75 * HOUR_MS):
        store.state = acked(store.state, "context-50")
    if at_ms == START_MS + 8 * HOUR_MS:
        store.state = silenced_for(store.state, "context-50", HOUR_MS, at_ms)


def log() -> str:
    """The day as it would be read."""
    notices, chat, store, crossings = lived()
    rows = [(n.at_ms, _decided(n)) for n in notices]
    rows += [(h.at_ms, _delivered(h.detail)) for h in store.history if h.event == "failed"]
    rows += [
        (at_ms, f"{'(late)':<8} {entry.title}, {shown_span(at_ms - entry.made_at_ms)} after")
        for at_ms, entry in chat.got
        if at_ms - entry.made_at_ms > TICK_MS
    ]
    lines = [f"{_wall(at_ms)}  {text}" for at_ms, text in sorted(rows)]
    arrived = len(chat.got)
    lines += [
        "",
        f"{DAY_MS // TICK_MS:,} evaluations; usage rose over a step {crossings} times;"
        f" {len(notices)} decisions, {arrived} messages arrived.",
    ]
    return "\n".join(lines)


def _decided(notice: Notice) -> str:
    reach = f"[{notice.withheld}]" if notice.withheld else "-> slack"
    text = f"{notice.kind:<8} {notice.level:<9} {notice.title}  {reach}"
    advice = notice.recommendation.partition(".")[0]
    extra = [advice] if notice.recommendation and not notice.withheld else []
    extra += notice.body.splitlines() if notice.kind == "digest" else []
    return "\n".join([text, *(f"{'':<9}{line}" for line in extra)])


def _delivered(detail: str) -> str:
    return f"{'(failed)':<8} {detail}"


def _wall(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(ZONE).strftime("%H:%M:%S")


def page_with(page: str, text: str) -> str:
    """The page with this log between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n```\n{text}\n```\n{END}{tail}"


if __name__ == "__main__":
    printed = log()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), printed), encoding="utf-8")
    print(printed)
