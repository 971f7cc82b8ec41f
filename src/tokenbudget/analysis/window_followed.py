"""A session's window followed on from where it stood, instead of from its beginning.

What was replayed once is carried: the pieces in the window, the remainder, sums of the requests.
The carried replay stands just before the last request that tells of the window, because that one
may still change: each look replays on from there in a copy, and moves the mark. What is carried is
bounded by the window; of the history it keeps 24 bytes for each piece that was dropped and each
request (`system.remembered`).

The answer is that of a whole replay, or none: where anything before the mark is no longer what it
was, the caller begins anew.
"""

from __future__ import annotations

import copy
from math import inf
from typing import NamedTuple

from tokenbudget.analysis.window_pieces import answer_keys
from tokenbudget.analysis.window_replay import Moment, Replay
from tokenbudget.analysis.window_report import Followed
from tokenbudget.analysis.window_tally import Tally
from tokenbudget.system.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tokenbudget.analysis.window_pieces import Held
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.ledger.windows import PieceRow, RequestRow
    from tokenbudget.metering.calibration import Fit
    from tokenbudget.metering.rates import PriceBook

FIRST_TAIL_REQUESTS = 16
"""At the first look the mark is set before so many; that look then moves it on."""
MOST_TAIL_ROWS = 4_000
"""A mark that lies further back is not worth carrying (nothing known so far has come near it)."""
BEGIN = (-1, -1)


class FollowedReplay(Replay):
    """A replay of a main thread that keeps sums in place of moments, and can be branched."""

    def __init__(self, fit_of: Callable[[str], Fit], session: str, book: PriceBook) -> None:
        super().__init__({}, fit_of, "", session)
        self.tally = Tally(book)
        self._counts, self._keys = Remembered[float]("d"), Remembered[int]("q")
        self._known, self._begun = self._counts, self._keys

    def feed(
        self, rows: Sequence[PieceRow], requests: Mapping[str, RequestRow], until_key: str = ""
    ) -> dict[str, int]:
        """Take further rows in; the index of the row with which each request began, by its key."""
        self._requests = requests
        begun_at: dict[str, int] = {}
        for index, row in enumerate(rows):
            if until_key and self._is_past(row, until_key):
                break
            before = self._request
            self._take(row)
            if self._request is not before and self._request is not None:
                begun_at[self._request.key] = index
        self._requests = {}
        return begun_at

    def branch(self) -> FollowedReplay:
        """The same, to go on with; this one stays where it is."""
        twin = copy.copy(self)
        twin.stand_alone()
        return twin

    def stand_alone(self) -> None:
        """Have nothing more in common with what this was copied from."""
        self.held, self.waiting = _copied(self.held), _copied(self.waiting)
        self._answered, self._answer = _copied(self._answered), _copied(self._answer)
        self._totals = dict(self._totals)
        self.moments, self.compactions = list(self.moments), list(self.compactions)
        self.called_tools = set(self.called_tools)
        self.tally = self.tally.copied()
        self._counts, self._keys = self._counts.branch(), self._keys.branch()
        self._known, self._begun = self._counts, self._keys

    def finish(self) -> None:
        """Nothing comes after: it cannot go on then."""
        self._finish()

    def _keep(self, moment: Moment) -> None:
        self.moments = [moment]
        self.tally.add(moment)

    def _note_step(self, request: RequestRow, new: list[Held], prompt_tokens: int) -> None:
        """Nobody learns from a window that is looked at again and again."""


class _Told(NamedTuple):
    """What the requests of a session before the mark came to."""

    until_ms: int
    sums: tuple[int, ...]


