"""Observations, a day to put them in, and an engine that remembers."""

from __future__ import annotations

from collections.abc import Sequence

from tokenbudget.alerts.engine import evaluate
from tokenbudget.alerts.notices import Notice
from tokenbudget.alerts.rules import CONTEXT, FIVE_HOUR, Item, Observation, Rule, share_rule
from tokenbudget.alerts.state import Policy, State
from tokenbudget.alerts.store import OutboxEntry

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
NOON_MS = 1_763_726_400_000  # 2025-11-21 12:00 UTC
ITEMS = (Item("src/cart.py", 18_400), Item("npm test", 14_100))


def context_at(percent: float, at_ms: int, session: str = "s1", **more: object) -> Observation:
    made = Observation(
        CONTEXT, session, "", percent / 100, at_ms, where="webshop · fix-cart", items=ITEMS
    )
    return made._replace(**more)  # type: ignore[arg-type]


def limit_at(percent: float, at_ms: int, window_id: str) -> Observation:
    return Observation(FIVE_HOUR, "account", window_id, percent / 100, at_ms)


class Engine:
    """`evaluate` with its state, on a clock that the test moves."""

    def __init__(self, rules: Sequence[Rule] = (), policy: Policy | None = None) -> None:
        self.rules = list(rules) or [share_rule(CONTEXT, 80, ["slack"])]
        self.policy = policy or Policy()
        self.state = State()
        self.now = NOON_MS
        self.notices: list[Notice] = []

    def sees(self, *observations: Observation, after: int = 0) -> list[Notice]:
        """What is decided after so many milliseconds."""
        self.now += after
        self.state, made = evaluate(self.rules, observations, self.state, self.policy, self.now)
        self.notices += made
        return made

    def at(self, percent: float, after: int = 0, session: str = "s1") -> list[str]:
        """The kinds of notices that a share of the context gives rise to."""
        self.now += after
        return [n.kind for n in self.sees(context_at(percent, self.now, session))]

    def holds(self, percent: float, minutes: int) -> list[str]:
        """The kinds that come while a share stays, looked at every 30 seconds."""
        kinds = []
        for _ in range(2 * minutes):
            kinds += self.at(percent, after=30 * SECOND)
        return kinds


def entry(**more: object) -> OutboxEntry:
    made = OutboxEntry(
        "0123456789abcdef0123456789abcdef",
        "slack",
        "fire",
        "critical",
        "context-80",
        "context-80|context|s1|",
        "context window at 81%: webshop",
        "◆ critical: 81% of the context window is used.\nDelegate searches to a subagent.",
        NOON_MS,
    )
    return made._replace(**more)  # type: ignore[arg-type]
