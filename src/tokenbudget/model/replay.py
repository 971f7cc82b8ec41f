"""What a strategy is told while a recorded session is gone through again, and what it answers.

A strategy is told of one request after the other and of nothing behind it, so that it cannot know
what comes: what it does could have been done then.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.control import UNKNOWN_CACHE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.model.control import Cache

APPLIED, MODELLED, ORACLE, NAIVE = "applied", "modelled", "oracle", "naive"
"""What a strategy rests on: a part of this product does it today; nothing does it yet; it knows
what nobody can know; it is what others would do, for comparison."""

PREFIX_PIECE = -1
"""The number of what stands before the conversation and was not recorded."""
SUMMARY_PIECE = -2
"""Not a piece but a request of its own that summarises the window; `Change.share` is how many
tokens it writes."""


class Stood(NamedTuple):
    """A piece as it came into the window."""

    number: int
    """In the order of the window; `Change.piece` names it."""
    kind: str
    """As in `model.window`."""
    name: str
    """The tool, for a call and its result."""
    target: str
    link: str
    text: str
    tokens: float
    """What it takes in the window."""
    arguments: Mapping[str, object]
    """Of the call that it is, or that it answers; empty for all else."""
    has_failed: bool
    """Of a tool's result."""
    original: str = ""
    """The text as it was recorded, where another strategy has changed it; '' where `text` is it."""
    shown_share: float | None = None
    """Of the file that was read, the part of its lines that the text shows; None: not known."""


class Moment(NamedTuple):
    """A request is about to be sent."""

    number: int
    at_ms: int
    """0: unknown."""
    idle_ms: int | None
    """Since the request before it began; None: there is none, or its time is unknown."""
    is_cold: bool
    """Whether what was cached before is known to be gone: a change then loses nothing."""
    rewrite_reads: float
    """By how many reads a token's second writing is dearer than one read of it: (write - read) /
    read, at this model's prices of the day; 0.0 where there are none."""
    cause: str
    """What changed the window since the request before, as in `analysis.window_replay`."""
    model: str
    window_tokens: int
    """Of the request before it with its answer; 0 for the first one."""
    fresh: Sequence[Stood]
    """What was added since the request before."""
    gone: Sequence[int]
    """What left the window since then."""
    ttl_ms: int = 0
    """How long what the thread caches lives, as far as it was told by then; 0: unknown."""
    cache: Cache = UNKNOWN_CACHE
    """The prices of the day; whether it is cold depends on when one looks: see `ttl_ms`."""
    is_owned: bool = True
    """False for a copy of a request that is billed in another thread."""


class Change(NamedTuple):
    """From this request on something else stands where a piece stood."""

    piece: int
    text: str | None
    """What stands there now; None where only its size is modelled."""
    by: str
    """The codec or the rule that made it; a name of ours."""
    share: float = 1.0
    """Of its size, what is left, where there is no text."""
    is_lossless: bool = False
    """Whether all of the original is still told."""
    is_said_so: bool = False
    """Whether the model wrote the piece itself in this shorter form, and was billed for no more."""
    receipt: object | None = None
    """The account of a shortened text (`compression.receipts.Receipt`), where a codec made it."""


class Deed(NamedTuple):
    """Something that a strategy did of its own accord, or the client in its place."""

    request: int
    """The one that it took effect with."""
    lever: str
    """As in `model.control`; `CLIENT` for a compaction that the client made by itself."""
    level: str
    """Of `budget.health.LEVELS`, when it was decided."""
    predicted_tokens: float
    freed_tokens: float
    """Of the window that the request sends."""


CLIENT = "client"
"""Who compacted, where it was no strategy: the window was full."""
