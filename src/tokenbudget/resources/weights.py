"""What something costs in every request: from the last window of the project, else counted.

What a window shows was calibrated against what the API reported. What it does not show is counted
from its text with a public vocabulary and a ratio, and is an estimate. What is neither is unknown.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.composition import ALL_SERVERS, EXACT
from tokenbudget.model.actions import UNKNOWN_WEIGHT, Weight
from tokenbudget.resources.evidence import server_key
from tokenbudget.resources.looking import real

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tokenbudget.analysis.composition import Component
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.model.actions import Basis
    from tokenbudget.model.protocols import TokenCounter

LISTING = "listing"
"""The item of a window that holds the lines of all skills, or of all agents."""
BYTES_PER_TOKEN = 3.6
"""Of the public vocabulary, for text of the usual mixture (`metering.calibration`)."""
BYTES_ERROR = 0.3
"""What a count from bytes alone may be off: code and prose differ by about as much."""
_LINE_ERROR = 0.05
"""Tokens per byte that one line may differ from the mean of its listing."""
LEAST_ERROR = 0.05
"""What one thing in a window may be off, however well the whole is known: schemas, prose and lists
differ in tokens a byte. (With the real client 34,951 were predicted where 35,961 were freed.)"""
SAME_SIZE = 0.02
"""A memory file that differs from the one in the window by more is counted anew."""


class Shown(NamedTuple):
    """Something that a window showed: its name there, and what it weighed."""

    name: str
    weight: Weight
    size_bytes: int


class Weights:
    """Says what things weigh.

    `ratio` is how many tokens of the model one of the counter's is; `error_share` what that may be
    off. Without a counter only what a window shows is known.
    """

    def __init__(
        self,
        counter: TokenCounter | None = None,
        ratio: float = 1.0,
        error_share: float = 0.15,
        *,
        memory_files: Iterable[Shown] = (),
        servers: Iterable[Shown] = (),
        listings: Mapping[str, Shown] | None = None,
        window_tokens: int | None = None,
    ) -> None:
        self.window_tokens = window_tokens
        self._counter = counter
        self._ratio = ratio
        self._error_share = error_share
        self._memory = {real(one.name): one for one in memory_files}
        self._servers = _by_server(servers)
        self._listings = dict(listings or {})

    def of_text(self, text: str) -> Weight:
        """What a text weighs by its words."""
        if not text:
            return Weight(0, 0, "exact")
        if self._counter is None:
            return UNKNOWN_WEIGHT
        tokens = self._counter.count(text) * self._ratio
        return Weight(round(tokens), math.ceil(tokens * self._error_share), "estimated")

    def of_bytes(self, size_bytes: int) -> Weight:
        """What so many bytes of text weigh, by the usual mixture."""
        tokens = size_bytes / BYTES_PER_TOKEN * self._ratio
        return Weight(round(tokens), math.ceil(tokens * BYTES_ERROR), "estimated")

    def of_memory_file(self, path: str, text: str) -> Weight:
        """A memory file: as the window showed it, if it is still the same."""
        seen = self._memory.get(real(path))
        size_bytes = len(text.encode("utf-8", "replace"))
        if seen is None or seen.weight.tokens is None:
            return self.of_text(text)
        if abs(seen.size_bytes - size_bytes) <= max(64, SAME_SIZE * size_bytes):
            return seen.weight
        return self.of_text(text)

    def of_server(self, name: str) -> Weight:
        """An MCP server: names, instructions and schemas; unknown where no window shows it."""
        return self._servers.get(server_key(name), UNKNOWN_WEIGHT)

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers that the window shows, as tools spell them."""
        return tuple(self._servers)

    def listing(self, group: str) -> Shown | None:
        """All lines of the skills, or of the agents, as the window showed them."""
        return self._listings.get(group)

    def of_line(self, group: str, line: str) -> Weight:
        """A line of such a listing, if it is sent as it is: its part of the whole, or counted."""
        seen = self.listing(group)
        size_bytes = len(line.encode("utf-8", "replace"))
        if seen is None or not seen.weight.tokens or seen.size_bytes <= 0:
            return self.of_text(line)
        share = size_bytes / seen.size_bytes
        error = max(seen.weight.error_tokens * share, size_bytes * _LINE_ERROR)
        return Weight(round(seen.weight.tokens * share), math.ceil(error), "calibrated")


def weights_of(
    window: SessionWindow | None,
    counter: TokenCounter | None,
    ratio: float,
    error_share: float = 0.15,
) -> Weights:
    """The weights that a window shows, and a way to count the rest."""
    if window is None:
        return Weights(counter, ratio, error_share)
    parts = {part.key: part for part in window.components}
    unexplained = _unexplained(window, parts)
    off = max(window.calibration_p90_error, LEAST_ERROR) + unexplained
    listings = {
        group: one
        for group in (window_pieces.SKILLS, window_pieces.AGENTS)
        for one in _shown(parts.get(group), off)
        if one.name == LISTING
    }
    return Weights(
        counter,
        ratio,
        error_share + unexplained,
        memory_files=_shown(parts.get(window_pieces.MEMORY_FILES), off),
        servers=_shown(parts.get(window_pieces.MCP_TOOLS), off),
        listings=listings,
        window_tokens=window.size.tokens,
    )


def _unexplained(window: SessionWindow, parts: Mapping[str, Component]) -> float:
    """What the parts may weigh more, where all that was sent is known and they do not make it up.

    A record that is proven leaves nothing out: the remainder is text of the parts that was counted
    too low, and nobody knows of which.
    """
    hidden = parts.get(window_pieces.HIDDEN)
    if hidden is None or window.record is None or not window.record.is_proven:
        return 0.0
    known = sum(part.tokens for part in parts.values()) - hidden.tokens
    return hidden.tokens / known if known > 0 else 1.0


def added(weights: Iterable[Weight]) -> Weight:
    """The sum; unknown as soon as one is. Errors add up: one counting is off in one direction."""
    found = list(weights)
    if any(weight.tokens is None for weight in found):
        return UNKNOWN_WEIGHT
    order: tuple[Basis, ...] = ("exact", "calibrated", "estimated")
    worst = max((order.index(weight.basis) for weight in found if weight.basis in order), default=0)
    return Weight(
        sum(weight.tokens or 0 for weight in found),
        sum(weight.error_tokens for weight in found),
        order[worst],
    )


def _shown(part: Component | None, off: float) -> list[Shown]:
    """The items of a component; one alone may be off by more than its share of all."""
    if part is None:
        return []
    is_exact = part.provenance == EXACT
    return [
        Shown(
            item.name,
            Weight(
                item.tokens,
                0 if is_exact else _error_tokens(part, item.tokens, off),
                "exact" if is_exact else "calibrated",
            ),
            item.size_bytes,
        )
        for item in part.items
    ]


def _error_tokens(part: Component, tokens: int, off: float) -> int:
    share = part.error_tokens * tokens / part.tokens if part.tokens else 0.0
    return math.ceil(max(share, tokens * off))


def _by_server(shown: Iterable[Shown]) -> dict[str, Weight]:
    """By the name in their tools; what belongs to no server alone is left out."""
    found: dict[str, Weight] = {}
    for one in shown:
        if one.name and one.name != ALL_SERVERS:
            key = server_key(one.name)
            found[key] = added((found[key], one.weight)) if key in found else one.weight
    return found
