"""A session on a desk: a clock to turn, looks to take, and decisions to read."""

from __future__ import annotations

from typing import Any

from tokenbudget.model.actions import Effect
from tokenbudget.model.control import (
    HISTORY,
    LEVERS,
    MEMORY,
    RESERVE,
    SCRATCH,
    SERVERS,
    SKILLS,
    TERSENESS,
    TRIMMING,
    Cache,
    Decision,
    Held,
    Receipt,
    Signals,
    Wishes,
)
from tokenbudget.optimizer.controller import fresh, noted, tick
from tokenbudget.optimizer.lever_facts import Fact
from tokenbudget.optimizer.trust import Trust

USABLE, WINDOW = 100_000, 133_000
START_MS = 1_700_000_000_000
WARM = Cache(False, 240_000, 0.1, 1.25, 5.0, 3e-6)
COLD = Cache(True, 0, 0.1, 1.25, 5.0, 3e-6)
PAYS = {"expected_requests": 100.0}
PAYS_IN_A_PAUSE = {"expected_requests": 15.0}
"""From 1.5 to 3 times the break-even of `history()`."""
ALL_AUTO = Wishes(modes=dict.fromkeys(LEVERS, "auto"))
ALL_ADVISE = Wishes(modes=dict.fromkeys(LEVERS, "advise"))
ALL_OFF = Wishes(modes=dict.fromkeys(LEVERS, "off"))

MEASURED: dict[str, tuple[Effect, str]] = {
    HISTORY: ("now", "messages"),
    SERVERS: ("now", "tools"),
    SKILLS: ("next compaction", ""),
    MEMORY: ("next compaction", ""),
    SCRATCH: ("next compaction", ""),
    TRIMMING: ("now", ""),
    TERSENESS: ("now", ""),
    RESERVE: ("now", ""),
}


def measured(client: str, model: str, has_tool_search: bool | None, lever: str, /) -> Fact | None:
    """A table of levers in which every one of one client and model was measured."""
    if client != "9.9" or lever not in MEASURED:
        return None
    effect, rewrites = MEASURED[lever]
    return Fact(lever, "means", client, model, None, effect, 0, 0, 0, rewrites, True)


def skill(name: str = "deck", tokens: int = 3_000, **more: Any) -> Held:
    return Held(f"skills/{name}", SKILLS, f"switch off the skill {name}", "unused", tokens, **more)


def server(name: str = "github", tokens: int = 20_000, **more: Any) -> Held:
    return Held(f"mcp-servers/{name}", SERVERS, f"unload {name}", "never called", tokens, **more)


def memory(name: str = "copy", tokens: int = 4_000, **more: Any) -> Held:
    return Held(f"memory-files/{name}", MEMORY, f"leave out {name}", "stands twice", tokens, **more)


def history(tokens: int = 40_000, **more: Any) -> Held:
    costs = {
        "replacement_tokens": 6_000,
        "production_input_tokens": tokens + 10_000,
        "production_output_tokens": 3_000,
    }
    return Held(
        "history/compact", HISTORY, "compact the conversation", "it is the largest part", tokens,
        **{**costs, **more},
    )  # fmt: skip


class Desk:
    """A fake session; every request and every tick moves its clock by 5 seconds."""

    def __init__(self, *held: Held, wishes: Wishes = ALL_AUTO, trust: Trust | None = None) -> None:
        self.wishes = wishes
        self.trust = trust or Trust()
        self.state = fresh("s")
        self.now_ms = START_MS
        self.actions = 0
        self.seen = Signals(
            session="s", project="/project", client="9.9", model="model", has_tool_search=False,
            observed_at_ms=START_MS, request_key="", request_at_ms=0, requests=0, used_tokens=None,
            usable_tokens=USABLE, window_tokens=WINDOW, compactions=0, is_between_turns=False,
            is_over=False, cache=WARM, expected_requests=None, held=held,
        )  # fmt: skip

    def request(self, used_tokens: int, **more: Any) -> Decision:
        """One more completed request, looked at."""
        self.now_ms += 5_000
        number = self.seen.requests + 1
        self.seen = self.seen._replace(
            request_key=f"request {number}", requests=number, used_tokens=used_tokens,
            request_at_ms=self.now_ms,
        )  # fmt: skip
        return self.look(**more)

    def requests(self, *used_tokens: int, **more: Any) -> Decision:
        """Several; the decision after the last."""
        return [self.request(used, **more) for used in used_tokens][-1]

    def look(self, after_ms: int = 5_000, **more: Any) -> Decision:
        """One tick, later, with nothing new but what is said; it is carried out."""
        self.now_ms += after_ms
        self.seen = self.seen._replace(**{"observed_at_ms": self.now_ms, **more})
        self.state, decision = tick(
            self.state, self.seen, self.wishes, self.trust, self.now_ms, measured
        )
        return decision

    def done(self, decision: Decision) -> Receipt:
        """It is carried out, and went well."""
        self.actions += 1
        prediction = decision.prediction
        receipt = Receipt(
            id=self.actions, session="s", at_ms=self.now_ms, lever=decision.lever,
            items=decision.items, level=decision.level, action=self.actions,
            predicted_tokens=prediction.tokens if prediction else 0,
            predicted_usd=prediction.usd if prediction else None,
            effect=prediction.effect if prediction else "now",
            before_tokens=self.seen.used_tokens or 0, request_key=decision.request_key,
        )  # fmt: skip
        self.state = noted(self.state, decision, receipt)
        return receipt

    def failed(self, decision: Decision) -> None:
        """It was refused, or failed."""
        self.state = noted(self.state, decision, None)
