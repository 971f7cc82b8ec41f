"""The window of a recorded session as a strategy has made it, told forward request by request.

**Modelled.** What stands in the window is what was recorded, less what the strategy took away; what
the agent would have done differently is not known. A compaction is modelled as the client makes it
(measured on release 2.1.329, and seen in recorded sessions): a request over the whole window writes
a summary of `SUMMARY_TOKENS`; system prompt, tools and listings stay; of the files that were in use
those come back that `working_set.brought_back` names, word for word; the last answer stays with its
results, and so does a new prompt. All else is gone, and what of it is needed later is fetched again
and paid for by whoever prices the walk.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_copies import EDITING, READING, WRITING, path_of
from tokenbudget.analysis.backtest_walk import worth
from tokenbudget.model import window
from tokenbudget.model.replay import SUMMARY_PIECE, Change
from tokenbudget.optimizer.working_set import CLIENT, FileInUse, Limits, brought_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.model.replay import Moment, Stood

SUMMARY_TOKENS = 5_000
"""What a summary takes, to write and then to carry: 5,014 in a real one of 998,659 tokens."""
STAYING = window.PREFIX | {
    *(window.ENVIRONMENT, window.MEMORY_FILE, window.MCP_INSTRUCTIONS),
    *(window.SKILL_LISTING, window.AGENT_LISTING, window.DEFERRED_NAMES),
}
"""What the client sends again after a compaction as it was."""
BY_COMPACTION = "compaction"
BYTES_PER_TOKEN = 4
"""By which the client judges whether a file is small enough to be attached again."""
MANY_REQUESTS = 1_000_000_000


class _Piece:
    """Something that stands in the window, and how large it is now."""

    __slots__ = ("entered", "stood", "tokens")

    def __init__(self, stood: Stood, entered: int) -> None:
        self.stood = stood
        self.entered = entered
        self.tokens = float(stood.tokens)


class _File:
    """A file in use: where it stands in the window."""

    __slots__ = ("edited", "pieces", "read", "tokens")

    def __init__(self) -> None:
        self.pieces: set[int] = set()
        self.tokens = 0.0
        self.read = 0
        self.edited: int | None = None

    @property
    def changed(self) -> int:
        """In the order in which the client would see it."""
        return self.read - MANY_REQUESTS if self.edited is None else self.edited


class Compaction(NamedTuple):
    """What one would do to the window as it stands."""

    leaving: tuple[int, ...]
    """The numbers of the pieces that go."""
    removed_tokens: float
    """What they take."""
    back_tokens: float
    """What stays of the conversation: files that are attached again, and what is kept."""

    @property
    def freed_tokens(self) -> float:
        """By how much the window shrinks; negative where the summary is larger."""
        return self.removed_tokens - SUMMARY_TOKENS


class World:
    """One thread's window; feed it every moment in order, and every change that was made."""

    def __init__(self, counter: TokenCounter, limits: Limits = CLIENT) -> None:
        self._counter = counter
        self._limits = limits
        self._held: dict[int, _Piece] = {}
        self._files: dict[str, _File] = {}
        self._carrier: int | None = None
        """The piece in whose place the summary stands."""
        self.recorded_tokens = 0
        """The window after the last request, as it was recorded."""
        self.number = 0
        """Of the request that is about to be sent."""

    # ── what happens ───────────────────────────────────────────────────────────────────────────

    def finish_request(self, moment: Moment) -> None:
        """The request before this moment's was answered: what stood then still stands."""
        self.number = moment.number
        self.recorded_tokens = moment.window_tokens

    def begin_request(self, moment: Moment) -> None:
        """What has left and come in since."""
        for number in moment.gone:
            self._held.pop(number, None)
        if self._carrier is not None and self._carrier not in self._held:
            self._carrier = None
        if moment.gone or moment.cause:
            self._forget_files()
        for stood in moment.fresh:
            self._held[stood.number] = _Piece(stood, moment.number)
            self._note_file(stood, moment.number)

    def take(self, changes: Iterable[Change]) -> None:
        """These changes were made."""
        for change in changes:
            held = self._held.get(change.piece)
            if held is None:
                continue
            stood = held.stood
            if change.text is None:
                held.tokens = stood.tokens * change.share
            else:
                held.tokens = worth(change.text, stood.text, stood.tokens, self._counter)

    # ── what there is ──────────────────────────────────────────────────────────────────────────

    @property
    def used_tokens(self) -> float:
        """The window after the last answered request, as the strategy has made it."""
        saved = sum(one.stood.tokens - one.tokens for one in self._held.values())
        return max(0.0, self.recorded_tokens - saved)

    @property
    def conversation_tokens(self) -> float:
        """What of it a compaction touches."""
        return sum(one.tokens for one in self._held.values() if not _stays(one.stood))

    def files(self) -> list[FileInUse]:
        """The files in use, by path.

        When a file was changed on the disk is known of those that the session edited; the others
        are taken to be older than all of these, and among themselves as old as their last reading.
        """
        return [
            FileInUse(
                path,
                one.tokens,
                one.changed,
                sum(self._held[number].tokens for number in one.pieces if number in self._held),
                self.number - one.read,
                None if one.edited is None else self.number - one.edited,
            )
            for path, one in sorted(self._files.items())
        ]

    def pieces(self, kinds: frozenset[str]) -> list[tuple[Stood, float]]:
        """Those of some kinds that take anything, with what they take."""
        return [
            (one.stood, one.tokens)
            for one in self._held.values()
            if one.stood.kind in kinds and one.tokens > 0
        ]

    # ── compaction ─────────────────────────────────────────────────────────────────────────────

    def compaction(self) -> Compaction:
        """What one before the request that is about to be sent would do."""
        kept = self._kept()
        leaving = [
            number
            for number, one in self._held.items()
            if number not in kept and not _stays(one.stood) and one.tokens > 0
        ]
        removed = sum(self._held[number].tokens for number in leaving)
        back = sum(self._held[number].tokens for number in kept if number in self._held)
        return Compaction(tuple(leaving), removed, back)

    def compact(self, found: Compaction) -> list[Change]:
        """Do it; the changes that say so."""
        carrier = self._carrier if self._carrier is not None else self._new_carrier(found)
        if carrier is None:
            return []
        self._carrier = carrier
        stood = self._held[carrier].stood
        changes = [Change(one, None, BY_COMPACTION, share=0.0) for one in found.leaving]
        share = SUMMARY_TOKENS / stood.tokens
        changes.append(Change(carrier, None, BY_COMPACTION, share=share))
        self.take(changes)
        back = {one.path for one in brought_back(self.files(), self._limits)}
        self._files = {path: one for path, one in self._files.items() if path in back}
        changes.append(Change(SUMMARY_PIECE, None, BY_COMPACTION, share=float(SUMMARY_TOKENS)))
        return changes

    def _new_carrier(self, found: Compaction) -> int | None:
        sizes = ((number, self._held[number].stood.tokens) for number in found.leaving)
        return next((number for number, tokens in sizes if tokens > 0), None)

    def _kept(self) -> set[int]:
        """What stays of the conversation: files that come back, and what is newer than that."""
        kept = {
            number
            for one in brought_back(self.files(), self._limits)
            for number in self._files[one.path].pieces
        }
        return kept | {n for n, one in self._held.items() if one.entered == self.number}

    # ── files ──────────────────────────────────────────────────────────────────────────────────

    def _note_file(self, stood: Stood, request: int) -> None:
        path = path_of(stood)
        if not path or stood.has_failed:
            return
        is_read = stood.kind == window.TOOL_RESULT and stood.name in READING
        is_written = stood.kind == window.TOOL_USE and stood.name in WRITING
        if not is_read and not is_written and stood.kind != window.FILE:
            return
        file = self._files.setdefault(path, _File())
        file.read = request
        if is_written:
            file.edited = request
        if stood.kind == window.TOOL_USE and stood.name in EDITING:
            file.pieces.add(stood.number)
            return
        size = len(stood.text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN
        share = 1.0 if stood.kind != window.TOOL_RESULT else stood.shown_share
        if share is None and not _is_whole(stood):
            share = 0.0
        if share is None or share >= 1.0:
            if size < file.tokens / 2:  # a stub that says: unchanged
                return
            file.pieces = set()
        file.pieces.add(stood.number)
        file.tokens = size / share if share else (float("inf") if share == 0.0 else size)

    def _forget_files(self) -> None:
        """Of files whose pieces have left, nothing is in use."""
        for path, one in list(self._files.items()):
            one.pieces &= self._held.keys()
            if not one.pieces:
                del self._files[path]


def _stays(stood: Stood) -> bool:
    return stood.kind in STAYING


def _is_whole(stood: Stood) -> bool:
    return "offset" not in stood.arguments and "limit" not in stood.arguments


def is_between_turns(fresh: Sequence[Stood]) -> bool:
    """Whether the last answer asked for no tool: the agent waits for the person."""
    written = [one.kind for one in fresh if one.kind in window.WRITTEN]
    return bool(written) and window.TOOL_USE not in written
