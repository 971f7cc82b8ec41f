"""What a backtest found: per request, session, strategy, tool and codec.

Tokens and money of the session as it was are what was billed; those of a strategy are modelled, so
that all are numbers with a fraction. Sums go over owned requests: a copy is counted where it was
billed.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_room import NO_ROOM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.backtest_room import RoomPair
    from tokenbudget.model.replay import Deed

AS_IT_WAS = "as it was"


class Classes(NamedTuple):
    """An amount for each kind of token that has a price of its own."""

    input: float = 0.0
    cache_write_5m: float = 0.0
    cache_write_1h: float = 0.0
    cache_read: float = 0.0
    output: float = 0.0

    def plus(self, other: Classes) -> Classes:
        """The sum, kind by kind."""
        return Classes._make(a + b for a, b in zip(self, other, strict=True))

    @property
    def total(self) -> float:
        """All kinds together."""
        return sum(self)

    @property
    def prompt(self) -> float:
        """Everything that was sent."""
        return sum(self[:4])


NOTHING = Classes()


class Bill(NamedTuple):
    """Tokens, and what they cost."""

    tokens: Classes = NOTHING
    usd: Classes = NOTHING
    unpriced_tokens: float = 0.0

    def plus(self, other: Bill) -> Bill:
        """Both together."""
        return Bill(
            self.tokens.plus(other.tokens),
            self.usd.plus(other.usd),
            self.unpriced_tokens + other.unpriced_tokens,
        )


NO_BILL = Bill()


class RequestResult(NamedTuple):
    """One request as it was and as it would have been."""

    number: int
    key: str
    model: str
    at_ms: int
    is_cold: bool
    was: Bill
    now: Bill
    """With what it had to fetch again."""
    result_tokens_was: float
    """Tokens of tools' results that it carried."""
    result_tokens_now: float
    refetches: int
    """Requests that had to be made before it, to see again what was not told."""
    window_was: float = 0.0
    """Its prompt and its answer: what stands in the window when it is done."""
    window_now: float = 0.0


class Shortening(NamedTuple):
    """What became of the pieces of one tool by one codec or rule."""

    tool: str
    """'' for what no tool has to do with."""
    kind: str
    """As in `model.window`."""
    by: str
    """The codec or rule; '' for pieces that stayed as they were."""
    pieces: int
    tokens_was: float
    """When they came into the window."""
    tokens_now: float
    """After the last change."""
    carried_was: float
    """Tokens x requests, over owned requests."""
    carried_now: float
    saved_usd: float
    """What carrying less saved, before what was fetched again."""

    def plus(self, other: Shortening) -> Shortening:
        """Both together; they are of the same tool and codec."""
        return self._replace(
            pieces=self.pieces + other.pieces,
            tokens_was=self.tokens_was + other.tokens_was,
            tokens_now=self.tokens_now + other.tokens_now,
            carried_was=self.carried_was + other.carried_was,
            carried_now=self.carried_now + other.carried_now,
            saved_usd=self.saved_usd + other.saved_usd,
        )


class Case(NamedTuple):
    """Something that the agent needed later and did not have: so that a person can read it."""

    session: str
    thread: str
    request: int
    kind: str
    """edit: the text that an edit replaces; use: anything else that it took from a result."""
    tool: str
    target: str
    by: str
    """The codec or rule that had taken it away."""
    span: str
    """What was needed, as far as it is shown."""


