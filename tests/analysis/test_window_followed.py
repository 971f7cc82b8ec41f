"""A window followed from look to look is the window of a whole replay, at every step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.test_window_report import BOOK, FILE
from tests.analysis.window_builders import (
    MODEL,
    NOON_MS,
    Story,
    any_stories,
    plain_fit,
    plausible_stories,
)

from tokenbudget.analysis import window_followed
from tokenbudget.analysis.session_window import SessionWindow
from tokenbudget.analysis.window_followed import (
    FIRST_TAIL_REQUESTS,
    FollowedReplay,
    FollowedWindow,
)
from tokenbudget.analysis.window_pieces import ANSWERS
from tokenbudget.analysis.window_report import OwnFigures, session_window, window_where
from tokenbudget.budget.health import STANDARD
from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.windows import PieceRow, RequestRow
from tokenbudget.metering.calibration import Fit
from tokenbudget.model import window

OFTEN = settings(max_examples=150, deadline=None)
OWN = OwnFigures({}, None, STANDARD)


def fit_of(model: str) -> Fit:
    """Two models that count in their own way."""
    return plain_fit(model, 1.0 if model == MODEL else 0.8)


class Growing:
    """A ledger whose one transcript grows, and may be told otherwise; notes what it is asked."""

    def __init__(self, story: Story) -> None:
        self.rows: list[PieceRow] = []
        self.known = dict(story.requests)
        self.rest = list(story.rows)
        self.asked_rows = 0
        self.windows = self
        self.session_signals = SimpleNamespace(own_boundaries=lambda session: frozenset({7}))

    def grow(self, rows: int) -> None:
        """So many rows more stand in it."""
        self.rows += self.rest[:rows]
        del self.rest[:rows]

    def pieces(self, file_id: int) -> list[PieceRow]:
        return self.rows

    def pieces_from(self, file_id: int, place: tuple[int, int]) -> list[PieceRow]:
        found = [r for r in self.rows if (r.byte_offset, r.position) >= place and not r.thread]
        self.asked_rows = len(found)
        return found

    def requests(self, file_id: int) -> dict[str, RequestRow]:
        return self.requests_of({row.link for row in self.rows if row.kind in ANSWERS})

    def requests_of(self, keys: set[str]) -> dict[str, RequestRow]:
        return {key: row for key, row in self.known.items() if key in keys}

    def usage_sums(self, session: str, after_ms: int, until_ms: int) -> tuple[int, ...]:
        told = [
            one
            for one in self.requests(1).values()
            if one.session == session and after_ms < one.started_at_ms <= until_ms
        ]
        return (
            len(told),
            sum(one.output_tokens for one in told),
            sum(-1 if one.input_tokens is None else one.input_tokens for one in told),
            sum(one.cache_read_tokens for one in told),
            sum(one.has_stop_reason for one in told),
        )

    def told_window(self, session: str) -> int | None:
        return None

    def recent_requests(self, limit: int, before_ms: int) -> dict[int, list[RequestRow]]:
        return {}

    def agents_of(self, session: str) -> list[tuple[str, int, int]]:
        return []

    def tools_of(self, session: str) -> list[SimpleNamespace]:
        return []

    @property
    def ledger(self) -> Ledger:
        return cast("Ledger", self)


class Looker:
    """Looks at a session again and again, and begins anew where it has to."""

    def __init__(self, session: str = "s1") -> None:
        self.session = session
        self.followed = self.fresh()
        self.begun_anew = 0

    def fresh(self) -> FollowedWindow:
        return FollowedWindow(self.session, 1, fit_of, BOOK)

    def look(self, shelf: Growing) -> SessionWindow | None:
        """The window as it was followed; None where only a whole replay can tell."""
        way = self.followed.look(shelf.ledger)
        if way is None:
            self.begun_anew += 1
            self.followed = self.fresh()
            way = self.followed.look(shelf.ledger)
        if way is None:
            self.followed = self.fresh()
            return None
        return window_where(
            shelf.ledger, self.session, FILE, "", fit_of, OWN, lambda key: None, way
        )


def whole(shelf: Growing, session: str = "s1") -> SessionWindow:
    """The same by a whole replay, without the way."""
    found = session_window(shelf.ledger, session, FILE, "", fit_of, OWN, BOOK, lambda key: None)
    return found._replace(samples=(), crossings=())


def timed(story: Story) -> Story:
    """Its requests a second after each other."""
    story.requests = {
        key: row._replace(started_at_ms=row.started_at_ms + 1_000 * number)
        for number, (key, row) in enumerate(sorted(story.requests.items()))
    }
    return story


steps = st.lists(st.integers(0, 9), min_size=1, max_size=8)
told = st.lists(st.tuples(st.integers(0, 7), st.sampled_from("abcdefgh"), st.integers(1, 900)))


@OFTEN
@given(plausible_stories().map(timed), steps, told, st.integers(1, 3))
def test_each_look_is_equal_to_a_whole_replay(
    story: Story, grown: list[int], changes: list[tuple[int, str, int]], tail: int
) -> None:
    """Compactions, cleared results, rewinds, another model; requests that are told of later."""
    shelf, looker = Growing(story), Looker()
    with mock.patch.object(window_followed, "FIRST_TAIL_REQUESTS", tail):
        for number, rows in enumerate([*grown, len(story.rows)]):
            shelf.grow(rows)
            for step, key, tokens in changes:
                if step == number and key in shelf.known:
                    one = shelf.known[key]
                    shelf.known[key] = one._replace(output_tokens=one.output_tokens + tokens)
            found = looker.look(shelf)
            assert found is None or found == whole(shelf)


@OFTEN
@given(any_stories().map(timed), steps)
def test_whatever_the_order_of_the_lines(story: Story, grown: list[int]) -> None:
    shelf, looker = Growing(story), Looker()
    for rows in [*grown, len(story.rows)]:
        shelf.grow(rows)
        found = looker.look(shelf)
        assert found is None or found == whole(shelf)


@OFTEN
@given(any_stories().map(timed), steps, st.sampled_from("abc"))
def test_a_response_that_the_ledger_hears_of_later(
    story: Story, grown: list[int], late: str
) -> None:
    shelf, looker = Growing(story), Looker()
    kept = shelf.known.pop(late)
    for rows in [*grown, 0, len(story.rows)]:
        shelf.grow(rows)
        found = looker.look(shelf)
        assert found is None or found == whole(shelf)
        if rows == 0:
            shelf.known[late] = kept


# ── what is carried, and when it is not ──────────────────────────────────────────────────────────


def talk(turns: int, *, each_window: int = 40) -> Story:
    """So many turns with a result each, compacted whenever so many have been made."""
    story, tokens = Story(), 1_000
    for number in range(turns):
        if number and not number % each_window:
            story.put(window.COMPACTED, name="auto", target=str(tokens))
            tokens = 1_000
        story.put(window.TOOL_RESULT, 100 + number, "Bash", link=f"call{number}")
        tokens += 110 + number
        key = f"r{number}"
        story.request(key, tokens, 20)
        story.call(key, 20)
        tokens += 20
    return timed_in_order(story)


def timed_in_order(story: Story) -> Story:
    """Its requests a second after each other, as they came."""
    story.requests = {
        key: row._replace(started_at_ms=NOON_MS + 1_000 * number)
        for number, (key, row) in enumerate(story.requests.items())
    }
    return story


def looked(story: Story) -> tuple[Growing, Looker]:
    """All but the last six rows, looked at once."""
    shelf, looker = Growing(story), Looker()
    shelf.grow(len(story.rows) - 6)
    assert looker.look(shelf) == whole(shelf)
    return shelf, looker


def test_a_look_asks_for_what_is_new_and_for_the_last_answer() -> None:
    shelf, looker = looked(talk(300))
    for _ in range(3):
        shelf.grow(2)
        assert looker.look(shelf) == whole(shelf)
        assert shelf.asked_rows == 3
    assert looker.begun_anew == 0


def test_what_is_carried_is_bounded_by_the_window() -> None:
    for turns in (60, 300):
        _, looker = looked(talk(turns))
        replay = looker.followed._replay
        assert len(replay.held) + len(replay.waiting) < 90
        assert len(replay.moments) == 1
        assert replay.steps == []


def test_the_last_requests_that_tell_nothing_are_followed_too() -> None:
    """They reported no usage: the window is that of the one before, and the mark stays there."""
    story = talk(60)
    for number in range(FIRST_TAIL_REQUESTS + 4):
        story.put(window.PROMPT, 10)
        story.request(f"x{number}", None)
        story.put(window.TEXT, 9, link=f"x{number}")
    shelf, looker = Growing(timed_in_order(story)), Looker()
    shelf.grow(120)
    while shelf.rest:
        shelf.grow(2)
        assert looker.look(shelf) == whole(shelf)
    assert looker.begun_anew == 0
    assert Looker().look(shelf) is None  # who sees it first has to replay it whole


def test_a_response_before_the_mark_that_is_another_one_ends_it() -> None:
    shelf, looker = looked(talk(60))
    shelf.known["r3"] = shelf.known["r3"]._replace(output_tokens=900)
    assert looker.look(shelf) == whole(shelf)
    assert looker.begun_anew == 1


def test_an_answer_before_the_mark_whose_response_comes_later_ends_it() -> None:
    story = talk(60)
    late = story.requests.pop("r20")
    shelf, looker = looked(story)
    shelf.grow(2)
    assert looker.look(shelf) == whole(shelf)
    assert looker.begun_anew == 0
    shelf.known["r20"] = late._replace(session="s9")  # nothing that is summed up for this session
    assert looker.look(shelf) == whole(shelf)
    assert looker.begun_anew == 1


def test_what_was_sent_is_no_answer_whatever_it_names() -> None:
    """A result, a prompt: hostile lines may name a response in any place."""
    story = talk(60)
    shelf, looker = looked(story)
    for kind in (window.TOOL_RESULT, window.PROMPT, window.IMAGE):
        for link in ("r3", "r58", "r59"):
            shelf.rest.append(
                shelf.rest[-1]._replace(
                    byte_offset=shelf.rest[-1].byte_offset + 100, kind=kind, link=link
                )
            )
    while shelf.rest:
        shelf.grow(1)
        assert looker.look(shelf) == whole(shelf)
    assert whole(shelf).requests == 60
    assert looker.begun_anew == 0


def test_where_another_session_goes_on_in_the_file_all_is_replayed() -> None:
    story = talk(60)
    for key in list(story.requests)[-2:]:
        story.requests[key] = story.requests[key]._replace(session="s2")
    shelf, looker = looked(story)
    shelf.grow(6)
    assert looker.look(shelf) is None
    other = Looker("s2")
    assert other.look(shelf) == whole(shelf, "s2")


def test_a_branch_leaves_the_replay_where_it_is() -> None:
    story = talk(50)
    replay = FollowedReplay(fit_of, "s1", BOOK)
    replay.feed(story.rows[:70], story.requests)
    before = (replay.groups(), [piece.tokens for piece in replay.held], replay.tally.requests)
    branch = replay.branch()
    branch.feed(story.rows[70:], story.requests)
    branch.finish()
    for piece in replay.branch().held:
        piece.tokens = 1e9
    assert branch.tally.requests == 50
    assert (
        replay.groups(),
        [piece.tokens for piece in replay.held],
        replay.tally.requests,
    ) == before
