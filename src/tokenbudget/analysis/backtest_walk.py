"""Lead a strategy through a recorded thread, and keep what would have stood in its window."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple, Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.model.protocols import Strategy, TokenCounter
    from tokenbudget.model.replay import Change, Deed


@runtime_checkable
class Acting(Protocol):
    """A walker that decides by itself when to do something, and keeps account of it."""

    deeds: Sequence[Deed]


class Version(NamedTuple):
    """What stands in the place of a piece from a request on."""

    since: int
    text: str | None
    """None: only its size is modelled."""
    tokens: float
    """Its size; of what stands before the conversation, the share that is left."""
    by: str
    is_lossless: bool
    is_said_so: bool
    receipt: object | None = None
    """As in `model.replay.Change`."""


class Walked(NamedTuple):
    """A thread under a strategy."""

    timeline: Timeline
    versions: Mapping[int, Sequence[Version]]
    """By the number of a piece, in the order of time; what is not named stayed as it was."""
    deeds: Sequence[Deed] = ()
    """What the strategy decided, in the order of time."""

    def version_at(self, piece: int, request: int) -> Version | None:
        """What a request sends in the place of a piece; None: the piece itself."""
        versions = self.versions.get(piece)
        if not versions:
            return None
        place = bisect_right(versions, request, key=lambda version: version.since)
        return versions[place - 1] if place else None

    def text_at(self, piece: int, request: int) -> str | None:
        """The text that a request sends of a piece; None where only its size is modelled."""
        version = self.version_at(piece, request)
        return self.timeline.pieces[piece].text if version is None else version.text

    def changes_of(self, piece: int) -> Sequence[Version]:
        """Everything that came to stand in the place of a piece."""
        return self.versions.get(piece, ())


class Remembering:
    """A counter that counts a long text once: the same results go through every strategy."""

    def __init__(self, counter: TokenCounter) -> None:
        self.name = counter.name
        self._counter = counter
        self._known: dict[str, int] = {}

    def count(self, text: str) -> int:
        """Tokens of the text."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._counter.count(text)
        return found


def walk(timeline: Timeline, strategy: Strategy, counter: TokenCounter) -> Walked:
    """Ask the strategy before each request; a change of what is not in the window is void."""
    walker = strategy.walker()
    versions: dict[int, list[Version]] = {}
    for moment in timeline.moments():
        for change in walker.before(moment):
            version = _version(change, timeline, counter, moment.number)
            if version is not None:
                _put(versions.setdefault(change.piece, []), version)
    deeds = tuple(walker.deeds) if isinstance(walker, Acting) else ()
    return Walked(timeline, versions, deeds)


def _put(versions: list[Version], version: Version) -> None:
    """The last word of one moment counts."""
    if versions and versions[-1].since == version.since:
        is_said_so = version.is_said_so or versions[-1].is_said_so
        versions[-1] = version._replace(is_said_so=is_said_so)
    else:
        versions.append(version)


def _version(
    change: Change, timeline: Timeline, counter: TokenCounter, number: int
) -> Version | None:
    if change.piece < 0:
        return Version(number, None, change.share, change.by, False, False)
    if change.piece >= len(timeline.pieces):
        return None
    piece = timeline.pieces[change.piece]
    if not piece.entered <= number < piece.left:
        return None
    tokens = piece.tokens * change.share
    if change.text is not None:
        tokens = worth(change.text, piece.text, piece.tokens, counter)
    rest = (change.by, change.is_lossless, change.is_said_so, change.receipt)
    return Version(number, change.text, max(0.0, tokens), *rest)


def worth(text: str, original: str, tokens: float, counter: TokenCounter) -> float:
    """A text's size by what this session paid for the original."""
    before = counter.count(original)
    after = counter.count(text)
    return tokens * after / before if before else float(after)