class Fidelity(NamedTuple):
    """What was lost, and what of it was needed; counts, so that sessions can be added up."""

    edits: int = 0
    """Edits whose `old_string` stood in the window as it was."""
    edits_verbatim: int = 0
    """Of them, those for which it still stood there."""
    edits_with_recall: int = 0
    """Those for which it stood there or could be had back by the handle that stood there."""
    results: int = 0
    """Tool results that were sent."""
    shortened: int = 0
    """Of them, those that were changed at some time."""
    refetches: int = 0
    """Changed results that something was needed from later which they no longer told."""
    uses: int = 0
    """Lines quoted and paths and names used later that a result had told first."""
    uses_kept: int = 0
    """Of them, those that still stood in the window."""
    uses_with_recall: int = 0
    """Those that stood there or could be had back."""
    atoms: int = 0
    """Different paths, numbers, names and error lines of the results that were changed."""
    atoms_kept: int = 0
    atoms_by_head: int = 0
    """What a cut of the same size would have kept: the beginning alone,"""
    atoms_by_ends: int = 0
    """or the beginning and the end."""
    handles: int = 0
    """Changed results that name a handle."""
    handles_true: int = 0
    """Of them, those whose handle is that of the very bytes of the original."""
    assertions: int = 0
    """Words, markers and lines that were checked where a receipt tells what was done."""
    false_facts: int = 0
    """Of them, those that are not so."""
    edits_found: int = 0
    """Edits for which it stood there, or in what an earlier need had fetched again."""

    def plus(self, other: Fidelity) -> Fidelity:
        """Both together."""
        return Fidelity._make(a + b for a, b in zip(self, other, strict=True))


class SessionResult(NamedTuple):
    """One session, or one of its threads, under one strategy."""

    session: str
    thread: str
    """'' for the main thread or all of them."""
    path: str
    requests: int
    was: Bill
    now: Bill
    result_tokens_was: float
    """Tokens of tools' results x requests that carried them."""
    result_tokens_now: float
    refetches: int
    refetch_usd: float
    """What they cost, in `now` already."""
    shortenings: tuple[Shortening, ...]
    fidelity: Fidelity = Fidelity()
    cases: tuple[Case, ...] = ()
    by_request: tuple[RequestResult, ...] = ()
    """Only where one session is asked for."""
    room: RoomPair = NO_ROOM
    """How full the window of the main thread was."""
    deeds: tuple[Deed, ...] = ()
    """What the strategy did of its own accord."""

    @property
    def saved_share(self) -> float:
        """Of the money; negative where it became dearer; 0.0 where nothing has a price."""
        return saved_share(self.was.usd.total, self.now.usd.total)


class StrategyResult(NamedTuple):
    """One strategy over all sessions."""

    name: str
    basis: str
    said: str
    was: Bill
    now: Bill
    result_tokens_was: float
    result_tokens_now: float
    refetches: int
    refetch_usd: float
    shortenings: tuple[Shortening, ...]
    """The ones that saved most first."""
    fidelity: Fidelity
    sessions: tuple[SessionResult, ...]
    """One for each session with its subagents; the dearest first."""
    cases: tuple[Case, ...]
    room: RoomPair = NO_ROOM

    @property
    def saved_share(self) -> float:
        """Of all the money."""
        return saved_share(self.was.usd.total, self.now.usd.total)

    @property
    def dearer(self) -> tuple[SessionResult, ...]:
        """Sessions that became dearer by more than one percent, the worst first."""
        found = [one for one in self.sessions if one.saved_share < -DEARER_SHARE]
        return tuple(sorted(found, key=lambda one: one.saved_share))


class Backtest(NamedTuple):
    """Every strategy over the same sessions."""

    strategies: tuple[StrategyResult, ...]
    sessions: int
    threads: int
    requests: int
    unread: tuple[str, ...] = ()
    """Transcripts that could not be gone through, with the reason."""


DEARER_SHARE = 0.01


def saved_share(was: float, now: float) -> float:
    """The part that is saved; 0.0 of nothing."""
    return 1 - now / was if was > 0 else 0.0


def added_up(bills: Iterable[Bill]) -> Bill:
    """The sum of bills."""
    total = NO_BILL
    for bill in bills:
        total = total.plus(bill)
    return total


def merged(shortenings: Iterable[Shortening]) -> tuple[Shortening, ...]:
    """One row for each tool, kind and codec, the one that saved most first."""
    found: dict[tuple[str, str, str], Shortening] = {}
    for one in shortenings:
        key = (one.tool, one.kind, one.by)
        before = found.get(key)
        found[key] = one if before is None else before.plus(one)
    return tuple(sorted(found.values(), key=lambda one: (-one.saved_usd, one[:3])))