class FollowedWindow:
    """One session's main thread in one transcript, from look to look."""

    def __init__(
        self, session: str, file_id: int, fit_of: Callable[[str], Fit], book: PriceBook
    ) -> None:
        self.fit_of = fit_of
        self._session = session
        self._file_id = file_id
        self._replay = FollowedReplay(fit_of, session, book)
        self._mark = BEGIN
        self._told: dict[str, _Told] = {}
        """By session: copied answers stand under the one that they were written in."""
        self._missing: set[str] = set()
        """Answers before the mark of which the ledger knew no response."""
        self._last_ms: tuple[float, float] = (-inf, -inf)
        """When the last request before the mark began: of the session, and of any other."""

    def look(self, ledger: Ledger) -> Followed | None:
        """The thread to its present end; None where only a whole replay can tell.

        The transcript's pieces must be counted, and up to the mark the same as at the last look;
        the ledger must stand still meanwhile. After None this object is of no more use.
        """
        if not self._is_as_it_was(ledger):
            return None
        rows = ledger.windows.pieces_from(self._file_id, self._mark)
        requests = ledger.windows.requests_of(answer_keys(rows))
        own_ms, other_ms = self._last_answers_ms(rows, requests)
        if -inf < own_ms < other_ms:
            return None  # another session goes on in the file: see `window_report`
        if self._mark == BEGIN:
            rows = self._begun(ledger, rows, requests)
        if len(rows) > MOST_TAIL_ROWS:
            return None
        replay = self._replay.branch()
        begun_at = replay.feed(rows, requests)
        replay.finish()
        here, last = replay, replay.tally.told.known
        if last is not None:
            if last.key not in begun_at:
                return None
            if last is not replay.tally.last:
                here = self._replay.branch()
                here.feed(rows, requests, last.key)
                here.finish()
            self._advance(ledger, rows, requests, begun_at[last.key])
        return Followed(replay, replay.tally, here)

    def _is_as_it_was(self, ledger: Ledger) -> bool:
        """Whether the ledger says of every response before the mark what it said then."""
        if self._missing and ledger.windows.requests_of(self._missing):
            return False
        return all(
            ledger.windows.usage_sums(session, -1, told.until_ms) == told.sums
            for session, told in self._told.items()
        )

    def _last_answers_ms(
        self, rows: Sequence[PieceRow], requests: Mapping[str, RequestRow]
    ) -> tuple[float, float]:
        """When the last request of the session began, and the last of any other in the file."""
        own_ms, other_ms = self._last_ms
        for found in _answered(rows, requests):
            if found.session == self._session:
                own_ms = max(own_ms, found.started_at_ms)
            else:
                other_ms = max(other_ms, found.started_at_ms)
        return own_ms, other_ms

    def _begun(
        self, ledger: Ledger, rows: list[PieceRow], requests: Mapping[str, RequestRow]
    ) -> list[PieceRow]:
        """Replay all but the last requests of a session that is looked at first; what is left."""
        places: dict[str, int] = {}
        for index, row in enumerate(rows):
            if row.link in requests:
                places.setdefault(row.link, index)
        starts = sorted(places.values())
        if len(starts) <= FIRST_TAIL_REQUESTS:
            return rows
        place = starts[-FIRST_TAIL_REQUESTS]
        self._advance(ledger, rows, requests, place)
        return rows[place:]

    def _advance(
        self,
        ledger: Ledger,
        rows: Sequence[PieceRow],
        requests: Mapping[str, RequestRow],
        place: int,
    ) -> None:
        """Move the mark to the row at this place."""
        passed = rows[:place]
        self._replay.feed(passed, requests)
        self._mark = rows[place].byte_offset, rows[place].position
        self._last_ms = self._last_answers_ms(passed, requests)
        self._missing |= answer_keys(passed) - requests.keys()
        until_ms: dict[str, int] = {}
        for found in _answered(passed, requests):
            until_ms[found.session] = max(until_ms.get(found.session, -1), found.started_at_ms)
        for session, at_ms in until_ms.items():
            self._note_sums(ledger, session, at_ms)

    def _note_sums(self, ledger: Ledger, session: str, until_ms: int) -> None:
        """Only what came since is summed up: what was before has just been compared."""
        told = self._told.get(session)
        if told is None:
            sums = ledger.windows.usage_sums(session, -1, until_ms)
            self._told[session] = _Told(until_ms, sums)
        elif until_ms > told.until_ms:
            more = ledger.windows.usage_sums(session, told.until_ms, until_ms)
            both = zip(told.sums, more, strict=True)
            self._told[session] = _Told(until_ms, tuple(a + b for a, b in both))


def _answered(rows: Iterable[PieceRow], requests: Mapping[str, RequestRow]) -> Iterator[RequestRow]:
    """The requests whose answers are among these rows."""
    return (requests[key] for key in answer_keys(rows) if key in requests)


def _copied(pieces: Iterable[Held]) -> list[Held]:
    return [piece.copied() for piece in pieces]
