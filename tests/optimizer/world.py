"""A world that the controller can change: a session that grows, compacts, idles and is told things.

It does what the real client was measured to do: a lowered window is taken up by the next request
that begins later, servers leave with the next request, and everything else with the next
compaction.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.optimizer.desk import COLD, START_MS, USABLE, WARM, measured

from tokenbudget.model.control import (
    HISTORY,
    MEMORY,
    RESTORE,
    SCRATCH,
    SERVERS,
    SKILLS,
    Decision,
    Held,
    Receipt,
    Signals,
    Wishes,
)
from tokenbudget.optimizer.controller import State, fresh, noted, tick
from tokenbudget.optimizer.receipts import settled
from tokenbudget.optimizer.state_text import state_of, state_text
from tokenbudget.optimizer.trust import trust_of

SUMMARY_TOKENS = 5_000
BASE_TOKENS = 12_000
TTL_MS = 300_000
THINGS = (
    Held("skills/a", SKILLS, "switch off a", "unused", 1_500),
    Held("skills/b", SKILLS, "switch off b", "unused", 900, last_used_ms=START_MS),
    Held("skills/pinned", SKILLS, "switch off pinned", "unused", 4_000, is_pinned=True),
    Held("mcp-servers/x", SERVERS, "unload x", "never called", 9_000),
    Held("mcp-servers/y", SERVERS, "unload y", "never called", 6_000),
    Held("mcp-servers/used", SERVERS, "unload used", "in use", 5_000, is_essential=True),
    Held("memory-files/copy", MEMORY, "leave out copy", "twice", 3_000),
    Held("memory-files/small", MEMORY, "leave out small", "twice", 300),
    Held("scratch/old", SCRATCH, "move old away", "a backup", 1_200),
)
NEVER = ("skills/pinned", "mcp-servers/used")
_COMPONENT = {
    SKILLS: "skills",
    SERVERS: "mcp_tools",
    MEMORY: "memory_files",
    SCRATCH: "memory_files",
}


class Tick(NamedTuple):
    """What one tick saw and came to."""

    now_ms: int
    seen: Signals
    decision: Decision
    state: State
    freed_tokens: int
    """By everything that was done until then."""


class World:
    """A session, and a loop that carries out what the controller decides."""

    def __init__(self, wishes: Wishes, expected_requests: float | None = None) -> None:
        self.wishes = wishes
        self.expected_requests = expected_requests
        self.state = fresh("s")
        self.now_ms = START_MS
        self.conversation = 3_000
        self.requests = self.compactions = self.actions = self.freed_tokens = 0
        self.request_at_ms = self.used_tokens = 0
        self.lowered_at_ms: int | None = None
        self.gone: set[str] = set()
        self.chosen: set[str] = set()
        self.reloaded: tuple[str, ...] = ()
        self.receipts: list[Receipt] = []
        self.log: list[Tick] = []
        self.is_failing = self.is_restarting = self.is_over = False

    # ── what happens ─────────────────────────────────────────────────────────────────────────────

    def request(self, growth: int, after_ms: int = 10_000) -> None:
        """The agent sends one more request; the client compacts before it where it has to."""
        self.now_ms += after_ms
        is_lowered = self.lowered_at_ms is not None and self.now_ms - self.lowered_at_ms > 2_000
        if is_lowered or self.used_tokens >= USABLE:
            self._compact()
        self._take_out({one for one in self.chosen if one.startswith("mcp-servers/")})
        self.conversation += growth
        self.requests += 1
        self.request_at_ms = self.now_ms
        self.used_tokens = BASE_TOKENS + self._things_tokens() + self.conversation
        self.tick()

    def idle(self, seconds: int) -> None:
        """Nothing is sent for so long; the loop looks at the end of it."""
        self.now_ms += 1_000 * seconds
        self.tick()

    def ask_for(self, thing: str) -> None:
        """The agent asks for something that was taken out, and gets it back."""
        if thing in self.gone:
            self.reloaded = (*self.reloaded, thing)
            self.gone.discard(thing)
            self.chosen.discard(thing)

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────

    def tick(self, **changed: object) -> Decision:
        """One look and what comes of it; `changed` makes the look another than it should be."""
        self.now_ms += 5_000
        seen = self.signals()._replace(**changed)  # type: ignore[arg-type]  # any field
        for done in settled(self.state, seen, self.now_ms):
            self.receipts.insert(0, done)
        trust = trust_of(self.receipts)
        self.state, decision = tick(self.state, seen, self.wishes, trust, self.now_ms, measured)
        if self.is_restarting:
            again = state_of(state_text(self.state))
            assert again == self.state
            self.state = again
        if decision.kind in ("act", RESTORE):
            self._carry_out(decision)
        self.log.append(Tick(self.now_ms, seen, decision, self.state, self.freed_tokens))
        return decision

    def signals(self) -> Signals:
        """What a look shows."""
        is_cold = self.now_ms - self.request_at_ms > TTL_MS
        return Signals(
            session="s", project="/p", client="9.9", model="model", has_tool_search=False,
            observed_at_ms=self.now_ms, request_key=f"r{self.requests}" if self.requests else "",
            request_at_ms=self.request_at_ms, requests=self.requests,
            used_tokens=self.used_tokens if self.requests else None, usable_tokens=USABLE,
            window_tokens=USABLE, compactions=self.compactions,
            is_between_turns=self.now_ms - self.request_at_ms > 60_000, is_over=self.is_over,
            cache=COLD if is_cold else WARM, expected_requests=self.expected_requests,
            composition=self._composition(), held=self._held(), reloaded=self.reloaded,
        )  # fmt: skip

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, decision: Decision) -> None:
        if self.is_failing:
            self.state = noted(self.state, decision, None)
            return
        self.actions += 1
        told = decision.prediction
        receipt = Receipt(
            id=self.actions, session="s", at_ms=self.now_ms, lever=decision.lever,
            items=decision.items, level=decision.level, action=self.actions,
            predicted_tokens=told.tokens if told else 0, predicted_usd=told.usd if told else None,
            effect=told.effect if told else "now", before_tokens=self.used_tokens,
            request_key=decision.request_key,
        )  # fmt: skip
        if decision.lever == HISTORY:
            self.lowered_at_ms = self.now_ms if decision.kind == "act" else None
        elif decision.kind == RESTORE:
            self.gone -= set(decision.items)
            self.chosen -= set(decision.items)
        else:
            self.chosen |= set(decision.items)
        self.state = noted(self.state, decision, receipt)

    def _compact(self) -> None:
        self.compactions += 1
        self.freed_tokens += max(0, self.conversation - SUMMARY_TOKENS)
        self.conversation = min(self.conversation, SUMMARY_TOKENS)
        self._take_out(set(self.chosen))

    def _take_out(self, things: set[str]) -> None:
        self.freed_tokens += sum(one.tokens for one in THINGS if one.id in things - self.gone)
        self.gone |= things
        self.chosen -= things

    def _things_tokens(self) -> int:
        return sum(one.tokens for one in THINGS if one.id not in self.gone)

    def _composition(self) -> dict[str, int]:
        found = {"messages": self.conversation, "system_prompt": BASE_TOKENS}
        for one in THINGS:
            name = _COMPONENT[one.lever]
            found[name] = found.get(name, 0) + (one.tokens if one.id not in self.gone else 0)
        return found

    def _held(self) -> tuple[Held, ...]:
        things = [
            one._replace(kept_tokens=self.conversation if one.lever == SERVERS else 0)
            for one in THINGS
            if one.id not in self.gone | self.chosen
        ]
        talk = Held(
            "history/compact", HISTORY, "compact the conversation", "the largest part",
            max(0, self.conversation - SUMMARY_TOKENS), replacement_tokens=SUMMARY_TOKENS,
            production_input_tokens=self.used_tokens, production_output_tokens=2_000,
        )  # fmt: skip
        return (*things, talk)
