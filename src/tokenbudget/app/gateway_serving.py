"""What of the gateway takes time, put together in its engine's thread: servers, code, results."""

from __future__ import annotations

import os
import threading

from tokenbudget.app.spilling import prune_spill_when_due, spill_of
from tokenbudget.gateway.mcp.backroom import Backroom, Furniture
from tokenbudget.gateway.mcp.guarded import Guard
from tokenbudget.gateway.mcp.hub import Hub
from tokenbudget.gateway.mcp.hub_values import HubLimits
from tokenbudget.gateway.mcp.kept_lists import KeptLists
from tokenbudget.gateway.mcp.passage import Passage
from tokenbudget.gateway.mcp.results import Results
from tokenbudget.gateway.mcp.rules import Rules
from tokenbudget.gateway.mcp.sandbox import Sandbox
from tokenbudget.gateway.mcp.sandbox_values import Limits
from tokenbudget.model.errors import BadConfig
from tokenbudget.system.heap import share_heap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.mcp.opening import Parts
    from tokenbudget.gateway.mcp.values import Tool
    from tokenbudget.model.protocols import Clock, TokenCounter

SANDBOX, LOGS = "sandbox", "logs"


def furnished(parts: Parts) -> Backroom:
    """The room behind the front of a gateway."""
    share_heap()  # before the threads of the sandbox and of the vocabulary
    rooms: list[Backroom] = []
    passage = Passage(lambda catalogue: rooms[0].learned(catalogue))
    hub = _hub(parts, passage)
    counter = LateCounter()
    wishes, clock, desk = parts.wishes, parts.clock, parts.desk
    rules = Rules(wishes.allow, wishes.ask, wishes.deny)
    guard = Guard(hub, rules, desk.audit, clock, counter, _noted(parts), passage)
    keep = spill_of(parts.settings.data_dir, clock).keep
    results = Results(counter, keep, wishes.answer_tokens, _level(parts.settings))
    lists = KeptLists(parts.cache, parts.fingerprints)
    sandbox = _sandbox(parts)
    furniture = Furniture(
        desk.shelf,
        hub,
        passage,
        guard,
        rules,
        results,
        sandbox,
        lists,
        parts.uses,
        desk.audit,
        clock,
    )
    rooms.append(Backroom(furniture))
    _warmed_beside(counter, parts.settings, clock)
    return rooms[0]


def _hub(parts: Parts, passage: Passage) -> Hub:
    wishes = parts.wishes
    return Hub(
        parts.desk.shelf.configs,
        parts.cache,
        passage,
        parts.clock,
        HubLimits(call_seconds=wishes.call_seconds, idle_seconds=wishes.idle_seconds),
        environment=parts.environment,
        log_folder=os.path.join(parts.folder, LOGS),
        dropped=lambda server, count: parts.desk.audit.note("flood", server=server, dropped=count),
    )


def _sandbox(parts: Parts) -> Callable[[], Sandbox]:
    wishes, usual = parts.wishes, Limits()
    limits = usual._replace(
        memory_mb=wishes.memory_mb,
        run_seconds=min(wishes.run_seconds, usual.run_seconds),
        whole_seconds=wishes.run_seconds,
    )
    folder = os.path.join(parts.folder, SANDBOX)
    return lambda: Sandbox(folder, parts.clock, limits)


def _noted(parts: Parts) -> Callable[[Tool, str], str]:
    """Counts a call that reached its server; gives the name by which the agent knows the tool."""

    def noted(tool: Tool, outcome: str) -> str:
        alias = parts.desk.shelf.alias_of(tool)
        if outcome in ("ok", "error") and alias:
            parts.uses.note(alias)
        return alias

    return noted


def _level(settings: Settings) -> str:
    """How hard a text is shortened that is too long."""
    try:
        return settings.management().compression_mode
    except BadConfig:
        return "balanced"


class LateCounter:
    """Counts with the vocabulary, which is loaded when something is counted."""

    name = "o200k_base"

    def __init__(self) -> None:
        self._loaded: TokenCounter | None = None

    def count(self, text: str) -> int:
        """Tokens of the text."""
        if self._loaded is None:
            from tokenbudget.metering.tokenizer import BytePairCounter

            self._loaded = BytePairCounter()
        return self._loaded.count(text)


def _warmed_beside(counter: LateCounter, settings: Settings, clock: Clock) -> None:
    """Load the vocabulary while nobody waits for it, and clear away old originals."""

    def warm() -> None:
        counter.count("")
        prune_spill_when_due(settings, clock)

    threading.Thread(target=warm, daemon=True).start()
